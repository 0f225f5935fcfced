"""What the routes of loans say and hear, and how a noun becomes its shape."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from grainline.kit.money import percent
from grainline.kit.web import Language
from grainline.loans.apr import simple_percent
from grainline.loans.fold import Instalment, LoanState
from grainline.loans.model import Draw, DrawState, Loan, RepaymentRow, RepaymentState
from grainline.loans.quote import Quote
from grainline.members import CodeOut

# Within what the database can hold, and nothing else: what may be asked for is decided behind it.
Amount = Annotated[int, Field(ge=-(2**63), lt=2**63, strict=True)]
HexHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, Field(max_length=16)]


class QuoteIn(BaseModel):
    amount_fen: Amount
    instalments: int


class QuoteRowOut(BaseModel):
    number: int
    due_on: date
    days: int
    principal_fen: int
    interest_fen: int
    total_fen: int
    principal_after_fen: int


class QuoteOut(BaseModel):
    """A quote: annual rate first; percentages as they are to be shown, amounts in fen."""

    annual_rate_percent: str
    annual_rate_irr_percent: str
    daily_rate_percent: str
    amount_fen: int
    instalments: int
    total_interest_fen: int
    total_fen: int
    starts_on: date
    rows: list[QuoteRowOut]

    @classmethod
    def of(cls, quote: Quote) -> "QuoteOut":
        """Shape a quote."""
        return cls(
            annual_rate_percent=quote.annual_simple_percent,
            annual_rate_irr_percent=quote.annual_irr_percent,
            daily_rate_percent=percent(quote.terms.rate_e8),
            amount_fen=quote.terms.amount_fen,
            instalments=quote.terms.instalments,
            total_interest_fen=quote.interest_fen,
            total_fen=quote.total_fen,
            starts_on=quote.terms.started_on,
            rows=[
                QuoteRowOut(
                    number=row.number,
                    due_on=row.due_on,
                    days=row.days,
                    principal_fen=row.principal_fen,
                    interest_fen=row.interest_fen,
                    total_fen=row.total_fen,
                    principal_after_fen=row.principal_after_fen,
                )
                for row in quote.rows
            ],
        )


class DisclosureIn(QuoteIn):
    purpose: Annotated[str, Field(max_length=32)]
    card_id: UUID


class ItemOut(BaseModel):
    label: str
    value: str


class DisclosureOut(BaseModel):
    """What must be shown, its hash, and the time from which it may be signed."""

    disclosure_id: UUID
    hash: str
    shown_at: datetime
    may_sign_at: datetime
    reading_seconds: int
    expires_at: datetime
    title: str
    items: list[ItemOut]
    statement: str
    quote: QuoteOut


class ContractIn(BaseModel):
    disclosure_id: UUID
    disclosure_hash: HexHash


class ContractOut(BaseModel):
    contract_id: UUID
    hash: str
    title: str
    text: str
    otp: CodeOut


class DrawIn(BaseModel):
    contract_id: UUID
    contract_hash: HexHash
    code: Code


class FailureOut(BaseModel):
    code: str
    text: str


class StepOut(BaseModel):
    """One state on the way: when it was reached, or when it is expected."""

    code: Literal["signed", "reserved", "sent", "paid", "failed"]
    name: str
    at: datetime | None
    expected_at: datetime | None


STEPS: dict[Language, dict[str, str]] = {
    "zh": {
        "signed": "签署合同",
        "reserved": "占用额度",
        "sent": "提交银行放款",
        "paid": "款项到账",
        "failed": "放款未成功",
    },
    "en": {
        "signed": "Contract signed",
        "reserved": "Amount reserved on your line",
        "sent": "Handed to the bank",
        "paid": "Paid to your card",
        "failed": "Not paid out",
    },
}
FAILURES: dict[Language, dict[str, str]] = {
    "zh": {
        "insufficient_funds": "银行卡余额不足",
        "account_frozen": "银行卡被冻结或状态异常",
        "limit_exceeded": "超出银行单笔或当日限额",
    },
    "en": {
        "insufficient_funds": "There is not enough money on the card",
        "account_frozen": "The card is frozen or otherwise unusable",
        "limit_exceeded": "Above the bank's limit for one transfer or a day",
    },
}
OTHER_FAILURE: dict[Language, str] = {"zh": "银行未能完成这笔交易", "en": "The bank could not complete it"}


def failure_text(reason: str, language: Language) -> str:
    """Say in a sentence why the rail failed a transfer."""
    return FAILURES[language].get(reason, OTHER_FAILURE[language])


def _failure(reason: str | None, language: Language) -> FailureOut | None:
    return None if reason is None else FailureOut(code=reason, text=failure_text(reason, language))


class DrawOut(BaseModel):
    """A draw and every state of it with time stamps and expected times (I1)."""

    draw_id: UUID
    state: DrawState
    amount_fen: int
    instalments: int
    purpose: str
    card_last4: str
    annual_rate_percent: str
    steps: list[StepOut]
    expected_paid_by: datetime
    failure: FailureOut | None
    loan_id: UUID | None

    @classmethod
    def of(cls, draw: Draw, *, card_last4: str, language: Language) -> "DrawOut":
        """Shape a draw."""
        last: Literal["paid", "failed"] = "failed" if draw.state is DrawState.FAILED else "paid"
        times = {
            "signed": draw.signed_at,
            "reserved": draw.signed_at,
            "sent": draw.sent_at,
            last: draw.paid_at if last == "paid" else draw.failed_at,
        }
        steps = [
            StepOut(
                code=code,
                name=STEPS[language][code],
                at=at,
                expected_at=draw.expected_by if at is None else None,
            )
            for code, at in times.items()
        ]
        return cls(
            draw_id=draw.draw_id,
            state=draw.state,
            amount_fen=draw.amount_fen,
            instalments=draw.instalments,
            purpose=draw.purpose,
            card_last4=card_last4,
            annual_rate_percent=simple_percent(draw.rate_e8),
            steps=steps,
            expected_paid_by=draw.expected_by,
            failure=_failure(draw.failure, language),
            loan_id=draw.draw_id if draw.state is DrawState.PAID else None,
        )


class DrawsOut(BaseModel):
    items: list[DrawOut]
    next_cursor: str | None


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
    total_fen: int
    paid_fen: int
    state: Literal["paid", "due", "overdue", "scheduled"]


class RepaymentIn(BaseModel):
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
            failure=_failure(row.failure, language),
        )


class LoanOut(BaseModel):
    """A loan as it stands today; rows and repayments only where one loan is asked for."""

    loan_id: UUID
    state: Literal["active", "overdue", "settled"]
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
    as_of: date
    next_due: NextDueOut | None
    card_last4: str
    rows: list[RowOut] | None = None
    repayments: list[RepaymentOut] | None = None

    @classmethod
    def of(
        cls,
        loan: Loan,
        *,
        now: LoanState,
        ahead: LoanState,
        card_last4: str,
        repayments: list[RepaymentOut] | None = None,
    ) -> "LoanOut":
        """Shape a loan from its state now and its state at the last due date if nothing more were repaid early."""
        rows = row_shapes(loan, now, ahead)
        return cls(
            loan_id=loan.loan_id,
            state=_loan_state(now),
            amount_fen=loan.terms.amount_fen,
            instalments=loan.terms.instalments,
            purpose=loan.purpose,
            daily_rate_percent=percent(loan.terms.rate_e8),
            annual_rate_percent=simple_percent(loan.terms.rate_e8),
            started_on=loan.terms.started_on,
            settled_on=now.settled_on,
            principal_outstanding_fen=now.principal_outstanding_fen,
            due_now_fen=now.due_fen,
            payoff_fen=now.payoff_fen,
            as_of=now.as_of,
            next_due=next_due(rows),
            card_last4=card_last4,
            rows=None if repayments is None else rows,
            repayments=repayments,
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
                total_fen=row.principal_fen + interest,
                paid_fen=row.principal_paid_fen + row.interest_paid_fen,
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
    paid = row.principal_paid_fen + row.interest_paid_fen
    if now.settled_on or paid == row.principal_fen + interest:
        return "paid"
    if not row.is_due:
        return "scheduled"
    return "due" if row.due_on == now.as_of else "overdue"


def _loan_state(now: LoanState) -> Literal["active", "overdue", "settled"]:
    if now.settled_on:
        return "settled"
    late = any(row.is_due and row.due_on < now.as_of and row.unpaid_fen for row in now.instalments)
    return "overdue" if late else "active"


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
