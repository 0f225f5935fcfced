"""Closing accounting periods: only when every day of them is closed and no draw of theirs is under way."""

from datetime import date, datetime

from grainline.desk import reports_store
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.errors import Kind, Refusal
from grainline.ledger import closed_through
from grainline.ledger.books_store import booked_dates
from grainline.ledger.books_store import close_period as close_in_ledger
from grainline.ledger.periods import check_period


class PeriodDaysOpen(Refusal):
    """A day of the period is not closed for a product."""

    code = "period_days_open"
    kind = Kind.CONFLICT


class PeriodDrawsOpen(Refusal):
    """The rail has not said yet whether it paid draws of the period, whose loans would begin in it."""

    code = "period_draws_open"
    kind = Kind.CONFLICT


async def close_period(tx: Tx, *, ends_on: date, now: datetime, closed_by: str) -> bool:
    """Close the accounting period that ends on a day, for good; False where it is closed.

    From then on the ledger refuses every journal that would count from it; what is learned later goes to the first open
    day. With a year's last period, income and expense are carried to retained earnings. Postings wait meanwhile. Raises
    PeriodNotAMonth, PeriodNotOver, NothingBooked, PeriodOutOfOrder, PeriodDaysOpen, PeriodDrawsOpen.
    """
    booked = await booked_dates(tx)
    closed = await closed_through(tx)
    if not check_period(ends_on, closed=closed, first_booked=booked[0] if booked else None, today=business_date(now)):
        return False
    day = await reports_store.first_day_open(tx, through=ends_on)
    if day is not None:
        raise PeriodDaysOpen(product=day[0], day=day[1].isoformat())
    draws = await reports_store.draws_under_way(tx, through=ends_on)
    if draws:
        raise PeriodDrawsOpen(count=draws)
    return await close_in_ledger(tx, ends_on=ends_on, now=now, closed_by=closed_by)
