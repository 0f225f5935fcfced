"""From balances and days to interest: day counts and rounding, in whole numbers.

Interest is a sum of balance × rate × weight, where the weight of days is a whole number of `scale`-ths of what the rate
is for. Such products are counted in units: `Period.unit` of them are one fen. The sum is exact; it becomes fen where
the loan's rules say.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from grainline.kit.money import E8, Fen
from grainline.products import RoundedPer, Rounding, Rules, YearBasis

SCALES = {
    YearBasis.DAILY: 1,
    YearBasis.DAYS_360: 360,
    YearBasis.DAYS_364: 364,
    YearBasis.DAYS_365: 365,
    YearBasis.ACTUAL: 365 * 366,
}
ONE_DAY = timedelta(days=1)
E4 = 10_000  # shares and multiples of a rate are in 10⁻⁴


class Period:
    """The period of one instalment: how its days weigh, and how many units are a fen in it."""

    __slots__ = ("basis", "months", "starts_on", "unit")

    def __init__(self, basis: YearBasis, starts_on: date, due_on: date, months: int) -> None:
        self.basis, self.starts_on, self.months = basis, starts_on, months
        scale = 360 * max((due_on - starts_on).days, 1) if basis is YearBasis.THIRTY_360 else SCALES[basis]
        self.unit = unit_of(scale)

    def weight(self, start: date, end: date) -> int:
        """Return the weight of the days from `start` (included) to `end` (excluded)."""
        if self.basis is YearBasis.ACTUAL:
            return sum(days * weight for days, weight in _years(start, end))
        days = (end - start).days
        return 30 * self.months * days if self.basis is YearBasis.THIRTY_360 else days

    def interest(self, balance_rate: int, start: date, end: date, rules: Rules) -> int:
        """Return the interest on balance × rate from a date to another, in units; whole fen a day if rules say so."""
        if rules.rounded_per is not RoundedPer.DAY:
            return balance_rate * self.weight(start, end)
        spans = _years(start, end) if self.basis is YearBasis.ACTUAL else [((end - start).days, self._of_a_day)]
        return (
            sum(days * rounded(balance_rate * weight, self.unit, rules.rounding) for days, weight in spans) * self.unit
        )

    @property
    def _of_a_day(self) -> int:
        return 30 * self.months if self.basis is YearBasis.THIRTY_360 else 1


def _years(start: date, end: date) -> Iterator[tuple[int, int]]:
    """Yield days and the weight of each, by the year in which they end: 1/365 or 1/366 of a year in 365 × 366ths."""
    while start < end:
        year = (start + ONE_DAY).year
        stop = min(end, date(year, 12, 31))
        yield (stop - start).days, 731 - (date(year, 12, 31) - date(year - 1, 12, 31)).days
        start = stop


def unit_of(scale: int) -> int:
    """Return how many units of balance × rate × weight make one fen, where a weight is in `scale`-ths."""
    return E8 * scale


def rounded(amount: int, unit: int, rounding: Rounding) -> Fen:
    """Round a non-negative count of `unit`-ths of a fen to the fen."""
    whole, rest = divmod(amount, unit)
    up = rest * 2 > unit or (rest * 2 == unit and (rounding is Rounding.HALF_UP or whole % 2 == 1))
    return Fen(whole + up)
