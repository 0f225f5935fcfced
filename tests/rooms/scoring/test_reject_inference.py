"""Outcomes of the declined are inferred only when asked, the model says so, and what it is worth is said as it is.

The made-up lender accepted the better half by a score; the truth of the declined, which no lender has, is at hand.
"""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from grainline.entry.cli import app
from grainline.scoring import score_many
from grainline.scoring.folding import stratified_folds
from grainline.scoring.measures import measure
from grainline.scoring.reject_inference import LIMIT, Declined, Way, infer
from grainline.scoring.table import BadTable, Table, load_declined
from grainline.scoring.training import ANY_TABLE, Judged, judge, train


def lender(people: int, *, seed: int, unseen: float) -> tuple[Table, pl.DataFrame, np.typing.NDArray[np.bool_]]:
    """Return the accepted, the declined, and what the declined would have done.

    Income and history tell of the risk. So does an impression that is in no table: by `unseen` it moved the officer
    who accepted, and the outcome.
    """
    rng = np.random.default_rng(seed)
    income, history, impression = rng.normal(size=(3, people))
    bad = rng.random(people) < 1 / (1 + np.exp(1.6 + income + 0.7 * history + unseen * impression))
    taken = income + 0.7 * history + 1.5 * unseen * impression > 0
    frame = pl.DataFrame({"income": income.round(3), "history": history.round(3)})
    accepted = Table(frame.filter(taken), bad[taken], "bad", pl.DataFrame(), {})
    return accepted, frame.filter(~taken), bad[~taken]


def said_of(table: Table, declined: Declined | None, of: pl.DataFrame) -> tuple[float, float]:
    """Return the mean probability that the trees and the scorecard say of people, fitted with or without inference."""
    unmeasured = judged_of(table)
    pair = train(table, unmeasured, name="known", declined=declined)
    trees, card = (score_many(one, of, explain=False).probability.mean() for one in (pair.challenger, pair.champion))
    return float(trees), float(card)


def judged_of(table: Table) -> Judged:
    """Return figures of no meaning: what is tested here is not in them."""
    some = np.linspace(0.1, 0.9, table.label.size)
    return Judged(measure(table.label, some), measure(table.label, some), (some, some))


def test_without_declined_nothing_changes_and_nothing_is_said() -> None:
    table, _, _ = lender(1_500, seed=1, unseen=0)
    pair = train(table, judged_of(table), name="known")
    assert train(table, judged_of(table), name="known", declined=None) == pair
    for model in (pair.champion, pair.challenger):
        assert not [name for name in model.facts if name.startswith("reject")]


@pytest.mark.parametrize(("way", "factor"), [(Way.FUZZY, 1.0), (Way.PARCEL, 2.0)])
def test_a_model_that_infers_says_so_and_is_measured_on_the_accepted(way: Way, factor: float) -> None:
    table, frame, _ = lender(1_500, seed=1, unseen=0)
    declined = Declined(frame, way, factor)
    judged = judge(table, declined)
    assert judged.probabilities[0].size == table.label.size
    plain, pair = train(table, judged, name="known"), train(table, judged, name="known", declined=declined)
    for before, model in ((plain.champion, pair.champion), (plain.challenger, pair.challenger)):
        facts = model.facts
        assert (facts["reject_inference"], facts["reject_inference_factor"]) == (str(way), factor)
        assert facts["reject_inference_declined"] == frame.height
        assert facts["reject_inference_limit"] == LIMIT
        assert facts["rows"] == table.label.size
        assert model.body != before.body
        rate = facts["reject_inference_bad_rate"]
        expected = factor * score_many(before, frame, explain=False).probability.mean()
        assert isinstance(rate, float) and rate == pytest.approx(expected, abs=0.03)


def test_what_is_inferred_comes_from_the_training_people_alone() -> None:
    """A fold's test outcomes, turned around, change nothing of what its model says of them."""
    table, frame, _ = lender(1_500, seed=2, unseen=0)
    declined = Declined(frame, Way.FUZZY)
    before = judge(table, declined)
    # two neighbours of the first test fold, a good and a bad one, change places: so the folds stay as they are
    test = stratified_folds(table.label, 5, ANY_TABLE.seed)[0][1]
    pairs = [n for n, after in pairwise(test.tolist()) if after == n + 1 and table.label[n] != table.label[after]]
    label = table.label.copy()
    label[[pairs[0], pairs[0] + 1]] = label[[pairs[0] + 1, pairs[0]]]
    assert np.array_equal(stratified_folds(label, 5, ANY_TABLE.seed)[0][1], test)
    after = judge(Table(table.frame, label, "bad", pl.DataFrame(), {}), declined)
    for said, said_after in zip(before.probabilities, after.probabilities, strict=True):
        assert np.array_equal(said[test], said_after[test])
        assert not np.array_equal(said, said_after)  # the others' models were fitted to these two


def test_fuzzy_weighs_and_parcels_deal_by_band() -> None:
    rows, said = np.zeros((1_000, 1)), np.linspace(0.0, 0.4, 1_000)
    frame = pl.DataFrame({"x": rows[:, 0]})
    fuzzy = infer(Declined(frame, Way.FUZZY), rows, said, seed=1)
    assert fuzzy.label.size == 2_000 and fuzzy.weight.sum() == pytest.approx(1_000)
    assert fuzzy.bad_rate == pytest.approx(0.2)
    parcel = infer(Declined(frame, Way.PARCEL, 1.5), rows, said, seed=1)
    assert parcel.bad_rate == pytest.approx(0.3, abs=0.002)
    assert parcel.label[:100].mean() == pytest.approx(0.03) and parcel.label[900:].mean() == pytest.approx(0.57)
    assert np.array_equal(parcel.label, infer(Declined(frame, Way.PARCEL, 1.5), rows, said, seed=1).label)


@pytest.mark.parametrize("unseen", [0.0, 1.0])
def test_no_way_finds_what_only_the_declined_knew(unseen: float) -> None:
    """The figures of docs/scoring.md: all that is fitted to the accepted is too kind to the declined, and stays so."""
    table, frame, truth = lender(4_000, seed=3, unseen=unseen)
    plain = said_of(table, None, frame)
    for declined in (Declined(frame, Way.FUZZY), Declined(frame, Way.PARCEL, 2.0)):
        found = said_of(table, declined, frame)
        assert max(found) < truth.mean() - 0.05
        # the scorecard's points end where the accepted end, and its level is theirs: nothing of it comes through
        assert found[1] == pytest.approx(plain[1], abs=0.02)
        # the trees take over what they are told, which is a step in the right direction and an opinion
        assert plain[0] - 0.01 < found[0]


def test_the_command_warns_and_refuses_what_does_not_fit(tmp_path: Path) -> None:
    table, frame, _ = lender(1_200, seed=4, unseen=0)
    accepted, declined = tmp_path / "accepted.csv", tmp_path / "declined.csv"
    table.frame.with_columns(outcome=pl.Series(table.label).cast(pl.Int64)).write_csv(accepted)
    frame.write_csv(declined)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["score", "train", "--csv", str(accepted), "--label", "outcome", *words])
        return done.exit_code, done.output

    code, told = run("--declined", str(declined), "--json")
    assert code == 0, told
    figures = json.loads(told)
    assert figures["rows"] == table.label.size
    assert figures["reject_inference"] == {"way": "fuzzy", "declined": frame.height, "factor": 1.0}
    assert LIMIT in figures["warning"]
    assert run("--reject-inference", "parcel")[0] == 2
    assert run("--declined", str(declined), "--parcel-factor", "2")[0] == 2
    declined.write_text("income,history\n1,much\n")
    code, told = run("--declined", str(declined))
    assert code == 2 and "history: row 1: 'much' is not a number, as it is among the accepted" in told


def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "declined.csv"
    file.write_text("income\n1\n")
    with pytest.raises(BadTable, match="history: no such column"):
        load_declined(file, pl.DataFrame({"income": [1.0], "history": [2.0]}))
