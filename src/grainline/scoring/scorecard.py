"""The scorecard: whole points by attribute, added up, and what the sum says.

Scaling follows the usual form (Siddiqi 2006): 600 points are odds of 50 good to 1 bad, and 20 points more double
the odds.
"""

from dataclasses import dataclass
from functools import cached_property
from math import inf, log

import numpy as np

from grainline.scoring.arrays import Matrix, Vector, Whole

POINTS_AT_ODDS = (600, 50)
POINTS_TO_DOUBLE = 20
FACTOR = POINTS_TO_DOUBLE / log(2)
OFFSET = POINTS_AT_ODDS[0] - FACTOR * log(POINTS_AT_ODDS[1])


@dataclass(frozen=True)
class Attribute:
    """A bin of a characteristic and its points.

    Of numbers: from `over` (inclusive; None is from below everything) up to the next attribute's. Of categories:
    those at the places `codes` of the feature's list.
    """

    points: int
    over: float | None = None
    codes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Special:
    """A number that is a code and no quantity, and its points."""

    value: float
    points: int


@dataclass(frozen=True)
class Characteristic:
    """A feature's attributes, from low to high; the points of a missing value and of a category that is not listed.

    `average` is the mean of its points among the people it was fitted on.
    """

    feature: str
    attributes: tuple[Attribute, ...]
    missing: int = 0
    other: int = 0
    special: tuple[Special, ...] = ()
    average: int = 0

    @cached_property
    def _by_code(self) -> Whole:
        most = max((code for attribute in self.attributes for code in attribute.codes), default=-1)
        table = np.full(most + 2, self.other, dtype=np.int64)
        for attribute in self.attributes:
            table[list(attribute.codes)] = attribute.points
        return table

    @cached_property
    def _starts(self) -> tuple[Vector, Whole]:
        starts = [-inf if attribute.over is None else attribute.over for attribute in self.attributes]
        return np.asarray(starts), np.asarray([attribute.points for attribute in self.attributes], dtype=np.int64)

    def points(self, values: Vector) -> Whole:
        """Return the points of encoded values, shape as given."""
        missing = np.isnan(values)
        if any(attribute.codes for attribute in self.attributes):
            place = np.minimum(np.where(missing, self._by_code.size, values), self._by_code.size - 1)
            found = self._by_code[place.astype(np.int64)]
        else:
            starts, points = self._starts
            found = points[np.maximum(np.searchsorted(starts, values, side="right") - 1, 0)]
        for special in self.special:
            found = np.where(values == special.value, special.points, found)
        return np.where(missing, self.missing, found)


@dataclass(frozen=True)
class Scorecard:
    """The card itself: base points and the characteristics, in the order of the model's features."""

    base: int
    characteristics: tuple[Characteristic, ...]

    def points(self, rows: Matrix) -> Whole:
        """Return the points of each attribute a person has, shape (people, characteristics), base left out."""
        each = np.empty(rows.shape, dtype=np.int64)
        for column, characteristic in enumerate(self.characteristics):
            each[:, column] = characteristic.points(rows[:, column])
        return each

    def total(self, rows: Matrix) -> Whole:
        """Return the points of each person, shape (people,)."""
        return np.asarray(self.base + self.points(rows).sum(axis=1), dtype=np.int64)

    def log_odds(self, rows: Matrix) -> Vector:
        """Return the log-odds of default that the whole points say, uncalibrated, shape (people,), float64."""
        return np.asarray((OFFSET - self.total(rows)) / FACTOR, dtype=np.float64)

    def lost(self, rows: Matrix) -> Matrix:
        """Return by how many points each attribute is under the average of its characteristic.

        Held against the best attribute instead, nearly everyone would be told the same thing: that they do
        not pay back as much as the few who pay back most. Negative where the person is above the average.
        """
        average = np.asarray([characteristic.average for characteristic in self.characteristics], dtype=np.float64)
        return np.asarray(average - self.points(rows), dtype=np.float64)
