"""A member's consent that a party be asked about them, as the party itself checks it.

The lender, to whom the member consented, signs a token with its consent key, which the party has on file. The token is
a JWS in its compact form (RFC 7515) with EdDSA (RFC 8037), of one spelling only:

    {"alg":"EdDSA","typ":"grainline-consent"} . {"aud","exp","iat","jti","purpose","sub"} . signature

`sub` is the member's id as in the comparison of sets, `aud` the source, times are whole seconds since 1970 UTC. A token
serves one question: the party keeps the `jti` of every token it took until the token has expired. A member who turns to
the party and withdraws is on the party's own list, which no token overrules.
"""

import base64
import binascii
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from grainline.federated.ids import ID_BYTES
from grainline.kit.errors import Kind, Refusal

NONCE_BYTES = 16
TOKEN_BYTES_MAX = 1024
LIFETIME_MAX = timedelta(days=1)
CLOCKS_APART = timedelta(minutes=2)
UNDERWRITING = "underwriting"  # the only purpose that members are asked to consent to

_HEADER = {"alg": "EdDSA", "typ": "grainline-consent"}


class BadConsent(Refusal):
    """A token that is none, or that the lender's consent key did not sign."""

    code: ClassVar[str] = "consent_bad"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class ConsentExpired(Refusal):
    """A token whose time is over, or has not come, or would last too long."""

    code: ClassVar[str] = "consent_expired"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class ConsentForAnother(Refusal):
    """A token for another member, source or purpose."""

    code: ClassVar[str] = "consent_for_another"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class ConsentWithdrawn(Refusal):
    """A member who withdrew at the party."""

    code: ClassVar[str] = "consent_withdrawn"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class ConsentSpent(Refusal):
    """A token that was taken before."""

    code: ClassVar[str] = "consent_spent"
    kind: ClassVar[Kind] = Kind.CONFLICT


@dataclass(frozen=True)
class Consent:
    """What a token says; times in whole seconds, UTC."""

    member: bytes
    source: str
    purpose: str
    issued_at: datetime
    expires_at: datetime
    nonce: bytes


def sign(consent: Consent, key: Ed25519PrivateKey) -> bytes:
    """Return the token of a consent."""
    signed = _encoded(_HEADER) + b"." + _encoded(_claims(consent))
    return signed + b"." + _base64(key.sign(signed))


def read(token: bytes, key: Ed25519PublicKey) -> Consent:
    """Return what a token says, once its signature is found right; raise BadConsent."""
    parts = token.split(b".")
    if len(token) > TOKEN_BYTES_MAX or len(parts) != 3:
        raise BadConsent
    try:
        key.verify(_unbase64(parts[2]), parts[0] + b"." + parts[1])
        consent = _consent(json.loads(_unbase64(parts[1])))
    except (InvalidSignature, ValueError, KeyError, TypeError, AttributeError, OverflowError, binascii.Error):
        raise BadConsent from None
    spelled = _encoded(_HEADER) + b"." + _encoded(_claims(consent)) + b"." + _base64(_unbase64(parts[2]))
    if spelled != token or len(consent.member) != ID_BYTES or len(consent.nonce) != NONCE_BYTES:
        raise BadConsent
    return consent


def check_consent(
    token: bytes,
    key: Ed25519PublicKey,
    *,
    member: bytes,
    source: str,
    purpose: str,
    now: datetime,
    withdrawn: Collection[bytes],
    spend: Callable[[bytes, datetime], bool],
) -> Consent:
    """Return the consent to one question about a member, and spend it.

    `withdrawn` has the members who withdrew at this party; `spend` takes a nonce and when it expires, and tells whether
    it was new. Nothing is spent by a token that is refused. Raises one of the refusals above.
    """
    consent = read(token, key)
    if (consent.member, consent.source, consent.purpose) != (member, source, purpose):
        raise ConsentForAnother
    lasts = consent.expires_at - consent.issued_at
    if not consent.issued_at - CLOCKS_APART <= now < consent.expires_at or lasts > LIFETIME_MAX:
        raise ConsentExpired
    if member in withdrawn:
        raise ConsentWithdrawn
    if not spend(consent.nonce, consent.expires_at):
        raise ConsentSpent
    return consent


def _claims(consent: Consent) -> dict[str, Any]:
    return {
        "aud": consent.source,
        "exp": int(consent.expires_at.timestamp()),
        "iat": int(consent.issued_at.timestamp()),
        "jti": consent.nonce.hex(),
        "purpose": consent.purpose,
        "sub": consent.member.hex(),
    }


def _consent(claims: dict[str, Any]) -> Consent:
    return Consent(
        member=bytes.fromhex(claims["sub"]),
        source=claims["aud"],
        purpose=claims["purpose"],
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        nonce=bytes.fromhex(claims["jti"]),
    )


def _encoded(value: dict[str, Any]) -> bytes:
    return _base64(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _unbase64(data: bytes) -> bytes:
    return base64.b64decode(data + b"=" * (-len(data) % 4), altchars=b"-_", validate=True)
