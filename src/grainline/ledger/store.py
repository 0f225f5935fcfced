"""The ledger's SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from grainline.kit.db import Tx
from grainline.kit.money import Fen
from grainline.ledger.chart import Account


@dataclass(frozen=True)
class Line:
    """One line of a journal: signed fen, debits positive."""

    account: Account
    sub: UUID
    amount_fen: Fen


async def post(
    tx: Tx,
    *,
    member_id: int,
    key: str,
    kind: str,
    value_on: date,
    booked_at: datetime,
    lines: Sequence[Line],
) -> int:
    """Post one balanced journal under a member and return its number; the same key and input again changes nothing.

    Raises psycopg's DatabaseError with SQLSTATE GL001 (same key, other input), GL002 (does not balance) or GL003
    (account outside the chart).
    """
    cursor = await tx.execute(
        "select ledger.post(%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            member_id,
            key,
            kind,
            value_on,
            booked_at,
            [line.account.value for line in lines],
            [line.sub for line in lines],
            [line.amount_fen for line in lines],
        ),
    )
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("ledger.post returned nothing")
    return int(row[0])


@dataclass(frozen=True)
class Journal:
    """A journal to be posted with others: its member, key, kind, accounting date and lines."""

    member_id: int
    key: str
    kind: str
    value_on: date
    lines: Sequence[Line]


async def post_batch(tx: Tx, journals: Sequence[Journal], *, booked_at: datetime) -> int:
    """Post many balanced journals in one call, by the rules of `post`; return how many were new."""
    lines = [(place, line) for place, journal in enumerate(journals, 1) for line in journal.lines]
    if not lines:
        return 0
    cursor = await tx.execute(
        "select ledger.post_batch(%s::bigint[], %s, %s, %s::date[], %s, %s::int[], %s, %s::uuid[], %s::bigint[])",
        (
            [journal.member_id for journal in journals],
            [journal.key for journal in journals],
            [journal.kind for journal in journals],
            [journal.value_on for journal in journals],
            booked_at,
            [place for place, _ in lines],
            [line.account.value for _, line in lines],
            [line.sub for _, line in lines],
            [line.amount_fen for _, line in lines],
        ),
    )
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("ledger.post_batch returned nothing")
    return int(row[0])


async def cut(tx: Tx) -> int:
    """Return the number of the last entry below which none is still to come."""
    row = await (await tx.execute("select ledger.cut()")).fetchone()
    return int(row[0]) if row else 0


async def roll_up(tx: Tx, through_entry: int) -> None:
    """Add the house entries up to a cut to the house balances."""
    await tx.execute("select ledger.roll_up(%s)", (through_entry,))


async def open_from(tx: Tx) -> date:
    """Return the first day on which something may still be booked; the first of all days where no period is closed.

    No period is closed from then on until the transaction is over.
    """
    row = await (await tx.execute("select ledger.hold_periods()")).fetchone()
    closed: date | None = row[0] if row else None
    return closed + timedelta(days=1) if closed else date.min


async def closed_through(tx: Tx) -> date | None:
    """Return the last day of the last closed accounting period, or None."""
    row = await (await tx.execute("select max(ends_on) from ledger.closed_periods")).fetchone()
    return row[0] if row else None
