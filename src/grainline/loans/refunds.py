"""A refund: money held in suspense on its way to the borrower's usual card, and what is refused of it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from grainline.kit.errors import Kind, Refusal
from grainline.kit.money import Fen


class RefundState(StrEnum):
    """requested → sent → paid | failed, by the same rule as a draw's."""

    REQUESTED = "requested"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"


@dataclass(frozen=True)
class RefundRow:
    """A refund from the request to the rail's answer; `event_no` is the loan's event that it is."""

    member_id: int
    refund_id: UUID
    loan_id: UUID
    card_id: UUID
    state: RefundState
    amount_fen: Fen
    value_on: date
    requested_at: datetime
    paid_at: datetime | None
    failure: str | None
    attempts: int
    input_hash: bytes
    event_no: int


class RefundNotFound(Refusal):
    """No such refund of this loan."""

    code = "refund_not_found"
    kind = Kind.NOT_FOUND


class RefundNotPositive(Refusal):
    """Nothing, or less than nothing."""

    code = "refund_not_positive"


class RefundAboveSuspense(Refusal):
    """More than is held, of which refunds under way are no longer part; or nothing is held at all."""

    code = "refund_above_suspense"
    kind = Kind.CONFLICT
