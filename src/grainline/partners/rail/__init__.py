"""The payment rail: pays out to a card and collects from it, by keys, and tells what became of them."""

from grainline.partners.rail.http import HttpRail
from grainline.partners.rail.port import (
    Answer,
    BadCallbackSignature,
    Callback,
    Direction,
    MalformedCallback,
    NoAnswer,
    Rail,
    Status,
)
from grainline.partners.transport import KeyConflict, NotTaken, OutcomeUnknown, PartnerUnavailable

__all__ = [
    "Answer",
    "BadCallbackSignature",
    "Callback",
    "Direction",
    "HttpRail",
    "KeyConflict",
    "MalformedCallback",
    "NoAnswer",
    "NotTaken",
    "OutcomeUnknown",
    "PartnerUnavailable",
    "Rail",
    "Status",
]
