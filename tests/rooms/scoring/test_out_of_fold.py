"""Nobody is scored by what knows their outcome, and nothing about a person's sex or marriage is ever used."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from grainline.scoring import LABEL, REASONS, STEPS, Portfolio, Scores, measure, score_portfolio
from grainline.scoring.folding import stratified_folds
from grainline.scoring.out_of_fold import RECIPE
from grainline.scoring.portfolio import NEVER_INPUTS, checked
from grainline.scoring.training import FOLDS


def test_sex_marriage_and_age_at_random_change_nothing(sample: Portfolio, sample_scores: Scores) -> None:
    rng = np.random.default_rng(11)
    at_random = sample.frame.with_columns(
        pl.Series("sex", rng.integers(1, 3, sample.rows)),
        pl.Series("marriage", rng.integers(0, 4, sample.rows)),
        pl.Series("age", rng.integers(18, 90, sample.rows)),
    )
    assert not at_random.select(NEVER_INPUTS).equals(sample.frame.select(NEVER_INPUTS))
    again = score_portfolio(checked(at_random))
    # The same test holds that the same input gives the same bits: every field, the models' hash included.
    assert np.array_equal(again.boosted, sample_scores.boosted)
    assert np.array_equal(again.scorecard, sample_scores.scorecard)
    assert again.pd_e6 == sample_scores.pd_e6
    assert again.reasons == sample_scores.reasons
    assert again.model_hash == sample_scores.model_hash


def test_outcomes_dealt_at_random_cannot_be_foretold(sample: Portfolio) -> None:
    dealt = checked(sample.frame.with_columns(pl.col(LABEL).shuffle(seed=4)))
    scores = score_portfolio(dealt)
    label = dealt.frame[LABEL].to_numpy()
    # Under no skill the AUC of 3,000 people scatters by about 0.013; a leak would lift it far above.
    for probability in (scores.boosted, scores.scorecard):
        assert measure(label, probability).auc == pytest.approx(0.5, abs=0.045)


def test_a_persons_own_outcome_does_not_move_their_probability(sample: Portfolio, sample_scores: Scores) -> None:
    """Exchange the outcomes of two neighbours of one fold: that fold's models and calibration never saw either.

    Neighbours, because the folds deal the bad and the good out in the order of rows, so that nobody else moves.
    """
    label = sample.frame[LABEL].to_numpy()
    fold = _first_fold(label)
    pairs = [(row, row + 1) for row in fold.tolist() if row + 1 in fold and label[row] != label[row + 1]]
    assert pairs
    exchanged = label.copy()
    exchanged[list(pairs[0])] = exchanged[list(reversed(pairs[0]))]
    assert np.array_equal(_first_fold(exchanged), fold)
    scores = score_portfolio(checked(sample.frame.with_columns(pl.Series(LABEL, exchanged))))
    assert np.array_equal(scores.boosted[fold], sample_scores.boosted[fold])
    assert np.array_equal(scores.scorecard[fold], sample_scores.scorecard[fold])
    assert not np.array_equal(scores.boosted, sample_scores.boosted)
    assert scores.model_hash != sample_scores.model_hash


@pytest.mark.usefixtures("sample_scores")
def test_progress_counts_every_model_to_the_end(progress_seen: list[tuple[int, int]]) -> None:
    assert progress_seen == [(step, STEPS) for step in range(1, STEPS + 1)]


def test_scores_are_probabilities_with_known_reasons(sample: Portfolio, sample_scores: Scores) -> None:
    assert len(sample_scores.pd_e6) == len(sample_scores.reasons) == sample.rows
    assert all(0 < pd_e6 < 1_000_000 for pd_e6 in sample_scores.pd_e6)
    assert {code for codes in sample_scores.reasons for code in codes} <= set(REASONS)
    late = sample.frame["status_1"].to_numpy() >= 2
    told = np.array(["recent_delay" in codes for codes in sample_scores.reasons])
    assert told[late].mean() > 0.95
    assert told[sample.frame["status_1"].to_numpy() <= 0].mean() == 0


def test_a_small_odd_portfolio_is_scored_all_the_same(sample: Portfolio) -> None:
    """Two hundred copies of one person, half of whom default: nothing can be learned, and nothing breaks."""
    copies = pl.concat([sample.frame.head(1)] * 200).with_columns(
        person_id=pl.int_range(pl.len()), defaulted=pl.int_range(pl.len()) % 2 == 0
    )
    scores = score_portfolio(checked(copies))
    assert scores.boosted == pytest.approx(np.full(200, 0.5), abs=0.01)
    assert scores.scorecard == pytest.approx(np.full(200, 0.5), abs=0.01)


def _first_fold(label: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return stratified_folds(label, FOLDS, RECIPE.seed)[0][1]
