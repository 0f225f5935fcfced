"""What came of decisions: whether a loan that followed one went into default in time, from the loans' own rows.

The clock starts with the decision, which opens the line. A loan is of the member's last application before it. In
default is what the books say it is: more than 90 days late, charged off or written off (stage 3, `loans`).
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from grainline.kit.calendar import add_months, business_date
from grainline.kit.db import Tx
from grainline.loans import Span, lent_in


@dataclass(frozen=True)
class Came:
    """That money was lent on a decision; whether it went bad within the horizon, None while that may still come."""

    is_bad: bool | None


async def outcomes_of(
    tx: Tx,
    decisions: Sequence[tuple[int, datetime]],
    applied: Mapping[int, Sequence[datetime]],
    *,
    product: str,
    as_of: date,
    months: int,
) -> list[Came | None]:
    """Return what came of applications (member, moment) by the end of a day; None where nothing was lent on one.

    `applied` are all moments at which each member applied, in order. The books must be closed through the day.
    """
    horizons = [add_months(business_date(moment), months) for _, moment in decisions]
    spans = [
        Span(member_id, business_date(moment), _ends_on(moment, applied[member_id], min(as_of, horizon)))
        for (member_id, moment), horizon in zip(decisions, horizons, strict=True)
    ]
    lent = await lent_in(tx, spans, product=product)
    return [
        None if one is None else Came(_is_bad(one.defaulted_on, horizon, as_of=as_of))
        for one, horizon in zip(lent, horizons, strict=True)
    ]


def _ends_on(moment: datetime, applied: Sequence[datetime], last: date) -> date:
    """Return from which day on a loan is not of this decision: the next application, or the day after the last."""
    later = applied[bisect_right(applied, moment) :]
    after = last + timedelta(days=1)
    return min(business_date(later[0]), after) if later else after


def _is_bad(defaulted_on: date | None, horizon: date, *, as_of: date) -> bool | None:
    if defaulted_on is not None and defaulted_on <= min(horizon, as_of):
        return True
    return False if horizon <= as_of else None
