"""A line as it stands, and why a draw on it may be refused."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from grainline.kit.errors import Kind, Refusal
from grainline.kit.money import Fen, RateE8

# A line is looked at again for the first time so long after it was opened, and whether it is used so many days after.
FIRST_REVIEW_MONTHS = 6
FIRST_IDLE_DAYS = 30


class LineState(StrEnum):
    """open: may be drawn on. frozen: may not for now. closed: for good."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


class Hold(StrEnum):
    """What may freeze a line; the strongest first. Each is let go of by itself."""

    OVERDUE = "overdue"
    OPERATOR = "operator"
    REVIEW = "review"
    CONSENT = "consent"
    MEMBER = "member"


class ChangeKind(StrEnum):
    """What happened to a line; a draw or a repayment is none of these."""

    OPENED = "opened"
    RAISED = "raised"
    LOWERED = "lowered"
    REPRICED = "repriced"
    TEMPORARY_RAISE = "temporary_raise"
    RETURNED = "returned"
    FROZEN = "frozen"
    THAWED = "thawed"
    CLOSED = "closed"


class Cause(StrEnum):
    """Why a line is to be looked at again."""

    SIX_MONTHS = "six_months"
    ON_TIME = "on_time"
    BUREAU = "bureau"
    IDLE = "idle"
    OVERDUE = "overdue"
    CURED = "cured"
    CONSENTED = "consented"
    ASKED = "asked"


@dataclass(frozen=True)
class Line:
    """A line; limit = reserved + used + available, in fen; the rate is of new draws, in 10⁻⁸ a day.

    The limit holds what raises it for a time, `temporary_fen`. Where more is in use than the limit, as when it was
    lowered, nothing is available. `holds` is what freezes it, `frozen_for` the strongest of that.
    """

    member_id: int
    product: str
    state: LineState
    tier: str
    limit_fen: Fen
    reserved_fen: Fen
    used_fen: Fen
    available_fen: Fen
    rate_e8: RateE8
    reasons: tuple[str, ...]
    opened_at: datetime
    frozen_for: str | None = None
    temporary_fen: int = 0
    holds: tuple[str, ...] = ()
    next_review_on: date | None = None

    @property
    def own_fen(self) -> int:
        """Return the limit without what raises it for a time, in fen."""
        return self.limit_fen - self.temporary_fen


@dataclass(frozen=True)
class Change:
    """One change of a line, the whole limit in fen before and after it; None before it was opened."""

    member_id: int
    product: str
    change_no: int
    key: str
    kind: ChangeKind
    from_fen: int | None
    to_fen: int
    from_rate_e8: int | None
    to_rate_e8: int
    from_tier: str | None
    to_tier: str
    state: LineState
    frozen_for: str | None
    until_on: date | None
    reasons: list[str]
    decision_id: UUID | None
    made_by: str
    made_at: datetime


class NoLine(Refusal):
    """The member has no line with this product."""

    code = "no_line"
    kind = Kind.NOT_FOUND


class LineNotOpen(Refusal):
    """The line is frozen or closed."""

    code = "line_not_open"
    kind = Kind.CONFLICT


class LineExceeded(Refusal):
    """More than is available on the line."""

    code = "line_exceeded"
    kind = Kind.CONFLICT


class LineInUse(Refusal):
    """Something is drawn on the line, or is being paid out."""

    code = "line_in_use"
    kind = Kind.CONFLICT
