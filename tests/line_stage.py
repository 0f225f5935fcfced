"""A borrower whose line a review may raise, and what their phone says of it."""

from datetime import date, time, timedelta

from deciding_stage import applicant
from grainline.kit.calendar import at
from grainline.kit.db import transaction
from grainline.lines import set_terms
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
