"""SQL of loans, their repayments, and the rail's answers."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from grainline.kit.db import Tx, record
from grainline.kit.money import Fen
from grainline.loans.fold import LoanState
from grainline.loans.model import Loan, RepaymentKind, RepaymentRow
from grainline.loans.terms import Repayment, Terms

LOAN: LiteralString = (
    "member_id, loan_id, product, card_id, purpose, amount_fen, rate_e8, instalments, started_on, principal_fen,"
    " booked_through, settled_on"
)
REPAYMENT: LiteralString = (
    "member_id, repayment_id, loan_id, kind, state, amount_fen, value_on, requested_at, collected_at, failure,"
    " attempts, input_hash, event_no"
)
KEY_CONFLICT = "key_conflict"  # a rail's answer that is no status: it has another order under our key


async def loan(tx: Tx, *, member_id: int, loan_id: UUID, lock: bool = False) -> Loan | None:
    """Read one loan of a member, or None; locked, nobody else books on it meanwhile."""
    cursor = await tx.execute(
        f"select {LOAN} from loans.loans where member_id = %s and loan_id = %s" + (" for update" if lock else ""),
        (member_id, loan_id),
    )
    row = await cursor.fetchone()
    return _loan(row) if row else None


async def loans_of(tx: Tx, member_id: int, *, before: tuple[date, UUID] | None = None, limit: int = 1000) -> list[Loan]:
    """List a member's loans, newest first."""
    started_on, loan_id = before or (None, None)
    cursor = await tx.execute(
        f"select {LOAN} from loans.loans where member_id = %(member)s and (%(loan)s::uuid is null or"
        " (started_on, loan_id) < (%(on)s::date, %(loan)s::uuid))"
        " order by started_on desc, loan_id desc limit %(limit)s",
        {"member": member_id, "on": started_on, "loan": loan_id, "limit": limit},
    )
    return [_loan(row) for row in await cursor.fetchall()]


async def loans_to_charge(tx: Tx, *, day: date, count: int) -> list[Loan]:
    """Lock loans of which an instalment has fallen due by a day and is not in the books yet."""
    cursor = await tx.execute(
        f"select {LOAN} from loans.loans where next_charge_on <= %s"
        " order by next_charge_on limit %s for update skip locked",
        (day, count),
    )
    return [_loan(row) for row in await cursor.fetchall()]


async def loans_due(tx: Tx, *, day: date, slot: str, after: UUID | None, count: int) -> list[Loan]:
    """Lock loans with something due by a day for which this slot's debit was not requested yet, by loan id."""
    cursor = await tx.execute(
        f"select {LOAN} from loans.loans l where next_due_on <= %(day)s"
        " and (%(after)s::uuid is null or loan_id > %(after)s::uuid)"
        " and not exists (select 1 from loans.repayments r where r.member_id = l.member_id"
        "   and r.idempotency_key = 'auto/' || l.loan_id || '/' || %(slot)s)"
        " order by loan_id limit %(count)s for update",
        {"day": day, "slot": slot, "after": after, "count": count},
    )
    return [_loan(row) for row in await cursor.fetchall()]


async def project(tx: Tx, loan: Loan, state: LoanState) -> None:
    """Write the projection of a loan's state: what the day's work looks for."""
    upcoming = next((row.due_on for row in state.instalments if not row.is_due), None)
    unpaid = state.next_unpaid
    await tx.execute(
        "update loans.loans set principal_fen = %s, next_due_on = %s, booked_through = %s, next_charge_on = %s,"
        " settled_on = %s where member_id = %s and loan_id = %s",
        (
            state.principal_outstanding_fen,
            unpaid.due_on if unpaid else None,
            state.as_of,
            upcoming if unpaid else None,
            state.settled_on,
            loan.member_id,
            loan.loan_id,
        ),
    )


async def events(tx: Tx, *, member_id: int, loan_id: UUID) -> list[Repayment]:
    """Read a loan's events in the order they were booked."""
    cursor = await tx.execute(
        "select amount_fen, value_on, event_no from loans.repayments"
        " where member_id = %s and loan_id = %s and state = 'collected' order by event_no",
        (member_id, loan_id),
    )
    return [Repayment(*row) for row in await cursor.fetchall()]


@dataclass(frozen=True)
class RepaymentRequest:
    """What is asked to be collected."""

    repayment_id: UUID
    loan_id: UUID
    kind: RepaymentKind
    amount_fen: int
    value_on: date
    idempotency_key: str
    input_hash: bytes


async def add_repayment(tx: Tx, member_id: int, request: RepaymentRequest, *, now: datetime) -> None:
    """Insert a repayment to be collected; one whose key was used stays as it is."""
    await tx.execute(
        "insert into loans.repayments (member_id, repayment_id, loan_id, kind, state, amount_fen, value_on,"
        " idempotency_key, input_hash, requested_at, ask_at)"
        " values (%s, %s, %s, %s, 'requested', %s, %s, %s, %s, %s, %s) on conflict (member_id, idempotency_key)"
        " do nothing",
        (
            member_id,
            request.repayment_id,
            request.loan_id,
            request.kind,
            request.amount_fen,
            request.value_on,
            request.idempotency_key,
            request.input_hash,
            now,
            now,
        ),
    )


async def repayment_by_key(tx: Tx, *, member_id: int, key: str) -> RepaymentRow | None:
    """Read the repayment a key was used for, or None."""
    cursor = await tx.execute(
        f"select {REPAYMENT} from loans.repayments where member_id = %s and idempotency_key = %s",
        (member_id, key),
    )
    row = await cursor.fetchone()
    return record(RepaymentRow, row) if row else None


async def repayments_of(tx: Tx, *, member_id: int, loan_id: UUID) -> list[RepaymentRow]:
    """List a loan's repayments in the order they were asked for."""
    cursor = await tx.execute(
        f"select {REPAYMENT} from loans.repayments where member_id = %s and loan_id = %s"
        " order by requested_at, repayment_id",
        (member_id, loan_id),
    )
    return [record(RepaymentRow, row) for row in await cursor.fetchall()]


async def take_repayments(tx: Tx, *, now: datetime, count: int, ask_again: timedelta) -> list[RepaymentRow]:
    """Take repayments whose collection is to be sent (`attempts` is 1) or asked for; a lease, as with draws."""
    cursor = await tx.execute(
        f"""
        with due as (
            select member_id as m, repayment_id as r from loans.repayments
            where ask_at <= %(now)s order by ask_at limit %(count)s for update skip locked
        )
        update loans.repayments set state = 'sent', attempts = attempts + 1,
            ask_at = %(now)s + %(again)s * power(2, least(attempts, 6))
        from due where member_id = due.m and repayment_id = due.r
        returning {REPAYMENT}
        """,
        {"now": now, "count": count, "again": ask_again},
    )
    return [record(RepaymentRow, row) for row in await cursor.fetchall()]


async def ask_repayment_now(tx: Tx, *, member_id: int, repayment_id: UUID, now: datetime) -> None:
    """Have an undecided repayment asked for at once."""
    await tx.execute(
        "update loans.repayments set ask_at = %s where member_id = %s and repayment_id = %s and state = 'sent'",
        (now, member_id, repayment_id),
    )


async def collected(tx: Tx, repayment: RepaymentRow, *, at: datetime, event_no: int) -> bool:
    """Mark a repayment collected, as the loan's event of this number; False where it was decided before."""
    cursor = await tx.execute(
        "update loans.repayments set state = 'collected', collected_at = %s, event_no = %s, ask_at = null"
        " where member_id = %s and repayment_id = %s and state in ('requested', 'sent')",
        (at, event_no, repayment.member_id, repayment.repayment_id),
    )
    return cursor.rowcount == 1


async def not_collected(tx: Tx, repayment: RepaymentRow, *, reason: str) -> bool:
    """Mark a repayment failed; False where it was decided before."""
    cursor = await tx.execute(
        "update loans.repayments set state = 'failed', failure = %s, ask_at = null"
        " where member_id = %s and repayment_id = %s and state in ('requested', 'sent')",
        (reason, repayment.member_id, repayment.repayment_id),
    )
    return cursor.rowcount == 1


async def add_answer(
    tx: Tx,
    *,
    member_id: int,
    transfer_id: UUID,
    kind: str,
    status: str,
    ordered_fen: Fen,
    amount_fen: Fen | None,
    reason: str | None,
    now: datetime,
) -> bool:
    """Record what the rail answered; return whether all it ever said of the transfer is about what we ordered.

    `amount_fen` is the rail's word, None where it told none: not found, or KEY_CONFLICT.
    """
    cursor = await tx.execute(
        "insert into loans.rail_answers as new"
        " (member_id, transfer_id, kind, status, amount_fen, reason, heard_at)"
        " values (%(member)s, %(transfer)s, %(kind)s, %(status)s, %(amount)s, %(reason)s, %(now)s)"
        " returning coalesce(new.amount_fen, %(ordered)s) = %(ordered)s and new.status <> %(conflict)s"
        " and not exists (select 1 from loans.rail_answers r where r.member_id = new.member_id"
        "   and r.transfer_id = new.transfer_id and (r.amount_fen <> %(ordered)s or r.status = %(conflict)s))",
        {
            "member": member_id,
            "transfer": transfer_id,
            "kind": kind,
            "status": status,
            "amount": amount_fen,
            "ordered": ordered_fen,
            "reason": reason,
            "now": now,
            "conflict": KEY_CONFLICT,
        },
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


def _loan(row: tuple[Any, ...]) -> Loan:
    return record(Loan, (*row[:5], Terms(*row[5:9]), *row[9:]))
