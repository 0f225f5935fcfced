"""Routes of the wallet and the line: of the product that is named, or of the one that is meant where none is."""

from datetime import date
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from grainline.invitation import Standing, advice_for
from grainline.invitation.standing import REASONS as STANDING_REASONS
from grainline.kit.calendar import business_date
from grainline.kit.web import Lang, Language, Now, TheVault, Transaction
from grainline.lines import LINE_REASONS, Line, LineState, lines_of
from grainline.loans import next_due_of
from grainline.loans.apr import simple_percent
from grainline.members import SignedIn, consents_of, mask_phone, masked_name, member_of, phone_of, usual_card
from grainline.members.consents import terms
from grainline.products import ChosenPack, Pack, ThePacks
from grainline.scoring.reasons import REASONS as MODEL_REASONS
from grainline.underwriting import service
from grainline.underwriting.applications_api import DecisionOut, TheUnderwriter, shown
from grainline.underwriting.applications_api import router as applications_router
from grainline.underwriting.decide import OFFER_REASONS
from grainline.underwriting.deciding import DECISION_REASONS
from grainline.underwriting.decisions_store import decisions_of
from grainline.underwriting.explaining_api import router as explaining_router
from grainline.underwriting.line_api import router as line_router
from grainline.underwriting.products_api import ScoreOut
from grainline.underwriting.products_api import router as products_router
from grainline.underwriting.service import LineView

router = APIRouter(tags=["line"])
router.include_router(products_router)
router.include_router(applications_router)
router.include_router(line_router)
router.include_router(explaining_router)

TEXTS = {**MODEL_REASONS, **OFFER_REASONS, **LINE_REASONS, **STANDING_REASONS, **DECISION_REASONS}


class ReasonOut(BaseModel):
    code: str
    text: str


class InvitationOut(BaseModel):
    """Invited until when; otherwise why not, what helps, and when the next evaluation is (A1).

    The score is there where the product asks for one; its points, where the member has been evaluated.
    """

    invited: bool
    score: ScoreOut | None
    expires_on: date | None
    next_evaluation_on: date
    reasons: list[ReasonOut]
    advice: list[ReasonOut]


class LineOut(BaseModel):
    """A line: amounts in fen, the annual rate first, what may be drawn now, what freezes it, when it is reviewed.

    `temporary_fen` of the limit is a raise that goes by itself.
    """

    product: str
    tier: str
    tier_name: str
    annual_rate_percent: str
    daily_rate_percent: str
    state: LineState
    frozen_for: str | None
    next_review_on: date | None
    limit_fen: int
    temporary_fen: int
    used_fen: int
    available_fen: int
    day_left_fen: int
    draw_max_fen: int
    opened_on: date
    reasons: list[ReasonOut]


class WalletDueOut(BaseModel):
    due_on: date
    amount_fen: int


class EntryOut(BaseModel):
    """One product as the wallet lists it: whether the member is admitted, and what is left of a line in fen."""

    product: str
    name: str
    invited: bool
    expires_on: date | None
    limit_fen: int | None
    available_fen: int | None


class WalletOut(BaseModel):
    """Where a member is on the way with one product, what comes next, where they stand with each; the last decision."""

    product: str
    product_name: str
    phone: str
    name: str | None
    next_step: Literal["real_name", "card", "consents", "line", "borrow"] | None
    invitation: InvitationOut
    real_name: bool
    card: bool
    line: LineOut | None
    application: DecisionOut | None
    open_loans: int
    next_due: WalletDueOut | None
    products: list[EntryOut]


@router.get("/wallet")
async def wallet(
    member_id: SignedIn,
    tx: Transaction,
    vault: TheVault,
    packs: ThePacks,
    pack: ChosenPack,
    now: Now,
    language: Lang,
    by: TheUnderwriter,
) -> WalletOut:
    """Show where the member is: invited or why not, what is done, what comes next, what is due."""
    today = business_date(now)
    member = await member_of(tx, member_id)
    places = await service.standings_of(tx, packs, member_id=member_id, today=today)
    held = await lines_of(tx, member_id=member_id)
    place, has_line = places[pack.product.code], pack.product.code in held
    view = await service.view_line(tx, pack, member_id=member_id, now=now) if has_line else None
    applied = await decisions_of(tx, member_id=member_id, product=pack.product.code, limit=1)
    named, carded = member.verified_at is not None, await usual_card(tx, member_id) is not None
    required = {source for source, one in terms()[1].items() if one.required}
    consented = required <= (await consents_of(tx, member_id=member_id)).keys()
    open_loans, due = await next_due_of(tx, member_id=member_id, today=today)
    return WalletOut(
        product=pack.product.code,
        product_name=getattr(pack.product.name, language),
        phone=mask_phone(await phone_of(tx, vault, member_id)),
        name=await masked_name(tx, vault, member_id),
        next_step=_next_step(invited=place.invited, named=named, carded=carded, consented=consented, has_line=has_line),
        invitation=_invitation(place, pack, language),
        real_name=named,
        card=carded,
        line=view and _line(view, pack, language),
        application=await shown(tx, by.shelf, applied[0], language) if applied else None,
        open_loans=open_loans,
        next_due=due and WalletDueOut(due_on=due.due_on, amount_fen=due.amount_fen),
        products=[_entry(each, places[code], held.get(code), language) for code, each in packs.items()],
    )


@router.get("/line")
async def get_line(member_id: SignedIn, tx: Transaction, pack: ChosenPack, now: Now, language: Lang) -> LineOut:
    """Show the member's line and what may be drawn now."""
    return _line(await service.view_line(tx, pack, member_id=member_id, now=now), pack, language)


def _next_step(
    *, invited: bool, named: bool, carded: bool, consented: bool, has_line: bool
) -> Literal["real_name", "card", "consents", "line", "borrow"] | None:
    if has_line:
        return "borrow"
    if not invited:
        return None
    if not named:
        return "real_name"
    if not carded:
        return "card"
    return "line" if consented else "consents"


def _entry(pack: Pack, place: Standing, held: Line | None, language: Language) -> EntryOut:
    return EntryOut(
        product=pack.product.code,
        name=getattr(pack.product.name, language),
        invited=place.invited,
        expires_on=place.offer.expires_on if place.offer else None,
        limit_fen=held and held.limit_fen,
        available_fen=held and held.available_fen,
    )


def _invitation(place: Standing, pack: Pack, language: Language) -> InvitationOut:
    advice = {} if place.invited else advice_for(place.reasons)
    return InvitationOut(
        invited=place.invited,
        score=ScoreOut.of(pack, language, place.newest.pd_e6 if place.newest else None),
        expires_on=place.offer.expires_on if place.offer else None,
        next_evaluation_on=place.next_evaluation_on,
        reasons=_reasons(place.reasons, language),
        advice=[ReasonOut(code=code, text=text[language]) for code, text in advice.items()],
    )


def _reasons(codes: tuple[str, ...], language: Language) -> list[ReasonOut]:
    return [ReasonOut(code=code, text=TEXTS[code][language]) for code in codes]


def _line(view: LineView, pack: Pack, language: Language) -> LineOut:
    held = view.line
    return LineOut(
        product=held.product,
        tier=held.tier,
        tier_name=getattr(pack.tier_named(held.tier).name, language),
        annual_rate_percent=simple_percent(held.rate_e8, pack.schedule.year_basis),
        daily_rate_percent=pack.daily_percent(held.rate_e8),
        state=held.state,
        frozen_for=held.frozen_for,
        next_review_on=held.next_review_on,
        limit_fen=held.limit_fen,
        temporary_fen=held.temporary_fen,
        used_fen=held.used_fen + held.reserved_fen,
        available_fen=held.available_fen,
        day_left_fen=view.day_left_fen,
        draw_max_fen=view.draw_max_fen,
        opened_on=business_date(held.opened_at),
        reasons=_reasons(held.reasons, language),
    )
