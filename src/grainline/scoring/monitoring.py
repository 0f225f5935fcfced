"""Have the people moved whom a model scores? The population stability index of each feature and of the score.

PSI = Σ over bins of (current share − reference share) × ln(current share / reference share) (Siddiqi 2006). The bins
are the reference's. If nothing has moved, PSI of B bins is distributed about as (1/N + 1/M) × χ² of B − 1 degrees for
windows of N and M people (Yurdakul 2018): in small windows chance alone passes the usual thresholds, so neither counts
below that bound.
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from math import log
from pathlib import Path

import numpy as np
import polars as pl

from grainline.scoring.arrays import Whole
from grainline.scoring.intervals import chi_square
from grainline.scoring.scored import Loaded, score_many
from grainline.scoring.vintages import Vintage, vintages_of
from grainline.scoring.watching import Level, Population, Thresholds

SCORE = "pd_e6"


class Subject(StrEnum):
    """What has moved or not."""

    FEATURE = "feature"
    SCORE = "score"


@dataclass(frozen=True)
class Bins:
    """The bins of a feature as its reference has them, besides the one of missing values.

    Of numbers `edges` are inner ones, each the upper end, inclusive, of its bin. Of categories `edges` is None and
    what the reference did not have shares one bin.
    """

    edges: tuple[float, ...] | None
    categories: tuple[str, ...] = ()

    @classmethod
    def of(cls, reference: pl.Series, *, bins: int) -> "Bins":
        """Return bins between the quantiles of the reference; equal quantiles are one edge."""
        if not _is_number(reference):
            return cls(None, tuple(sorted(reference.drop_nulls().cast(pl.String).unique().to_list())))
        known = _numbers(reference)
        known = known[~np.isnan(known)]
        if not known.size:
            return cls(())
        cuts = np.quantile(known, np.arange(1, bins) / bins, method="inverted_cdf")
        return cls(tuple(float(cut) for cut in np.unique(cuts) if cut < known.max()))

    def counts(self, values: pl.Series) -> Whole:
        """Return how many values lie in each bin, the missing ones last."""
        if self.edges is not None:
            numbers = _numbers(values)
            missing = np.isnan(numbers)
            place = np.searchsorted(np.asarray(self.edges), numbers[~missing], side="left")
            size, gone = len(self.edges) + 1, int(missing.sum())
        else:
            known = values.drop_nulls().cast(pl.String)
            places = {category: n for n, category in enumerate(self.categories)}
            place = np.asarray([places.get(one, len(places)) for one in known.to_list()], dtype=np.int64)
            size, gone = len(places) + 1, values.null_count()
        return np.append(np.bincount(place, minlength=size), gone).astype(np.int64)


@dataclass(frozen=True)
class Drift:
    """How far a feature or the score has moved: PSI in 10⁻⁶, and what chance alone would hardly pass.

    Both are None where there are too few people to say.
    """

    kind: Subject
    name: str
    psi_e6: int | None
    chance_e6: int | None
    rows_reference: int
    rows_current: int
    level: Level


@dataclass(frozen=True)
class Report:
    """What a month shows of a model at a product: the score's drift, the features', and vintages, the oldest first."""

    month: date
    product: str
    sha256: str
    drifts: tuple[Drift, ...]
    vintages: tuple[Vintage, ...]
    population: Population = Population.GIVEN

    @property
    def level(self) -> Level:
        """Return the gravest level of all of them."""
        graves = [Level.STABLE, Level.WATCH, Level.ALARM]
        levels = [*(one.level for one in self.drifts), *(one.level for one in self.vintages)]
        found = [level for level in levels if level in graves]
        return max(found, key=graves.index, default=Level.TOO_FEW)

    def alarm(self) -> dict[str, object]:
        """Return what a log says of an alarm: of which model, what moved, and which vintages came out otherwise."""
        return {
            "sha256": self.sha256,
            "product": self.product,
            "month": f"{self.month:%Y-%m}",
            "population": str(self.population),
            "moved": [one.name for one in self.drifts if one.level is Level.ALARM],
            "vintages": [f"{one.vintage:%Y-%m}" for one in self.vintages if one.level is Level.ALARM],
        }


def psi(reference: Whole, current: Whole) -> float:
    """Return the index of two windows' counts by bin.

    Bins empty in both are left out; half a person is added to every other, so that an empty one has a logarithm.
    """
    either = (reference + current) > 0
    before, after = reference[either] + 0.5, current[either] + 0.5
    pairs = zip((before / before.sum()).tolist(), (after / after.sum()).tolist(), strict=True)
    return float(sum((new - old) * log(new / old) for old, new in pairs))


def chance(reference: Whole, current: Whole, *, probability: float) -> float:
    """Return the index that windows of these sizes stay below with a probability if nothing has moved."""
    bins = int(((reference + current) > 0).sum())
    sizes = 1 / int(reference.sum()) + 1 / int(current.sum())
    return sizes * chi_square(probability, bins - 1) if bins > 1 else 0.0


def drift(kind: Subject, reference: pl.Series, current: pl.Series, *, thresholds: Thresholds) -> Drift:
    """Hold a current window of a feature or score against its reference; NaN and null are missing."""
    bins = Bins.of(reference, bins=thresholds.bins)
    return drift_of(kind, reference.name, bins.counts(reference), bins.counts(current), thresholds=thresholds)


def drift_of(kind: Subject, name: str, before: Whole, after: Whole, *, thresholds: Thresholds) -> Drift:
    """Hold the counts by bin of a current window, `after`, against those of its reference."""
    rows = int(before.sum()), int(after.sum())
    if min(rows) < thresholds.rows_least:
        return Drift(kind, name, None, None, *rows, Level.TOO_FEW)
    moved = round(psi(before, after) * 1e6)
    bound = round(chance(before, after, probability=thresholds.chance_e6 / 1e6) * 1e6)
    return Drift(kind, name, moved, bound, *rows, _level(moved, bound, thresholds))


def drifts_of(
    model: Loaded, reference: pl.DataFrame, current: pl.DataFrame, *, thresholds: Thresholds
) -> tuple[Drift, ...]:
    """Return the drift of the score, and after it of every feature a model reads, the largest first.

    Both frames have one column a feature; a column that is not there is missing. Raises as `score_many` does.
    """
    scores = [pl.Series(SCORE, score_many(model, frame, explain=False).pd_e6) for frame in (reference, current)]
    score = drift(Subject.SCORE, *scores, thresholds=thresholds)
    found = []
    for spec in model.model.features:
        kind = pl.String if spec.kind == "category" else pl.Float64
        pair = [_column(frame, spec.name, kind) for frame in (reference, current)]
        found.append(drift(Subject.FEATURE, *pair, thresholds=thresholds))
    return score, *sorted(found, key=lambda one: (-(one.psi_e6 or 0), one.name))


def monthly_report(
    model: Loaded,
    *,
    product: str,
    month: date,
    windows: tuple[pl.DataFrame, pl.DataFrame],
    outcomes: pl.DataFrame | None = None,
    thresholds: Thresholds | None = None,
    auc_expected_e6: int | None = None,
) -> Report:
    """Return what a month shows of a model.

    `windows` are the reference's and the month's applicants, one column a feature. `outcomes` are those decided before,
    in the columns that `vintages_of` names. `auc_expected_e6` is what the model promised, in 10⁻⁶; without
    it no vintage is held against one.
    """
    by = thresholds or known_thresholds()
    return Report(
        month=month,
        product=product,
        sha256=model.model.sha256,
        drifts=drifts_of(model, *windows, thresholds=by),
        vintages=()
        if outcomes is None
        else vintages_of(outcomes, month=month, thresholds=by, auc_expected_e6=auc_expected_e6),
    )


@cache
def known_thresholds() -> Thresholds:
    """Return the thresholds of monitoring.toml."""
    return Thresholds(**tomllib.loads(Path(__file__).with_name("monitoring.toml").read_text(encoding="utf-8")))


def _level(moved: int, bound: int, thresholds: Thresholds) -> Level:
    if moved >= max(thresholds.psi_alarm_e6, bound):
        return Level.ALARM
    if bound > thresholds.psi_alarm_e6:  # a move worth an alarm could not be told from chance
        return Level.TOO_FEW
    return Level.WATCH if moved >= max(thresholds.psi_watch_e6, bound) else Level.STABLE


def _column(frame: pl.DataFrame, name: str, kind: type[pl.DataType]) -> pl.Series:
    if name in frame.columns:
        return frame[name].cast(kind)
    return pl.repeat(None, frame.height, dtype=kind, eager=True).alias(name)


def _is_number(values: pl.Series) -> bool:
    return values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.Null)


def _numbers(values: pl.Series) -> np.typing.NDArray[np.float64]:
    return np.asarray(values.cast(pl.Float64).fill_null(float("nan")).to_numpy(), dtype=np.float64)
