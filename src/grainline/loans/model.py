"""The nouns of a loan's life outside its arithmetic: disclosure, contract, draw, repayment, and their states."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from grainline.kit.errors import Kind, Refusal
from grainline.kit.money import Fen, RateE8
from grainline.loans.terms import Terms
from grainline.products import Campaign


class DrawState(StrEnum):
    """reserved → sent → paid | failed. `sent` covers the unknown outcome: it is left only by an answer."""

    RESERVED = "reserved"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"


class RepaymentState(StrEnum):
    """requested → sent → collected | failed, by the same rule as a draw's."""

    REQUESTED = "requested"
    SENT = "sent"
    COLLECTED = "collected"
    FAILED = "failed"


class RepaymentKind(StrEnum):
    """Who asked for it: the borrower, or the due date."""

    BY_HAND = "by_hand"
    AUTOMATIC = "automatic"


@dataclass(frozen=True)
class Disclosure:
    """What was shown of the cost, when, and from when it may be signed."""

    disclosure_id: UUID
    product: str
    terms: Terms
    rules: str
    funded_within: timedelta
    purpose: str
    card_id: UUID
    content: dict[str, object]
    content_hash: bytes
    shown_at: datetime
    may_sign_at: datetime
    expires_at: datetime
    campaign: Campaign | None = None


@dataclass(frozen=True)
class Contract:
    """A contract's text and its SHA-256; signed when a draw is made on it."""

    contract_id: UUID
    disclosure_id: UUID
    content: str
    content_hash: bytes
    signed_at: datetime | None


@dataclass(frozen=True)
class Draw:
    """A draw from its signature to its payment; amounts in fen, the rate in 10⁻⁸ a day; its campaign as it is kept."""

    member_id: int
    draw_id: UUID
    product: str
    rules: str
    card_id: UUID
    amount_fen: Fen
    instalments: int
    rate_e8: RateE8
    purpose: str
    state: DrawState
    drawn_on: date
    signed_at: datetime
    sent_at: datetime | None
    paid_at: datetime | None
    failed_at: datetime | None
    failure: str | None
    expected_by: datetime
    attempts: int
    campaign: str | None


@dataclass(frozen=True)
class Loan:
    """A loan's row: its frozen terms and what the books have seen of it."""

    member_id: int
    loan_id: UUID
    product: str
    card_id: UUID
    purpose: str
    terms: Terms
    principal_fen: Fen
    booked_through: date
    late_since: date | None
    settled_on: date | None

    @property
    def key(self) -> tuple[int, UUID]:
        """Return member and loan."""
        return self.member_id, self.loan_id


@dataclass(frozen=True)
class RepaymentRow:
    """A repayment from the request to the rail's answer."""

    member_id: int
    repayment_id: UUID
    loan_id: UUID
    kind: RepaymentKind
    state: RepaymentState
    amount_fen: Fen
    value_on: date
    requested_at: datetime
    collected_at: datetime | None
    failure: str | None
    attempts: int
    input_hash: bytes
    event_no: int | None

    @property
    def is_open(self) -> bool:
        """Whether it is being collected: nobody has said yet what became of it."""
        return self.state in (RepaymentState.REQUESTED, RepaymentState.SENT)


class DisclosureNotFound(Refusal):
    """No such disclosure of this member."""

    code = "disclosure_not_found"
    kind = Kind.NOT_FOUND


class DisclosureNotRead(Refusal):
    """The reading time has not elapsed."""

    code = "disclosure_not_read"
    kind = Kind.CONFLICT


class DisclosureAltered(Refusal):
    """The hash sent is not that of what was shown."""

    code = "disclosure_altered"
    kind = Kind.CONFLICT


class DisclosureStale(Refusal):
    """Too old, or of another day: the cost must be shown again."""

    code = "disclosure_stale"
    kind = Kind.CONFLICT


class ContractNotFound(Refusal):
    """No such contract of this member."""

    code = "contract_not_found"
    kind = Kind.NOT_FOUND


class ContractAltered(Refusal):
    """The hash sent is not that of the contract."""

    code = "contract_altered"
    kind = Kind.CONFLICT


class ContractSigned(Refusal):
    """A contract is signed and drawn on once."""

    code = "contract_signed"
    kind = Kind.CONFLICT


class DrawNotFound(Refusal):
    """No such draw of this member."""

    code = "draw_not_found"
    kind = Kind.NOT_FOUND


class LoanNotFound(Refusal):
    """No such loan of this member."""

    code = "loan_not_found"
    kind = Kind.NOT_FOUND


class RepaymentNotFound(Refusal):
    """No such repayment of this loan."""

    code = "repayment_not_found"
    kind = Kind.NOT_FOUND


class RepaymentNotPositive(Refusal):
    """Nothing, or less than nothing."""

    code = "repayment_not_positive"


class RepaymentAboveDebt(Refusal):
    """More than is owed, counting what is being collected already."""

    code = "repayment_above_debt"
    kind = Kind.CONFLICT


class CardNotFound(Refusal):
    """No such card of this member."""

    code = "card_not_found"
    kind = Kind.NOT_FOUND


class EventOutOfTime(Refusal):
    """An event that counts from before the loan began, from a closed period, too far back, or from the future."""

    code = "event_out_of_time"
    kind = Kind.CONFLICT


class EventNotPossible(Refusal):
    """Something this loan does not allow: a refund or waiver above what there is, a second write-off and the like."""

    code = "event_not_possible"
    kind = Kind.CONFLICT


class NotReversible(Refusal):
    """No such event, a reversal itself, or one that is reversed already."""

    code = "not_reversible"
    kind = Kind.CONFLICT


class DayNotOver(Refusal):
    """A day is closed when it is over."""

    code = "day_not_over"
    kind = Kind.CONFLICT
