"""What follows for a line from a decision on it: its terms move in the policy's bounds, it is frozen or let go of."""

from dataclasses import dataclass
from datetime import datetime

from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.lines import LINE_REASONS, Hold, Line, freeze, lines_of, set_terms, thaw
from grainline.members import Source
from grainline.products import Pack
from grainline.scoring.reasons import REASONS as MODEL_REASONS
from grainline.underwriting import line_review_store
from grainline.underwriting.applying import Underwriter
from grainline.underwriting.decide import OFFER_REASONS
from grainline.underwriting.deciding import DECISION_REASONS, Outcome, Verdict
from grainline.underwriting.decisions_store import Decision
from grainline.underwriting.gathering import owed_beside_fen
from grainline.underwriting.line_review import LineTerms, most_own_fen, policy_on, terms_after
from grainline.underwriting.reviews_store import ask_for_review
from grainline.underwriting.shelf import Shelf
from grainline.underwriting.snapshots_store import newest

BY = "platform"
TEXTS = {**MODEL_REASONS, **OFFER_REASONS, **DECISION_REASONS, **LINE_REASONS}
RATE_REASONS = ("rate_by_risk",)


@dataclass(frozen=True)
class _Change:
    """What every change that follows from a decision is kept with."""

    line: Line
    decision: Decision
    now: datetime

    @property
    def by(self) -> str:
        return self.decision.decided_by or BY


async def texts_by(tx: Tx, shelf: Shelf, decision: Decision) -> dict[str, dict[str, str]]:
    """Return the texts of every reason that a change by a decision may have, by code; the rules say their own."""
    ruled = await shelf.rules_named(tx, decision.read_inputs().rules)
    return {**TEXTS, **{code: text.model_dump() for code, text in ruled.reasons.items()}}


async def follow_review(
    tx: Tx, by: Underwriter, pack: Pack, held: Line, decision: Decision, outcome: Outcome, *, now: datetime
) -> str:
    """Change a line as a decision on it says, and return in a word what became of it. The line is the caller's to lock.

    Declined it is frozen; where a person must look it stays, and one is asked; approved it is let go of what an earlier
    review froze it for, and its terms move: as far as the policy lets them, or as a person's answer says, by that name.
    """
    change = _Change(held, decision, now)
    if outcome.result is Verdict.REVIEW:
        await ask_for_review(tx, decision, review_id=by.new_id(), asked_by="rule", words="", now=now)
        return "officer_asked"
    texts = await texts_by(tx, by.shelf, decision)
    if outcome.result is Verdict.DECLINED:
        await _freeze(tx, change, outcome.reasons, words=texts[outcome.reasons[0]]["zh"])
        return "frozen"
    let_go = await _let_go(tx, change)
    room_fen = await _room_fen(tx, by, pack, change)
    moved = await _move(tx, pack, change, outcome, texts, room_fen=room_fen)
    return "thawed" if let_go and moved not in {"raised", "lowered"} else moved


async def _freeze(tx: Tx, change: _Change, reasons: tuple[str, ...], *, words: str) -> None:
    await freeze(
        tx,
        member_id=change.line.member_id,
        product=change.line.product,
        key=f"{change.decision.key}/freeze",
        hold=Hold.REVIEW,
        reasons=reasons,
        words=words,
        decision_id=change.decision.decision_id,
        by=change.by,
        now=change.now,
    )


async def _let_go(tx: Tx, change: _Change) -> bool:
    return await thaw(
        tx,
        member_id=change.line.member_id,
        product=change.line.product,
        key=f"{change.decision.key}/thaw",
        holds=(Hold.REVIEW, Hold.CONSENT),
        reasons=("review_passed",),
        decision_id=change.decision.decision_id,
        by=change.by,
        now=change.now,
    )


async def _room_fen(tx: Tx, by: Underwriter, pack: Pack, change: _Change) -> int | None:
    """Return what the cap per borrower leaves for a line now, in fen; None where it never was known."""
    held = change.line
    snapshot = (await newest(tx, member_id=held.member_id)).get(Source.BUREAU)
    if snapshot is None:  # forgotten: an answer of a person may come that late
        means = change.decision.read_inputs().means
        return means.room_fen if means else None
    beside = owed_beside_fen(await lines_of(tx, member_id=held.member_id), snapshot.content, held.product)
    return by.profiles[pack.regulation.profile].room_fen(beside)


async def _move(
    tx: Tx, pack: Pack, change: _Change, outcome: Outcome, texts: dict[str, dict[str, str]], *, room_fen: int | None
) -> str:
    """Move a line's terms, never above its bound: the limit is one change, the rate with the tier another."""
    held, day = change.line, business_date(change.now)
    if change.decision.decided_by is None:
        conduct = await line_review_store.conduct_of(tx, member_id=held.member_id, product=held.product, day=day)
        after = terms_after(policy_on(day), pack, held, outcome, conduct, day=day, room_fen=room_fen)
    else:
        limit = min(outcome.line_fen, most_own_fen(pack, held, room_fen=room_fen))
        after = LineTerms(limit, outcome.rate_e8, outcome.tier or held.tier, outcome.offer_reasons)
    steps = (
        (after.own_fen, held.rate_e8, held.tier, after.reasons),
        (after.own_fen, after.rate_e8, after.tier, RATE_REASONS),
    )
    moved = False
    for own_fen, rate_e8, tier, reasons in steps:
        moved = await set_terms(
            tx,
            member_id=held.member_id,
            product=held.product,
            key=change.decision.key,
            own_fen=own_fen,
            rate_e8=rate_e8,
            tier=tier,
            reasons=reasons,
            words=texts[reasons[0]]["zh"],
            decision_id=change.decision.decision_id,
            by=change.by,
            now=change.now,
        )
    if after.own_fen != held.own_fen:
        return "raised" if after.own_fen > held.own_fen else "lowered"
    return "repriced" if moved and after.rate_e8 != held.rate_e8 else after.held_back or "kept"
