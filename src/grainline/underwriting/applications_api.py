"""Routes of applications: decide on a line, show what was decided and why, ask that a person look."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, status
from pydantic import BaseModel, Field

from grainline.kit.db import Tx, transaction
from grainline.kit.money import Fen, RateE8
from grainline.kit.web import IdempotencyKey, Lang, Language, Now, Transaction
from grainline.loans.apr import simple_percent
from grainline.members import SignedIn
from grainline.products import ChosenPack
from grainline.scoring.reasons import REASONS as MODEL_REASONS
from grainline.underwriting.applying import Underwriter, apply
from grainline.underwriting.decide import OFFER_REASONS
from grainline.underwriting.deciding import DECISION_REASONS, Occasion, Verdict
from grainline.underwriting.decisions_store import Decision, decision_of, decisions_of
from grainline.underwriting.reviews_store import Review, ask_for_review, check_newest, open_review
from grainline.underwriting.rules import Rules
from grainline.underwriting.shelf import Shelf

router = APIRouter(tags=["applications"])

TEXTS = {**MODEL_REASONS, **OFFER_REASONS, **DECISION_REASONS}
Words = Annotated[str, Field(max_length=1_000)]


async def _underwriter(request: Request) -> Underwriter:
    underwriter: Underwriter = request.app.state.underwriter
    return underwriter


TheUnderwriter = Annotated[Underwriter, Depends(_underwriter)]


class ApplicationIn(BaseModel):
    """What the member says of themselves: whether a student, whom no lender may lend to."""

    student: bool


class WhyOut(BaseModel):
    code: str
    text: str


class ReviewOut(BaseModel):
    """A request that a person look: since when, and until when it is answered."""

    review_id: UUID
    asked_by: str
    asked_at: datetime
    answer_by: date


class OfferedOut(BaseModel):
    """What was approved: fen, and the annual rate before the daily one."""

    tier: str
    tier_name: str
    limit_fen: Fen
    rate_e8: RateE8
    annual_rate_percent: str
    daily_rate_percent: str


class DecisionOut(BaseModel):
    """A decision: what it ends in, why, whether a person is looking at it, and what one who decided says."""

    decision_id: UUID
    product: str
    occasion: Occasion
    result: Verdict
    decided_at: datetime
    offer: OfferedOut | None
    reasons: list[WhyOut]
    sub_scores: dict[str, int]
    review: ReviewOut | None
    answer: str | None


class DecisionsOut(BaseModel):
    items: list[DecisionOut]


class ReviewIn(BaseModel):
    """What the member wants to say to the officer; an empty text is fine."""

    words: Words


@router.post("/applications", status_code=status.HTTP_201_CREATED)
async def post_application(
    body: ApplicationIn,
    key: IdempotencyKey,
    member_id: SignedIn,
    pack: ChosenPack,
    by: TheUnderwriter,
    now: Now,
    language: Lang,
) -> DecisionOut:
    """Apply for the product's line: decided at once; an approved one is open."""
    decision, _ = await apply(by, pack, member_id=member_id, key=key, student=body.student, now=now)
    # Opened only now: who held a connection while waiting for a second one would wait for others who do the same.
    async with transaction(by.pool) as tx:
        return await shown(tx, by.shelf, decision, language)


@router.get("/applications")
async def list_decisions(member_id: SignedIn, by: TheUnderwriter, tx: Transaction, language: Lang) -> DecisionsOut:
    """List what was decided on the member, the newest first."""
    found = await decisions_of(tx, member_id=member_id)
    return DecisionsOut(items=[await shown(tx, by.shelf, one, language) for one in found])


@router.get("/applications/{decision_id}")
async def get_decision(
    decision_id: UUID, member_id: SignedIn, by: TheUnderwriter, tx: Transaction, language: Lang
) -> DecisionOut:
    """Show one decision."""
    decision = await decision_of(tx, member_id=member_id, decision_id=decision_id)
    return await shown(tx, by.shelf, decision, language)


@router.post("/applications/{decision_id}/review", status_code=status.HTTP_202_ACCEPTED)
async def post_review(
    decision_id: UUID, body: ReviewIn, member_id: SignedIn, by: TheUnderwriter, tx: Transaction, now: Now
) -> ReviewOut:
    """Ask that a person look at a decision (PIPL Art. 24): one call, no reason needed; asked again it is the same.

    Only of the newest decision on a product: what was answered, or decided on anew since, is refused.
    """
    # as an application and an answer do first: nothing is decided on the member between here and the request
    await tx.execute("select from members.members where member_id = %s for no key update", (member_id,))
    decision = await decision_of(tx, member_id=member_id, decision_id=decision_id)
    await check_newest(tx, decision)
    return _review(
        await ask_for_review(tx, decision, review_id=by.new_id(), asked_by="member", words=body.words, now=now)
    )


async def shown(tx: Tx, shelf: Shelf, decision: Decision, language: Language) -> DecisionOut:
    """Shape a decision for its member; reasons are told by the rules it was decided by, the offer by the pack."""
    outcome, inputs = decision.read_outcome(), decision.read_inputs()
    ruled = await shelf.rules_named(tx, inputs.rules)
    texts = reason_texts(ruled)
    codes = outcome.offer_reasons if outcome.result is Verdict.APPROVED else outcome.reasons
    waiting = await open_review(tx, member_id=decision.member_id, product=decision.product)
    pack = await shelf.pack_named(tx, inputs.pack)
    offer = None
    if outcome.tier is not None:
        offer = OfferedOut(
            tier=outcome.tier,
            tier_name=getattr(pack.tier_named(outcome.tier).name, language),
            limit_fen=Fen(outcome.line_fen),
            rate_e8=RateE8(outcome.rate_e8),
            annual_rate_percent=simple_percent(outcome.rate_e8, pack.schedule.year_basis),
            daily_rate_percent=pack.daily_percent(outcome.rate_e8),
        )
    return DecisionOut(
        decision_id=decision.decision_id,
        product=decision.product,
        occasion=decision.occasion,
        result=outcome.result,
        decided_at=decision.decided_at,
        offer=offer,
        reasons=[WhyOut(code=code, text=texts[code][language]) for code in codes],
        sub_scores=outcome.sub_scores,
        review=_review(waiting) if waiting and waiting.decision_id == decision.decision_id else None,
        answer=outcome.answered.get("why"),
    )


def reason_texts(ruled: Rules) -> dict[str, dict[str, str]]:
    """Return the texts of every reason by code; the rules say their own."""
    return {**TEXTS, **{code: text.model_dump() for code, text in ruled.reasons.items()}}


def _review(one: Review) -> ReviewOut:
    return ReviewOut(review_id=one.review_id, asked_by=one.asked_by, asked_at=one.asked_at, answer_by=one.answer_by)
