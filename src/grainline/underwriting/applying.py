"""An application: may it be made, what does the bureau say, what is decided, and what follows from it.

tx: known key? invited, named, carded, consenting, no line yet ──▶ the bureau is asked, and beside it the data parties
where a model needs them ──▶ tx: decide, record, open the line or queue it for an officer, tell the member
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from grainline.kit import outbox
from grainline.kit.calendar import business_date
from grainline.kit.db import Pool, Tx, transaction
from grainline.kit.errors import Kind, Refusal
from grainline.kit.money import Fen, RateE8
from grainline.kit.sealing import Vault
from grainline.kit.web import KeyReused
from grainline.lines import lines_of, open_line
from grainline.members import IdentityNeeded, Source, consents_of, member_of, standing_consent, usual_card
from grainline.partners.bureau import Bureau
from grainline.products import Pack
from grainline.products.profile import Profile
from grainline.underwriting.asking import ask_bureau
from grainline.underwriting.deciding import Inputs, Occasion, Outcome, Verdict, decide_on
from grainline.underwriting.decisions_store import Decision, add_decision, decision_by_key, decisions_of
from grainline.underwriting.federated_asking import DataParties, Question, ask_parties, questions_about
from grainline.underwriting.federated_choice import with_federated
from grainline.underwriting.federated_inputs import Asked
from grainline.underwriting.gathering import Known, age_of, gather
from grainline.underwriting.reviews_store import ask_for_review, open_review
from grainline.underwriting.service import CardNeeded, NotInvited, standing_of
from grainline.underwriting.shelf import Shelf
from grainline.underwriting.snapshots import Snapshot

# Who was declined may apply again after so long, whether by a rule or by a person.
AGAIN_AFTER = timedelta(days=1)


class LineExists(Refusal):
    """There is a line with this product already; a review changes it, not an application."""

    code = "line_exists"
    kind = Kind.CONFLICT


class AppliedLately(Refusal):
    """Declined not long ago."""

    code = "applied_lately"
    kind = Kind.THROTTLED


class ReviewPending(Refusal):
    """An officer is to look at the last decision, because a rule or the member asked."""

    code = "review_pending"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class Underwriter:
    """What deciding needs beside a transaction: partners, artefacts, profiles, and ids and ticks (ns) from the edge.

    `parties` is None where no data party can be reached: a federated model then has no score.
    """

    pool: Pool
    vault: Vault
    bureau: Bureau
    shelf: Shelf
    profiles: Mapping[str, Profile]
    new_id: Callable[[], UUID]
    ticks: Callable[[], int]
    parties: DataParties | None = None


async def apply(
    by: Underwriter, pack: Pack, *, member_id: int, key: str, student: bool, now: datetime
) -> tuple[Decision, Outcome]:
    """Decide on a member's application for a product's line; under the same key the same decision comes back.

    Raises NotInvited, IdentityNeeded, CardNeeded, ConsentNeeded, LineExists, AppliedLately, ReviewPending, KeyReused,
    PartnerUnavailable where the bureau did not answer (nothing is decided then), and what `decide_on` raises.
    """
    key = f"{Occasion.APPLICATION}/{key}"  # apart from the keys of our own decisions, whatever a client sends
    async with transaction(by.pool) as tx:
        known = await _known(tx, pack, member_id=member_id, key=key, student=student)
        if known is None:
            await _check(tx, pack, member_id=member_id, now=now)
            parts = await by.shelf.parts(tx, pack, member_id=member_id, now=now)
            questions = await questions_about(tx, by.vault, parts, member_id=member_id)
    if known is not None:
        return known, known.read_outcome()
    snapshot, asked = await ask_sources(by, questions, member_id=member_id, now=now)
    async with transaction(by.pool) as tx:
        # Of two applications at once the second waits here, and finds what the first decided.
        await tx.execute("select from members.members where member_id = %s for no key update", (member_id,))
        if (known := await _known(tx, pack, member_id=member_id, key=key, student=student)) is not None:
            return known, known.read_outcome()
        # Of what was checked before the bureau was asked only this may have changed for the worse.
        await _check_open(tx, pack, member_id=member_id, now=now)
        await standing_consent(tx, member_id=member_id, source=Source.BUREAU)
        decision, outcome = await decided(
            tx,
            by,
            pack,
            {Source.BUREAU: snapshot},
            member_id=member_id,
            key=key,
            occasion=Occasion.APPLICATION,
            student=student,
            now=now,
            asked=asked,
        )
        await _follow(tx, by, pack, decision, outcome, now=now)
    return decision, outcome


async def ask_sources(
    by: Underwriter, questions: Sequence[Question], *, member_id: int, now: datetime
) -> tuple[Snapshot, dict[str, Asked]]:
    """Ask the bureau and the data parties at once; raise as `ask_bureau`, and then nobody is waited for."""
    asking = asyncio.ensure_future(ask_parties(by.parties, questions))
    try:
        snapshot = await ask_bureau(by.pool, by.vault, by.bureau, member_id=member_id, now=now)
    except BaseException:
        asking.cancel()
        raise
    return snapshot, await asking


async def decided(
    tx: Tx,
    by: Underwriter,
    pack: Pack,
    snapshots: Mapping[Source, Snapshot],
    *,
    member_id: int,
    key: str,
    occasion: Occasion,
    student: bool,
    now: datetime,
    asked: Mapping[str, Asked] | None = None,
) -> tuple[Decision, Outcome]:
    """Gather, decide and record; what follows from it is the caller's.

    `asked` is what the data parties said, by model; without it their models have no score.
    """
    started = by.ticks()
    named = await by.shelf.in_force(tx, pack, member_id=member_id, now=now)
    held = await lines_of(tx, member_id=member_id)
    invited = (
        pack.product.code in held
        or (await standing_of(tx, pack, member_id=member_id, today=business_date(now))).invited
    )
    known = Known(
        snapshots,
        await consents_of(tx, member_id=member_id),
        held,
        age=await age_of(tx, by.vault, member_id=member_id, now=now),
        student=student,
        invited=invited,
    )
    inputs = gather(named, by.profiles[pack.regulation.profile], known, occasion=occasion, now=now)
    artefacts, inputs = with_federated(named.artefacts, inputs, named.own, asked or {}, known.consents)
    outcome = decide_on(artefacts, inputs)
    decision = _recorded(by, inputs, outcome, member_id=member_id, key=key, now=now, started=started)
    await add_decision(tx, decision)
    return decision, outcome


def _recorded(
    by: Underwriter, inputs: Inputs, outcome: Outcome, *, member_id: int, key: str, now: datetime, started: int
) -> Decision:
    return Decision(
        member_id=member_id,
        decision_id=by.new_id(),
        product=inputs.product,
        occasion=inputs.occasion,
        key=key,
        inputs=inputs.text(),
        outcome=outcome.text(),
        overrides=None,
        decided_by=None,
        decided_at=now,
        latency_us=(by.ticks() - started) // 1_000,
    )


async def _known(tx: Tx, pack: Pack, *, member_id: int, key: str, student: bool) -> Decision | None:
    """Return what was decided under this key; raise KeyReused where something else was asked for then."""
    known = await decision_by_key(tx, member_id=member_id, key=key)
    if known is not None:
        said = known.read_inputs().facts.get("student")
        if (known.product, said) != (pack.product.code, "yes" if student else "no"):
            raise KeyReused
    return known


async def _check(tx: Tx, pack: Pack, *, member_id: int, now: datetime) -> None:
    """Refuse what need not be decided."""
    await _check_open(tx, pack, member_id=member_id, now=now)
    if (await member_of(tx, member_id)).verified_at is None:
        raise IdentityNeeded
    if await usual_card(tx, member_id) is None:
        raise CardNeeded
    place = await standing_of(tx, pack, member_id=member_id, today=business_date(now))
    if not place.invited:
        raise NotInvited(next_evaluation_on=place.next_evaluation_on.isoformat())
    await standing_consent(tx, member_id=member_id, source=Source.BUREAU)


async def _check_open(tx: Tx, pack: Pack, *, member_id: int, now: datetime) -> None:
    """Refuse what is decided already, by a line or by a decision that stands for now."""
    product = pack.product.code
    if product in await lines_of(tx, member_id=member_id):
        raise LineExists(product=product)
    if await open_review(tx, member_id=member_id, product=product) is not None:
        raise ReviewPending
    last = await decisions_of(tx, member_id=member_id, product=product, limit=1)
    if not last:
        return
    if last[0].read_outcome().result is Verdict.DECLINED and now < last[0].decided_at + AGAIN_AFTER:
        raise AppliedLately(again_at=(last[0].decided_at + AGAIN_AFTER).isoformat())


async def _follow(tx: Tx, by: Underwriter, pack: Pack, decision: Decision, outcome: Outcome, *, now: datetime) -> None:
    """Open the line, ask for an officer, or leave it; and tell the member."""
    member_id, product = decision.member_id, pack.product.code
    if outcome.result is Verdict.APPROVED:
        await open_approved(tx, pack, decision, outcome, now=now)
        return
    if outcome.result is Verdict.REVIEW:
        await ask_for_review(tx, decision, review_id=by.new_id(), asked_by="rule", words="", now=now)
    topic = "application.review" if outcome.result is Verdict.REVIEW else "application.declined"
    await outbox.emit(tx, member_id=member_id, topic=topic, payload={"product": product}, now=now)


async def open_approved(tx: Tx, pack: Pack, decision: Decision, outcome: Outcome, *, now: datetime) -> None:
    """Open the line that was approved, and tell the member."""
    assert outcome.tier is not None  # noqa: S101  # what is approved has one
    await open_line(
        tx,
        member_id=decision.member_id,
        product=pack.product.code,
        tier=outcome.tier,
        limit_fen=Fen(outcome.line_fen),
        rate_e8=RateE8(outcome.rate_e8),
        reasons=outcome.offer_reasons,
        now=now,
        decision_id=decision.decision_id,
        by=decision.decided_by or "platform",
    )
    told: dict[str, str | int | bool | None] = {
        "product": pack.product.code,
        "limit_fen": outcome.line_fen,
        "rate_e8": outcome.rate_e8,
    }
    await outbox.emit(tx, member_id=decision.member_id, topic="line.opened", payload=told, now=now)
