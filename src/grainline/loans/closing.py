"""The close of a product's day: every loan in the books to its end, and what accrued on it recognised as income.

The accrual is one journal per product and day, and it is a difference: what has accrued on all loans and is not charged
yet, less what the accrued-interest accounts hold already. So a day that was missed, or an event that counted from an
earlier day, is made up by the next close, and nothing has to be kept per loan and day. What has accrued is one sum over
the loans' projections (`accrued + slope × days`), because a slope changes only where a loan is touched.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from grainline.kit.calendar import business_date
from grainline.kit.db import Pool, Tx, transaction
from grainline.kit.money import Fen
from grainline.ledger import HOUSE, Account, Line, post, product_sub
from grainline.loans import closing_store
from grainline.loans.day import roll_day
from grainline.loans.interest import E4, ONE_DAY, SCALES, Period, rounded, unit_of
from grainline.loans.loans_store import rules_of
from grainline.loans.model import DayNotOver
from grainline.products import Pack, Rounding

ACCOUNTS = (
    (Account.ACCRUED_INTEREST, Account.INTEREST_INCOME),
    (Account.ACCRUED_PENALTY, Account.PENALTY_INCOME),
)


async def close_through(pool: Pool, packs: Mapping[str, Pack], *, day: date, now: datetime) -> list[date]:
    """Close every day that is not closed yet, up to and including a day, in order; return the days it closed.

    A day closed before stays as it is. Raises DayNotOver for today and later.
    """
    if day >= business_date(now):
        raise DayNotOver(day=day.isoformat())
    async with transaction(pool) as tx:
        start = await closing_store.first_open_day(tx, sorted(packs))
    closed = []
    while start is not None and start <= day:
        await close_day(pool, packs, day=start, now=now)
        closed.append(start)
        start += timedelta(days=1)
    return closed


async def close_day(pool: Pool, packs: Mapping[str, Pack], *, day: date, now: datetime) -> None:
    """Close one day of every product; closed again, it changes nothing. Raises DayNotOver."""
    if day >= business_date(now):
        raise DayNotOver(day=day.isoformat())
    await roll_day(pool, packs, day=day, now=now)
    for product in sorted(packs):
        async with transaction(pool) as tx:
            await _accrue(tx, product, day, now=now)


async def _accrue(tx: Tx, product: str, day: date, *, now: datetime) -> None:
    if not await closing_store.begin(tx, product=product, day=day):
        return
    sums, held = await closing_store.accrued(tx, product=product)
    accrued = _in_fen(sums, until=day + ONE_DAY)
    lines = []
    for (asset, income), due, booked in zip(ACCOUNTS, accrued, held, strict=True):
        if due != booked:
            moved = Fen(due - booked)
            lines += [Line(asset, product_sub(product), moved), Line(income, product_sub(product), Fen(-moved))]
    if lines:
        key = f"accrual/{product}/{day}"
        await post(tx, member_id=HOUSE, key=key, kind="accrual", value_on=day, booked_at=now, lines=lines)
    await closing_store.closed(
        tx,
        product=product,
        day=day,
        accrued_fen=accrued[0],
        penalty_fen=accrued[1],
        loans=sum(row.loans for row in sums),
        now=now,
    )


def _in_fen(sums: Sequence[closing_store.Accrued], *, until: date) -> tuple[Fen, Fen]:
    """Return the interest and penalty interest accrued until a day (excluded), each set of rules rounded once."""
    interest: Counter[str] = Counter()
    penalty: Counter[str] = Counter()
    for row in sums:
        period = Period(rules_of(row.rules).year_basis, row.booked_through, until, 1)
        weight = max(period.weight(row.booked_through, until), 0)
        interest[row.rules] += row.interest + row.interest_slope * weight
        penalty[row.rules] += row.penalty + row.penalty_slope * weight
    units = {rules: unit_of(SCALES[rules_of(rules).year_basis]) for rules in interest}
    return (
        Fen(sum(rounded(units_of_it, units[rules], Rounding.HALF_UP) for rules, units_of_it in interest.items())),
        Fen(sum(rounded(units_of_it, units[rules] * E4, Rounding.HALF_UP) for rules, units_of_it in penalty.items())),
    )
