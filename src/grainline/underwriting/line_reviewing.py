"""Reviews of lines: taken from their queue, decided with a fresh report of the bureau, and followed.

tx: take with a lease ──▶ tx: can it be decided? consent? ──▶ the bureau is asked ──▶ tx: the line is held; still asked
for? decide, record, change the line, answer what was asked

Where nothing can be decided (the bureau is silent, no model is in force) nothing changes, and it is tried again the
next day; a line whose review breaks is tried again later and later, and holds up no other. All that is asked of a line
when its review begins is answered by one decision; what is asked meanwhile is asked still.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import structlog

from grainline.kit.calendar import at, business_date
from grainline.kit.db import transaction
from grainline.kit.errors import Refusal
from grainline.lines import Cause, Hold, LineState, freeze, line
from grainline.members import ConsentNeeded, Source, standing_consent
from grainline.products import Pack
from grainline.underwriting import line_review_store
from grainline.underwriting.applying import Underwriter, ask_sources, decided
from grainline.underwriting.deciding import Occasion
from grainline.underwriting.federated_asking import Question, questions_about
from grainline.underwriting.federated_inputs import Asked
from grainline.underwriting.line_following import BY, follow_review
from grainline.underwriting.line_review import changed_enough, policy_on
from grainline.underwriting.line_review_store import ReviewRequest
from grainline.underwriting.snapshots import Snapshot

log = structlog.get_logger()

AT_ONCE = 100
LANES = 4
LEASE = timedelta(minutes=10)


async def review_due(by: Underwriter, packs: Mapping[str, Pack], *, now: datetime) -> int:
    """Review every line of which that is asked and due; return how many requests were taken."""
    taken = 0
    lanes = asyncio.Semaphore(LANES)

    async def one(member_id: int, product: str) -> None:
        async with lanes:
            await _try(by, packs, member_id=member_id, product=product, now=now)

    while True:
        async with transaction(by.pool) as tx:
            found = await line_review_store.take(tx, now=now, until=now + LEASE, count=AT_ONCE)
        await asyncio.gather(*(one(*whose) for whose in sorted({(each.member_id, each.product) for each in found})))
        taken += len(found)
        if len(found) < AT_ONCE:
            return taken


async def _try(by: Underwriter, packs: Mapping[str, Pack], *, member_id: int, product: str, now: datetime) -> None:
    """Review a line; where that breaks, or the product's pack is gone, it is tried again later and later."""
    if (pack := packs.get(product)) is None:
        code = "no_pack"
    else:
        try:
            await review_line(by, pack, member_id=member_id, now=now)
            return
        except Exception as error:
            # the kind alone: what an error says may hold what somebody is called or owes
            code = error.code if isinstance(error, Refusal) else type(error).__name__
    log.error("line_review_broken", member_id=member_id, product=product, code=code)
    async with transaction(by.pool) as tx:
        await line_review_store.put_off_broken(tx, member_id=member_id, product=product, now=now)


async def review_line(by: Underwriter, pack: Pack, *, member_id: int, now: datetime) -> None:
    """Review a line if that is asked of it; what cannot be decided now is put off until the next day."""
    product, tomorrow = pack.product.code, at(business_date(now) + timedelta(days=1), time(0))
    try:
        before = await _begin(by, pack, member_id=member_id, now=now)
        if before is not None:
            said = await ask_sources(by, before.questions, member_id=member_id, now=now)
            await _finish(by, pack, before, *said, now=now)
    except ConsentNeeded:  # withdrawn while the bureau was asked
        await _begin(by, pack, member_id=member_id, now=now)
    except Refusal as refusal:
        log.warning("line_review_put_off", member_id=member_id, product=product, code=refusal.code)
        async with transaction(by.pool) as tx:
            asked = await line_review_store.open_requests(tx, member_id=member_id, product=product)
            await line_review_store.put_off(tx, asked, until=tomorrow)


@dataclass(frozen=True)
class _Before:
    """What a review begins with: what is asked of the line, which it answers, and what data parties are asked."""

    member_id: int
    requests: Sequence[ReviewRequest]
    questions: Sequence[Question]


async def _begin(by: Underwriter, pack: Pack, *, member_id: int, now: datetime) -> _Before | None:
    """Look whether there is anything to decide, and whether it may be; without consent the line is frozen."""
    product = pack.product.code
    async with transaction(by.pool) as tx:
        held = await line(tx, member_id=member_id, product=product, lock=True)
        asked = await line_review_store.open_requests(tx, member_id=member_id, product=product)
        if not asked:
            return None
        if held is None or held.state is LineState.CLOSED:
            await line_review_store.settle(tx, asked, result="closed", decision_id=None, now=now)
            return None
        parts = await by.shelf.parts(tx, pack, member_id=member_id, now=now)
        try:
            await standing_consent(tx, member_id=member_id, source=Source.BUREAU)
        except ConsentNeeded:
            await freeze(
                tx,
                member_id=member_id,
                product=product,
                key=f"{asked[0].key}/consent",
                hold=Hold.CONSENT,
                reasons=("consent_missing",),
                by=BY,
                now=now,
            )
            await line_review_store.settle(tx, asked, result="consent_missing", decision_id=None, now=now)
            return None
        return _Before(member_id, asked, await questions_about(tx, by.vault, parts, member_id=member_id))


async def _finish(
    by: Underwriter, pack: Pack, before: _Before, snapshot: Snapshot, said: Mapping[str, Asked], *, now: datetime
) -> None:
    """Decide and follow, under the line's lock: of two reviews at once the second finds nothing asked any more.

    Raises ConsentNeeded where it was withdrawn meanwhile.
    """
    product, member_id = pack.product.code, before.member_id
    async with transaction(by.pool) as tx:
        # the same order as an application and an officer's answer: the member first
        await tx.execute("select from members.members where member_id = %s for no key update", (member_id,))
        held = await line(tx, member_id=member_id, product=product, lock=True)
        still = await line_review_store.open_requests(tx, member_id=member_id, product=product)
        asked = [one for one in before.requests if one in still]
        if held is None or held.state is LineState.CLOSED or not asked:
            return
        await line_review_store.hold_consent(tx, member_id=member_id, source=Source.BUREAU)
        if all(one.cause is Cause.BUREAU for one in asked):
            last = await line_review_store.last_report(tx, member_id=member_id, product=product)
            if not changed_enough(policy_on(business_date(now)), last, snapshot.content):
                await line_review_store.settle(tx, asked, result="nothing_changed", decision_id=None, now=now)
                return
        decision, outcome = await decided(
            tx,
            by,
            pack,
            {Source.BUREAU: snapshot},
            member_id=member_id,
            key=f"review/{product}/{asked[0].key}",
            occasion=Occasion.REVIEW,
            student=await line_review_store.said_student(tx, member_id=member_id, product=product),
            now=now,
            asked=said,
        )
        result = await follow_review(tx, by, pack, held, decision, outcome, now=now)
        await line_review_store.settle(tx, asked, result=result, decision_id=decision.decision_id, now=now)
