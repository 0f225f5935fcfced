"""What a model's months are held against: its first decisions at a product, as counts by bin.

Kept once made, so that every later month is held against the same and a report can be made again. Of people it holds
nothing but how many lay in which bin.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

import numpy as np
import polars as pl
from pydantic import TypeAdapter

from grainline.scoring.arrays import Whole
from grainline.scoring.monitoring import SCORE, Bins, Drift, Subject, drift_of
from grainline.scoring.watching import Level, Thresholds


@dataclass(frozen=True)
class Counted:
    """Bins, and how many of the baseline lay in each, the missing ones last."""

    bins: Bins
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: pl.Series, *, bins: int) -> Self:
        """Count values in bins between their own quantiles."""
        made = Bins.of(values, bins=bins)
        return cls(made, tuple(int(count) for count in made.counts(values)))

    def against(self, values: pl.Series) -> tuple[Whole, Whole]:
        """Return both counts by bin: the baseline's, and these values'."""
        if self.bins.edges is not None and values.dtype == pl.String:  # a number that has become a text is not known
            values = values.cast(pl.Float64, strict=False)
        return np.asarray(self.counts, dtype=np.int64), self.bins.counts(values)


@dataclass(frozen=True)
class Baseline:
    """The score's counts and each feature's; `through` is the moment and id of the last decision in it."""

    score: Counted
    features: Mapping[str, Counted]
    through: tuple[datetime, UUID]

    def text(self) -> str:
        """Return the counts as canonical JSON."""
        told = {"score": asdict(self.score), "features": {name: asdict(one) for name, one in self.features.items()}}
        return json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def read(cls, text: str, through: tuple[datetime, UUID]) -> Self:
        """Read what `text` wrote; raise ValueError."""
        told = json.loads(text)
        return cls(_COUNTED.validate_python(told["score"]), _FEATURES.validate_python(told["features"]), through)


_COUNTED = TypeAdapter(Counted)
_FEATURES = TypeAdapter(dict[str, Counted])


def baseline_of(
    frame: pl.DataFrame, features: Sequence[str], *, through: tuple[datetime, UUID], thresholds: Thresholds
) -> Baseline:
    """Make a baseline of decisions: one column a feature, and `pd_e6` as the model said it."""
    counted = {name: Counted.of(_column(frame, name), bins=thresholds.bins) for name in features}
    return Baseline(Counted.of(frame[SCORE], bins=thresholds.bins), counted, through)


def drifts_against(
    baseline: Baseline | None, frame: pl.DataFrame, features: Sequence[str], *, thresholds: Thresholds
) -> tuple[Drift, ...]:
    """Return the drift of the score as it was decided by, and after it of every feature, the largest first.

    Without a baseline, and for a feature that it does not have, there is nothing to say but how many there are.
    """
    subjects = [(Subject.SCORE, SCORE), *((Subject.FEATURE, name) for name in features)]
    found = []
    for kind, name in subjects:
        counted = None
        if baseline is not None:
            counted = baseline.score if kind is Subject.SCORE else baseline.features.get(name)
        if counted is None:
            found.append(Drift(kind, name, None, None, 0, frame.height, Level.TOO_FEW))
        else:
            found.append(drift_of(kind, name, *counted.against(_column(frame, name)), thresholds=thresholds))
    return found[0], *sorted(found[1:], key=lambda one: (-(one.psi_e6 or 0), one.name))


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name in frame.columns:
        return frame[name]
    return pl.repeat(None, frame.height, dtype=pl.Float64, eager=True).alias(name)
