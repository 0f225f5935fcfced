"""Asking the data parties about an applicant: between two transactions, under consents, and silence is no score.

A party is asked only where the consents to all parties of the model stand: with one of them missing no score can come
of it, so the others need not tell anything either.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from grainline.federated.ids import IdKind, row_id
from grainline.federated.wire import BadMessage
from grainline.kit.db import Tx
from grainline.kit.errors import Refusal
from grainline.kit.sealing import Vault
from grainline.members import Source, consents_of, identity_of, member_of, phone_of
from grainline.scoring.federated_part import FederatedPart
from grainline.underwriting.federated_inputs import CONSENT_NEEDED, Asked, Directions, nobody

AWAY = "party_away"
GARBLED = "party_garbled"


class DataParties(Protocol):
    """How the data parties are reached; what they are told of a member is an id and a signed consent."""

    async def directions(self, party: str, part: bytes, splits: int, *, member: bytes) -> bytes:
        """Return where a party's splits of a model lead for a member, soon.

        Raises a Refusal where it does not answer or will not, BadMessage for what is no answer.
        """


@dataclass(frozen=True)
class Question:
    """A model to ask parties for about a member; `consents` are those that stand, by party."""

    sha256: str
    part: FederatedPart
    member: bytes
    consents: Mapping[str, str]


async def questions_about(
    tx: Tx, vault: Vault, parts: Mapping[str, FederatedPart], *, member_id: int
) -> list[Question]:
    """Return what is to be asked about a member; raise IdentityNeeded."""
    if not parts:
        return []
    standing = {str(source): one.reference for source, one in (await consents_of(tx, member_id=member_id)).items()}
    _, national_id = identity_of(vault, await member_of(tx, member_id))
    number = {IdKind.PHONE: await phone_of(tx, vault, member_id), IdKind.NATIONAL_ID: national_id}
    found = []
    for sha256, part in parts.items():
        assert part.scoring is not None  # noqa: S101  # no other gets a role
        kind = part.scoring.id_kind
        member = row_id(kind, number[kind])
        found.append(Question(sha256, part, member, standing))
    return found


async def ask_parties(parties: DataParties | None, questions: Sequence[Question]) -> dict[str, Asked]:
    """Return what the parties say, by model; none of them raises: who says nothing is in it with the reason."""
    answers = await asyncio.gather(*(_ask(parties, one) for one in questions))
    return {one.sha256: answer for one, answer in zip(questions, answers, strict=True)}


async def _ask(parties: DataParties | None, question: Question) -> Asked:
    scoring = question.part.scoring
    assert scoring is not None  # noqa: S101  # as above
    lacking = {party: CONSENT_NEEDED for party in scoring.parties if _source(party) not in question.consents}
    if lacking:
        return Asked({}, lacking)
    if parties is None:
        return nobody(scoring.parties, AWAY)
    each = zip(scoring.parties, scoring.part.host_hashes, scoring.part.splits_by_party[1:], strict=True)
    answers = await asyncio.gather(*(_ask_one(parties, question, *one) for one in each))
    said, silent = {}, {}
    for party, answer in zip(scoring.parties, answers, strict=True):
        if isinstance(answer, Directions):
            said[party] = answer
        else:
            silent[party] = answer
    return Asked(said, silent)


async def _ask_one(parties: DataParties, question: Question, party: str, part: bytes, splits: int) -> Directions | str:
    try:
        lefts = await parties.directions(party, part, splits, member=question.member)
    except Refusal as refusal:
        return str(refusal.params.get("reason", refusal.code))
    except BadMessage:
        return GARBLED
    except TimeoutError:
        return AWAY
    return Directions(part.hex(), question.consents[party], lefts.hex())


def _source(party: str) -> Source | None:
    return Source(party) if party in set(Source) else None
