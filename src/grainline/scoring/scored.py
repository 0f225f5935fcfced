"""What a model says of people: a calibrated probability, points, sub-scores and reasons, one person or many.

One and many take the same way, so that they give the same bits: LightGBM adds up one row's trees in their order
however many rows there are, and the calibration is done by Python's own arithmetic, one number at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from grainline.scoring.arrays import Matrix, Vector, Whole
from grainline.scoring.boosted import Boosted
from grainline.scoring.calibration import Platt
from grainline.scoring.feature_spec import DIMENSIONS, FeatureSpec, Value, encoded_row, encoded_rows
from grainline.scoring.model import BadModelFile, CreditModel
from grainline.scoring.scorecard import FACTOR, Scorecard

REASONS_MOST = 3
# Fewer points under the average than a tenth of what doubles the odds are no reason worth telling.
POINTS_WORTH_TELLING = 2
_AS_IT_IS = Platt(1.0, 0.0)


@dataclass(frozen=True)
class Scored:
    """What a model says of one person.

    `pd_e6` is the calibrated probability of default in 10⁻⁶, 1 … 999,999. `points` is a scorecard's total.
    `by_feature` says by how many points each feature is worse than on average (negative: better): a scorecard's
    own points, or of trees the SHAP contribution to the log-odds in the same unit. `by_dimension` holds the
    sub-scores: whole points better than the average, more is better. `reasons` are codes, most points lost first.
    """

    pd_e6: int
    points: int | None
    by_feature: dict[str, float]
    by_dimension: dict[str, int]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ScoredMany:
    """What a model says of many, in their order; `[n]` is one of them, as `score_one` would say it.

    `probability` is the calibrated one before it is rounded to `pd_e6`.
    `lost` and the encoded `rows` have the shape (people, features). `lost` is None, and `[n]`
    raises ValueError, where it was not asked for.
    """

    features: tuple[FeatureSpec, ...]
    probability: Vector
    pd_e6: Whole
    points: Whole | None
    lost: Matrix | None
    rows: Matrix

    def __len__(self) -> int:
        """Return how many people there are."""
        return self.pd_e6.size

    def __iter__(self) -> Iterator[Scored]:
        """Go through the people."""
        return (self[n] for n in range(len(self)))

    def __getitem__(self, n: int) -> Scored:
        """Return what was said of one."""
        if self.lost is None:
            raise ValueError("scored without explanations")
        lost: list[float] = self.lost[n].tolist()
        return Scored(
            pd_e6=int(self.pd_e6[n]),
            points=None if self.points is None else int(self.points[n]),
            by_feature={spec.name: points for spec, points in zip(self.features, lost, strict=True)},
            by_dimension=_sub_scores(self.features, lost),
            reasons=_reasons(self.features, self.rows[n], lost),
        )

    def reasons(self, n: int) -> tuple[str, ...]:
        """Return the reasons told to one, and nothing else."""
        if self.lost is None:
            raise ValueError("scored without explanations")
        return _reasons(self.features, self.rows[n], self.lost[n].tolist())


class Loaded:
    """A model ready to score: its body held against its features once, and the trees read from their text."""

    def __init__(self, model: CreditModel) -> None:
        """Load a model; raise BadModelFile where its body is broken or does not fit its features."""
        self.model = model
        if isinstance(model.body, Scorecard):
            reads = [characteristic.feature for characteristic in model.body.characteristics]
            fits = reads == [spec.name for spec in model.features]
        else:
            fits = _trees_read(model.body) == len(model.features)
        if not fits:
            raise BadModelFile


def score_one(model: Loaded | CreditModel, values: Mapping[str, Value]) -> Scored:
    """Score one person; raise FeatureMissing, FeatureOutOfRange or FeatureUnknownCategory.

    Values that the model does not read may be among them. Whoever scores often keeps a `Loaded`.
    """
    loaded = _loaded(model)
    return _scored(loaded.model, encoded_row(loaded.model.features, values), explain=True)[0]


def score_many(model: Loaded | CreditModel, frame: pl.DataFrame, *, explain: bool = True) -> ScoredMany:
    """Score a table, one column a feature; raise as `score_one` does. To explain trees takes most of the time."""
    loaded = _loaded(model)
    return _scored(loaded.model, encoded_rows(loaded.model.features, frame), explain=explain)


def _loaded(model: Loaded | CreditModel) -> Loaded:
    return model if isinstance(model, Loaded) else Loaded(model)


def _trees_read(body: Boosted) -> int:
    import lightgbm  # noqa: PLC0415

    try:
        return int(body.booster.num_feature())
    except lightgbm.basic.LightGBMError:
        raise BadModelFile from None


def _scored(model: CreditModel, rows: Matrix, *, explain: bool) -> ScoredMany:
    body = model.body
    probability = (model.calibration or _AS_IT_IS).probability(body.log_odds(rows))
    lost = None
    if explain:
        lost = body.lost(rows) if isinstance(body, Scorecard) else body.contributions(rows) * FACTOR
    return ScoredMany(
        features=model.features,
        probability=probability,
        # nobody can be priced at 0 or 1
        pd_e6=np.clip(np.rint(probability * 1e6), 1, 999_999).astype(np.int64),
        points=body.total(rows) if isinstance(body, Scorecard) else None,
        lost=lost,
        rows=rows,
    )


def _sub_scores(features: Sequence[FeatureSpec], lost: Sequence[float]) -> dict[str, int]:
    sums = {
        dimension: [points for spec, points in zip(features, lost, strict=True) if spec.dimension == dimension]
        for dimension in DIMENSIONS
    }
    return {dimension: round(-sum(points)) for dimension, points in sums.items() if points}


def _reasons(features: Sequence[FeatureSpec], row: Vector, lost: Sequence[float]) -> tuple[str, ...]:
    """Return the reasons worth telling of an encoded person, most points lost first; equal codes are added up."""
    sums: dict[str, float] = {}
    for spec, value, points in zip(features, row.tolist(), lost, strict=True):
        code = spec.reason_of(value)
        if code is not None:
            sums[code] = sums.get(code, 0.0) + points
    ranked = sorted(sums, key=lambda code: -sums[code])[:REASONS_MOST]
    return tuple(code for code in ranked if sums[code] >= POINTS_WORTH_TELLING)
