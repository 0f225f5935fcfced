"""What the lender's people do to a loan: one call that checks, keeps and books an event of any kind but a repayment's.

A repayment that came in otherwise than over the rail (cash at a counter, say) is an event too. Which events a person
may make, and who else must agree, is for the desk; here is what is possible at all.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from grainline.kit import outbox
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.web import KeyReused
from grainline.ledger import open_from
from grainline.loans import loans_store, refunds_store, servicing
from grainline.loans.events import Event, EventKind, next_number
from grainline.loans.fold import fold
from grainline.loans.loans_store import NewEvent
from grainline.loans.model import EventNotPossible, EventOutOfTime, Loan, LoanNotFound, NotReversible
from grainline.loans.state import LoanState
from grainline.products import Component, Pack


async def record_event(
    tx: Tx,
    pack: Pack,
    event: Event,
    *,
    member_id: int,
    loan_id: UUID,
    made_by: str,
    reason: str,
    key: str,
    now: datetime,
) -> LoanState:
    """Keep an event of a loan under a key, book it, and return the loan's state; its number is given here.

    The same key with the same event changes nothing. Raises LoanNotFound, KeyReused, EventOutOfTime, EventNotPossible,
    NotReversible.
    """
    loan = await loans_store.loan(tx, member_id=member_id, loan_id=loan_id, lock=True)
    if loan is None:
        raise LoanNotFound
    events = await loans_store.events(tx, member_id=member_id, loan_id=loan_id)
    today = business_date(now)
    input_hash = sha256(repr((loan_id, replace(event, number=0))).encode()).digest()
    known = await loans_store.event_by_key(tx, member_id=member_id, key=key)
    if known is not None:
        if known[2] != input_hash:
            raise KeyReused
        return fold(loan.terms, events, max(today, loan.booked_through))
    await _check_time(tx, pack, loan, event, today)
    await _check_possible(tx, loan, events, event)
    number = next_number(events)
    new = NewEvent(member_id, loan_id, replace(event, number=number), made_by, key, input_hash, reason)
    one = servicing.step(
        loan,
        events,
        [new],
        through=event.value_on,
        key=f"event/{loan_id}/{number}",
        kind=event.kind,
        value_on=event.value_on,
    )
    await servicing.take(tx, [one], now=now)
    payload: dict[str, str | int | bool | None] = {"kind": event.kind, "amount_fen": event.amount_fen}
    await outbox.emit(tx, member_id=member_id, topic="loan.changed", payload=payload, now=now)
    return one.after


async def _check_time(tx: Tx, pack: Pack, loan: Loan, event: Event, today: date) -> None:
    window = today - timedelta(days=pack.repayment.backdating_days)
    earliest = max(loan.terms.started_on, window, await open_from(tx))
    if not earliest <= event.value_on <= today:
        raise EventOutOfTime(
            value_on=event.value_on.isoformat(), earliest=earliest.isoformat(), latest=today.isoformat()
        )


async def _check_possible(tx: Tx, loan: Loan, events: list[Event], event: Event) -> None:
    """Refuse what the fold would have to clip: more than there is, or a second time.

    And the reversal of a refund that the rail may still pay: its money would be held and on its way.
    """
    state = fold(loan.terms, events, event.value_on)
    why = None
    match event.kind:
        case EventKind.REVERSAL:
            reversed_already = {one.reverses for one in events}
            target = next((one for one in events if one.number == event.reverses), None)
            if target is None or target.kind is EventKind.REVERSAL or target.number in reversed_already:
                raise NotReversible(number=event.reverses or 0)
            if await refunds_store.is_under_way(
                tx, member_id=loan.member_id, loan_id=loan.loan_id, event_no=target.number
            ):
                why = "refund_under_way"
        case EventKind.REFUND if event.amount_fen > min(state.totals.suspense, _held_at_last(loan, events, event)):
            why = "more_than_suspense"
        case EventKind.WAIVER:
            component = event.component or Component.INTEREST
            owed = state.unpaid_of(component) + (state.accrued_fen if component is Component.INTEREST else 0)
            if event.amount_fen > owed:
                why = "more_than_owed"
        case EventKind.CHARGE_OFF if state.charged_off_on is not None or state.written_off_on is not None:
            why = "charged_off_already"
        case EventKind.WRITE_OFF if state.written_off_on is not None or state.settled_on is not None:
            why = "nothing_to_write_off"
        case EventKind.RESCHEDULE if state.written_off_on is not None or state.settled_on is not None:
            why = "nothing_to_reschedule"
        case EventKind.FEE if state.written_off_on is not None:
            why = "written_off"
    if why is not None:
        raise EventNotPossible(why=why)


def _held_at_last(loan: Loan, events: list[Event], event: Event) -> int:
    """Return what is held after all that is known: money that went out later is not there to go out earlier too."""
    last = max([event.value_on, *(one.value_on for one in events)])
    return fold(loan.terms, events, last).totals.suspense
