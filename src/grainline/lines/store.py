"""The lines' SQL."""

from collections.abc import Sequence
from datetime import datetime

from psycopg.types.json import Jsonb

from grainline.kit.db import Tx, record
from grainline.kit.money import Fen, RateE8
from grainline.lines.model import Line


async def line(tx: Tx, *, member_id: int, product: str) -> Line | None:
    """Read a member's line with a product, or None."""
    row = await (
        await tx.execute(
            "select member_id, product, state, tier, limit_fen, reserved_fen, used_fen, available_fen, rate_e8,"
            " reasons, opened_at from lines.lines where member_id = %s and product = %s",
            (member_id, product),
        )
    ).fetchone()
    if row is None:
        return None
    return record(Line, (*row[:9], tuple(row[9]), row[10]))


async def lines_of(tx: Tx, *, member_id: int) -> dict[str, Line]:
    """Read all of a member's lines, by product."""
    rows = await (
        await tx.execute(
            "select member_id, product, state, tier, limit_fen, reserved_fen, used_fen, available_fen, rate_e8,"
            " reasons, opened_at from lines.lines where member_id = %s",
            (member_id,),
        )
    ).fetchall()
    return {row[1]: record(Line, (*row[:9], tuple(row[9]), row[10])) for row in rows}


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
) -> None:
    """Open a line, once; one that is there stays as it is."""
    await tx.execute(
        "insert into lines.lines (member_id, product, state, tier, limit_fen, rate_e8, reasons, opened_at)"
        " values (%s, %s, 'open', %s, %s, %s, %s, %s) on conflict (member_id, product) do nothing",
        (member_id, product, tier, limit_fen, rate_e8, Jsonb(list(reasons)), now),
    )


async def restore_many(tx: Tx, restored: Sequence[tuple[int, str, int]]) -> None:
    """Give principal back to many lines: member, product, fen; below nought it is taken again."""
    if restored:
        members, products, amounts = map(list, zip(*restored, strict=True))
        await tx.execute(
            "select lines.restore(m, p, a) from unnest(%s::bigint[], %s::text[], %s::bigint[]) as r (m, p, a)",
            (members, products, amounts),
        )


async def set_overdue(tx: Tx, turned: Sequence[tuple[int, str, bool]]) -> None:
    """Freeze lines of which a loan is overdue, and open those where none is: member, product, whether overdue."""
    members, products, overdue = map(list, zip(*turned, strict=True))
    await tx.execute(
        "select lines.set_overdue(m, p, o) from unnest(%s::bigint[], %s::text[], %s::boolean[]) as r (m, p, o)",
        (members, products, overdue),
    )
