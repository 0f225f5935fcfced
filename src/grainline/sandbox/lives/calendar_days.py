"""The days that are told: months, weekdays, holidays, and what share of something falls on each."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

import numpy as np

from grainline.kit.calendar import add_months, at
from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import Bools, Floats, Ints

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Span:
    """The days from the first of a month to `until`, both told; a day is an index from the first, a month likewise."""

    first: date
    until: date
    months: int

    @property
    def days(self) -> int:
        """Return how many days are told."""
        return (self.until - self.first).days + 1

    @cached_property
    def starts(self) -> Ints:
        """Return the index of the first day of each month, and the number of days as the last."""
        firsts = [(add_months(self.first, month) - self.first).days for month in range(self.months)]
        return np.array([*firsts, self.days], dtype=np.int64)

    @cached_property
    def weekday(self) -> Ints:
        """Return the weekday of each day: Monday is 0."""
        return (self.first.weekday() + np.arange(self.days)) % 7

    @cached_property
    def festival(self) -> list[str]:
        """Return the name of each day's festival, empty for none."""
        return [festival_of(self.first + timedelta(days=day)) for day in range(self.days)]

    @cached_property
    def workday(self) -> Bools:
        """Return whether people go to work: Monday to Friday, no holiday."""
        holiday = np.array([name in p.HOLIDAYS for name in self.festival])
        works: Bools = (self.weekday < 5) & ~holiday
        return works

    @cached_property
    def month_of_year(self) -> Ints:
        """Return 1…12 for each month."""
        return (self.first.month - 1 + np.arange(self.months)) % 12 + 1

    @property
    def origin_us(self) -> int:
        """Return the instant at which the first day begins in Shanghai, in microseconds since 1970 (UTC)."""
        return int((at(self.first, time(0)) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))

    def date_of(self, day: Ints) -> Ints:
        """Return dates as days since 1970."""
        return day + (self.first - date(1970, 1, 1)).days

    def weights(self, days: p.Days) -> Floats:
        """Return each day's weight; an ordinary working day has 1."""
        festival = np.array([days.festivals.get(name, 1.0) for name in self.festival])
        weights: Floats = np.where(self.weekday >= 5, days.weekend, 1.0) * festival
        return weights

    def month_factors(self, days: p.Days) -> Floats:
        """Return how much more of something a month has than thirty ordinary days."""
        factors: Floats = np.add.reduceat(self.weights(days), self.starts[:-1]) / 30.4
        return factors


def span_until(until: date, months: int) -> Span:
    """Return the span of so many calendar months, the last of them that of `until`.

    Raises ValueError for fewer than 2 or more than 120 months, or years whose lunar calendar is not known here.
    """
    if not 2 <= months <= 120:
        raise ValueError(f"lives are told over 2 to 120 months, not {months}")
    first = add_months(until.replace(day=1), 1 - months)
    if first.year not in p.SPRING_FESTIVALS or until.year + 1 not in p.SPRING_FESTIVALS:
        raise ValueError(f"the festivals are known from {min(p.SPRING_FESTIVALS)} to {max(p.SPRING_FESTIVALS) - 1}")
    return Span(first, until, months)


def festival_of(day: date) -> str:
    """Return the name of a day's festival, empty for none."""
    new_year = date.fromisoformat(f"{day.year}-{p.SPRING_FESTIVALS[day.year]}")
    since = (day - new_year).days
    if p.SPRING_DAYS[0] <= since <= p.SPRING_DAYS[1]:
        return "spring"
    if p.NEW_YEAR_SHOPPING_DAYS[0] <= since <= p.NEW_YEAR_SHOPPING_DAYS[1]:
        return "new_year_shopping"
    told = (day.month, day.day)
    return next((name for name, (begin, end) in p.FESTIVALS.items() if begin <= told <= end), "")
