"""The monthly refresh of the whitelist: judge everybody a chunk at a time, then share the month's capacity out once.

Broken off anywhere and begun again it comes to the same; finished, it changes nothing more. It never looks at lines:
nobody loses a line by it.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import polars as pl

from grainline.invitation import whitelist_store as store
from grainline.invitation.outcomes import judge
from grainline.invitation.policy import Policy, policy_for
from grainline.invitation.standing import CAPACITY_REACHED
from grainline.kit.calendar import add_months, business_date
from grainline.kit.db import Pool, transaction
from grainline.kit.errors import Kind, Refusal

People = Callable[[store.Refresh], AsyncIterator[pl.DataFrame]]


class RefreshedOtherwise(Refusal):
    """The month was refreshed, or began to be, with another policy or capacity."""

    code = "refreshed_otherwise"
    kind = Kind.CONFLICT


async def refresh(
    pool: Pool, people: People, *, month: date, capacity: int | None, as_of: datetime, now: datetime
) -> store.Refresh:
    """Refresh the whitelist of a month and return the refresh, finished.

    `people` is asked for chunks as of the refresh's moment, the one with which it began: `member_id`, the facts of
    `preconditions.FACTS`, and the features of its policy. `capacity` is how many are invited at most, None: everybody
    who qualifies. Raises RefreshedOtherwise.
    """
    policy = policy_for(month)
    wanted = store.Refresh(month, policy.version, capacity, as_of, now, None)
    async with transaction(pool) as tx:
        begun = await store.begin(tx, wanted)
    if (begun.policy, begun.capacity) != (policy.version, capacity):
        raise RefreshedOtherwise(month=month.isoformat(), policy=begun.policy, capacity=begun.capacity)
    if begun.finished_at is not None:
        return begun
    async for chunk in people(begun):
        await _judge(pool, policy, begun, chunk, now=now)
    async with transaction(pool) as tx:
        held = await store.begin(tx, wanted)
        if held.finished_at is not None:
            return held
        expires_on = business_date(begun.as_of) + timedelta(days=policy.valid_days)
        await store.decide(tx, begun, expires_on=expires_on, beyond=CAPACITY_REACHED, now=now)
        return replace(held, finished_at=now)


async def _judge(pool: Pool, policy: Policy, begun: store.Refresh, chunk: pl.DataFrame, *, now: datetime) -> None:
    before = [add_months(begun.month, -back) for back in range(1, policy.delayed.months)]
    async with transaction(pool) as tx:
        held = await store.begin(tx, begun)  # one chunk of a month at a time, whoever works on it
        members = chunk["member_id"].to_list()
        done = await store.judged_already(tx, begun.month, members)
        fresh = chunk.filter(~pl.col("member_id").is_in(list(done)))
        if held.finished_at is not None or fresh.is_empty():
            return
        earlier = await store.earlier_totals(tx, before, members)
        added: Counter[int] = Counter()
        for member_id, kind in await store.supplements_accepted(tx, members, before=begun.as_of):
            added[member_id] += policy.supplements.points_e2[kind]
        extra = [added[member_id] for member_id in fresh["member_id"]]
        judged = judge(policy, fresh.with_columns(supplement_e2=pl.Series(extra, dtype=pl.Int64)), begun.month, earlier)
        await store.add_judged(tx, begun, judged, now=now)
