"""The ledger's own work: rolling up the house accounts."""

from grainline.kit.db import Pool, single
from grainline.ledger import store


async def roll_up_house(pool: Pool) -> None:
    """Roll the house accounts up to now, in two short transactions: the cut waits for postings, the sum does not."""
    async with single(pool) as tx:
        through = await store.cut(tx)
    async with single(pool) as tx:
        await store.roll_up(tx, through)
