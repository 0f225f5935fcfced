"""Repayments: asked for within the debt, applied when the rail has collected, told to books and line."""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from grainline.kit import outbox
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.web import KeyReused
from grainline.loans import loans_store, repayments_store, servicing
from grainline.loans.events import Event, next_number, repayment
from grainline.loans.fold import fold
from grainline.loans.loans_store import NewEvent
from grainline.loans.model import (
    Loan,
    LoanNotFound,
    RepaymentAboveDebt,
    RepaymentKind,
    RepaymentNotPositive,
    RepaymentRow,
)
from grainline.loans.repayments_store import RepaymentRequest
from grainline.loans.state import LoanState


def state_with_open(loan: Loan, events: Sequence[Event], collecting: Sequence[RepaymentRow], as_of: date) -> LoanState:
    """Fold a loan as if everything being collected already were: what may still be asked for.

    A repayment's value date is the day it was asked for, so dates rise with requests, and no set of them that was
    within the debt one by one can be above it together, whichever the rail answers first.
    """
    first = next_number(events)
    coming = [repayment(row.amount_fen, row.value_on, number) for number, row in enumerate(collecting, first)]
    return fold(loan.terms, [*events, *coming], as_of)


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
    known = await repayments_store.repayment_by_key(tx, member_id=member_id, key=key)
    if known is None:
        today = business_date(now)
        events = await loans_store.events(tx, member_id=member_id, loan_id=loan_id)
        collecting = (await repayments_store.open_repayments(tx, [loan.key])).get(loan.key, [])
        payoff = state_with_open(loan, events, collecting, today).payoff_fen
        if amount_fen > payoff:
            raise RepaymentAboveDebt(payoff_fen=payoff)
        request = RepaymentRequest(
            member_id, repayment_id, loan_id, RepaymentKind.BY_HAND, amount_fen, today, key, input_hash
        )
        await repayments_store.add_repayments(tx, [request], now=now)
        known = await repayments_store.repayment_by_key(tx, member_id=member_id, key=key)
    if known is None or known.input_hash != input_hash:
        raise KeyReused
    return known


async def apply_collected(tx: Tx, answers: Sequence[tuple[RepaymentRow, datetime]], *, now: datetime) -> int:
    """Book what the rail has collected, each with the time it settled; return how many were not decided before.

    Each becomes its loan's next event, its journal, the line's restored amount, the news. A repayment that counts from
    an earlier day than the books have reached corrects the interest charged since.
    """
    keys = sorted({(row.member_id, row.loan_id) for row, _ in answers})
    loans = await loans_store.lock_loans(tx, keys)  # first, as whoever asks for a repayment does
    undecided = await repayments_store.undecided(tx, [row for row, _ in answers])
    fresh = [(row, at) for row, at in answers if (row.member_id, row.repayment_id) in undecided]
    known = await loans_store.events_of(tx, keys)
    several = []  # a loan's second answer waits for its first to be booked
    booked: dict[loans_store.Key, tuple[RepaymentRow, datetime, servicing.Step]] = {}
    for row, at in sorted(fresh, key=lambda answer: (answer[0].value_on, answer[0].repayment_id)):
        key = (row.member_id, row.loan_id)
        if key in booked:
            several.append((row, at))
        else:
            booked[key] = (row, at, _collected(loans[key], known.get(key, []), row))
    steps = [one for _, _, one in booked.values()]
    await repayments_store.collected(tx, [(row, at, one.new[0].event.number) for row, at, one in booked.values()])
    await servicing.take(tx, steps, now=now)
    for row, _, one in booked.values():
        await _tell(tx, row, one.after, now=now)
    return len(steps) + (await apply_collected(tx, several, now=now) if several else 0)


def _collected(loan: Loan, known: Sequence[Event], row: RepaymentRow) -> servicing.Step:
    key = f"repaid/{row.repayment_id}"
    event = repayment(row.amount_fen, row.value_on, next_number(known))
    new = NewEvent(row.member_id, row.loan_id, event, "rail", key)
    return servicing.step(
        loan, known, [new], through=event.value_on, key=key, kind="repayment", value_on=event.value_on
    )


async def _tell(tx: Tx, row: RepaymentRow, after: LoanState, *, now: datetime) -> None:
    payload: dict[str, str | int | bool | None] = {
        "amount_fen": row.amount_fen,
        "kind": row.kind,
        "left_fen": after.principal_outstanding_fen,
        "settled": after.settled_on is not None,
    }
    await outbox.emit(tx, member_id=row.member_id, topic="repayment.collected", payload=payload, now=now)
