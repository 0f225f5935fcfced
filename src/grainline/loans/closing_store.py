"""SQL of closing days: which are closed, and what has accrued on all loans of a product."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from grainline.kit.db import Tx
from grainline.ledger import Account, product_sub


@dataclass(frozen=True)
class Accrued:
    """What has accrued on the loans of one set of rules that are booked to one day, and what a unit of weight adds.

    In the units of `state.Accrual`.
    """

    rules: str
    booked_through: date
    loans: int
    interest: int
    interest_slope: int
    penalty: int
    penalty_slope: int


async def first_open_day(tx: Tx, products: Sequence[str]) -> date | None:
    """Return the first day that is not closed for every product; None where there is neither a loan nor a close."""
    cursor = await tx.execute(
        "select min(day) from ("
        " select coalesce((select max(day) + 1 from loans.closed_days d where d.product = p),"
        "   (select min(started_on) from loans.loans l where l.product = p)) as day"
        " from unnest(%s::text[]) as p) as days",
        (list(products),),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def begin(tx: Tx, *, product: str, day: date) -> bool:
    """Take the closing of a product's day for this transaction; False where it is closed."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('close/' || %s, 0))", (product,))
    cursor = await tx.execute("select 1 from loans.closed_days where product = %s and day = %s", (product, day))
    return await cursor.fetchone() is None


async def accrued(tx: Tx, *, product: str) -> tuple[list[Accrued], tuple[int, int]]:
    """Return what has accrued on a product's loans, and what the accrual accounts hold, in fen.

    One statement, so one snapshot: a loan and its journal move in one transaction, and are seen together or not at all.
    It reads every loan, and is the one statement of a day that may do so on several cores.
    """
    await tx.execute("set local max_parallel_workers_per_gather = 2")
    cursor = await tx.execute(
        """
        select r.content::text, s.*, held.interest, held.penalty
        from (select ledger.house_balance(%(interest)s, %(sub)s) as interest,
            ledger.house_balance(%(penalty)s, %(sub)s) as penalty offset 0) as held
        left join (
            select rules, booked_through, count(*), sum(accrued), sum(accrual_slope), sum(penalty), sum(penalty_slope)
            from loans.loans where product = %(product)s and settled_on is null
            group by rules, booked_through
        ) as s on true
        left join loans.rule_sets r on r.name = s.rules
        """,
        {
            "interest": Account.ACCRUED_INTEREST,
            "penalty": Account.ACCRUED_PENALTY,
            "sub": product_sub(product),
            "product": product,
        },
    )
    rows = await cursor.fetchall()
    sums = [Accrued(row[0], row[2], *map(int, row[3:8])) for row in rows if row[0] is not None]
    return sums, (int(rows[0][8]), int(rows[0][9]))


async def closed(
    tx: Tx, *, product: str, day: date, accrued_fen: int, penalty_fen: int, loans: int, now: datetime
) -> None:
    """Write that a product's day is closed."""
    await tx.execute(
        "insert into loans.closed_days (product, day, accrued_fen, penalty_fen, loans, closed_at)"
        " values (%s, %s, %s, %s, %s, %s)",
        (product, day, accrued_fen, penalty_fen, loans, now),
    )
