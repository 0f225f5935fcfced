"""Who somebody is: phone, real name, cards, one-time codes, sessions.

Owns personal data, all of it sealed under the member's own key. Nobody else reads a phone number, a name or an id.
"""

from grainline.members.api import CardOut, CodeOut, PresentedToken, SignedIn, router
from grainline.members.codes import CodeSent, request_code
from grainline.members.consents import Consent, ConsentNeeded, Source
from grainline.members.consents_api import router as consents_router
from grainline.members.consents_store import consents_of, give, standing_consent
from grainline.members.model import Card, Member, Purpose, age_on, mask_phone
from grainline.members.opening import IdentityNeeded, agreement_of, identity_of, masked_name, phone_of, usual_card
from grainline.members.service import NotSignedIn, create_members
from grainline.members.store import card as card_of
from grainline.members.store import member as member_of
from grainline.members.traits import Traits, traits_of

__all__ = [
    "Card",
    "CardOut",
    "CodeOut",
    "CodeSent",
    "Consent",
    "ConsentNeeded",
    "IdentityNeeded",
    "Member",
    "NotSignedIn",
    "PresentedToken",
    "Purpose",
    "SignedIn",
    "Source",
    "Traits",
    "age_on",
    "agreement_of",
    "card_of",
    "consents_of",
    "consents_router",
    "create_members",
    "give",
    "identity_of",
    "mask_phone",
    "masked_name",
    "member_of",
    "phone_of",
    "request_code",
    "router",
    "standing_consent",
    "traits_of",
    "usual_card",
]
