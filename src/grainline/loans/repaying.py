"""Repayments: asked for within the debt, applied when the rail has collected, told to books and line."""

from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from grainline.kit import outbox
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.money import Fen
from grainline.kit.web import KeyReused
from grainline.ledger import post
from grainline.lines import restore
from grainline.loans import loans_store
from grainline.loans.booking import journal
from grainline.loans.fold import LoanState, fold
from grainline.loans.loans_store import RepaymentRequest
from grainline.loans.model import (
    Loan,
    LoanNotFound,
    RepaymentAboveDebt,
    RepaymentKind,
    RepaymentNotPositive,
    RepaymentRow,
    RepaymentState,
)
from grainline.loans.terms import Repayment

OPEN = (RepaymentState.REQUESTED, RepaymentState.SENT)


def state_with_open(loan: Loan, repayments: list[RepaymentRow], as_of: date) -> LoanState:
    """Fold a loan as if everything being collected already were: what may still be asked for.

    A repayment's value date is the day it was asked for, so dates rise with requests, and no set of them that was
    within the debt one by one can be above it together, whichever the rail answers first.
    """
    counted = [
        Repayment(row.amount_fen, row.value_on, number)
        for number, row in enumerate(repayments)
        if row.state is not RepaymentState.FAILED
    ]
    return fold(loan.terms, counted, as_of)


async def request_repayment(
    tx: Tx,
    *,
    member_id: int,
    loan_id: UUID,
    repayment_id: UUID,
    amount_fen: int,
    idempotency_key: str,
    now: datetime,
) -> RepaymentRow:
    """Ask for a repayment by hand, in fen; it counts from today in Shanghai, whenever the rail settles it.

    Raises LoanNotFound, RepaymentNotPositive, RepaymentAboveDebt, KeyReused.
    """
    if amount_fen <= 0:
        raise RepaymentNotPositive
    loan = await loans_store.loan(tx, member_id=member_id, loan_id=loan_id, lock=True)
    if loan is None:
        raise LoanNotFound
    key = f"hand/{idempotency_key}"
    input_hash = sha256(f"{loan_id}/{amount_fen}".encode()).digest()
    known = await loans_store.repayment_by_key(tx, member_id=member_id, key=key)
    if known is None:
        today = business_date(now)
        rows = await loans_store.repayments_of(tx, member_id=member_id, loan_id=loan_id)
        payoff = state_with_open(loan, rows, today).payoff_fen
        if amount_fen > payoff:
            raise RepaymentAboveDebt(payoff_fen=payoff)
        request = RepaymentRequest(repayment_id, loan_id, RepaymentKind.BY_HAND, amount_fen, today, key, input_hash)
        await loans_store.add_repayment(tx, member_id, request, now=now)
        known = await loans_store.repayment_by_key(tx, member_id=member_id, key=key)
    if known is None or known.input_hash != input_hash:
        raise KeyReused
    return known


async def apply_collected(tx: Tx, repayment: RepaymentRow, *, collected_at: datetime, now: datetime) -> None:
    """Book a collected repayment: the loan's event, its journal, the line's restored amount, the news.

    The journal is the difference between two states of the loan, so a repayment that counts from an earlier day than
    the books have reached corrects the interest charged since.
    """
    loan = await loans_store.loan(tx, member_id=repayment.member_id, loan_id=repayment.loan_id, lock=True)
    if loan is None:
        raise RuntimeError(f"repayment {repayment.repayment_id} has lost its loan")
    events = await loans_store.events(tx, member_id=loan.member_id, loan_id=loan.loan_id)
    number = len(events) + 1
    if not await loans_store.collected(tx, repayment, at=collected_at, event_no=number):
        return
    event = Repayment(repayment.amount_fen, repayment.value_on, number)
    before = fold(loan.terms, events, loan.booked_through)
    after = fold(loan.terms, [*events, event], max(loan.booked_through, event.value_on))
    await post(
        tx,
        member_id=loan.member_id,
        key=f"repaid/{repayment.repayment_id}",
        kind="repayment",
        value_on=event.value_on,
        booked_at=now,
        lines=journal(loan.loan_id, before, after),
    )
    repaid = Fen(before.principal_outstanding_fen - after.principal_outstanding_fen)
    await restore(tx, member_id=loan.member_id, product=loan.product, amount_fen=repaid)
    await loans_store.project(tx, loan, after)
    payload: dict[str, str | int | bool | None] = {
        "amount_fen": repayment.amount_fen,
        "kind": repayment.kind,
        "left_fen": after.principal_outstanding_fen,
        "settled": after.settled_on is not None,
    }
    await outbox.emit(tx, member_id=loan.member_id, topic="repayment.collected", payload=payload, now=now)
