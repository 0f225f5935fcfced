"""Routes of signing in, the real name and the cards."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from grainline.kit.db import single
from grainline.kit.web import NewId, Now, ThePage, ThePool, TheVault, Transaction, cursor_after
from grainline.members import service, store
from grainline.members.codes import CodeSent
from grainline.members.model import mask_name
from grainline.partners.card_network import CardNetwork
from grainline.partners.identity_authority import IdentityAuthority

router = APIRouter(tags=["members"])
bearer = HTTPBearer(auto_error=False)

Short = Annotated[str, Field(min_length=1, max_length=64)]


async def _authority(request: Request) -> IdentityAuthority:
    authority: IdentityAuthority = request.app.state.identity_authority
    return authority


async def _network(request: Request) -> CardNetwork:
    network: CardNetwork = request.app.state.card_network
    return network


async def _presented(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> tuple[int, bytes]:
    if credentials is None:
        raise service.NotSignedIn
    return service.read_token(credentials.credentials)


# What a token claims, not looked up yet: for the one route whose statement looks itself.
PresentedToken = Annotated[tuple[int, bytes], Depends(_presented)]


async def _session(pool: ThePool, now: Now, presented: PresentedToken) -> tuple[int, bytes]:
    member_id, token_hash = presented
    async with single(pool) as tx:
        lives = await store.session_lives(tx, member_id=member_id, token_hash=token_hash, now=now)
    if not lives:
        raise service.NotSignedIn
    return member_id, token_hash


async def _signed_in(session: Annotated[tuple[int, bytes], Depends(_session)]) -> int:
    return session[0]


SignedIn = Annotated[int, Depends(_signed_in)]


class PhoneIn(BaseModel):
    phone: Short


class CodeOut(BaseModel):
    """A code was sent: to which phone (masked), good until when, and when another may be asked for."""

    sent_to: str
    expires_at: datetime
    resend_at: datetime

    @classmethod
    def of(cls, sent: CodeSent) -> "CodeOut":
        """Shape what the service tells."""
        return cls(sent_to=sent.sent_to, expires_at=sent.expires_at, resend_at=sent.resend_at)


class SignInIn(BaseModel):
    phone: Short
    code: Short


class SessionOut(BaseModel):
    token: str
    expires_at: datetime


class IdentityIn(BaseModel):
    name: Short
    national_id: Short


class IdentityOut(BaseModel):
    name: str
    verified_at: datetime


class CardIn(BaseModel):
    number: Short
    phone: Short


class CardOut(BaseModel):
    card_id: UUID
    bank: str
    last4: str
    usual: bool


class CardsOut(BaseModel):
    items: list[CardOut]
    next_cursor: str | None


@router.post("/sign-in/otp", status_code=status.HTTP_202_ACCEPTED)
async def request_sign_in_code(body: PhoneIn, tx: Transaction, vault: TheVault, now: Now, request: Request) -> CodeOut:
    """Send a one-time code to a phone by SMS."""
    sent = await service.request_sign_in(
        tx, vault, phone=body.phone, now=now, random_bytes=request.app.state.random_bytes
    )
    return CodeOut.of(sent)


@router.post("/sign-in")
async def sign_in(body: SignInIn, tx: Transaction, vault: TheVault, now: Now, request: Request) -> SessionOut:
    """Open a session for the right code."""
    session = await service.sign_in(
        tx, vault, phone=body.phone, code=body.code, now=now, random_bytes=request.app.state.random_bytes
    )
    return SessionOut(token=session.token, expires_at=session.expires_at)


@router.post("/sign-out", status_code=status.HTTP_204_NO_CONTENT)
async def sign_out(tx: Transaction, now: Now, session: Annotated[tuple[int, bytes], Depends(_session)]) -> Response:
    """End this session."""
    await store.revoke_session(tx, member_id=session[0], token_hash=session[1], now=now)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/identity")
async def verify_identity(
    body: IdentityIn,
    member_id: SignedIn,
    pool: ThePool,
    vault: TheVault,
    now: Now,
    authority: Annotated[IdentityAuthority, Depends(_authority)],
) -> IdentityOut:
    """Check the real name with the identity authority and set it."""
    name = await service.verify_identity(
        pool, vault, authority, member_id=member_id, name=body.name, national_id=body.national_id, now=now
    )
    return IdentityOut(name=mask_name(name), verified_at=now)


@router.post("/cards", status_code=status.HTTP_201_CREATED)
async def bind_card(
    body: CardIn,
    member_id: SignedIn,
    pool: ThePool,
    vault: TheVault,
    now: Now,
    card_id: NewId,
    network: Annotated[CardNetwork, Depends(_network)],
) -> CardOut:
    """Check a card's four elements with the card network and bind it."""
    card = await service.bind_card(
        pool,
        vault,
        network,
        member_id=member_id,
        card_id=card_id,
        number=body.number,
        phone=body.phone,
        now=now,
    )
    return CardOut(card_id=card.card_id, bank=card.bank, last4=card.last4, usual=card.usual)


@router.get("/cards")
async def list_cards(member_id: SignedIn, tx: Transaction, page: ThePage) -> CardsOut:
    """List the member's cards."""
    cards = await store.cards(tx, member_id, after=page.offset(UUID), limit=page.limit + 1)
    shown = cards[: page.limit]
    more = cursor_after(str(shown[-1].card_id)) if len(cards) > page.limit else None
    items = [CardOut(card_id=c.card_id, bank=c.bank, last4=c.last4, usual=c.usual) for c in shown]
    return CardsOut(items=items, next_cursor=more)
