"""What the routes of quoting and drawing say and hear, and how a noun becomes its shape."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from grainline.kit.money import percent
from grainline.kit.web import Language
from grainline.loans.apr import simple_percent
from grainline.loans.campaigns import campaign_words
from grainline.loans.model import Draw, DrawState
from grainline.loans.quote import Quote
from grainline.members import CodeOut
from grainline.products import Shape

# Within what the database can hold, and nothing else: what may be asked for is decided behind it.
Amount = Annotated[int, Field(ge=-(2**63), lt=2**63, strict=True)]
HexHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, Field(max_length=16)]


class QuoteIn(BaseModel):
    """What is to be quoted: the product unless it is the default one, the shape unless it is the product's first."""

    product: Annotated[str, Field(max_length=32)] | None = None
    amount_fen: Amount
    instalments: int
    shape: Shape | None = None


class QuoteRowOut(BaseModel):
    number: int
    due_on: date
    days: int
    principal_fen: int
    interest_fen: int
    total_fen: int
    principal_after_fen: int


class QuoteCampaignOut(BaseModel):
    """The campaign a draw would have: the interest without it, what it saves if paid when due, the rate with it."""

    code: str
    name: str
    text: str
    interest_before_fen: int
    saved_fen: int
    annual_rate_irr_percent: str

    @classmethod
    def of(cls, quote: Quote, language: Language) -> "QuoteCampaignOut | None":
        """Shape the campaign of a quote, where it has one."""
        saving = quote.saving
        if saving is None:
            return None
        return cls(
            code=saving.campaign.code,
            name=getattr(saving.campaign.name, language),
            text=campaign_words(saving.campaign, language),
            interest_before_fen=quote.interest_before_fen,
            saved_fen=saving.saved_fen,
            annual_rate_irr_percent=saving.annual_irr_percent,
        )


class QuoteOut(BaseModel):
    """A quote: annual rate first; percentages as they are to be shown, amounts in fen.

    The rates are without the campaign; interest, total and rows are with it.
    """

    annual_rate_percent: str
    annual_rate_irr_percent: str
    daily_rate_percent: str
    amount_fen: int
    instalments: int
    shape: Shape
    total_interest_fen: int
    total_fen: int
    starts_on: date
    campaign: QuoteCampaignOut | None
    rows: list[QuoteRowOut]

    @classmethod
    def of(cls, quote: Quote, language: Language) -> "QuoteOut":
        """Shape a quote."""
        return cls(
            annual_rate_percent=quote.annual_simple_percent,
            annual_rate_irr_percent=quote.annual_irr_percent,
            daily_rate_percent=percent(quote.terms.rate_e8),
            amount_fen=quote.terms.amount_fen,
            instalments=quote.terms.instalments,
            shape=quote.terms.rules.shape,
            total_interest_fen=quote.interest_fen,
            total_fen=quote.total_fen,
            starts_on=quote.terms.started_on,
            campaign=QuoteCampaignOut.of(quote, language),
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


def failure_of(reason: str | None, language: Language) -> FailureOut | None:
    """Shape a failure of the rail, where there is one."""
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
            failure=failure_of(draw.failure, language),
            loan_id=draw.draw_id if draw.state is DrawState.PAID else None,
        )


class DrawsOut(BaseModel):
    items: list[DrawOut]
    next_cursor: str | None
