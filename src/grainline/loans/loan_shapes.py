"""What the routes of running loans say and hear."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from grainline.kit.money import percent
from grainline.kit.web import Language
from grainline.loans.apr import simple_percent
from grainline.loans.arrears import classify
from grainline.loans.events import Event, EventKind
from grainline.loans.model import Loan, RepaymentRow, RepaymentState
from grainline.loans.shapes import Amount, FailureOut, failure_of
from grainline.loans.state import Instalment, LoanState
from grainline.products import Component, Shape


class NextDueOut(BaseModel):
    number: int
    due_on: date
    amount_fen: int


class RowOut(BaseModel):
    number: int
    due_on: date
    days: int
    principal_fen: int
    interest_fen: int
    penalty_fen: int
    fee_fen: int
    total_fen: int
    paid_fen: int
    state: Literal["paid", "due", "overdue", "scheduled"]


class RepaymentIn(BaseModel):
    """An amount in fen and nothing else: a currency named beside it would be another one's."""

    model_config = ConfigDict(extra="forbid")

    amount_fen: Amount


class RepaymentOut(BaseModel):
    repayment_id: UUID
    kind: Literal["by_hand", "automatic"]
    state: RepaymentState
    amount_fen: int
    value_on: date
    requested_at: datetime
    collected_at: datetime | None
    failure: FailureOut | None

    @classmethod
    def of(cls, row: RepaymentRow, language: Language) -> "RepaymentOut":
        """Shape a repayment."""
        return cls(
            repayment_id=row.repayment_id,
            kind=row.kind.value,
            state=row.state,
            amount_fen=row.amount_fen,
            value_on=row.value_on,
            requested_at=row.requested_at,
            collected_at=row.collected_at,
            failure=failure_of(row.failure, language),
        )


class LoanOut(BaseModel):
    """A loan as it stands today; rows and repayments only where one loan is asked for."""

    loan_id: UUID
    product: str
    shape: Shape
    state: Literal["active", "overdue", "settled", "written_off"]
    amount_fen: int
    instalments: int
    purpose: str
    daily_rate_percent: str
    annual_rate_percent: str
    started_on: date
    settled_on: date | None
    principal_outstanding_fen: int
    due_now_fen: int
    payoff_fen: int
    suspense_fen: int
    days_late: int
    bucket: str
    as_of: date
    next_due: NextDueOut | None
    card_last4: str
    rows: list[RowOut] | None = None
    repayments: list[RepaymentOut] | None = None
    contract_id: UUID | None = None
    disclosure_id: UUID | None = None

    @classmethod
    def of(
        cls,
        loan: Loan,
        *,
        now: LoanState,
        ahead: LoanState,
        payoff_fen: int,
        card_last4: str,
        repayments: list[RepaymentOut] | None = None,
        papers: tuple[UUID, UUID] | None = None,
    ) -> "LoanOut":
        """Shape a loan from its state now and its state at the last due date if nothing more were repaid early.

        `payoff_fen` is what may still be repaid: what settles it, less what is being collected already. `papers` are
        its contract and its disclosure.
        """
        rows = row_shapes(loan, now, ahead)
        return cls(
            loan_id=loan.loan_id,
            product=loan.product,
            shape=loan.terms.rules.shape,
            state=_loan_state(now),
            amount_fen=loan.terms.amount_fen,
            instalments=loan.terms.instalments,
            purpose=loan.purpose,
            daily_rate_percent=percent(loan.terms.rate_e8),
            annual_rate_percent=simple_percent(loan.terms.rate_e8, loan.terms.rules.year_basis),
            started_on=loan.terms.started_on,
            settled_on=now.settled_on,
            principal_outstanding_fen=now.principal_outstanding_fen,
            due_now_fen=now.due_fen,
            payoff_fen=payoff_fen,
            suspense_fen=now.totals.suspense,
            days_late=now.days_late,
            bucket=classify(now).bucket,
            as_of=now.as_of,
            next_due=next_due(rows),
            card_last4=card_last4,
            rows=None if repayments is None else rows,
            repayments=repayments,
            contract_id=papers[0] if papers else None,
            disclosure_id=papers[1] if papers else None,
        )


def row_shapes(loan: Loan, now: LoanState, ahead: LoanState) -> list[RowOut]:
    """Shape the instalments: what has fallen due as it is, what has not as it will be if each is paid when due."""
    shapes = []
    start = loan.terms.started_on
    for row, later in zip(now.instalments, ahead.instalments, strict=True):
        interest = row.interest_fen if row.is_due or now.settled_on else later.interest_fen
        shapes.append(
            RowOut(
                number=row.number,
                due_on=row.due_on,
                days=(row.due_on - start).days,
                principal_fen=row.principal_fen,
                interest_fen=interest,
                penalty_fen=row.penalty_fen,
                fee_fen=row.fee_fen,
                total_fen=row.total_fen - row.interest_fen + interest,
                paid_fen=row.paid_fen,
                state=_row_state(row, now, interest),
            )
        )
        start = row.due_on
    return shapes


def next_due(rows: list[RowOut]) -> NextDueOut | None:
    """Return the earliest instalment that is still to be paid, with what is missing of it."""
    for row in rows:
        if row.state != "paid":
            return NextDueOut(number=row.number, due_on=row.due_on, amount_fen=row.total_fen - row.paid_fen)
    return None


def _row_state(row: Instalment, now: LoanState, interest: int) -> Literal["paid", "due", "overdue", "scheduled"]:
    if now.settled_on or row.paid_fen == row.total_fen - row.interest_fen + interest:
        return "paid"
    if not row.is_due:
        return "scheduled"
    return "due" if row.due_on == now.as_of else "overdue"


def _loan_state(now: LoanState) -> Literal["active", "overdue", "settled", "written_off"]:
    if now.settled_on:
        return "settled"
    if now.written_off_on:
        return "written_off"
    late = any(row.is_due and row.due_on < now.as_of and row.unpaid_fen for row in now.instalments)
    return "overdue" if late else "active"


class EventOut(BaseModel):
    """One event of a loan, as the member may see it; a reversed one stays and says so."""

    number: int
    kind: EventKind
    value_on: date
    amount_fen: int
    component: Component | None
    until: date | None
    reversed: bool

    @classmethod
    def all(cls, events: Sequence[Event]) -> "list[EventOut]":
        """Shape a loan's events, in the order they were booked."""
        gone = {event.reverses for event in events}
        return [
            cls(
                number=event.number,
                kind=event.kind,
                value_on=event.value_on,
                amount_fen=event.amount_fen,
                component=event.component,
                until=event.until,
                reversed=event.number in gone,
            )
            for event in events
        ]


class EventsOut(BaseModel):
    items: list[EventOut]


class LoansOut(BaseModel):
    items: list[LoanOut]
    next_cursor: str | None


class DueOut(BaseModel):
    loan_id: UUID
    number: int
    due_on: date
    amount_fen: int
    state: Literal["paid", "due", "overdue", "scheduled"]


class CalendarOut(BaseModel):
    items: list[DueOut]
    next_cursor: str | None
