"""SQL of supplements: one of each kind a member, handed in again only after a refusal."""

from datetime import datetime
from typing import LiteralString

from grainline.invitation.policy import Supplement
from grainline.invitation.supplements import State, Submission
from grainline.kit.db import Tx, record

COLUMNS: LiteralString = (
    "member_id, kind, state, statement_sealed, submitted_at, answer_by, decided_at, decided_by, reason"
)


async def submit(tx: Tx, submission: Submission) -> bool:
    """Insert a submission, or put it in the place of one that was refused; False where there is another."""
    cursor = await tx.execute(
        "insert into invitation.supplements as s (member_id, kind, state, statement_sealed, submitted_at, answer_by)"
        " values (%s, %s, %s, %s, %s, %s) on conflict (member_id, kind) do update set state = excluded.state,"
        " statement_sealed = excluded.statement_sealed, submitted_at = excluded.submitted_at,"
        " answer_by = excluded.answer_by, decided_at = null, decided_by = null, reason = ''"
        " where s.state = 'refused'",
        (
            *(submission.member_id, submission.kind, submission.state),
            *(submission.statement_sealed, submission.submitted_at, submission.answer_by),
        ),
    )
    return cursor.rowcount == 1


async def supplement(tx: Tx, *, member_id: int, kind: Supplement) -> Submission | None:
    """Read a member's submission of a kind, or None."""
    cursor = await tx.execute(
        f"select {COLUMNS} from invitation.supplements where member_id = %s and kind = %s", (member_id, kind)
    )
    row = await cursor.fetchone()
    return record(Submission, row) if row else None


async def supplements_of(tx: Tx, *, member_id: int) -> dict[Supplement, Submission]:
    """Read a member's submissions by kind."""
    cursor = await tx.execute(f"select {COLUMNS} from invitation.supplements where member_id = %s", (member_id,))
    return {found.kind: found for found in [record(Submission, row) for row in await cursor.fetchall()]}


async def supplements_in(tx: Tx, state: State, *, limit: int) -> list[Submission]:
    """Read submissions of a state, those to be answered first at the head."""
    cursor = await tx.execute(
        f"select {COLUMNS} from invitation.supplements where state = %s"
        " order by answer_by, submitted_at, member_id, kind limit %s",
        (state, limit),
    )
    return [record(Submission, row) for row in await cursor.fetchall()]


async def decide(
    tx: Tx, *, member_id: int, kind: Supplement, state: State, decided_by: str, reason: str, now: datetime
) -> bool:
    """Write down an officer's decision; False where nothing waits for one."""
    cursor = await tx.execute(
        "update invitation.supplements set state = %s, decided_by = %s, reason = %s, decided_at = %s"
        " where member_id = %s and kind = %s and state = 'submitted'",
        (state, decided_by, reason, now, member_id, kind),
    )
    return cursor.rowcount == 1
