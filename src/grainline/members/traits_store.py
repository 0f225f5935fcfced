"""SQL of sealed national ids read in bulk, for `traits.py` alone."""

from collections.abc import AsyncIterator, Sequence

from grainline.kit.db import Tx

READ_AT_ONCE = 1_000


async def sealed_ids(tx: Tx, member_ids: Sequence[int]) -> AsyncIterator[tuple[int, bytes, bytes]]:
    """Read the number, sealed national id and wrapped key of members, so many at a time; unverified ones have none."""
    for start in range(0, len(member_ids), READ_AT_ONCE):
        cursor = await tx.execute(
            "select member_id, national_id_sealed, wrapped_key from members.members"
            " where member_id = any(%s::bigint[]) and national_id_sealed is not null",
            (list(member_ids[start : start + READ_AT_ONCE]),),
        )
        for row in await cursor.fetchall():
            yield row[0], row[1], row[2]
