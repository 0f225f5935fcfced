"""Routes of the wallet, the product and the line."""

from datetime import date, datetime
from typing import Literal

from fastapi import APIRouter, Request, status
from pydantic import BaseModel

from grainline.invitation import Standing, advice_for
from grainline.invitation.standing import REASONS as STANDING_REASONS
from grainline.kit.calendar import business_date
from grainline.kit.money import percent
from grainline.kit.web import Lang, Language, Now, TheVault, Transaction
from grainline.lines import line
from grainline.loans import ThePack, next_due_of
from grainline.loans.apr import simple_percent
from grainline.members import SignedIn, mask_phone, masked_name, member_of, phone_of, usual_card
from grainline.products import Pack
from grainline.scoring.reasons import REASONS as MODEL_REASONS
from grainline.underwriting import service
from grainline.underwriting.decide import OFFER_REASONS
from grainline.underwriting.service import LineView

router = APIRouter(tags=["line"])

TEXTS = {**MODEL_REASONS, **OFFER_REASONS, **STANDING_REASONS}


class ReasonOut(BaseModel):
    code: str
    text: str


class InvitationOut(BaseModel):
    """Invited until when; otherwise why not, what helps, and when the next evaluation is (A1)."""

    invited: bool
    expires_on: date | None
    next_evaluation_on: date
    reasons: list[ReasonOut]
    advice: list[ReasonOut]


class LineOut(BaseModel):
    """A line: amounts in fen, the annual rate first, what may be drawn now."""

    product: str
    tier: str
    tier_name: str
    annual_rate_percent: str
    daily_rate_percent: str
    limit_fen: int
    used_fen: int
    available_fen: int
    day_left_fen: int
    draw_max_fen: int
    opened_on: date
    reasons: list[ReasonOut]


class WalletDueOut(BaseModel):
    due_on: date
    amount_fen: int


class WalletOut(BaseModel):
    """Where a member is on the way, and what comes next."""

    phone: str
    name: str | None
    next_step: Literal["real_name", "card", "line", "borrow"] | None
    invitation: InvitationOut
    real_name: bool
    card: bool
    line: LineOut | None
    open_loans: int
    next_due: WalletDueOut | None


class NameOut(BaseModel):
    code: str
    name: str


class DrawRuleOut(BaseModel):
    min_fen: int
    step_fen: int
    max_fen: int
    day_max_fen: int
    funded_within_minutes: int


class DisclosureRuleOut(BaseModel):
    reading_seconds: int


class ProductOut(BaseModel):
    """What the product's pack says to a borrower."""

    code: str
    name: str
    draw: DrawRuleOut
    instalments: list[int]
    purposes: list[NameOut]
    line_min_fen: int
    line_max_fen: int
    disclosure: DisclosureRuleOut


class MetaOut(BaseModel):
    """What a page must know before anybody has signed in."""

    sandbox: bool
    today: date
    now: datetime
    inbox_url: str | None
    product_name: str


@router.get("/meta")
async def meta(request: Request, pack: ThePack, now: Now, language: Lang) -> MetaOut:
    """Tell whether this is the sandbox, what day it is, and the product's name."""
    inbox: str | None = request.app.state.inbox_url
    return MetaOut(
        sandbox=inbox is not None,
        today=business_date(now),
        now=now,
        inbox_url=inbox,
        product_name=getattr(pack.product.name, language),
    )


@router.get("/product")
async def product(pack: ThePack, _: SignedIn, language: Lang) -> ProductOut:
    """Show what may be drawn, for how long and for what."""
    rule = pack.draw
    return ProductOut(
        code=pack.product.code,
        name=getattr(pack.product.name, language),
        draw=DrawRuleOut(
            min_fen=rule.min_fen,
            step_fen=rule.step_fen,
            max_fen=rule.max_fen,
            day_max_fen=rule.day_max_fen,
            funded_within_minutes=rule.funded_within_minutes,
        ),
        instalments=list(pack.schedule.instalments),
        purposes=[NameOut(code=p.code, name=getattr(p.name, language)) for p in rule.purpose],
        line_min_fen=pack.line.min_fen,
        line_max_fen=pack.line.max_fen,
        disclosure=DisclosureRuleOut(reading_seconds=pack.disclosure.reading_seconds),
    )


@router.get("/wallet")
async def wallet(
    member_id: SignedIn, tx: Transaction, vault: TheVault, pack: ThePack, now: Now, language: Lang
) -> WalletOut:
    """Show where the member is: invited or why not, what is done, what comes next, what is due."""
    today = business_date(now)
    member = await member_of(tx, member_id)
    place = await service.standing_of(tx, pack, member_id=member_id, today=today)
    has_line = await line(tx, member_id=member_id, product=pack.product.code) is not None
    view = await service.view_line(tx, pack, member_id=member_id, now=now) if has_line else None
    named, carded = member.verified_at is not None, await usual_card(tx, member_id) is not None
    open_loans, due = await next_due_of(tx, member_id=member_id, today=today)
    return WalletOut(
        phone=mask_phone(await phone_of(tx, vault, member_id)),
        name=await masked_name(tx, vault, member_id),
        next_step=_next_step(invited=place.invited, named=named, carded=carded, has_line=has_line),
        invitation=_invitation(place, language),
        real_name=named,
        card=carded,
        line=view and _line(view, pack, language),
        open_loans=open_loans,
        next_due=due and WalletDueOut(due_on=due.due_on, amount_fen=due.amount_fen),
    )


@router.post("/line", status_code=status.HTTP_201_CREATED)
async def open_line(member_id: SignedIn, tx: Transaction, pack: ThePack, now: Now, language: Lang) -> LineOut:
    """Open the line the member is invited to."""
    view = await service.open_invited_line(tx, pack, member_id=member_id, now=now)
    return _line(view, pack, language)


@router.get("/line")
async def get_line(member_id: SignedIn, tx: Transaction, pack: ThePack, now: Now, language: Lang) -> LineOut:
    """Show the member's line and what may be drawn now."""
    return _line(await service.view_line(tx, pack, member_id=member_id, now=now), pack, language)


def _next_step(
    *, invited: bool, named: bool, carded: bool, has_line: bool
) -> Literal["real_name", "card", "line", "borrow"] | None:
    if has_line:
        return "borrow"
    if not invited:
        return None
    if not named:
        return "real_name"
    return "line" if carded else "card"


def _invitation(place: Standing, language: Language) -> InvitationOut:
    advice = {} if place.invited else advice_for(place.reasons)
    return InvitationOut(
        invited=place.invited,
        expires_on=place.evaluation.expires_on if place.evaluation else None,
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
        annual_rate_percent=simple_percent(held.rate_e8),
        daily_rate_percent=percent(held.rate_e8),
        limit_fen=held.limit_fen,
        used_fen=held.used_fen + held.reserved_fen,
        available_fen=held.available_fen,
        day_left_fen=view.day_left_fen,
        draw_max_fen=view.draw_max_fen,
        opened_on=business_date(held.opened_at),
        reasons=_reasons(held.reasons, language),
    )
