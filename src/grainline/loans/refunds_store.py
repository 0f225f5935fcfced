"""SQL of refunds: asked for, taken with a lease, decided by the rail's answer."""

from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from grainline.kit.db import Tx, record
from grainline.loans.refunds import RefundRow

REFUND: LiteralString = (
    "member_id, refund_id, loan_id, card_id, state, amount_fen, value_on, requested_at, paid_at, failure, attempts,"
    " input_hash, event_no"
)


async def add_refund(tx: Tx, row: RefundRow, *, idempotency_key: str) -> None:
    """Insert a refund to be paid; a key that was used is an error of the caller."""
    await tx.execute(
        "insert into loans.refunds (member_id, refund_id, loan_id, card_id, state, amount_fen, value_on, requested_at,"
        " ask_at, input_hash, event_no, idempotency_key) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(row.member_id, row.refund_id, row.loan_id, row.card_id, row.state, row.amount_fen, row.value_on),
            *(row.requested_at, row.requested_at, row.input_hash, row.event_no, idempotency_key),
        ),
    )


async def refund_by_key(tx: Tx, *, member_id: int, key: str) -> RefundRow | None:
    """Read the refund a key was used for, or None."""
    cursor = await tx.execute(
        f"select {REFUND} from loans.refunds where member_id = %s and idempotency_key = %s", (member_id, key)
    )
    row = await cursor.fetchone()
    return record(RefundRow, row) if row else None


async def refunds_of(tx: Tx, *, member_id: int, loan_id: UUID) -> list[RefundRow]:
    """List a loan's refunds in the order they were asked for."""
    cursor = await tx.execute(
        f"select {REFUND} from loans.refunds where member_id = %s and loan_id = %s order by event_no",
        (member_id, loan_id),
    )
    return [record(RefundRow, row) for row in await cursor.fetchall()]


async def is_under_way(tx: Tx, *, member_id: int, loan_id: UUID, event_no: int) -> bool:
    """Return whether a loan's event is a refund of which the rail has not said yet whether it paid it."""
    cursor = await tx.execute(
        "select 1 from loans.refunds where member_id = %s and loan_id = %s and event_no = %s"
        " and state in ('requested', 'sent')",
        (member_id, loan_id, event_no),
    )
    return await cursor.fetchone() is not None


async def take_refunds(tx: Tx, *, now: datetime, count: int, ask_again: timedelta) -> list[RefundRow]:
    """Take refunds whose payout is to be sent (`attempts` is 1) or asked for; a lease, as with draws."""
    cursor = await tx.execute(
        f"""
        with due as (
            select member_id as m, refund_id as r from loans.refunds
            where ask_at <= %(now)s order by ask_at limit %(count)s for update skip locked
        )
        update loans.refunds set state = 'sent', attempts = attempts + 1,
            ask_at = %(now)s + %(again)s * power(2, least(attempts, 6))
        from due where member_id = due.m and refund_id = due.r
        returning {REFUND}
        """,
        {"now": now, "count": count, "again": ask_again},
    )
    return [record(RefundRow, row) for row in await cursor.fetchall()]


async def ask_refund_now(tx: Tx, *, member_id: int, refund_id: UUID, now: datetime) -> None:
    """Have an undecided refund asked for at once."""
    await tx.execute(
        "update loans.refunds set ask_at = %s where member_id = %s and refund_id = %s and state = 'sent'",
        (now, member_id, refund_id),
    )


async def refunded(tx: Tx, refund: RefundRow, *, paid_at: datetime) -> bool:
    """Mark a refund paid at a time; False where it was decided before."""
    cursor = await tx.execute(
        "update loans.refunds set state = 'paid', paid_at = %s, ask_at = null"
        " where member_id = %s and refund_id = %s and state in ('requested', 'sent')",
        (paid_at, refund.member_id, refund.refund_id),
    )
    return cursor.rowcount == 1


async def not_refunded(tx: Tx, refund: RefundRow, *, reason: str) -> bool:
    """Mark a refund failed; False where it was decided before."""
    cursor = await tx.execute(
        "update loans.refunds set state = 'failed', failure = %s, ask_at = null"
        " where member_id = %s and refund_id = %s and state in ('requested', 'sent')",
        (reason, refund.member_id, refund.refund_id),
    )
    return cursor.rowcount == 1
