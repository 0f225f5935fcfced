"""Signing in, the real name, the bank card."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from grainline.kit.calendar import business_date
from grainline.kit.db import Pool, Tx, transaction
from grainline.kit.errors import Kind, Refusal
from grainline.kit.sealing import RandomBytes, Vault, token_hash
from grainline.members import store
from grainline.members.codes import CodeNotRequested, CodeSent, request_code, use_code
from grainline.members.model import (
    SESSION_VALID,
    Card,
    CardChecks,
    Member,
    Purpose,
    check_card_number,
    check_name,
    check_national_id,
    check_phone,
    count_card_check,
    right_card_check,
    uncount_card_check,
)
from grainline.members.opening import IdentityNeeded, identity_of
from grainline.partners import card_network, identity_authority

TOKEN_BYTES = 32


class NotSignedIn(Refusal):
    """No token, not one of ours, signed out or expired."""

    code = "not_signed_in"
    kind = Kind.UNAUTHENTICATED


class IdentityMismatch(Refusal):
    """The authority does not know this name with this id."""

    code = "identity_mismatch"


class IdentityTaken(Refusal):
    """Another member is this person already."""

    code = "identity_taken"
    kind = Kind.CONFLICT


class IdentityVerified(Refusal):
    """The real name is set and is another one."""

    code = "identity_verified"
    kind = Kind.CONFLICT


class CardRefused(Refusal):
    """The card network refused one of the four elements; `element` says which."""

    code = "card_refused"


@dataclass(frozen=True)
class Session:
    """A session as its owner gets it: the token is told once and stored only as a hash."""

    token: str
    expires_at: datetime


async def create_members(tx: Tx, vault: Vault, phones: Iterable[str], *, now: datetime) -> dict[str, int]:
    """Create a member for each phone that has none; return every phone's member."""
    handles = {phone: vault.blind_index("phone", phone) for phone in phones}
    known = await store.holders_of(tx, kind="phone", handles=list(handles.values()))
    found = {phone: known[handle] for phone, handle in handles.items() if handle in known}
    new = [phone for phone in handles if phone not in found]
    ids = dict(zip(new, await store.next_member_ids(tx, len(new)), strict=True))
    # Somebody may be entering the same phone this moment: whose handle is taken is the member.
    holders = await store.add_handles(tx, kind="phone", rows=[(handles[phone], ids[phone]) for phone in new])
    rows = []
    for phone, member_id in ids.items():
        found[phone] = holders[handles[phone]]
        if found[phone] == member_id:
            key = vault.new_member_key(member_id)
            rows.append((member_id, key, vault.seal(phone, member_id=member_id, wrapped_key=key)))
    await store.add_members(tx, rows, now=now)
    return found


async def request_sign_in(tx: Tx, vault: Vault, *, phone: str, now: datetime, random_bytes: RandomBytes) -> CodeSent:
    """Send a sign-in code to a phone. Whoever has a phone in the super-app is a resident: an unknown one is entered.

    Raises BadPhone, CodeTooSoon, CodesUsedUp.
    """
    members = await create_members(tx, vault, [check_phone(phone)], now=now)
    return await request_code(
        tx,
        vault,
        member=await store.member(tx, members[phone]),
        purpose=Purpose.SIGN_IN,
        subject="",
        now=now,
        random_bytes=random_bytes,
        about={},
    )


async def sign_in(tx: Tx, vault: Vault, *, phone: str, code: str, now: datetime, random_bytes: RandomBytes) -> Session:
    """Open a session for the right code; raise a CodeRefused otherwise, alike for known and unknown phones."""
    handle = vault.blind_index("phone", check_phone(phone))
    member_id = await store.holder_of(tx, kind="phone", handle=handle)
    if member_id is None:
        raise CodeNotRequested
    await use_code(tx, vault, member_id=member_id, purpose=Purpose.SIGN_IN, subject="", code=code, now=now)
    secret = random_bytes(TOKEN_BYTES)
    expires_at = now + SESSION_VALID
    await store.add_session(tx, member_id=member_id, token_hash=token_hash(secret), now=now, expires_at=expires_at)
    token = base64.urlsafe_b64encode(member_id.to_bytes(8) + secret).rstrip(b"=").decode()
    return Session(token, expires_at)


def read_token(token: str) -> tuple[int, bytes]:
    """Return the member and the hash a token stands for; raise NotSignedIn for what cannot be one of ours."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise NotSignedIn from None
    if len(raw) != 8 + TOKEN_BYTES or raw[0] > 127:
        raise NotSignedIn
    return int.from_bytes(raw[:8]), token_hash(raw[8:])


async def verify_identity(
    pool: Pool,
    vault: Vault,
    authority: identity_authority.IdentityAuthority,
    *,
    member_id: int,
    name: str,
    national_id: str,
    now: datetime,
) -> str:
    """Check a real name with the identity authority and set it; return the name.

    Raises BadName, BadNationalId, Minor, IdentityMismatch, IdentityTaken, IdentityVerified (set already, to another),
    and the partner's refusal when it did not answer.
    """
    name = check_name(name)
    national_id = check_national_id(national_id, today=business_date(now))
    async with transaction(pool) as tx:
        member = await store.member(tx, member_id)
    if member.verified_at is not None:
        if (name, national_id) != identity_of(vault, member):
            raise IdentityVerified
        return name
    answer = await authority.verify(name, national_id)
    if answer is not identity_authority.IdentityAnswer.MATCHES:
        raise IdentityMismatch
    async with transaction(pool) as tx:
        handle = vault.blind_index("national_id", national_id)
        if await store.claim(tx, kind="national_id", handle=handle, member_id=member_id) != member_id:
            raise IdentityTaken
        await store.set_identity(
            tx,
            member_id=member_id,
            name=vault.seal(name, member_id=member_id, wrapped_key=member.wrapped_key),
            national_id=vault.seal(national_id, member_id=member_id, wrapped_key=member.wrapped_key),
            now=now,
        )
    return name


async def bind_card(
    pool: Pool,
    vault: Vault,
    network: card_network.CardNetwork,
    *,
    member_id: int,
    card_id: UUID,
    number: str,
    phone: str,
    now: datetime,
) -> Card:
    """Check a card's four elements with the card network and bind it; the first one is the usual card.

    The name and id are the verified ones, so a card of another holder cannot pass. A check is counted as wrong before
    it is made and taken back if it was right or never answered.
    Raises BadCardNumber, BadPhone, IdentityNeeded, CardChecksLocked, CardRefused, and the partner's refusal.
    """
    number, phone = check_card_number(number), check_phone(phone)
    async with transaction(pool) as tx:
        member = await store.member(tx, member_id)
        if member.verified_at is None:
            raise IdentityNeeded
        before = await store.card_checks(tx, member_id)
        await store.put_card_checks(tx, member_id, count_card_check(before, now=now, today=business_date(now)))
    name, national_id = identity_of(vault, member)
    try:
        answer = await network.verify(card_number=number, name=name, national_id=national_id, phone=phone)
    except Refusal:
        async with transaction(pool) as tx:  # no answer is no wrong answer
            await _recount(tx, member_id, uncount_card_check)
        raise
    match answer:
        case card_network.CardRefused(reason=reason):
            raise CardRefused(element=reason.value)
        case card_network.CardMatched():
            return await _bind(
                pool,
                vault,
                member=member,
                card_id=card_id,
                number=number,
                answer=answer,
                now=now,
            )
    assert_never(answer)


async def _bind(
    pool: Pool,
    vault: Vault,
    *,
    member: Member,
    card_id: UUID,
    number: str,
    answer: card_network.CardMatched,
    now: datetime,
) -> Card:
    async with transaction(pool) as tx:
        await _recount(tx, member.member_id, right_card_check)  # and nobody else binds meanwhile
        known = await store.cards(tx, member.member_id)
        sealed = vault.seal(answer.agreement, member_id=member.member_id, wrapped_key=member.wrapped_key)
        card = Card(card_id, sealed, answer.bank, answer.last4, usual=not any(card.usual for card in known))
        fingerprint = vault.blind_index("card", number)
        bound_id = await store.add_card(tx, member_id=member.member_id, card=card, fingerprint=fingerprint, now=now)
        bound = await store.card(tx, member_id=member.member_id, card_id=bound_id)
    if bound is None:
        raise RuntimeError("a bound card vanished")
    return bound


async def _recount(tx: Tx, member_id: int, change: Callable[[CardChecks], CardChecks]) -> None:
    """Change the count as it now is: other checks may have been made since this one began."""
    counted = await store.card_checks(tx, member_id)
    if counted is None:
        raise RuntimeError("a counted card check vanished")
    await store.put_card_checks(tx, member_id, change(counted))
