"""The snapshots' SQL."""

import json
from datetime import date

from grainline.kit.db import Tx
from grainline.members import Source
from grainline.underwriting.snapshots import Snapshot


async def add_snapshot(tx: Tx, one: Snapshot) -> None:
    """Keep a snapshot; the same one twice is one."""
    await tx.execute(
        "insert into underwriting.snapshots"
        " (member_id, source, taken_at, as_of, content, content_hash, consent, forget_on)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        (
            one.member_id,
            one.source,
            one.taken_at,
            one.as_of,
            one.text,
            one.content_hash,
            one.consent,
            one.forget_on,
        ),
    )


async def newest(tx: Tx, *, member_id: int) -> dict[Source, Snapshot]:
    """Read the newest snapshot of a member from each source."""
    rows = await (
        await tx.execute(
            "select distinct on (source) member_id, source, taken_at, as_of, content, consent, forget_on"
            " from underwriting.snapshots where member_id = %s order by source, taken_at desc",
            (member_id,),
        )
    ).fetchall()
    return {
        Source(row[1]): Snapshot(row[0], Source(row[1]), row[2], row[3], json.loads(row[4]), row[5], row[6])
        for row in rows
    }


async def snapshot_named(tx: Tx, *, member_id: int, content_hash: bytes) -> Snapshot | None:
    """Read a snapshot of a member by the hash of what it holds, or None where it is forgotten."""
    row = await (
        await tx.execute(
            "select member_id, source, taken_at, as_of, content, consent, forget_on from underwriting.snapshots"
            " where member_id = %s and content_hash = %s order by taken_at desc limit 1",
            (member_id, content_hash),
        )
    ).fetchone()
    return None if row is None else Snapshot(row[0], Source(row[1]), row[2], row[3], json.loads(row[4]), *row[5:])


async def forget(tx: Tx, *, today: date) -> int:
    """Forget what has been kept for as long as was consented to; return how many."""
    return (await tx.execute("delete from underwriting.snapshots where forget_on <= %s", (today,))).rowcount


async def cursor(tx: Tx) -> int:
    """Return how far the bureau's changes have been read."""
    row = await (await tx.execute("select cursor from underwriting.bureau_cursor")).fetchone()
    return row[0] if row else 0


async def move_cursor(tx: Tx, to: int) -> None:
    """Note how far they have been read; it never goes back."""
    await tx.execute(
        "insert into underwriting.bureau_cursor (cursor) values (%s) on conflict (one_row)"
        " do update set cursor = greatest(bureau_cursor.cursor, excluded.cursor)",
        (to,),
    )


async def any_snapshot(tx: Tx) -> bool:
    """Tell whether the bureau was ever asked about anybody."""
    asked = await tx.execute("select exists (select from underwriting.snapshots where source = 'bureau')")
    row = await asked.fetchone()
    return bool(row and row[0])
