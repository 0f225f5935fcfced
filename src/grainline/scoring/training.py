"""Fitting a champion and a challenger to a table, and judging them on people they have not seen.

    all rows ──5 stratified folds──▶ training 4/5                                               test 1/5
                                     ├─ which categories are common, which growth, which
                                     │  characteristics, which calibration: decided here
                                     └─ both models, fitted on all of it ──────────────────────▶ probability

The way a fold's models are fitted is the way the models are fitted that are kept, on all rows (`fit_pair`).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl
from pydantic import JsonValue

from grainline.scoring.arrays import Label, Matrix, Vector, Whole
from grainline.scoring.boosted import FEW, MANY, Boosted, Growth, fit_boosted
from grainline.scoring.calibration import Isotonic, Platt, chosen_calibration, log_loss
from grainline.scoring.card_evidence import evidence_of
from grainline.scoring.feature_spec import FeatureSpec, encoded_rows
from grainline.scoring.folding import stratified_folds, unseen_log_odds
from grainline.scoring.measures import Measures, measure
from grainline.scoring.model import CreditModel
from grainline.scoring.reject_inference import Declined, Inferred, facts_of, infer
from grainline.scoring.scorecard_fit import Detail, chosen_characteristics, detail_for, fit_scorecard
from grainline.scoring.scored import score_many
from grainline.scoring.table import Table

FOLDS, INNER_FOLDS = 5, 3
FITS_AT_ONCE = 2
# A category of fewer people tells more about them than about the category.
CATEGORY_LEAST = 10
CATEGORIES_MOST = 50

Specs = tuple[FeatureSpec, ...]
Step = Callable[[], None]


@dataclass(frozen=True)
class Recipe:
    """How models are fitted; what is open is decided inside the training part, on people the fits have not seen.

    Of several growths the one of the lowest log loss is taken. Characteristics are chosen where none are given, and
    binned as finely as there are people for where it is not said. Of those `declined` outcomes are inferred from the
    training part (`reject_inference.py`); without any, nothing is.
    """

    seed: int = 42
    growths: tuple[Growth, ...] = (MANY, FEW)
    characteristics: tuple[str, ...] | None = None
    detail: Detail | None = None
    calibrate: Callable[[Vector, Label], Platt | Isotonic] = chosen_calibration
    declined: Declined | None = None

    @property
    def steps(self) -> int:
        """Return how many models are fitted for one pair: 3 inner folds, and the one that is kept; twice to infer."""
        return ((len(self.growths) + 1) * INNER_FOLDS + 2) * (2 if self.declined else 1)


ANY_TABLE = Recipe()


def no_step() -> None:
    """Take no notice of a fitted model."""


@dataclass(frozen=True)
class Pair:
    """A scorecard and boosted trees fitted to the same people."""

    champion: CreditModel
    challenger: CreditModel


@dataclass(frozen=True)
class Judged:
    """What out-of-fold probabilities are worth: AUC and KS are means over the test folds, the level is of all.

    `probabilities` are those of the boosted trees and of the scorecard, in the table's order.
    """

    boosted: Measures
    scorecard: Measures
    probabilities: tuple[Vector, Vector]


def specs_of(frame: pl.DataFrame, known: pl.DataFrame) -> Specs:
    """Return a table's columns as inputs of a model whose common categories are those of `known` rows."""
    return tuple(_spec(frame[name], known[name]) for name in frame.columns)


def _spec(column: pl.Series, known: pl.Series) -> FeatureSpec:
    missing_allowed = column.null_count() > 0
    if column.dtype != pl.String:
        return FeatureSpec(column.name, missing_allowed=missing_allowed)
    counts = known.drop_nulls().alias("value").value_counts().filter(pl.col("count") >= CATEGORY_LEAST)
    common = counts.sort("count", "value", descending=[True, False])["value"].to_list()[:CATEGORIES_MOST]
    return FeatureSpec(
        column.name, "category", categories=tuple(common), missing_allowed=missing_allowed, other_allowed=True
    )


def fit_pair(frame: pl.DataFrame, label: Label, specs: Specs, *, recipe: Recipe, name: str) -> Pair:
    """Fit both models on all rows given."""
    rows = encoded_rows(specs, frame)
    return Pair(
        _scorecard(rows, label, specs, recipe=recipe, name=name, step=no_step),
        _boosted(rows, label, specs, recipe=recipe, name=name, step=no_step),
    )


def fit_folds(
    frame: pl.DataFrame,
    label: Label,
    specs_for: Callable[[pl.DataFrame], Specs],
    *,
    recipe: Recipe,
    step: Step = no_step,
) -> list[tuple[Whole, Pair]]:
    """Return for each fold its test rows and the pair fitted to all others; `step` is called after each fit.

    `specs_for` is given the training rows. The trees are fitted in a pool of threads, and the scorecards meanwhile
    in this one. LightGBM leaves the interpreter free while it fits. Two fits of one thread each are as fast as one
    fit of two, and do not stall when another process takes a core: its own threads wait for each other by spinning.
    """
    folds = stratified_folds(label, FOLDS, recipe.seed)
    parts = []
    for training, _ in folds:
        specs = specs_for(frame[training])
        parts.append((encoded_rows(specs, frame[training]), label[training], specs))
    pool = ThreadPoolExecutor(FITS_AT_ONCE)
    try:
        pending = [pool.submit(_boosted, *part, recipe=recipe, name="fold", step=step) for part in parts]
        cards = [_scorecard(*part, recipe=recipe, name="fold", step=step) for part in parts]
        pairs = [Pair(card, one.result()) for card, one in zip(cards, pending, strict=True)]
    finally:
        pool.shutdown(cancel_futures=True)
    return [(test, pair) for (_, test), pair in zip(folds, pairs, strict=True)]


def _scorecard(rows: Matrix, label: Label, specs: Specs, *, recipe: Recipe, name: str, step: Step) -> CreditModel:
    detail = recipe.detail or detail_for(label.size)
    if recipe.characteristics is None:
        columns = list(chosen_characteristics(rows, label, specs, detail))
    else:
        columns = [[spec.name for spec in specs].index(one) for one in recipe.characteristics]
    few = tuple(specs[column] for column in columns)
    narrow = np.ascontiguousarray(rows[:, columns])

    def made(inferred: Inferred | None) -> CreditModel:
        fit = partial(fit_scorecard, specs=few, detail=detail, inferred=inferred)
        unseen = unseen_log_odds(fit, narrow, label, folds=INNER_FOLDS, seed=recipe.seed, each=step)
        card = fit(narrow, label)
        step()
        return CreditModel(f"{name}-scorecard", few, card, recipe.calibrate(unseen, label), _facts(label, recipe))

    return _inferring(made, few, recipe)


def _boosted(rows: Matrix, label: Label, specs: Specs, *, recipe: Recipe, name: str, step: Step) -> CreditModel:
    categories = [column for column, spec in enumerate(specs) if spec.kind == "category"]

    def made(inferred: Inferred | None) -> CreditModel:
        best: tuple[float, Growth, Vector] | None = None
        for growth in recipe.growths:
            fit = partial(fit_boosted, growth=growth, categories=categories, inferred=inferred)
            unseen = unseen_log_odds(fit, rows, label, folds=INNER_FOLDS, seed=recipe.seed, each=step)
            loss = log_loss(label, Platt(1.0, 0.0).probability(unseen))
            if best is None or loss < best[0]:
                best = loss, growth, unseen
        if best is None:
            raise ValueError("a recipe without a growth")
        _, growth, unseen = best
        trees: Boosted = fit_boosted(rows, label, growth=growth, categories=categories, inferred=inferred)
        step()
        facts = _facts(label, recipe) | {"growth": growth.name}
        return CreditModel(f"{name}-boosted", specs, trees, recipe.calibrate(unseen, label), facts)

    return _inferring(made, specs, recipe)


def _inferring(made: Callable[[Inferred | None], CreditModel], specs: Specs, recipe: Recipe) -> CreditModel:
    """Make a model of the accepted; where outcomes of the declined are to be inferred, from it, make it again."""
    known = made(None)
    if recipe.declined is None:
        return known
    calibration = known.calibration or Platt(1.0, 0.0)
    rows = encoded_rows(specs, recipe.declined.frame)
    said = calibration.probability(known.body.log_odds(rows))
    inferred = infer(recipe.declined, rows, said, seed=recipe.seed)
    return made(inferred).with_facts(facts_of(recipe.declined, inferred))


def _facts(label: Label, recipe: Recipe) -> dict[str, JsonValue]:
    return {"rows": label.size, "bad": int(label.sum()), "seed": recipe.seed}


def judge(table: Table, declined: Declined | None = None) -> Judged:
    """Fit both models without each fifth of the people in turn, and hold what they say of it against what happened.

    Of the declined nothing happened: they are never held against anything.
    """
    frame, label = table.frame, table.label
    said = np.zeros(label.size), np.zeros(label.size)
    of_folds: list[tuple[Measures, Measures]] = []
    recipe = replace(ANY_TABLE, declined=declined)
    for test, pair in fit_folds(frame, label, partial(specs_of, _all_of(table, declined)), recipe=recipe):
        for probability, model in zip(said, (pair.challenger, pair.champion), strict=True):
            probability[test] = score_many(model, frame[test], explain=False).probability
        of_folds.append((measure(label[test], said[0][test]), measure(label[test], said[1][test])))
    boosted, scorecard = (
        replace(
            measure(label, probability),
            auc=float(np.mean([of[n].auc for of in of_folds])),
            ks=float(np.mean([of[n].ks for of in of_folds])),
        )
        for n, probability in enumerate(said)
    )
    return Judged(boosted, scorecard, said)


def train(table: Table, judged: Judged, *, name: str, declined: Declined | None = None) -> Pair:
    """Fit both models to all rows; what `judge` found stands in their facts."""
    specs = specs_of(_all_of(table, declined), table.frame)
    pair = fit_pair(table.frame, table.label, specs, recipe=replace(ANY_TABLE, declined=declined), name=name)
    about: dict[str, JsonValue] = {"event": table.event, "dropped": dict(table.dropped)}
    return Pair(
        champion=pair.champion.with_facts(about | worth_of(table.label, judged.probabilities[1], judged.scorecard)),
        challenger=pair.challenger.with_facts(about | worth_of(table.label, judged.probabilities[0], judged.boosted)),
    )


def _all_of(table: Table, declined: Declined | None) -> pl.DataFrame:
    """Return everybody whose columns say whether a value may be missing."""
    return table.frame if declined is None else pl.concat([table.frame, declined.frame])


def worth_of(label: Label, probability: Vector, measures: Measures) -> dict[str, JsonValue]:
    """Return what out-of-fold probabilities are worth, as facts: the measures, and what a card shows of them."""
    pd_e6 = np.clip(np.rint(probability * 1e6), 1, 999_999).astype(np.int64)
    shown = evidence_of(label, pd_e6, told="Five folds, each person by models without them.")
    return {"out_of_fold": measures_of(measures), "evidence": shown.to_json()}


def measures_of(measures: Measures) -> dict[str, JsonValue]:
    """Return measures as facts, rounded to 10⁻⁶."""
    return {name: round(value, 6) for name, value in vars(measures).items()}
