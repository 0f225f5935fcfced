"""SQL of the desk's reports: what the ledger holds of loans by product, and which days are closed."""

from datetime import date
from uuid import UUID

from grainline.kit.db import Tx
from grainline.ledger import HOUSE, Account


async def first_day_open(tx: Tx, *, through: date) -> tuple[str, date] | None:
    """Return the first day up to a day that is not closed for a product, counted from its first loan; or None."""
    cursor = await tx.execute(
        """
        select p.product, days.at::date
        from (
            select product, min(started_on) as first_day from loans.loans
            where started_on <= %(through)s group by product
        ) as p, generate_series(p.first_day, %(through)s::date, interval '1 day') as days (at)
        where not exists (select 1 from loans.closed_days d where d.product = p.product and d.day = days.at::date)
        order by 2, 1 limit 1
        """,
        {"through": through},
    )
    row = await cursor.fetchone()
    return (row[0], row[1]) if row else None


async def draws_under_way(tx: Tx, *, through: date) -> int:
    """Count draws signed up to a day of which the rail has not said yet whether it paid them."""
    cursor = await tx.execute(
        "select count(*) from loans.draws where state in ('reserved', 'sent') and drawn_on <= %s", (through,)
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def loans_in_ledger(tx: Tx) -> dict[tuple[Account, str], int]:
    """Return what members' accounts hold, by account and product, in fen."""
    cursor = await tx.execute(
        "select b.account, d.product, sum(b.balance_fen) from ledger.balances b"
        " join loans.draws d on d.member_id = b.member_id and d.draw_id = b.sub group by 1, 2"
    )
    return {(Account(row[0]), row[1]): int(row[2]) for row in await cursor.fetchall()}


async def accrual_in_ledger(tx: Tx, account: Account) -> list[tuple[UUID, int, int]]:
    """Return an accrual account's products, each with its balance and what of it loans have moved since the last close.

    In fen. The last close is the last that had something to post.
    """
    cursor = await tx.execute(
        """
        select e.sub, sum(e.amount_fen), coalesce(sum(e.amount_fen) filter (
            where e.member_id <> %(house)s and e.entry_no > coalesce(c.entry_no, 0)), 0)
        from ledger.entries e
        left join (
            select e.sub, max(e.entry_no) as entry_no from ledger.entries e
            join ledger.journals j using (member_id, journal_no)
            where j.member_id = %(house)s and j.kind = 'accrual' group by e.sub
        ) as c on c.sub = e.sub
        where e.account = %(account)s group by e.sub
        """,
        {"house": HOUSE, "account": account},
    )
    return [(row[0], int(row[1]), int(row[2])) for row in await cursor.fetchall()]


async def accrued_by_last_close(tx: Tx) -> dict[str, tuple[int, int]]:
    """Return what had accrued on each product's loans at its last close, interest and penalties, in fen.

    The last close is the last that had something to post.
    """
    cursor = await tx.execute(
        "select distinct on (product) product, accrued_fen, penalty_fen from loans.closed_days d"
        " where exists (select 1 from ledger.journals j where j.member_id = %s"
        "   and j.idempotency_key = 'accrual/' || d.product || '/' || d.day)"
        " order by product, day desc",
        (HOUSE,),
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in await cursor.fetchall()}
