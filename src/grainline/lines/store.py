"""The lines' SQL."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from grainline.kit.calendar import add_months, business_date
from grainline.kit.db import Tx, record
from grainline.kit.money import Fen, RateE8
from grainline.lines.model import FIRST_IDLE_DAYS, FIRST_REVIEW_MONTHS, Line

COLUMNS = (
    "member_id, product, state, tier, limit_fen, reserved_fen, used_fen, greatest(available_fen, 0), rate_e8, reasons,"
    " opened_at, frozen_for, temporary_fen, holds, next_review_on"
)


def _line(row: TupleRow) -> Line:
    return record(Line, (*row[:9], tuple(row[9]), *row[10:13], tuple(row[13]), row[14]))


async def line(tx: Tx, *, member_id: int, product: str, lock: bool = False) -> Line | None:
    """Read a member's line with a product, or None; locked, nobody else draws on it or changes it meanwhile."""
    row = await (
        await tx.execute(
            f"select {COLUMNS} from lines.lines where member_id = %s and product = %s"
            + (" for update" if lock else ""),
            (member_id, product),
        )
    ).fetchone()
    if row is None:
        return None
    return _line(row)


async def lines_of(tx: Tx, *, member_id: int) -> dict[str, Line]:
    """Read all of a member's lines, by product."""
    rows = await (
        await tx.execute(
            f"select {COLUMNS} from lines.lines where member_id = %s",
            (member_id,),
        )
    ).fetchall()
    return {row[1]: _line(row) for row in rows}


async def open_line(
    tx: Tx,
    *,
    member_id: int,
    product: str,
    tier: str,
    limit_fen: Fen,
    rate_e8: RateE8,
    reasons: Sequence[str],
    now: datetime,
    decision_id: UUID | None = None,
    by: str = "platform",
) -> None:
    """Open a line, once, with the first change of its history; one that is there stays as it is."""
    today = business_date(now)
    await tx.execute(
        "select lines.open(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(member_id, product, tier, limit_fen, rate_e8, Jsonb(list(reasons))),
            *(add_months(today, FIRST_REVIEW_MONTHS), today + timedelta(days=FIRST_IDLE_DAYS)),
            *(decision_id, by, now),
        ),
    )


async def restore_many(tx: Tx, restored: Sequence[tuple[int, str, int]]) -> None:
    """Give principal back to many lines: member, product, fen; below nought it is taken again."""
    if restored:
        # always in one order: of two who give back to the same lines one waits, and not each for the other
        members, products, amounts = map(list, zip(*sorted(restored), strict=True))
        await tx.execute(
            "select lines.restore(m, p, a) from unnest(%s::bigint[], %s::text[], %s::bigint[]) as r (m, p, a)",
            (members, products, amounts),
        )


async def set_overdue(tx: Tx, turned: Sequence[tuple[int, str, bool]], *, now: datetime) -> None:
    """Freeze lines of which a loan is overdue, let go of those where none is: member, product, whether overdue.

    Either way the line is to be looked at again.
    """
    members, products, overdue = map(list, zip(*sorted(turned), strict=True))
    await tx.execute(
        "select lines.set_overdue(m, p, o, %s) from unnest(%s::bigint[], %s::text[], %s::boolean[]) as r (m, p, o)",
        (now, members, products, overdue),
    )
