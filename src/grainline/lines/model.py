"""A line as it stands, and why a draw on it may be refused."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from grainline.kit.errors import Kind, Refusal
from grainline.kit.money import Fen, RateE8


class LineState(StrEnum):
    """open: may be drawn on. frozen: may not for now. closed: for good."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


@dataclass(frozen=True)
class Line:
    """A line; limit = reserved + used + available, in fen; the rate is of new draws, in 10⁻⁸ a day."""

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
