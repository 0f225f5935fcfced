"""An officer's answer: a decision that overrides the one that was looked at, with a name and a reason.

What the law and the profile forbid no officer can grant, and a line stays inside the product's tiers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from grainline.invitation.rule import tier_for
from grainline.kit import outbox
from grainline.kit.db import Tx
from grainline.kit.errors import Kind, Refusal
from grainline.kit.money import Fen, RateE8
from grainline.lines import LineState, line, lines_of
from grainline.members import Source, standing_consent, usual_card
from grainline.products import Pack, Tier
from grainline.products.profile import Profile
from grainline.underwriting.applying import LineExists, Underwriter, open_approved
from grainline.underwriting.deciding import BY_OFFICER, Inputs, Occasion, Outcome, Verdict
from grainline.underwriting.decisions_store import Decision, add_decision, decision_of
from grainline.underwriting.gathering import owed_beside_fen
from grainline.underwriting.line_following import follow_review
from grainline.underwriting.officers import signed_by
from grainline.underwriting.pricing import price
from grainline.underwriting.reviews_store import check_newest, review_named, settle_review, take_review
from grainline.underwriting.service import CardNeeded
from grainline.underwriting.snapshots_store import newest
from grainline.underwriting.way_up_texts import whole_yuan

REASON_MOST = 1_000


class ReasonNeeded(Refusal):
    """An answer says why, in at most a thousand characters, and whose it is."""

    code = "reason_needed"


class NotForAnOfficer(Refusal):
    """The law lets nobody lend to this person, whoever answers."""

    code = "not_for_an_officer"
    kind = Kind.FORBIDDEN


class TierWithdrawn(Refusal):
    """The decision was made by a pack that has the tier, today's has not: no line is opened or moved with it."""

    code = "tier_withdrawn"
    kind = Kind.CONFLICT


class OfferOutsideTiers(Refusal):
    """No tier of the product holds this line and this rate together."""

    code = "offer_outside_tiers"


@dataclass(frozen=True)
class Answer:
    """What an officer says: line in fen and rate in 10⁻⁸ where approved, None: as the product would price it."""

    officer: str
    verdict: Literal[Verdict.APPROVED, Verdict.DECLINED]
    reason: str
    line_fen: int | None = None
    rate_e8: int | None = None


async def answer_review(
    tx: Tx, by: Underwriter, packs: Mapping[str, Pack], review_id: UUID, answer: Answer, *, now: datetime
) -> Decision:
    """Answer an open request, once: record the decision, settle the request, open the line that was approved.

    No to an approved decision leaves it as it was. Yes to one on a line that is there gives it the officer's figures,
    not held to how far a review may move a line, but never above the pack's largest line, less what raises it for a
    time, and what the borrower may still owe. `packs` are today's, by product.
    Raises NoReview (also for the second of two officers), DecisionSuperseded where another decision stands since (the
    request is about that one then), ReasonNeeded, OfficerNameReserved, NotForAnOfficer, OfferOutsideTiers,
    TierWithdrawn, RateAboveCap, OwedAboveCap, LineExists, CardNeeded, ConsentNeeded.
    """
    started = by.ticks()
    answer = replace(answer, officer=signed_by(answer.officer))
    if not (answer.reason.strip() and answer.officer and len(answer.reason) <= REASON_MOST):
        raise ReasonNeeded
    waiting = await review_named(tx, review_id)
    # the same order as an application: the member first, so that neither waits for the other in a ring
    await tx.execute("select from members.members where member_id = %s for no key update", (waiting.member_id,))
    review = await take_review(tx, review_id)
    looked_at = await decision_of(tx, member_id=review.member_id, decision_id=review.decision_id)
    await check_newest(tx, looked_at)
    inputs = replace(looked_at.read_inputs(), occasion=Occasion.HUMAN)
    pack = await by.shelf.pack_named(tx, inputs.pack)
    outcome = await _answered(tx, by, pack, inputs, looked_at, answer)
    if answer.verdict is Verdict.APPROVED:
        _check_tier(packs.get(review.product), outcome)
    decision = Decision(
        member_id=review.member_id,
        decision_id=by.new_id(),
        product=review.product,
        occasion=Occasion.HUMAN,
        key=f"review:{review_id}",
        inputs=inputs.text(),
        outcome=outcome.text(),
        overrides=looked_at.decision_id,
        decided_by=answer.officer,
        decided_at=now,
        latency_us=(by.ticks() - started) // 1_000,
    )
    await add_decision(tx, decision)
    await settle_review(tx, review, answer=decision.decision_id, by=answer.officer, now=now)
    await _follow(tx, by, pack, looked_at, decision, answer, now=now)
    return decision


async def _answered(
    tx: Tx, by: Underwriter, pack: Pack, inputs: Inputs, looked_at: Decision, answer: Answer
) -> Outcome:
    machine = looked_at.read_outcome()
    said = {"by": answer.officer, "why": answer.reason.strip()}
    whole = replace(machine, result=answer.verdict, tier=None, line_fen=0, rate_e8=0, offer_reasons=(), answered=said)
    if answer.verdict is Verdict.DECLINED and machine.result is Verdict.APPROVED:
        return replace(machine, answered=said)
    if answer.verdict is Verdict.DECLINED:
        return replace(whole, reasons=tuple(dict.fromkeys((BY_OFFICER, *machine.reasons))))
    profile, member_id = by.profiles[pack.regulation.profile], looked_at.member_id
    if not _of_a_line(looked_at) and looked_at.product in await lines_of(tx, member_id=member_id):
        raise LineExists(product=looked_at.product)
    await standing_consent(tx, member_id=member_id, source=Source.BUREAU)
    if await usual_card(tx, member_id) is None:
        raise CardNeeded
    owed = await _owed_beside_fen(tx, inputs, member_id=member_id)
    tier, limit, rate = offer_of(pack, profile, inputs, machine, answer, owed_beside_fen=owed)
    return replace(
        whole, tier=tier.code, line_fen=limit, rate_e8=rate, reasons=machine.reasons, offer_reasons=(BY_OFFICER,)
    )


def offer_of(
    pack: Pack, profile: Profile, inputs: Inputs, machine: Outcome, answer: Answer, *, owed_beside_fen: int
) -> tuple[Tier, Fen, RateE8]:
    """Return tier, line and rate of an approving answer; what the officer leaves out is priced.

    `owed_beside_fen` is what may come to be owed beside the line, here and elsewhere.
    Who no tier admits is priced at the smallest line and the highest rate of the last one. Raises NotForAnOfficer,
    OfferOutsideTiers, RateAboveCap, OwedAboveCap.
    """
    facts = inputs.facts
    if int(facts["age"]) < profile.age_min or (facts["student"] != "no" and not profile.students):
        raise NotForAnOfficer
    limit, rate = pack.tier[-1].line_min_fen, pack.tier[-1].rate_max_e8
    if machine.pd_e6 is not None and inputs.means is not None and tier_for(pack, machine.pd_e6) is not None:
        room = max(pack.line.min_fen, profile.room_fen(owed_beside_fen))
        offer = price(pack, pd_e6=machine.pd_e6, means=replace(inputs.means, room_fen=room))
        limit, rate = offer.line_fen, offer.rate_e8
    limit, rate = (
        Fen(limit if answer.line_fen is None else answer.line_fen),
        RateE8(rate if answer.rate_e8 is None else answer.rate_e8),
    )
    profile.check_rate(rate, pack.schedule.year_basis)
    profile.check_line(limit, owed_beside_fen)
    tier = tier_holding(pack, limit, rate)
    if tier is not None:
        return tier, limit, rate
    raise OfferOutsideTiers(
        line_fen=limit,
        rate_e8=rate,
        step_fen=pack.line.step_fen,
        tiers="; ".join(_bounds(pack, tier) for tier in pack.tier),
    )


def tier_holding(pack: Pack, line_fen: int, rate_e8: int) -> Tier | None:
    """Return the first tier that holds a line in whole steps and a rate together, or None."""
    if line_fen % pack.line.step_fen != 0:
        return None
    for tier in pack.tier:
        if tier.line_min_fen <= line_fen <= tier.line_max_fen and tier.rate_min_e8 <= rate_e8 <= tier.rate_max_e8:
            return tier
    return None


def _check_tier(today: Pack | None, outcome: Outcome) -> None:
    if today is None or outcome.tier not in {tier.code for tier in today.tier}:
        raise TierWithdrawn(tier=outcome.tier or "")


def _bounds(pack: Pack, tier: Tier) -> str:
    lines = f"{whole_yuan(tier.line_min_fen)}–{whole_yuan(tier.line_max_fen)}"
    return f"{tier.code} ¥{lines} {pack.daily_percent(tier.rate_min_e8)}–{pack.daily_percent(tier.rate_max_e8)} %"


async def _owed_beside_fen(tx: Tx, inputs: Inputs, *, member_id: int) -> int:
    """Return what may come to be owed beside the product's line, as a decision counts it: other lines here in full.

    What is drawn on the line itself is within it. Here it is as of now, elsewhere as the bureau said last.
    """
    snapshot = (await newest(tx, member_id=member_id)).get(Source.BUREAU)
    if snapshot is None:
        return int(inputs.facts["owed_all_fen"])
    return owed_beside_fen(await lines_of(tx, member_id=member_id), snapshot.content, inputs.product)


def _of_a_line(looked_at: Decision) -> bool:
    return looked_at.occasion is Occasion.REVIEW or looked_at.read_outcome().result is Verdict.APPROVED


async def _follow(
    tx: Tx, by: Underwriter, pack: Pack, looked_at: Decision, decision: Decision, answer: Answer, *, now: datetime
) -> None:
    """Let the line follow an answer, unless the answer is that all stays as it was; and tell the member."""
    member_id, product, outcome = decision.member_id, decision.product, decision.read_outcome()
    if not _of_a_line(looked_at) and outcome.result is Verdict.APPROVED:
        await open_approved(tx, pack, decision, outcome, now=now)
        return
    told: dict[str, str | int | bool | None] = {"product": product, "result": str(answer.verdict)}
    await outbox.emit(tx, member_id=member_id, topic="application.answered", payload=told, now=now)
    if not _of_a_line(looked_at) or answer.verdict is not outcome.result:
        return
    held = await line(tx, member_id=member_id, product=product, lock=True)
    if held is not None and held.state is not LineState.CLOSED:
        await follow_review(tx, by, pack, held, decision, outcome, now=now)
