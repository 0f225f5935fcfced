"""Fitting a scorecard: optbinning's monotone bins, weights of evidence, a logistic regression, whole points.

Few characteristics, each of which a lender can explain, and no coefficient against the sign its bins promise: a
person in a worse bin never gains a point (Siddiqi 2006; Navas-Palencia 2020 for the bins).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from grainline.scoring.arrays import Label, Matrix, Vector
from grainline.scoring.feature_spec import FeatureSpec
from grainline.scoring.folding import stratified_folds
from grainline.scoring.reject_inference import Inferred
from grainline.scoring.scorecard import FACTOR, OFFSET, Attribute, Characteristic, Scorecard

if TYPE_CHECKING:
    from optbinning import OptimalBinning

CHARACTERISTICS_MOST = 12
# Siddiqi's rule of thumb: an information value under 0.02 does not tell good from bad.
INFORMATION_LEAST = 0.02
# On people its bins were not made of, a characteristic must keep this part of its Gini coefficient.
GINI_KEPT_LEAST = 0.5
STABILITY_ROWS_MOST = 20_000
SEED = 20_090_304


@dataclass(frozen=True)
class Detail:
    """How finely characteristics are binned: bins at most, and the part of the people each must hold at least."""

    prebins: int
    prebin_share: float
    bins: int
    bin_share: float


COARSE = Detail(prebins=15, prebin_share=0.05, bins=6, bin_share=0.03)
# One in fifty is still hundreds of people, and what is rare (three payments late) often tells most.
FINE = Detail(prebins=20, prebin_share=0.02, bins=10, bin_share=0.02)
FINE_FROM_ROWS = 10_000


def detail_for(rows: int) -> Detail:
    """Return how finely to bin the characteristics of so many people."""
    return FINE if rows >= FINE_FROM_ROWS else COARSE


@dataclass(frozen=True)
class _Bins:
    """A characteristic whose points are places in `evidence`, the weight of evidence (good over bad) of each bin."""

    places: Characteristic
    evidence: Vector
    information: float

    def of(self, values: Vector) -> Vector:
        return np.asarray(self.evidence[self.places.points(values)], dtype=np.float64)


def fit_scorecard(
    rows: Matrix,
    label: Label,
    specs: Sequence[FeatureSpec],
    detail: Detail = COARSE,
    inferred: Inferred | None = None,
) -> Scorecard:
    """Fit on encoded rows of shape (people, features): every feature becomes a characteristic.

    What is inferred of others weighs in the regression; bins, and the average, are of the rows alone.
    """
    bins = [_bins(rows[:, column], label, spec, detail) for column, spec in enumerate(specs)]
    evidence = _evidence_of(bins, rows)
    if inferred is None:
        coefficients, intercept = _regression(evidence, label)
    else:
        both, labels, weight = inferred.added(rows, label)
        coefficients, intercept = _regression(_evidence_of(bins, both), labels, weight)
    card = [
        _pointed(one, weight, evidence[:, column])
        for column, (one, weight) in enumerate(zip(bins, coefficients, strict=True))
    ]
    return Scorecard(round(OFFSET - FACTOR * intercept), tuple(card))


def _evidence_of(bins: Sequence[_Bins], rows: Matrix) -> Matrix:
    return np.column_stack([one.of(rows[:, column]) for column, one in enumerate(bins)])


def chosen_characteristics(
    rows: Matrix, label: Label, specs: Sequence[FeatureSpec], detail: Detail = COARSE
) -> tuple[int, ...]:
    """Return the columns a scorecard should have, in the order they were chosen; at least one.

    Of those that tell enough by themselves and keep telling it on people their bins were not made of, one by one
    that which adds most to the ones before it (Rao's score test), and none that the regression turns against its
    own bins.
    """
    bins = [_bins(rows[:, column], label, spec, detail) for column, spec in enumerate(specs)]
    evidence = {
        column: one.of(rows[:, column])
        for column, one in enumerate(bins)
        if one.information >= INFORMATION_LEAST and _stable(rows[:, column], label, specs[column], detail)
    }
    chosen: list[int] = []
    said = np.full(label.size, label.mean())
    while evidence.keys() - set(chosen) and len(chosen) < CHARACTERISTICS_MOST:
        added = {column: _added(one, label, said) for column, one in evidence.items() if column not in chosen}
        best = max(added, key=lambda column: added[column])
        tried = [*chosen, best]
        chosen, said = _in_order(tried, evidence, label)
        for column in set(tried) - set(chosen):
            del evidence[column]
    return tuple(chosen) or (max(range(len(specs)), key=lambda column: bins[column].information),)


def _added(evidence: Vector, label: Label, said: Vector) -> float:
    """Return the score test's statistic of evidence that a regression saying these probabilities does not have."""
    weight = said * (1 - said)
    centred = evidence - np.average(evidence, weights=weight)
    spread = float((weight * centred**2).sum())
    return float((centred * (label - said)).sum()) ** 2 / spread if spread > 0 else 0.0


def _in_order(chosen: list[int], evidence: dict[int, Vector], label: Label) -> tuple[list[int], Vector]:
    """Leave out what has a coefficient against its own bins; return the rest and the probabilities they say."""
    while True:
        columns = np.column_stack([evidence[column] for column in chosen])
        weights, intercept = _regression(columns, label)
        worst = int(np.argmax(weights))
        if weights[worst] < 0 or len(chosen) == 1:
            return chosen, np.asarray(1 / (1 + np.exp(-(columns @ np.asarray(weights) + intercept))))
        chosen = chosen[:worst] + chosen[worst + 1 :]


def _regression(evidence: Matrix, label: Label, weight: Vector | None = None) -> tuple[list[float], float]:
    """Return the coefficients (log-odds of default by weight of evidence: negative where in order) and intercept."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    fitted = LogisticRegression(C=1.0, max_iter=200).fit(evidence, label, weight)
    return [float(coefficient) for coefficient in fitted.coef_[0]], float(fitted.intercept_[0])


def _pointed(bins: _Bins, weight: float, evidence: Vector) -> Characteristic:
    """Give the bins their points: the regression says log-odds of default, points count the other way."""
    weight = min(weight, 0.0)
    points = [round(-weight * float(one) * FACTOR) for one in bins.evidence]
    places = bins.places
    mean = float(np.rint(-weight * evidence * FACTOR).mean())
    return replace(
        places,
        attributes=tuple(replace(one, points=points[one.points]) for one in places.attributes),
        missing=points[places.missing],
        other=points[places.other],
        average=round(mean),
    )


def _bins(values: Vector, label: Label, spec: FeatureSpec, detail: Detail) -> _Bins:
    from optbinning import OptimalBinning  # noqa: PLC0415

    missing = np.isnan(values)
    given, outcome = values[~missing], label[~missing].astype(np.int8)
    is_category = spec.kind == "category"
    attributes = [Attribute(0, codes=()) if is_category else Attribute(0)]
    evidence, information = [0.0], 0.0
    if np.unique(given).size > 1 and np.unique(outcome).size > 1:
        binning = OptimalBinning(
            name=spec.name,
            dtype="categorical" if is_category else "numerical",
            max_n_prebins=detail.prebins,
            min_prebin_size=detail.prebin_share,
            max_n_bins=detail.bins,
            min_bin_size=detail.bin_share,
            monotonic_trend="auto_asc_desc",
        )
        binning.fit(given.astype(np.int64).astype(str).astype(object) if is_category else given, outcome)
        attributes = _attributes(binning, is_category=is_category)
        evidence, information = _evidence(binning, len(attributes))
    # What is missing or other weighs nothing, unless enough people are to know better.
    neutral = len(attributes)
    evidence += [0.0, _missing_evidence(label, missing, detail)]
    places = Characteristic(spec.name, tuple(attributes), missing=neutral + 1, other=neutral)
    return _Bins(places, np.asarray(evidence), information)


def _attributes(binning: "OptimalBinning", *, is_category: bool) -> list[Attribute]:
    if is_category:
        groups = [tuple(sorted(int(code) for code in group)) for group in binning.splits]
        return [Attribute(place, codes=codes) for place, codes in enumerate(groups)]
    starts = [None, *(float(split) for split in binning.splits)]
    return [Attribute(place, over=start) for place, start in enumerate(starts)]


def _evidence(binning: "OptimalBinning", count: int) -> tuple[list[float], float]:
    with warnings.catch_warnings():
        # optbinning writes text into number columns of its own tables, which pandas announces to forbid.
        warnings.simplefilter("ignore", DeprecationWarning)
        table = binning.binning_table.build()
    # The table ends with rows for special and missing values and the total.
    return [float(value) for value in table["WoE"].to_list()[:count]], float(binning.binning_table.iv)


def _missing_evidence(label: Label, missing: Label, detail: Detail) -> float:
    """Return the weight of evidence of a missing value; 0 where fewer are missing than a bin must hold."""
    bad, good = int(label[missing].sum()), int((~label[missing]).sum())
    if not bad or not good or bad + good < detail.bin_share * label.size:
        return 0.0
    return float(np.log(good / bad) - np.log((~label).sum() / label.sum()))


def _stable(values: Vector, label: Label, spec: FeatureSpec, detail: Detail) -> bool:
    """Say whether bins made of one half of the people still tell good from bad in the other, both ways round."""
    if label.size > STABILITY_ROWS_MOST:
        some = np.random.default_rng(SEED).choice(label.size, STABILITY_ROWS_MOST, replace=False)
        values, label = values[some], label[some]
    kept = []
    for made_of, held in stratified_folds(label, 2, SEED):
        bins = _bins(values[made_of], label[made_of], spec, detail)
        home = _gini(label[made_of], bins.of(values[made_of]))
        kept.append(_gini(label[held], bins.of(values[held])) >= GINI_KEPT_LEAST * home > 0)
    return all(kept)


def _gini(label: Label, evidence: Vector) -> float:
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    return 2 * float(roc_auc_score(~label, evidence)) - 1
