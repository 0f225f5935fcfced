"""Routes of consents: one screen and one call for many, a switch for each (A6)."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from grainline.kit.web import Lang, Language, Now, Transaction
from grainline.members.api import SignedIn
from grainline.members.consents import Consent, Source, terms
from grainline.members.consents_store import consents_of, give, withdraw

router = APIRouter(tags=["consents"])


class ConsentOut(BaseModel):
    """One source: what is asked, how many days what it says is kept, whether a line needs it, since when it stands."""

    source: Source
    name: str
    purpose: str
    retention_days: int
    required: bool
    text_version: str
    given_at: datetime | None


class ConsentsOut(BaseModel):
    items: list[ConsentOut]


class ConsentsIn(BaseModel):
    sources: Annotated[list[Source], Field(min_length=1, max_length=len(Source))]


@router.get("/consents")
async def list_consents(member_id: SignedIn, tx: Transaction, language: Lang) -> ConsentsOut:
    """List every source there is, and which the member consents to."""
    return _shown(await consents_of(tx, member_id=member_id), language)


@router.post("/consents")
async def give_consents(
    body: ConsentsIn, member_id: SignedIn, tx: Transaction, now: Now, language: Lang
) -> ConsentsOut:
    """Consent to these sources; what stands already stays."""
    await give(tx, member_id=member_id, sources=body.sources, now=now)
    return _shown(await consents_of(tx, member_id=member_id), language)


@router.delete("/consents/{source}")
async def withdraw_consent(
    source: Source, member_id: SignedIn, tx: Transaction, now: Now, language: Lang
) -> ConsentsOut:
    """Withdraw one; the next call to that source is refused."""
    await withdraw(tx, member_id=member_id, source=source, now=now)
    return _shown(await consents_of(tx, member_id=member_id), language)


def _shown(standing: dict[Source, Consent], language: Language) -> ConsentsOut:
    version, asked = terms()
    items = []
    for source, one in asked.items():
        given = standing.get(source)
        items.append(
            ConsentOut(
                source=source,
                name=getattr(one.name, language),
                purpose=getattr(one.purpose, language),
                retention_days=given.retention_days if given else one.retention_days,
                required=one.required,
                text_version=given.text_version if given else version,
                given_at=given and given.given_at,
            )
        )
    return ConsentsOut(items=items)
