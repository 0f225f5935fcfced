"""The annual cost, by both methods, and never the one under the other's name.

Simple (年化利率, PBoC announcement [2021] No. 3 allows it where it is on the remaining principal): daily rate × 365.
By internal rate of return: XIRR over the dated cash flows, actual days / 365, compounded yearly (pyxirr). This is the
only place where a rate is a float: it is shown, and no money is computed from it.
"""

from decimal import ROUND_HALF_UP, Decimal

from pyxirr import xirr

from grainline.kit.money import E8
from grainline.loans.schedule import PlannedInstalment
from grainline.loans.terms import Terms
from grainline.products import YearBasis

HUNDREDTH = Decimal("0.01")


def simple_percent(rate_e8: int, basis: YearBasis = YearBasis.DAILY) -> str:
    """Return the simple annual rate in percent, half-up to two places: 60_000 a day → "21.90".

    A rate that quotes a year of 360 or 364 days is paid for 365.
    """
    days = {YearBasis.DAILY: Decimal(1), YearBasis.DAYS_360: Decimal(360), YearBasis.DAYS_364: Decimal(364)}
    return _shown(Decimal(rate_e8) * 365 * 100 / E8 / days.get(basis, Decimal(365)))


def irr_percent(terms: Terms, rows: tuple[PlannedInstalment, ...]) -> str:
    """Return the annual rate by IRR in percent, half-up to two places; raise ValueError where there is none."""
    dates = [terms.started_on, *(row.due_on for row in rows)]
    amounts = [-terms.amount_fen, *(row.total_fen for row in rows)]
    rate = xirr(dates, amounts)
    if rate is None:
        raise ValueError(f"no internal rate of return for {terms}")
    return _shown(Decimal(str(rate)) * 100)


def _shown(percent: Decimal) -> str:
    return str(percent.quantize(HUNDREDTH, rounding=ROUND_HALF_UP))
