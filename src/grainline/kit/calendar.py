"""Business dates: what day it is in Shanghai, and which day an instalment falls on.

Instants are UTC and aware; business dates are calendar dates in Asia/Shanghai. Nothing here reads a clock.
"""

from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

Clock = Callable[[], datetime]


def business_date(instant: datetime) -> date:
    """Return the calendar date in Asia/Shanghai at an aware instant; raise ValueError on a naive one."""
    if instant.tzinfo is None:
        raise ValueError("an instant without a time zone has no business date")
    return instant.astimezone(SHANGHAI).date()


def at(day: date, clock_time: time) -> datetime:
    """Return the UTC instant of a wall-clock time in Shanghai on a business date."""
    return datetime.combine(day, clock_time, tzinfo=SHANGHAI).astimezone(UTC)


@lru_cache(maxsize=100_000)
def add_months(anchor: date, months: int) -> date:
    """Return the anchor's day `months` later; the 29th–31st clamp to a short month's end and return after.

    Always count from the anchor, never from the month before, or a 31st would stay a 28th for good.
    """
    index = anchor.year * 12 + anchor.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def first_of_next_month(day: date) -> date:
    """Return the first day of the month after `day`."""
    return add_months(day.replace(day=1), 1)
