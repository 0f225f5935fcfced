"""Accounting periods: months that are closed in order, after which nothing more is booked in them."""

from datetime import date, timedelta

from grainline.kit.calendar import first_of_next_month
from grainline.kit.errors import Kind, Refusal

ONE_DAY = timedelta(days=1)


class PeriodNotAMonth(Refusal):
    """A period ends with a month."""

    code = "period_not_a_month"


class PeriodNotOver(Refusal):
    """A period is closed when its last day is over."""

    code = "period_not_over"
    kind = Kind.CONFLICT


class PeriodOutOfOrder(Refusal):
    """Another period is the next to be closed."""

    code = "period_out_of_order"
    kind = Kind.CONFLICT


class NothingBooked(Refusal):
    """There is no journal yet, and so no period."""

    code = "nothing_booked"
    kind = Kind.CONFLICT


def check_period(ends_on: date, *, closed: date | None, first_booked: date | None, today: date) -> bool:
    """Return whether a period is still to be closed; False where it is closed.

    The first period is the month of the first journal, each other one the month after the last that is closed. Raises
    PeriodNotAMonth, PeriodNotOver, NothingBooked, PeriodOutOfOrder.
    """
    if ends_on != month_end(ends_on):
        raise PeriodNotAMonth(ends_on=ends_on.isoformat(), expected=month_end(ends_on).isoformat())
    if ends_on >= today:
        raise PeriodNotOver(ends_on=ends_on.isoformat(), today=today.isoformat())
    if first_booked is None:
        raise NothingBooked
    first = month_end(first_booked)
    if closed is not None and first <= ends_on <= closed:
        return False
    expected = month_end(closed + ONE_DAY) if closed else first
    if ends_on != expected:
        raise PeriodOutOfOrder(ends_on=ends_on.isoformat(), expected=expected.isoformat())
    return True


def month_end(day: date) -> date:
    """Return the last day of a day's month."""
    return first_of_next_month(day) - ONE_DAY
