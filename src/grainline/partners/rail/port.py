"""What we ask the payment rail, and the three ways in which an order can go without an answer.

Ordering raises NotTaken (nothing was done), OutcomeUnknown (only asking tells) or KeyConflict. Asking raises
NoAnswer, which is deliberately neither of the first two: that a question failed says nothing about the order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from grainline.kit.errors import Kind, Refusal
from grainline.kit.money import Fen
from grainline.partners.transport import PartnerUnavailable


class Status(StrEnum):
    """How far an order has come."""

    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NOT_FOUND = "not_found"  # only on asking: the rail has never taken an order of this key


class Direction(StrEnum):
    """Which way the money goes."""

    PAYOUT = "payout"  # house to card
    COLLECTION = "collection"  # card to house


@dataclass(frozen=True)
class Answer:
    """What the rail says of one order: `reason` exactly when failed, `settled_at` (UTC) when succeeded.

    `amount_fen` is what the rail has under the key, None exactly when not found. It need not be what we ordered: who
    books an answer compares. Succeeded and failed are final. Not found is not: a request still on its way may arrive.
    Ordering again under the same key is always safe.
    """

    status: Status
    amount_fen: Fen | None = None
    reason: str | None = None
    settled_at: datetime | None = None

    def __post_init__(self) -> None:
        if (self.reason is not None) != (self.status is Status.FAILED):
            raise ValueError("a reason belongs to a failed order, and to no other")
        if (self.settled_at is not None) != (self.status is Status.SUCCEEDED):
            raise ValueError("a settlement time belongs to a succeeded order, and to no other")
        if (self.amount_fen is None) != (self.status is Status.NOT_FOUND):
            raise ValueError("an amount belongs to an order, and to every one")


@dataclass(frozen=True)
class Callback:
    """What the rail told us unasked: a hint to ask, not a fact to book (it can be late, doubled or wrong)."""

    direction: Direction
    key: str
    answer: Answer


class NoAnswer(PartnerUnavailable):
    """The rail could not be asked; the order is in whatever state it was."""

    code = "rail_no_answer"


class BadCallbackSignature(Refusal):
    """A callback is not signed by the rail, or its signature is older than five minutes."""

    code = "bad_callback_signature"
    kind = Kind.UNAUTHENTICATED


class MalformedCallback(Refusal):
    """A callback is signed, and its body is not of the agreed form."""

    code = "malformed_callback"
    kind = Kind.MALFORMED


class Rail(Protocol):
    """Moves money between the house account and cards; amounts are positive fen."""

    async def pay_out(self, *, key: str, agreement: str, amount_fen: Fen) -> Answer:
        """Order a payout to the card under the agreement; the same key again is the same order.

        Raises NotTaken, OutcomeUnknown, KeyConflict.
        """
        ...

    async def payout(self, key: str) -> Answer:
        """Ask what became of a payout. Raises NoAnswer."""
        ...

    async def collect(self, *, key: str, agreement: str, amount_fen: Fen) -> Answer:
        """Order a collection from the card under the agreement; the same key again is the same order.

        Raises NotTaken, OutcomeUnknown, KeyConflict.
        """
        ...

    async def collection(self, key: str) -> Answer:
        """Ask what became of a collection. Raises NoAnswer."""
        ...

    def verify_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """Read a callback that is signed and fresh. Raises BadCallbackSignature, MalformedCallback."""
        ...
