"""News for other rooms, written in the transaction that makes it true (transactional outbox).

`topic` says what happened, `payload` holds only what is not personal; a secret part travels sealed. A consumer takes
rows with SKIP LOCKED and a lease, and marks them handled when done: at least once, so consumers are keyed by id.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from psycopg.types.json import Jsonb

from grainline.kit.db import Tx

TAKE: LiteralString = """
    with due as (
        select member_id as m, message_id as i from kit.outbox
        where handled_at is null and try_at <= %(now)s order by try_at limit %(count)s for update skip locked
    )
    update kit.outbox set attempts = attempts + 1, try_at = %(now)s + %(again)s * power(2, least(attempts, 6))
    from due where member_id = due.m and message_id = due.i
    returning member_id, message_id, topic, payload, sealed
"""


@dataclass(frozen=True)
class Message:
    """One piece of news; `sealed` is under the member's key."""

    member_id: int
    message_id: int
    topic: str
    payload: dict[str, str | int | bool | None]
    sealed: bytes | None


async def emit(
    tx: Tx,
    *,
    member_id: int,
    topic: str,
    payload: dict[str, str | int | bool | None],
    now: datetime,
    sealed: bytes | None = None,
) -> None:
    """Write one message in the caller's transaction."""
    await tx.execute(
        "insert into kit.outbox (member_id, topic, payload, sealed, created_at, try_at)"
        " values (%s, %s, %s, %s, %s, %s)",
        (member_id, topic, Jsonb(payload), sealed, now, now),
    )


async def take(tx: Tx, *, now: datetime, count: int, again: timedelta) -> list[Message]:
    """Take up to `count` messages that are due. Taking is a lease: one that is not handled comes back."""
    cursor = await tx.execute(TAKE, {"now": now, "count": count, "again": again})
    return [Message(*row) for row in await cursor.fetchall()]


async def handled(tx: Tx, message: Message, *, now: datetime) -> None:
    """Mark a message done; its secret part is forgotten."""
    await tx.execute(
        "update kit.outbox set handled_at = %s, sealed = null where member_id = %s and message_id = %s",
        (now, message.member_id, message.message_id),
    )
