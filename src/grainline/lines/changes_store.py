"""SQL of what changes a line itself, and of its history. Each change is once under its key, kept, and told."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from grainline.kit.db import Tx, record
from grainline.lines.model import Cause, Change, Hold, LineInUse, NoLine

COLUMNS = (
    "member_id, product, change_no, key, kind, from_fen, to_fen, from_rate_e8, to_rate_e8, from_tier, to_tier, state,"
    " frozen_for, until_on, reasons, decision_id, made_by, made_at"
)
RETURNED_AT_ONCE = 1  # a line that is returned is held until the transaction ends


async def set_terms(
    tx: Tx,
    *,
    member_id: int,
    product: str,
    key: str,
    own_fen: int,
    rate_e8: int,
    tier: str,
    reasons: Sequence[str],
    words: str | None,
    decision_id: UUID | None,
    by: str,
    now: datetime,
) -> bool:
    """Set a line's own limit in fen, its rate in 10⁻⁸ a day and its tier; tell whether anything was changed.

    `words` says the first reason in Chinese, where the notice's own texts have none for it.
    """
    given = (member_id, product, key, own_fen, rate_e8, tier, Jsonb(list(reasons)), words, decision_id, by, now)
    return await _asked(tx, "select lines.set_terms(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)", given)


async def freeze(
    tx: Tx,
    *,
    member_id: int,
    product: str,
    key: str,
    hold: Hold,
    reasons: Sequence[str],
    by: str,
    now: datetime,
    words: str | None = None,
    decision_id: UUID | None = None,
) -> bool:
    """Freeze a line for one thing more; tell whether that is new."""
    given = (member_id, product, key, hold, Jsonb(list(reasons)), words, decision_id, by, now)
    return await _asked(tx, "select lines.freeze(%s, %s, %s, %s, %s, %s, %s, %s, %s)", given)


async def thaw(
    tx: Tx,
    *,
    member_id: int,
    product: str,
    key: str,
    holds: Sequence[Hold],
    reasons: Sequence[str],
    by: str,
    now: datetime,
    words: str | None = None,
    decision_id: UUID | None = None,
) -> bool:
    """Let go of what holds a line; tell whether any of it did. It is open where nothing else holds it."""
    given = (member_id, product, key, list(holds), Jsonb(list(reasons)), words, decision_id, by, now)
    return await _asked(tx, "select lines.thaw(%s, %s, %s, %s, %s, %s, %s, %s, %s)", given)


async def close(
    tx: Tx, *, member_id: int, product: str, reasons: Sequence[str], by: str, now: datetime, unused: bool
) -> None:
    """Close a line for good; closed again, it changes nothing. Raise NoLine, and LineInUse where it must be unused."""
    found = await tx.execute(
        "select lines.close(%s, %s, 'closed', %s, %s, %s, %s)",
        (member_id, product, unused, Jsonb(list(reasons)), by, now),
    )
    row = await found.fetchone()
    match row and row[0]:
        case "no_line":
            raise NoLine
        case "line_in_use":
            raise LineInUse


async def raise_until(
    tx: Tx,
    *,
    member_id: int,
    product: str,
    code: str,
    amount_fen: int,
    from_on: date,
    until_on: date,
    reasons: Sequence[str],
    by: str,
    now: datetime,
) -> bool:
    """Raise an open line by so many fen until a day, that day excluded; tell whether it is new under this code."""
    given = (member_id, product, code, amount_fen, from_on, until_on, Jsonb(list(reasons)), by, now)
    return await _asked(tx, "select lines.raise_until(%s, %s, %s, %s, %s, %s, %s, %s, %s)", given)


async def return_due(tx: Tx, *, day: date, now: datetime) -> int:
    """Take back raises whose end has come, not all at once; return how many."""
    row = await (await tx.execute("select lines.return_due(%s, %s, %s)", (day, RETURNED_AT_ONCE, now))).fetchone()
    return int(row[0]) if row else 0


async def ask_review(tx: Tx, *, member_id: int, product: str, key: str, cause: Cause, now: datetime) -> bool:
    """Ask that a line be looked at again; tell whether it is new under this key.

    Where one of this cause is open, that is asked under the new key from now on: a review that began before does not
    answer it.
    """
    return await _asked(tx, "select lines.ask_review(%s, %s, %s, %s, %s)", (member_id, product, key, cause, now))


async def changes_of(tx: Tx, *, member_id: int, product: str) -> list[Change]:
    """Read the history of a line, the newest first."""
    rows = await (
        await tx.execute(
            f"select {COLUMNS} from lines.changes where member_id = %s and product = %s order by change_no desc",
            (member_id, product),
        )
    ).fetchall()
    return [record(Change, row) for row in rows]


async def _asked(tx: Tx, call: str, given: tuple[object, ...]) -> bool:
    row = await (await tx.execute(call, given)).fetchone()
    return bool(row and row[0])
