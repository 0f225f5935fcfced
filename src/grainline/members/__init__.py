"""Who somebody is: phone, real name, cards, one-time codes, sessions.

Owns personal data, all of it sealed under the member's own key. Nobody else reads a phone number, a name or an id.
"""

from grainline.members.api import CardOut, CodeOut, PresentedToken, SignedIn, router
from grainline.members.codes import CodeSent, request_code
from grainline.members.model import Card, Member, Purpose, mask_phone
from grainline.members.service import NotSignedIn, agreement_of, create_members, masked_name, phone_of, usual_card
from grainline.members.store import card as card_of
from grainline.members.store import member as member_of

__all__ = [
    "Card",
    "CardOut",
    "CodeOut",
    "CodeSent",
    "Member",
    "NotSignedIn",
    "PresentedToken",
    "Purpose",
    "SignedIn",
    "agreement_of",
    "card_of",
    "create_members",
    "mask_phone",
    "masked_name",
    "member_of",
    "phone_of",
    "request_code",
    "router",
    "usual_card",
]
