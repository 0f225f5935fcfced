"""SQL of the reports: sums over entries by the date they count from, and journals in order, for the exports."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from grainline.kit.db import Tx, record
from grainline.ledger.books import Movement
from grainline.ledger.chart import Account

YEAR_END = "year_end"  # the kind of journal that carries a year's income and expense to retained earnings
FETCH = 2_000


async def movements(tx: Tx, *, since: date, through: date, year_end: bool = True) -> list[Movement]:
    """Return every account with an entry up to a day, house accounts by product, in order of their codes.

    Without `year_end`, journals of that kind are left out. Reads all entries; the sums are PostgreSQL's.
    """
    cursor = await tx.execute(
        """
        select a.code, a.name_zh, a.name_en, a.kind, s.sub, s.opening, s.debits, s.credits
        from (
            select e.account, case when a.holder = 'house' then e.sub end as sub,
                coalesce(sum(e.amount_fen) filter (where j.value_on < %(since)s), 0) as opening,
                coalesce(sum(e.amount_fen) filter (where j.value_on >= %(since)s and e.amount_fen > 0), 0) as debits,
                coalesce(-sum(e.amount_fen) filter (where j.value_on >= %(since)s and e.amount_fen < 0), 0) as credits
            from ledger.entries e
            join ledger.journals j using (member_id, journal_no) join ledger.accounts a on a.code = e.account
            where j.value_on <= %(through)s and (%(year_end)s or j.kind <> %(kind)s)
            group by 1, 2
        ) as s join ledger.accounts a on a.code = s.account
        order by a.code, s.sub
        """,
        {"since": since, "through": through, "year_end": year_end, "kind": YEAR_END},
    )
    return [Movement(Account(row[0]), *row[1:5], *map(int, row[5:])) for row in await cursor.fetchall()]


async def booked_dates(tx: Tx) -> tuple[date, date] | None:
    """Return the first and the last day from which a journal counts, or None."""
    row = await (await tx.execute("select min(value_on), max(value_on) from ledger.journals")).fetchone()
    return (row[0], row[1]) if row and row[0] else None


@dataclass(frozen=True)
class Entry:
    """An entry with its journal, as an export tells it; `sub` is a draw or loan, or a product in a house account."""

    value_on: date
    member_id: int
    journal_no: int
    key: str
    kind: str
    booked_at: datetime
    account: Account
    sub: UUID
    amount_fen: int


async def entries(tx: Tx, *, since: date, through: date) -> AsyncIterator[Entry]:
    """Read the entries of a span of days, journal by journal, from a cursor on the server; always in the same order."""
    async with tx.cursor(name="entries") as cursor:
        cursor.itersize = FETCH
        await cursor.execute(
            "select j.value_on, j.member_id, j.journal_no, j.idempotency_key, j.kind, j.booked_at, e.account, e.sub,"
            " e.amount_fen from ledger.journals j join ledger.entries e using (member_id, journal_no)"
            " where j.value_on between %s and %s order by j.value_on, j.journal_no, e.account, e.sub",
            (since, through),
        )
        async for row in cursor:
            yield record(Entry, row)


async def close_period(tx: Tx, *, ends_on: date, now: datetime, closed_by: str) -> bool:
    """Close a period once postings under way are done; False where it was closed meanwhile."""
    cursor = await tx.execute("select ledger.close_period(%s, %s, %s)", (ends_on, now, closed_by))
    row = await cursor.fetchone()
    return bool(row and row[0])
