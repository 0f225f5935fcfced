"""SQL of draws: the one call that makes one, the calls that decide it, and what is still to be asked."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import LiteralString
from uuid import UUID

from grainline.kit.db import Tx, record
from grainline.loans.model import Draw
from grainline.loans.state import LoanState

COLUMNS: LiteralString = (
    "member_id, draw_id, product, rules, card_id, amount_fen, instalments, rate_e8, purpose, state, drawn_on,"
    " signed_at, sent_at, paid_at, failed_at, failure, expected_by, attempts, campaign::text"
)
MADE: LiteralString = "(made)." + COLUMNS.replace(", ", ", (made).")


@dataclass(frozen=True)
class DrawCall:
    """What a member asks for when drawing."""

    member_id: int
    token_hash: bytes
    draw_id: UUID
    idempotency_key: str
    input_hash: bytes
    contract_id: UUID
    contract_hash: bytes
    code_hash: bytes


async def draw(tx: Tx, call: DrawCall, *, now: datetime, drawn_on: date) -> tuple[str | Draw, str | None]:
    """Make a draw in one call (draw.sql); return (refusal, None) or (the draw, its card's last four digits)."""
    cursor = await tx.execute(
        f"select refusal, {MADE}, card_last4 from loans.draw(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            call.member_id,
            call.token_hash,
            call.draw_id,
            call.idempotency_key,
            call.input_hash,
            call.contract_id,
            call.contract_hash,
            call.code_hash,
            now,
            drawn_on,
        ),
    )
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("loans.draw returned nothing")
    return (row[0], None) if row[0] is not None else (record(Draw, row[1:-1]), row[-1])


async def draw_of(tx: Tx, *, member_id: int, draw_id: UUID) -> Draw | None:
    """Read one draw of a member, or None."""
    cursor = await tx.execute(
        f"select {COLUMNS} from loans.draws where member_id = %s and draw_id = %s", (member_id, draw_id)
    )
    row = await cursor.fetchone()
    return record(Draw, row) if row else None


async def draws_of(tx: Tx, member_id: int, *, before: tuple[datetime, UUID] | None, limit: int) -> list[Draw]:
    """List a member's draws, newest first."""
    signed_at, draw_id = before or (None, None)
    cursor = await tx.execute(
        f"select {COLUMNS} from loans.draws where member_id = %(member)s and (%(draw)s::uuid is null"
        " or (signed_at, draw_id) < (%(at)s::timestamptz, %(draw)s::uuid))"
        " order by signed_at desc, draw_id desc limit %(limit)s",
        {"member": member_id, "at": signed_at, "draw": draw_id, "limit": limit},
    )
    return [record(Draw, row) for row in await cursor.fetchall()]


async def take_draws(tx: Tx, *, now: datetime, count: int, ask_again: timedelta) -> list[Draw]:
    """Take draws whose payout is to be sent (`attempts` is 1) or asked for.

    Taking is leasing: `ask_at` moves on before anything is sent, so a taker that dies is followed by a question.
    """
    cursor = await tx.execute(
        f"""
        with due as (
            select member_id as m, draw_id as d from loans.draws
            where ask_at <= %(now)s order by ask_at limit %(count)s for update skip locked
        )
        update loans.draws set state = 'sent', sent_at = coalesce(sent_at, %(now)s), attempts = attempts + 1,
            ask_at = %(now)s + %(again)s * power(2, least(attempts, 6))
        from due where member_id = due.m and draw_id = due.d
        returning {COLUMNS}
        """,
        {"now": now, "count": count, "again": ask_again},
    )
    return [record(Draw, row) for row in await cursor.fetchall()]


async def ask_now(tx: Tx, *, member_id: int, draw_id: UUID, now: datetime) -> None:
    """Have an undecided draw asked for at once."""
    await tx.execute(
        "update loans.draws set ask_at = %s where member_id = %s and draw_id = %s and state = 'sent'",
        (now, member_id, draw_id),
    )


async def confirm_payout(tx: Tx, draw: Draw, *, paid_at: datetime, state: LoanState, now: datetime) -> bool:
    """Record that the rail paid a draw and its loan begins in a state; False where it was decided before."""
    first_due_on, then = state.instalments[0].due_on, state.next_due or (None, None, None)
    row = await (
        await tx.execute(
            "select loans.confirm_payout(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (draw.member_id, draw.draw_id, paid_at, state.as_of, first_due_on, *then, now),
        )
    ).fetchone()
    return bool(row and row[0])


async def fail_payout(tx: Tx, draw: Draw, *, failed_at: datetime, failed_on: date, reason: str) -> bool:
    """Record that the rail did not pay a draw; False where it was decided before."""
    row = await (
        await tx.execute(
            "select loans.fail_payout(%s, %s, %s, %s, %s)",
            (draw.member_id, draw.draw_id, failed_at, failed_on, reason),
        )
    ).fetchone()
    return bool(row and row[0])


async def paid_before(tx: Tx, *, member_id: int, product: str) -> bool:
    """Return whether a draw of a product was ever paid to a member."""
    cursor = await tx.execute(
        "select exists (select from loans.draws where member_id = %s and product = %s and state = 'paid')",
        (member_id, product),
    )
    row = await cursor.fetchone()
    return bool(row and row[0])
