"""What we ask the card network."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class CardRefusedReason(StrEnum):
    """Why the network will not match a card."""

    HOLDER_MISMATCH = "holder_mismatch"  # name or national id is not the holder's
    PHONE_MISMATCH = "phone_mismatch"
    UNKNOWN_CARD = "unknown_card"
    CARD_CLOSED = "card_closed"


@dataclass(frozen=True)
class CardMatched:
    """All four elements match; `agreement` is the signed payout and debit agreement (签约协议号).

    The rail takes the agreement in the card's place, so that the card number is never stored here.
    """

    agreement: str
    bank: str
    last4: str


@dataclass(frozen=True)
class CardRefused:
    """The card does not match, and why."""

    reason: CardRefusedReason


CardAnswer = CardMatched | CardRefused


class CardNetwork(Protocol):
    """Knows cards and their holders."""

    async def verify(self, *, card_number: str, name: str, national_id: str, phone: str) -> CardAnswer:
        """Check four elements, and sign an agreement when they match; repeating gives the same one.

        Raises PartnerUnavailable, which is no answer and never a match.
        """
        ...
