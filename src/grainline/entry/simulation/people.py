"""The members of a simulation, written in bulk as if they had come through the wallet: name, card, lines, session."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from grainline.entry.simulation.wiring import SeededPlatform, new_id
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx, transaction
from grainline.kit.money import Fen, RateE8
from grainline.kit.sealing import token_hash
from grainline.lines import open_line
from grainline.members import Card, create_members
from grainline.members import store as members_store
from grainline.products import Pack
from grainline.sandbox.seeding import agreement_of, seed
from grainline.sandbox.store import Store, sign_agreement
from grainline.sandbox.town import Resident, residents

CHUNK = 200
ON_CARD_FEN = 10**12  # so much that no two debits ever contend for it: who pays and who does not is a spell's affair
HOUSE_FEN = 10**14
SESSION_VALID = timedelta(days=3_700)


@dataclass(frozen=True)
class Person:
    """A member and what they hold in their hands."""

    member_id: int
    card_id: UUID
    agreement: str
    token_hash: bytes
    limits_fen: tuple[tuple[str, int], ...]  # of their lines, by product


def town_of(count: int, now: datetime) -> list[Resident]:
    """Return so many residents."""
    return list(residents((20 + number % 45 for number in range(count)), reference=business_date(now)))


def settle_town(file: Path, people: Sequence[Resident], *, secret: bytes, now: datetime) -> None:
    """Settle residents in the sandbox's file, each with a signed agreement and money on the card."""
    town = Store(file)
    try:
        seed(town, people, secret=secret, now=now, opening_fen=ON_CARD_FEN, house_opening_fen=HOUSE_FEN)
        with town.transaction() as tx:
            for person in people:
                sign_agreement(tx, person.card_number, now=now)
    finally:
        town.close()


async def settle(platform: SeededPlatform, people: Sequence[Resident], *, secret: bytes) -> list[Person]:
    """Enter residents as members with a verified name, a card, a session, and a line of every product."""
    settled: list[Person] = []
    for start in range(0, len(people), CHUNK):
        chunk = people[start : start + CHUNK]
        async with transaction(platform.pool) as tx:
            members = await create_members(tx, platform.vault, [person.phone for person in chunk], now=platform.clock())
            for person in chunk:
                member_id = members[person.phone]
                settled.append(await _settle(tx, platform, person, member_id, agreement_of(person.card_number, secret)))
    return settled


async def _settle(tx: Tx, platform: SeededPlatform, person: Resident, member_id: int, agreement: str) -> Person:
    now, vault, lots = platform.clock(), platform.vault, platform.lots
    member = await members_store.member(tx, member_id)

    def seal(text: str) -> bytes:
        return vault.seal(text, member_id=member_id, wrapped_key=member.wrapped_key)

    await members_store.set_identity(
        tx, member_id=member_id, name=seal(person.name), national_id=seal(person.national_id), now=now
    )
    card = Card(new_id(lots), seal(agreement), person.bank, person.card_number[-4:], usual=True)
    fingerprint = vault.blind_index("card", person.card_number)
    await members_store.add_card(tx, member_id=member_id, card=card, fingerprint=fingerprint, now=now)
    session = token_hash(lots.randbytes(32))
    await members_store.add_session(
        tx, member_id=member_id, token_hash=session, now=now, expires_at=now + SESSION_VALID
    )
    limits = [
        (product, await _open_line(tx, pack, member_id, lots=lots, now=now))
        for product, pack in sorted(platform.packs.items())
    ]
    return Person(member_id, card.card_id, agreement, session, tuple(limits))


async def _open_line(tx: Tx, pack: Pack, member_id: int, *, lots: random.Random, now: datetime) -> int:
    tier, step = lots.choice(pack.tier), pack.line.step_fen
    limit = lots.randint(-(-tier.line_min_fen // step), tier.line_max_fen // step) * step
    await open_line(
        tx,
        member_id=member_id,
        product=pack.product.code,
        tier=tier.code,
        limit_fen=Fen(limit),
        rate_e8=RateE8(lots.randint(tier.rate_min_e8, tier.rate_max_e8)),
        reasons=["line_by_capacity"],
        now=now,
    )
    return limit
