"""The scorecard: optbinning's monotone bins, weights of evidence, a logistic regression, whole points.

Few characteristics, each of which a lender can explain, chosen so that every coefficient has the sign its
bins promise: a person in a worse bin never gains a point. Scaling follows the usual form (Siddiqi 2006):
600 points are odds of 50 good to 1 bad, and 20 points more double the odds.
"""

import warnings
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from grainline.scoring.boosted import Label, Vector
from grainline.scoring.features import Matrix

if TYPE_CHECKING:
    from optbinning import BinningProcess

# Characteristic → the reason it gives where it loses points (texts in `reasons.py`).
CHARACTERISTICS: dict[str, str] = {
    "delay_now": "recent_delay",
    "delay_months": "repeated_delays",
    "delay_before": "earlier_delays",
    "used_mean": "high_utilisation",
    "headroom": "little_headroom",
    "paid_median": "small_payments",
    "paid_little": "missed_payments",
}
POINTS_AT_ODDS = (600, 50)
POINTS_TO_DOUBLE = 20
_FACTOR = POINTS_TO_DOUBLE / log(2)
_OFFSET = POINTS_AT_ODDS[0] - _FACTOR * log(POINTS_AT_ODDS[1])


@dataclass(frozen=True)
class Attribute:
    """One bin of a characteristic: from `over` (inclusive) up to the next one's, and its points."""

    over: float
    points: int


@dataclass(frozen=True)
class Scorecard:
    """The card itself: base points and, for each characteristic, its attributes from low to high.

    `average` holds the mean points of each characteristic among the people it was fitted on.
    """

    base: int
    card: dict[str, tuple[Attribute, ...]]
    average: tuple[int, ...]

    def points(self, rows: Matrix) -> npt.NDArray[np.int64]:
        """Return the points of each attribute a person has, shape (rows, characteristics), base left out."""
        columns = [_points(rows[:, n], attributes) for n, attributes in enumerate(self.card.values())]
        return np.column_stack(columns)

    def log_odds(self, rows: Matrix) -> Vector:
        """Return the log-odds of default that the whole points say, uncalibrated, shape (rows,), float64."""
        total = self.base + self.points(rows).sum(axis=1)
        return np.asarray((_OFFSET - total) / _FACTOR, dtype=np.float64)

    def lost(self, rows: Matrix) -> npt.NDArray[np.int64]:
        """Return by how many points each attribute is under the average of its characteristic.

        Held against the best attribute instead, nearly everyone would be told the same thing: that they do
        not pay back as much as the few who pay back most. Negative where the person is above the average.
        """
        return np.asarray(self.average, dtype=np.int64) - self.points(rows)


def fit_scorecard(rows: Matrix, label: Label) -> Scorecard:
    """Fit on rows of shape (people, characteristics), columns in the order of `CHARACTERISTICS`."""
    from optbinning import BinningProcess  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    names = list(CHARACTERISTICS)
    binning = BinningProcess(
        names,
        max_n_prebins=15,
        max_n_bins=6,
        min_bin_size=0.03,
        binning_fit_params={name: {"monotonic_trend": "auto_asc_desc"} for name in names},
    )
    with warnings.catch_warnings():
        # optbinning writes text into number columns of its own tables, which pandas announces to forbid.
        warnings.simplefilter("ignore", DeprecationWarning)
        evidence = binning.fit_transform(rows, label.astype(np.int8), metric="woe")
    regression = LogisticRegression(C=1.0, max_iter=200).fit(evidence, label)
    coefficients = [float(coefficient) for coefficient in regression.coef_[0]]
    card = {name: _attributes(binning, name, c) for name, c in zip(names, coefficients, strict=True)}
    base = round(_OFFSET - _FACTOR * float(regression.intercept_[0]))
    points = Scorecard(base, card, ()).points(rows)
    return Scorecard(base, card, tuple(round(float(mean)) for mean in points.mean(axis=0)))


def _attributes(binning: "BinningProcess", name: str, coefficient: float) -> tuple[Attribute, ...]:
    fitted = binning.get_binned_variable(name)
    starts = [float("-inf"), *(float(split) for split in fitted.splits)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        table = fitted.binning_table.build()
    # The table ends with rows for special and missing values and the total; a portfolio has neither.
    evidence = [float(value) for value in table["WoE"].to_list()[: len(starts)]]
    # The regression gives log-odds of default; points count the other way.
    return tuple(
        Attribute(start, round(-coefficient * woe * _FACTOR)) for start, woe in zip(starts, evidence, strict=True)
    )


def _points(values: Vector, attributes: tuple[Attribute, ...]) -> npt.NDArray[np.int64]:
    starts = np.asarray([attribute.over for attribute in attributes])
    points = np.asarray([attribute.points for attribute in attributes], dtype=np.int64)
    return points[np.searchsorted(starts, values, side="right") - 1]
