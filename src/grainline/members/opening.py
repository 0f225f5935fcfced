"""What is sealed of a member, opened for who needs it: the phone to send to, the name and id to ask partners about."""

from uuid import UUID

from grainline.kit.db import Tx
from grainline.kit.errors import Kind, Refusal
from grainline.kit.sealing import Vault
from grainline.members import store
from grainline.members.model import Card, Member, mask_name


class IdentityNeeded(Refusal):
    """This needs a verified real name."""

    code = "identity_needed"
    kind = Kind.CONFLICT


async def phone_of(tx: Tx, vault: Vault, member_id: int) -> str:
    """Unseal a member's phone, to send to it."""
    member = await store.member(tx, member_id)
    return vault.unseal(member.phone_sealed, member_id=member_id, wrapped_key=member.wrapped_key)


async def masked_name(tx: Tx, vault: Vault, member_id: int) -> str | None:
    """Return a member's verified name masked, or None before verification."""
    member = await store.member(tx, member_id)
    if member.name_sealed is None:
        return None
    name = vault.unseal(member.name_sealed, member_id=member_id, wrapped_key=member.wrapped_key)
    return mask_name(name)


async def usual_card(tx: Tx, member_id: int) -> Card | None:
    """Return the member's usual card, or None."""
    return next((card for card in await store.cards(tx, member_id) if card.usual), None)


async def agreement_of(tx: Tx, vault: Vault, *, member_id: int, card_id: UUID) -> str:
    """Unseal the network's agreement for a card, to pay to it or collect from it; raise LookupError."""
    member = await store.member(tx, member_id)
    card = await store.card(tx, member_id=member_id, card_id=card_id)
    if card is None:
        raise LookupError(f"no card {card_id}")
    return vault.unseal(card.agreement_sealed, member_id=member_id, wrapped_key=member.wrapped_key)


def identity_of(vault: Vault, member: Member) -> tuple[str, str]:
    """Unseal a member's verified name and national id; raise IdentityNeeded."""
    if member.name_sealed is None or member.national_id_sealed is None:
        raise IdentityNeeded
    return (
        vault.unseal(member.name_sealed, member_id=member.member_id, wrapped_key=member.wrapped_key),
        vault.unseal(member.national_id_sealed, member_id=member.member_id, wrapped_key=member.wrapped_key),
    )
