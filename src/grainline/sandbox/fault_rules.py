"""Faults that can be turned on, and when one strikes: pure, and the same for the same seed."""

from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256


class Partner(StrEnum):
    """The simulated partners, named as in their addresses."""

    IDENTITY_AUTHORITY = "identity-authority"
    CARD_NETWORK = "card-network"
    RAIL = "rail"
    SMS = "sms"
    BUREAU = "bureau"


class Name(StrEnum):
    """What can go wrong."""

    DOWN = "down"  # every call is answered 503, and nothing is taken
    LOST_REQUEST = "lost_request"  # the order is not taken, and no answer comes
    LOST_ANSWER = "lost_answer"  # the order is taken, and no answer comes
    SLOW = "slow"  # the order is taken, and the answer comes `delay_s` real seconds later
    REJECT = "reject"  # the order fails, for `reason`
    STAYS_PROCESSING = "stays_processing"  # for `asks` questions, or until released
    DUPLICATE_CALLBACK = "duplicate_callback"
    LATE_CALLBACK = "late_callback"  # by `delay_s` seconds of the sandbox's clock
    CONTRADICTORY_CALLBACK = "contradictory_callback"  # the opposite of what asking tells


class Mode(StrEnum):
    """When a fault strikes."""

    OFF = "off"
    PROBABILITY = "probability"
    NEXT = "next"


KNOWN: dict[Partner, tuple[Name, ...]] = {
    Partner.IDENTITY_AUTHORITY: (Name.DOWN,),
    Partner.CARD_NETWORK: (Name.DOWN,),
    Partner.RAIL: tuple(Name),
    Partner.SMS: (Name.DOWN,),
    Partner.BUREAU: (Name.DOWN,),
}


@dataclass(frozen=True)
class Fault:
    """One fault's setting; `draws` counts the chances it has had, so that a restart does not repeat them."""

    partner: Partner
    name: Name
    mode: Mode = Mode.OFF
    probability: float = 0.0
    count: int = 0
    asks: int | None = None
    reason: str = "rejected"
    delay_s: int = 30
    draws: int = 0


def draw(fault: Fault, *, seed: int) -> tuple[bool, Fault]:
    """Tell whether the fault strikes this time, and return it as it is afterwards.

    The nth chance of a fault falls by SHA-256 of seed, name and n, taken as a fraction: no generator to keep.
    """
    if fault.mode is Mode.OFF:
        return False, fault
    if fault.mode is Mode.NEXT:
        left = fault.count - 1
        return fault.count > 0, replace(fault, count=max(left, 0), mode=Mode.NEXT if left > 0 else Mode.OFF)
    digest = sha256(f"{seed}/{fault.partner}/{fault.name}/{fault.draws}".encode()).digest()
    strikes = int.from_bytes(digest[:8], "big") < fault.probability * 2**64
    return strikes, replace(fault, draws=fault.draws + 1)
