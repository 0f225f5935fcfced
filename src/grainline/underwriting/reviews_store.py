"""SQL of requests that a person look: a queue, the oldest first, each answered once."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from grainline.kit.calendar import business_date
from grainline.kit.db import Tx, record
from grainline.kit.errors import Kind, Refusal
from grainline.underwriting.decisions_store import Decision

# An officer answers within so many days; an open request is listed as late after it.
ANSWER_DAYS = 3
COLUMNS = (
    "member_id, review_id, product, decision_id, asked_by, words, asked_at, answer_by, answered_at, answered_by, answer"
)


class NoReview(Refusal):
    """There is no such request, or it is answered already."""

    code = "no_review"
    kind = Kind.NOT_FOUND


class DecisionSuperseded(Refusal):
    """Another decision on the product stands since: only the newest is put before an officer.

    Kept: an open request has moved to the newest one.
    """

    code = "decision_superseded"
    kind = Kind.CONFLICT
    keep = True


@dataclass(frozen=True)
class Review:
    """A request that a person look at a decision; `answer` is the decision that answered it."""

    member_id: int
    review_id: UUID
    product: str
    decision_id: UUID
    asked_by: str
    words: str
    asked_at: datetime
    answer_by: date
    answered_at: datetime | None
    answered_by: str | None
    answer: UUID | None


async def ask_for_review(
    tx: Tx, decision: Decision, *, review_id: UUID, asked_by: str, words: str, now: datetime
) -> Review:
    """Put a decision before an officer; where a request for the product is open already, it is about this one now."""
    answer_by = business_date(now) + timedelta(days=ANSWER_DAYS)
    await tx.execute(
        "insert into underwriting.reviews"
        " (member_id, review_id, product, decision_id, asked_by, words, asked_at, answer_by)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s)"
        " on conflict (member_id, product) where answered_at is null"
        " do update set decision_id = excluded.decision_id",
        (decision.member_id, review_id, decision.product, decision.decision_id, asked_by, words, now, answer_by),
    )
    found = await open_review(tx, member_id=decision.member_id, product=decision.product)
    if found is None:
        raise RuntimeError("a request that was asked for is not open")
    return found


async def open_review(tx: Tx, *, member_id: int, product: str) -> Review | None:
    """Read a member's open request for a product, or None."""
    row = await (
        await tx.execute(
            f"select {COLUMNS} from underwriting.reviews where member_id = %s and product = %s and answered_at is null",
            (member_id, product),
        )
    ).fetchone()
    return record(Review, row) if row else None


async def open_reviews(tx: Tx, *, limit: int = 100) -> list[Review]:
    """Read the queue, the oldest first."""
    rows = await (
        await tx.execute(
            f"select {COLUMNS} from underwriting.reviews where answered_at is null"
            " order by asked_at, review_id limit %s",
            (limit,),
        )
    ).fetchall()
    return [record(Review, row) for row in rows]


async def review_named(tx: Tx, review_id: UUID) -> Review:
    """Read a request by its id, answered or not; raise NoReview."""
    row = await (
        await tx.execute(f"select {COLUMNS} from underwriting.reviews where review_id = %s", (review_id,))
    ).fetchone()
    if row is None:
        raise NoReview
    return record(Review, row)


async def take_review(tx: Tx, review_id: UUID) -> Review:
    """Read an open request by its id, held until the transaction ends; raise NoReview."""
    row = await (
        await tx.execute(
            f"select {COLUMNS} from underwriting.reviews where review_id = %s and answered_at is null for update",
            (review_id,),
        )
    ).fetchone()
    if row is None:
        raise NoReview
    return record(Review, row)


async def check_newest(tx: Tx, decision: Decision) -> None:
    """Raise DecisionSuperseded for a decision that is not the newest; a request that is open moves to the newest."""
    newer = await _newer_than(tx, decision)
    if newer is None:
        return
    await tx.execute(
        "update underwriting.reviews set decision_id = %s"
        " where member_id = %s and product = %s and answered_at is null",
        (newer, decision.member_id, decision.product),
    )
    raise DecisionSuperseded(newest=str(newer))


async def _newer_than(tx: Tx, decision: Decision) -> UUID | None:
    """Return the newest decision of the member on the product where it is another: decided later, or its override."""
    row = await (
        await tx.execute(
            "select decision_id from underwriting.decisions where member_id = %s and product = %s"
            " and (decided_at > %s or overrides = %s) order by decided_at desc, overrides is null limit 1",
            (decision.member_id, decision.product, decision.decided_at, decision.decision_id),
        )
    ).fetchone()
    return row[0] if row else None


async def settle_review(tx: Tx, review: Review, *, answer: UUID, by: str, now: datetime) -> None:
    """Note how a request was answered."""
    await tx.execute(
        "update underwriting.reviews set answered_at = %s, answered_by = %s, answer = %s"
        " where member_id = %s and review_id = %s",
        (now, by, answer, review.member_id, review.review_id),
    )
