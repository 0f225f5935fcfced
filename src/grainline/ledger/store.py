"""The ledger's SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
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


async def cut(tx: Tx) -> int:
    """Return the number of the last entry below which none is still to come."""
    row = await (await tx.execute("select ledger.cut()")).fetchone()
    return int(row[0]) if row else 0


async def roll_up(tx: Tx, through_entry: int) -> None:
    """Add the house entries up to a cut to the house balances."""
    await tx.execute("select ledger.roll_up(%s)", (through_entry,))
