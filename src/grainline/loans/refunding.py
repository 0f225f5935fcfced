"""Refunds: taken out of suspense when asked for, on the rail until it answers, put back where it fails.

A refund is the loan's event from the day it was asked for, so that neither a second one nor a fee can take the same
money. Until the rail has paid, what left the suspense account is payable (2242); where the rail fails, the event is
reversed: as if it had never been asked for, whatever happened to the loan meanwhile.
"""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from grainline.kit import outbox
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.money import Fen
from grainline.kit.web import KeyReused
from grainline.ledger import Account, Line, open_from, post, product_sub
from grainline.loans import loans_store, refunds_store, servicing
from grainline.loans.booking import with_refunds
from grainline.loans.events import Event, EventKind, next_number
from grainline.loans.fold import fold
from grainline.loans.loans_store import NewEvent
from grainline.loans.model import Loan, LoanNotFound
from grainline.loans.refunds import RefundAboveSuspense, RefundNotPositive, RefundRow, RefundState
from grainline.members import card_of, usual_card


async def request_refund(
    tx: Tx,
    *,
    member_id: int,
    loan_id: UUID,
    refund_id: UUID,
    amount_fen: int | None,
    made_by: str,
    idempotency_key: str,
    now: datetime,
    reason: str = "",
) -> RefundRow:
    """Ask for a refund to the member's usual card, in fen, or of all that is held; it counts from today in Shanghai.

    Raises LoanNotFound, RefundNotPositive, RefundAboveSuspense, KeyReused.
    """
    if amount_fen is not None and amount_fen <= 0:
        raise RefundNotPositive
    loan = await loans_store.loan(tx, member_id=member_id, loan_id=loan_id, lock=True)
    if loan is None:
        raise LoanNotFound
    input_hash = sha256(f"{loan_id}/{'all' if amount_fen is None else amount_fen}".encode()).digest()
    known = await refunds_store.refund_by_key(tx, member_id=member_id, key=idempotency_key)
    if known is not None:
        if known.input_hash != input_hash:
            raise KeyReused
        return known
    events = await loans_store.events(tx, member_id=member_id, loan_id=loan_id)
    event = _refund(loan, events, amount_fen, now=now)
    key, amount = f"refund/{refund_id}", event.amount_fen
    await _book(tx, loan, events, event, key, made_by, now=now, payable_fen=amount, reason=reason)
    card = await usual_card(tx, member_id)
    card_id = card.card_id if card else loan.card_id
    row = RefundRow(
        *(member_id, refund_id, loan_id, card_id, RefundState.REQUESTED, amount, event.value_on, now),
        *(None, None, 0, input_hash, event.number),
    )
    await refunds_store.add_refund(tx, row, idempotency_key=idempotency_key)
    return row


def _refund(loan: Loan, events: list[Event], amount_fen: int | None, *, now: datetime) -> Event:
    """Return the event that takes an amount, or all, out of what is held today; raise RefundAboveSuspense."""
    today = business_date(now)
    held = fold(loan.terms, events, today).totals.suspense
    amount = held if amount_fen is None else amount_fen
    if not 0 < amount <= held:
        raise RefundAboveSuspense(suspense_fen=held)
    return Event(EventKind.REFUND, today, next_number(events), Fen(amount))


async def apply_refunded(tx: Tx, refund: RefundRow, *, paid_at: datetime, now: datetime) -> None:
    """Book that the rail has paid a refund, on the day it settled, and tell the borrower; nothing where it was decided.

    In a closed period it counts from the first day after it.
    """
    loan = await _loan_of(tx, refund)
    if not await refunds_store.refunded(tx, refund, paid_at=paid_at):
        return
    await post(
        tx,
        member_id=refund.member_id,
        key=f"refund_paid/{refund.refund_id}",
        kind="refund_paid",
        value_on=max(business_date(paid_at), await open_from(tx)),
        booked_at=now,
        lines=[
            Line(Account.REFUNDS_PAYABLE, refund.loan_id, refund.amount_fen),
            Line(Account.RAIL_CLEARING, product_sub(loan.product), Fen(-refund.amount_fen)),
        ],
    )
    card = await card_of(tx, member_id=refund.member_id, card_id=refund.card_id)
    await _tell(tx, refund, "refund.paid", now=now, card_last4=card.last4 if card else "")


async def apply_not_refunded(tx: Tx, refund: RefundRow, *, reason: str, now: datetime) -> None:
    """Put back what the rail did not pay, and tell the borrower; nothing where it was decided."""
    loan = await _loan_of(tx, refund)
    if not await refunds_store.not_refunded(tx, refund, reason=reason):
        return
    events = await loans_store.events(tx, member_id=refund.member_id, loan_id=refund.loan_id)
    event = Event(EventKind.REVERSAL, business_date(now), next_number(events), reverses=refund.event_no)
    key = f"refund_failed/{refund.refund_id}"
    await _book(tx, loan, events, event, key, "rail", now=now, payable_fen=-refund.amount_fen, reason=reason)
    await _tell(tx, refund, "refund.failed", now=now, reason=reason)


async def _book(
    tx: Tx,
    loan: Loan,
    events: list[Event],
    event: Event,
    key: str,
    made_by: str,
    *,
    now: datetime,
    payable_fen: int,
    reason: str,
) -> None:
    """Keep and book an event whose money does not move on the rail yet, but comes to be payable."""
    new = NewEvent(loan.member_id, loan.loan_id, event, made_by, key, reason=reason)
    kind, day = key.partition("/")[0], event.value_on
    one = servicing.step(loan, events, [new], through=day, key=key, kind=kind, value_on=day)
    await servicing.take(tx, [replace(one, before=with_refunds(one.before, -payable_fen))], now=now)


async def _loan_of(tx: Tx, refund: RefundRow) -> Loan:
    """Lock a refund's loan: first, as whoever asks for one does."""
    loan = await loans_store.loan(tx, member_id=refund.member_id, loan_id=refund.loan_id, lock=True)
    if loan is None:
        raise RuntimeError(f"refund {refund.refund_id} has lost its loan")
    return loan


async def _tell(tx: Tx, refund: RefundRow, topic: str, *, now: datetime, **more: str) -> None:
    payload: dict[str, str | int | bool | None] = {"amount_fen": refund.amount_fen, **more}
    await outbox.emit(tx, member_id=refund.member_id, topic=topic, payload=payload, now=now)
