"""What the routes of refunds say and hear."""

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from grainline.kit.web import Language
from grainline.loans.refunds import RefundRow, RefundState
from grainline.loans.shapes import Amount, FailureOut, failure_of


class RefundIn(BaseModel):
    """An amount in fen, or null for all that is held; it must be said which, and nothing else, as of a repayment."""

    model_config = ConfigDict(extra="forbid")

    amount_fen: Amount | None


class RefundOut(BaseModel):
    refund_id: UUID
    state: RefundState
    amount_fen: int
    value_on: date
    requested_at: datetime
    paid_at: datetime | None
    failure: FailureOut | None

    @classmethod
    def of(cls, row: RefundRow, language: Language) -> "RefundOut":
        """Shape a refund."""
        return cls(
            refund_id=row.refund_id,
            state=row.state,
            amount_fen=row.amount_fen,
            value_on=row.value_on,
            requested_at=row.requested_at,
            paid_at=row.paid_at,
            failure=failure_of(row.failure, language),
        )


class RefundsOut(BaseModel):
    items: list[RefundOut]
