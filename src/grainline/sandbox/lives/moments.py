"""When things happen: from rates by resident and month to days, and from days to instants.

An instant is a number of milliseconds since the first told day began in Shanghai.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import Bools, Floats, Ints, logistic
from grainline.sandbox.lives.calendar_days import DAY_MS, Span
from grainline.sandbox.lives.people import People
from grainline.sandbox.lives.strain import Course

HOUR_MS = 3_600_000
_STEPS = 4_096  # of a quantile table: the share of an hour is true to 1/4096


@dataclass(frozen=True)
class Cells:
    """Events that have a resident and a month, and no day yet."""

    who: Ints
    month: Ints

    def __len__(self) -> int:
        return len(self.who)

    def those(self, kept: Bools) -> "Cells":
        """Return only some of them."""
        return Cells(self.who[kept], self.month[kept])


@dataclass(frozen=True)
class Block:
    """The lives of one block, and when in them things can happen."""

    people: People
    course: Course
    span: Span
    night: Floats  # by resident and month: the share of what happens that happens at night
    payday: Ints  # by resident and month: the day on which income comes

    def __len__(self) -> int:
        return len(self.people)


def block_of(people: People, course: Course, span: Span) -> Block:
    """Put a block together."""
    night = logistic(p.NIGHT_BASE + people.owl[:, None] + p.NIGHT_STRAIN * course.showing)
    day = span.starts[None, :-1] + people.payday[:, None] - 1
    weekday = (span.first.weekday() + day) % 7
    day = day - np.maximum(weekday - 4, 0)  # a payday at the weekend is the Friday before
    return Block(people, course, span, night, np.maximum(day, 0))


def scatter(rng: np.random.Generator, rate: Floats) -> Cells:
    """Draw how many events each resident has in each month, at these rates (residents by months)."""
    counts = rng.poisson(rate).ravel()
    who, month = np.divmod(np.repeat(np.arange(counts.size, dtype=np.int64), counts), rate.shape[1])
    return Cells(who, month)


def each(block: Block, kept: Bools) -> Cells:
    """Return one event for each resident and month where `kept` (residents by months) says so."""
    who, month = np.nonzero(kept)
    return Cells(who.astype(np.int64), month.astype(np.int64))


class DayTable:
    """Finds days in months by the weights of several patterns, one a row."""

    def __init__(self, span: Span, patterns: tuple[p.Days, ...]) -> None:
        self._span = span
        self.factors = np.stack([span.month_factors(days) for days in patterns])  # patterns by months
        weights = np.stack([span.weights(days) for days in patterns])
        share = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
        rows = np.arange(len(patterns))[:, None]
        self._ends = (share + rows).ravel()  # increasing over all rows: row r ends at r + 1
        padded = np.concatenate([np.zeros((len(patterns), 1)), share], axis=1) + rows
        self._month_ends = padded[:, span.starts]

    def draw(self, rng: np.random.Generator, month: Ints, row: Ints | int = 0) -> Ints:
        """Draw a day of each month by the weights of its row."""
        low, high = self._month_ends[row, month], self._month_ends[row, month + 1]
        found = np.searchsorted(self._ends, low + rng.random(len(month)) * (high - low), side="right")
        day = found - np.asarray(row) * self._span.days
        inside: Ints = np.clip(day, self._span.starts[month], self._span.starts[month + 1] - 1)
        return inside


def hold_for_payday(rng: np.random.Generator, block: Block, *, cells: Cells, day: Ints, share: float) -> Ints:
    """Move a share of events to the days from the payday on, where that comes within the month that is told."""
    payday, end = block.payday[cells.who, cells.month], block.span.starts[cells.month + 1]
    waits = (rng.random(len(cells)) < share) & (payday < end)
    late = np.floor(rng.exponential(p.PAYDAY_MEAN_DAYS, len(cells))).astype(np.int64)
    return np.where(waits, np.minimum(payday + late, end - 1), day)


def hours_table(names: tuple[str, ...]) -> npt.NDArray[np.int8]:
    """Return quantile tables of these hour patterns, one a row."""
    rows = []
    for name in names:
        share = np.cumsum(p.HOURS[name]) / np.sum(p.HOURS[name])
        rows.append(np.searchsorted(share, (np.arange(_STEPS) + 0.5) / _STEPS))
    return np.array(rows, dtype=np.int8)


def instant(
    rng: np.random.Generator,
    block: Block,
    *,
    cells: Cells,
    day: Ints,
    hours: tuple[str, ...] = ("day",),
    row: Ints | int = 0,
) -> Ints:
    """Draw an instant of each day: at night by the resident's share of nights, else by a pattern of hours."""
    table = hours_table((*hours, "night"))
    at_night = rng.random(len(cells)) < block.night[cells.who, cells.month]
    pattern = np.where(at_night, len(hours), row)
    hour = table[pattern, rng.integers(_STEPS, size=len(cells))].astype(np.int64)
    return day * DAY_MS + hour * HOUR_MS + rng.integers(HOUR_MS, size=len(cells))
