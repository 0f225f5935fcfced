"""What a model takes as its inputs, how a person's values are encoded for it, and what it refuses.

A missing value, a value out of range and a category nobody knows never fall into a branch of a model unless the
specification says they may.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, nan
from typing import Literal

import numpy as np
import polars as pl

from grainline.kit.errors import Refusal
from grainline.scoring.arrays import Matrix, Vector

Dimension = Literal["pay", "liquidity", "stability", "negative"]
DIMENSIONS: tuple[Dimension, ...] = ("pay", "liquidity", "stability", "negative")
Value = float | str | None


class FeatureMissing(Refusal):
    """A model was given no value for a feature that it does not take without."""

    code = "feature_missing"


class FeatureOutOfRange(Refusal):
    """A value is no number, not finite, or outside what the model was made for."""

    code = "feature_out_of_range"


class FeatureUnknownCategory(Refusal):
    """A category that the model does not know, where it does not take others."""

    code = "feature_unknown_category"


@dataclass(frozen=True)
class FeatureSpec:
    """One input of a model.

    A number lies within `low` … `high`, both inclusive; None is open, but never to infinity or NaN. A category is
    one of `categories`; another one is refused unless `other_allowed`, and then counts as none of them. `reason`
    is the code told where the feature lost points, of a number only from `reason_low` on; a feature without one is
    never told.
    """

    name: str
    kind: Literal["number", "category"] = "number"
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    missing_allowed: bool = False
    other_allowed: bool = False
    dimension: Dimension | None = None
    reason: str | None = None
    reason_low: float | None = None

    @cached_property
    def _codes(self) -> dict[str, float]:
        return {category: float(code) for code, category in enumerate(self.categories)}

    def encoded(self, value: Value) -> float:
        """Return one value as a model reads it; raise one of the refusals of this file."""
        if value is None:
            if not self.missing_allowed:
                raise FeatureMissing(feature=self.name)
            return nan
        if self.kind == "category":
            return self._code(value)
        if isinstance(value, str) or not self._low <= value <= self._high:
            raise self._out_of_range()
        return float(value)

    def encoded_column(self, values: pl.Series) -> Vector:
        """Return a column as `encoded` would return each of its values."""
        if values.dtype == pl.Null:
            values = values.cast(pl.Float64)
        if self.kind == "category":
            known = {value: self.encoded(value) for value in values.unique().to_list()}
            return np.asarray([known[value] for value in values.to_list()], dtype=np.float64)
        if values.null_count() and not self.missing_allowed:
            raise FeatureMissing(feature=self.name)
        if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
            raise self._out_of_range()
        numbers = values.cast(pl.Float64)
        given = numbers.drop_nulls()
        # NaN is within nothing: polars takes it for larger than any number, numpy for neither
        array = given.to_numpy()
        if not bool(((array >= self._low) & (array <= self._high)).all()):
            raise self._out_of_range()
        return np.asarray(numbers.fill_null(nan).to_numpy(), dtype=np.float64)

    @cached_property
    def _low(self) -> float:
        return -_FINITE if self.low is None else self.low

    @cached_property
    def _high(self) -> float:
        return _FINITE if self.high is None else self.high

    def reason_of(self, value: float) -> str | None:
        """Return the reason that may be told of an encoded value."""
        return self.reason if self.reason_low is None or value >= self.reason_low else None

    def _code(self, value: float | str) -> float:
        code = self._codes.get(value) if isinstance(value, str) else None
        if code is not None:
            return code
        if not (self.other_allowed and isinstance(value, str)):
            raise FeatureUnknownCategory(feature=self.name)
        return float(len(self.categories))

    def _out_of_range(self) -> FeatureOutOfRange:
        low, high = ("…" if end is None else f"{end:g}" for end in (self.low, self.high))
        return FeatureOutOfRange(feature=self.name, low=low, high=high)


_FINITE = float(np.nextafter(inf, 0))


def encoded_row(specs: Sequence[FeatureSpec], values: Mapping[str, Value]) -> Matrix:
    """Return one person as a matrix of one row; what is not among the values is missing, what else is is not read."""
    return np.asarray([[spec.encoded(values.get(spec.name)) for spec in specs]], dtype=np.float64)


def encoded_rows(specs: Sequence[FeatureSpec], frame: pl.DataFrame) -> Matrix:
    """Return a table as a C-ordered matrix of shape (people, features); a column that is not there is missing."""
    rows = np.empty((frame.height, len(specs)), dtype=np.float64)
    for column, spec in enumerate(specs):
        absent = pl.repeat(None, frame.height, dtype=pl.Float64, eager=True)
        rows[:, column] = spec.encoded_column(frame[spec.name] if spec.name in frame.columns else absent)
    return rows
