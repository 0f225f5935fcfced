"""Routes of quoting, disclosing, contracting and drawing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.sse import EventSourceResponse, ServerSentEvent

from grainline.kit.db import Tx, single
from grainline.kit.web import (
    IdempotencyKey,
    Lang,
    Language,
    NewId,
    Now,
    ThePage,
    ThePool,
    TheVault,
    Transaction,
    cursor_after,
    language_of,
)
from grainline.loans import draws_store, service
from grainline.loans.fast_path import DrawAsked, answer
from grainline.loans.model import Disclosure, Draw, DrawState
from grainline.loans.quote import Quote
from grainline.loans.shapes import (
    ContractIn,
    ContractOut,
    DisclosureIn,
    DisclosureOut,
    DrawIn,
    DrawOut,
    DrawsOut,
    QuoteIn,
    QuoteOut,
)
from grainline.members import CodeOut, PresentedToken, SignedIn, card_of
from grainline.products import Pack, ThePacks, chosen

router = APIRouter(tags=["draws"])
LOOK_EVERY_S = 0.5


@router.post("/draws", status_code=status.HTTP_202_ACCEPTED, response_model=DrawOut)
async def draw(body: DrawIn, key: IdempotencyKey, presented: PresentedToken, request: Request) -> Response:
    """Sign the contract with its code and draw: limits, line and books in one transaction; the money follows."""
    # a well-formed request was answered before it came here
    language = language_of(request.headers.get("accept-language"))
    return await answer(request.app.state, DrawAsked(body, key, presented, language))


@router.post("/quotes")
async def quote_draw(
    body: QuoteIn, member_id: SignedIn, tx: Transaction, packs: ThePacks, now: Now, language: Lang
) -> QuoteOut:
    """Preview a draw: the whole dated schedule, the annual rate first."""
    quote = await service.quote_draw(
        tx,
        chosen(packs, body.product),
        member_id=member_id,
        amount_fen=body.amount_fen,
        instalments=body.instalments,
        shape=body.shape,
        now=now,
    )
    return QuoteOut.of(quote, language)


@router.post("/disclosures", status_code=status.HTTP_201_CREATED)
async def show_disclosure(
    body: DisclosureIn,
    member_id: SignedIn,
    tx: Transaction,
    packs: ThePacks,
    now: Now,
    disclosure_id: NewId,
    language: Lang,
) -> DisclosureOut:
    """Show the cost of a draw; the reading time begins now."""
    pack = chosen(packs, body.product)
    disclosure, quote = await service.show_disclosure(
        tx,
        pack,
        member_id=member_id,
        disclosure_id=disclosure_id,
        amount_fen=body.amount_fen,
        instalments=body.instalments,
        shape=body.shape,
        purpose=body.purpose,
        card_id=body.card_id,
        language=language,
        now=now,
    )
    return _disclosure_out(disclosure, quote, pack, language)


@router.post("/contracts", status_code=status.HTTP_201_CREATED)
async def make_contract(
    body: ContractIn,
    member_id: SignedIn,
    tx: Transaction,
    packs: ThePacks,
    vault: TheVault,
    now: Now,
    contract_id: NewId,
    language: Lang,
    request: Request,
) -> ContractOut:
    """Write the contract for a disclosure that has been read, and send the code that signs it."""
    contract, sent = await service.make_contract(
        tx,
        vault,
        packs,
        member_id=member_id,
        contract_id=contract_id,
        disclosure_id=body.disclosure_id,
        disclosure_hash=bytes.fromhex(body.disclosure_hash),
        language=language,
        now=now,
        random_bytes=request.app.state.random_bytes,
    )
    title, _, _ = contract.content.partition("\n")
    return ContractOut(
        contract_id=contract.contract_id,
        hash=contract.content_hash.hex(),
        title=title,
        text=contract.content,
        otp=CodeOut.of(sent),
    )


@router.post("/contracts/{contract_id}/otp", status_code=status.HTTP_202_ACCEPTED)
async def send_contract_code(
    contract_id: UUID, member_id: SignedIn, tx: Transaction, vault: TheVault, now: Now, request: Request
) -> CodeOut:
    """Send another code for a contract."""
    sent = await service.send_contract_code(
        tx,
        vault,
        member_id=member_id,
        contract_id=contract_id,
        now=now,
        random_bytes=request.app.state.random_bytes,
    )
    return CodeOut.of(sent)


@router.get("/draws")
async def list_draws(member_id: SignedIn, tx: Transaction, page: ThePage, language: Lang) -> DrawsOut:
    """List the member's draws, newest first."""
    draws = await draws_store.draws_of(
        tx, member_id, before=page.offset(datetime.fromisoformat, UUID), limit=page.limit + 1
    )
    shown = draws[: page.limit]
    more = None
    if len(draws) > page.limit:
        more = cursor_after(shown[-1].signed_at.isoformat(), str(shown[-1].draw_id))
    return DrawsOut(items=[await _draw_out(tx, draw, language) for draw in shown], next_cursor=more)


@router.get("/draws/{draw_id}")
async def get_draw(draw_id: UUID, member_id: SignedIn, tx: Transaction, language: Lang) -> DrawOut:
    """Show one draw with every state it has been in."""
    return await _draw_out(tx, await service.find_draw(tx, member_id=member_id, draw_id=draw_id), language)


async def _to_watch(draw_id: UUID, member_id: SignedIn, pool: ThePool) -> None:
    """Find the draw before the stream begins: a refusal cannot follow a status of 200."""
    async with single(pool) as tx:
        await service.find_draw(tx, member_id=member_id, draw_id=draw_id)


@router.get("/draws/{draw_id}/progress", response_class=EventSourceResponse, dependencies=[Depends(_to_watch)])
async def watch_draw(
    draw_id: UUID, member_id: SignedIn, pool: ThePool, language: Lang
) -> AsyncIterator[ServerSentEvent]:
    """Tell every change of a draw as it happens (server-sent events), until it is paid or failed."""
    seen: DrawState | None = None
    while seen not in (DrawState.PAID, DrawState.FAILED):
        async with single(pool) as tx:
            draw = await service.find_draw(tx, member_id=member_id, draw_id=draw_id)
            shape = await _draw_out(tx, draw, language) if draw.state is not seen else None
        if shape is not None:
            yield ServerSentEvent(event="draw", data=shape)
        seen = draw.state
        if seen not in (DrawState.PAID, DrawState.FAILED):
            await asyncio.sleep(LOOK_EVERY_S)


async def _draw_out(tx: Tx, draw: Draw, language: Language) -> DrawOut:
    card = await card_of(tx, member_id=draw.member_id, card_id=draw.card_id)
    return DrawOut.of(draw, card_last4=card.last4 if card else "", language=language)


def _disclosure_out(disclosure: Disclosure, quote: Quote, pack: Pack, language: Language) -> DisclosureOut:
    return DisclosureOut.model_validate(
        {
            **disclosure.content,
            "disclosure_id": disclosure.disclosure_id,
            "hash": disclosure.content_hash.hex(),
            "shown_at": disclosure.shown_at,
            "may_sign_at": disclosure.may_sign_at,
            "reading_seconds": pack.disclosure.reading_seconds,
            "expires_at": disclosure.expires_at,
            "quote": QuoteOut.of(quote, language),
        }
    )
