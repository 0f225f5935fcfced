"""Routes of running loans: what is owed, repaying it, having too much refunded, the calendar."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from fastapi import APIRouter, Request, status

from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.web import IdempotencyKey, Lang, NewId, Now, ThePage, Transaction, cursor_after
from grainline.loans import loans_store, papers_store, refunding, refunds_store, repaying, repayments_store
from grainline.loans.fold import fold, forecast
from grainline.loans.loan_shapes import (
    CalendarOut,
    DueOut,
    EventOut,
    EventsOut,
    LoanOut,
    LoansOut,
    RepaymentIn,
    RepaymentOut,
    row_shapes,
)
from grainline.loans.model import Loan, LoanNotFound, RepaymentNotFound, RepaymentRow
from grainline.loans.refund_shapes import RefundIn, RefundOut, RefundsOut
from grainline.loans.refunds import RefundNotFound
from grainline.loans.transfers import hear
from grainline.members import SignedIn, card_of
from grainline.partners.rail import Rail

router = APIRouter(tags=["loans"])
callbacks = APIRouter(tags=["partners"])


@router.get("/loans")
async def list_loans(member_id: SignedIn, tx: Transaction, page: ThePage, now: Now) -> LoansOut:
    """List the member's loans, newest first, without their rows."""
    loans = await loans_store.loans_of(
        tx, member_id, before=page.offset(date.fromisoformat, UUID), limit=page.limit + 1
    )
    shown = loans[: page.limit]
    more = None
    if len(loans) > page.limit:
        more = cursor_after(str(shown[-1].terms.started_on), str(shown[-1].loan_id))
    collecting = await repayments_store.open_repayments(tx, [loan.key for loan in shown])
    items = [await _loan_out(tx, loan, now, collecting.get(loan.key, ()), None) for loan in shown]
    return LoansOut(items=items, next_cursor=more)


@router.get("/loans/{loan_id}")
async def get_loan(loan_id: UUID, member_id: SignedIn, tx: Transaction, now: Now, language: Lang) -> LoanOut:
    """Show one loan as it stands today: rows, what is due, what would settle it, repayments."""
    loan = await loans_store.loan(tx, member_id=member_id, loan_id=loan_id)
    if loan is None:
        raise LoanNotFound
    rows = await repayments_store.repayments_of(tx, member_id=member_id, loan_id=loan_id)
    papers = await papers_store.papers_of(tx, member_id=member_id, loan_id=loan_id)
    collecting = [row for row in rows if row.is_open]
    return await _loan_out(tx, loan, now, collecting, [RepaymentOut.of(row, language) for row in rows], papers)


@router.post("/loans/{loan_id}/repayments", status_code=status.HTTP_202_ACCEPTED)
async def repay(
    loan_id: UUID,
    body: RepaymentIn,
    key: IdempotencyKey,
    member_id: SignedIn,
    tx: Transaction,
    now: Now,
    repayment_id: NewId,
    language: Lang,
) -> RepaymentOut:
    """Ask for a repayment by hand: part of the debt, or all of it at once, free of charge."""
    row = await repaying.request_repayment(
        tx,
        member_id=member_id,
        loan_id=loan_id,
        repayment_id=repayment_id,
        amount_fen=body.amount_fen,
        idempotency_key=key,
        now=now,
    )
    return RepaymentOut.of(row, language)


@router.get("/loans/{loan_id}/repayments/{repayment_id}")
async def get_repayment(
    loan_id: UUID, repayment_id: UUID, member_id: SignedIn, tx: Transaction, language: Lang
) -> RepaymentOut:
    """Show one repayment of a loan."""
    for row in await repayments_store.repayments_of(tx, member_id=member_id, loan_id=loan_id):
        if row.repayment_id == repayment_id:
            return RepaymentOut.of(row, language)
    raise RepaymentNotFound


@router.post("/loans/{loan_id}/refunds", status_code=status.HTTP_202_ACCEPTED)
async def refund(
    loan_id: UUID,
    body: RefundIn,
    key: IdempotencyKey,
    member_id: SignedIn,
    tx: Transaction,
    now: Now,
    refund_id: NewId,
    language: Lang,
) -> RefundOut:
    """Ask for what is held in suspense, or a part of it, to be paid to the usual card."""
    row = await refunding.request_refund(
        tx,
        member_id=member_id,
        loan_id=loan_id,
        refund_id=refund_id,
        amount_fen=body.amount_fen,
        made_by="member",
        idempotency_key=f"hand/{key}",
        now=now,
    )
    return RefundOut.of(row, language)


@router.get("/loans/{loan_id}/refunds")
async def list_refunds(loan_id: UUID, member_id: SignedIn, tx: Transaction, language: Lang) -> RefundsOut:
    """List a loan's refunds in the order they were asked for."""
    if await loans_store.loan(tx, member_id=member_id, loan_id=loan_id) is None:
        raise LoanNotFound
    rows = await refunds_store.refunds_of(tx, member_id=member_id, loan_id=loan_id)
    return RefundsOut(items=[RefundOut.of(row, language) for row in rows])


@router.get("/loans/{loan_id}/refunds/{refund_id}")
async def get_refund(loan_id: UUID, refund_id: UUID, member_id: SignedIn, tx: Transaction, language: Lang) -> RefundOut:
    """Show one refund of a loan."""
    for row in await refunds_store.refunds_of(tx, member_id=member_id, loan_id=loan_id):
        if row.refund_id == refund_id:
            return RefundOut.of(row, language)
    raise RefundNotFound


@router.get("/loans/{loan_id}/events")
async def list_events(loan_id: UUID, member_id: SignedIn, tx: Transaction) -> EventsOut:
    """List everything that happened to a loan since it was paid out, in the order it was booked."""
    if await loans_store.loan(tx, member_id=member_id, loan_id=loan_id) is None:
        raise LoanNotFound
    return EventsOut(items=EventOut.all(await loans_store.events(tx, member_id=member_id, loan_id=loan_id)))


@router.get("/calendar")
async def calendar(member_id: SignedIn, tx: Transaction, now: Now, page: ThePage) -> CalendarOut:
    """List every instalment still to be paid over all loans, by due date."""
    dues = await unpaid_dues(tx, member_id=member_id, today=business_date(now))
    keyed = sorted((((due.due_on, due.loan_id, due.number), due) for due in dues), key=lambda pair: pair[0])
    after = page.offset(date.fromisoformat, UUID, int)
    shown = [(key, due) for key, due in keyed if after is None or key > after][: page.limit + 1]
    more = cursor_after(*map(str, shown[page.limit - 1][0])) if len(shown) > page.limit else None
    return CalendarOut(items=[due for _, due in shown[: page.limit]], next_cursor=more)


async def unpaid_dues(tx: Tx, *, member_id: int, today: date) -> list[DueOut]:
    """List every instalment a member has still to pay, with what is missing of it in fen."""
    dues = []
    for loan in await loans_store.loans_of(tx, member_id):
        events = await loans_store.events(tx, member_id=member_id, loan_id=loan.loan_id)
        state = fold(loan.terms, events, today)
        dues += [
            DueOut(
                loan_id=loan.loan_id,
                number=row.number,
                due_on=row.due_on,
                amount_fen=row.total_fen - row.paid_fen,
                state=row.state,
            )
            for row in row_shapes(loan, state, forecast(loan.terms, events, today))
            if row.state != "paid"
        ]
    return dues


async def next_due_of(tx: Tx, *, member_id: int, today: date) -> tuple[int, DueOut | None]:
    """Return how many loans a member has open, and the earliest instalment to be paid."""
    dues = await unpaid_dues(tx, member_id=member_id, today=today)
    return len({due.loan_id for due in dues}), min(dues, key=lambda due: due.due_on, default=None)


@callbacks.post("/partners/rail/callbacks", status_code=status.HTTP_204_NO_CONTENT)
async def hear_rail(request: Request, tx: Transaction, now: Now) -> None:
    """Hear what the rail says unasked; it is signed, and only makes us ask sooner."""
    rail: Rail = request.app.state.rail
    callback = rail.verify_callback(request.headers, await request.body(), now=now)
    await hear(tx, callback, now=now)


async def _loan_out(
    tx: Tx,
    loan: Loan,
    now: Now,
    collecting: Sequence[RepaymentRow],
    repayments: list[RepaymentOut] | None,
    papers: tuple[UUID, UUID] | None = None,
) -> LoanOut:
    today = business_date(now)
    events = await loans_store.events(tx, member_id=loan.member_id, loan_id=loan.loan_id)
    card = await card_of(tx, member_id=loan.member_id, card_id=loan.card_id)
    return LoanOut.of(
        loan,
        now=fold(loan.terms, events, today),
        ahead=forecast(loan.terms, events, today),
        payoff_fen=repaying.state_with_open(loan, events, collecting, today).payoff_fen,
        card_last4=card.last4 if card else "",
        repayments=repayments,
        papers=papers,
    )
