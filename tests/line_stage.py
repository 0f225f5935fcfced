"""A borrower whose line a review may raise, reviews of it, and what became of them."""

from datetime import date, datetime, time, timedelta
from typing import Any

from deciding_stage import applicant
from grainline.kit.calendar import at
from grainline.kit.db import transaction
from grainline.lines import Cause, ask_review, set_terms
from grainline.underwriting.line_reviewing import review_due
from stage import Borrower, Stage, new_key

LEAST_FEN = 1_000_000


async def with_room(stage: Stage, *, people: int = 60) -> tuple[Borrower, int]:
    """Someone approved of, who for now holds half of the line that was decided; and that line in fen."""
    for _ in range(people):
        person = await applicant(stage)
        decided = await person.post("/applications", {"student": False}, key=new_key())
        if decided["result"] == "approved" and decided["offer"]["limit_fen"] >= LEAST_FEN:
            whole = decided["offer"]["limit_fen"]
            await hold(stage, person, whole // 2 // 10_000 * 10_000)
            return person, whole
    raise AssertionError(f"none of {people} people was given a line of {LEAST_FEN} fen")


async def hold(stage: Stage, person: Borrower, own_fen: int) -> None:
    """Have an officer set a line's own limit."""
    line = await person.get("/line")
    [(rate_e8,)] = await stage.rows("select rate_e8 from lines.lines where member_id = %s", person.member_id)
    async with transaction(stage.platform.pool) as tx:
        await set_terms(
            tx,
            member_id=person.member_id,
            product=line["product"],
            key=new_key(),
            own_fen=own_fen,
            rate_e8=rate_e8,
            tier=line["tier"],
            reasons=("officer",),
            words=None,
            decision_id=None,
            by="officer",
            now=stage.clock(),
        )


def said(stage: Stage, person: Borrower) -> list[str]:
    """Return what the phone was told, the oldest first."""
    return [message.text for message in reversed(stage.hands.inbox(person.papers.phone, limit=100))]


async def come_to(stage: Stage, day: date) -> None:
    """Let time pass until noon of a day, worked on its last two days: what fell due before is made up for."""
    noon = time(12, 0)
    if stage.today() < day - timedelta(days=1):
        stage.clock.advance_to(at(day - timedelta(days=1), noon))
    await stage.pass_days((day - stage.today()).days)


async def ask(stage: Stage, person: Borrower, cause: Cause = Cause.ASKED, key: str | None = None) -> None:
    """Ask that a line be reviewed."""
    async with transaction(stage.platform.pool) as tx:
        await ask_review(
            tx,
            member_id=person.member_id,
            product="weilidai",
            key=key or f"{cause}/{new_key()}",
            cause=cause,
            now=stage.clock(),
        )


async def review(stage: Stage) -> datetime:
    """Review what is asked and due; return as of when."""
    now = stage.clock()
    await review_due(stage.platform.underwriter, stage.platform.packs, now=now)
    return now


async def results(stage: Stage, person: Borrower) -> list[tuple[Any, ...]]:
    """Return what became of each request, the oldest first."""
    return await stage.rows(
        "select cause, result, decision_id from lines.reviews where member_id = %s order by asked_at", person.member_id
    )


async def kinds(person: Borrower) -> list[str]:
    """Return the kinds of a line's changes, the oldest first."""
    return [item["kind"] for item in reversed((await person.get("/line/history"))["items"])]
