"""SQL of the watch over models: decisions read in bulk, with what every model said of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grainline.kit.db import Tx
from grainline.underwriting.deciding import Occasion

READ_AT_ONCE = 500
# Sorted as they lie, and each text read once as it comes: `offset 0` keeps the planner from reading it for each column.
SCORED = """
    select d.member_id, d.decision_id, d.decided_at, {features}, i ->> 'model', (o ->> 'pd_e6')::int,
        i ->> 'second', (o ->> 'second_pd_e6')::int, o -> 'shadow_pds_e6'
    from (
        select member_id, decision_id, decided_at, inputs, outcome from underwriting.decisions
        where product = %s and occasion = %s and decided_at >= %s and decided_at < %s and strpos(inputs, %s) > 0
        order by decided_at, decision_id
    ) d cross join lateral (select d.inputs::jsonb as i, d.outcome::jsonb as o offset 0) as told
"""


@dataclass(frozen=True)
class ScoredDecision:
    """A decision with its features, and by model the probability in 10⁻⁶ of each that said one, in whatever role."""

    member_id: int
    decision_id: UUID
    decided_at: datetime
    features: dict[str, float | str | None]
    pds_e6: dict[str, int]


@dataclass(frozen=True)
class Applied:
    """A member's application as it ended: the machine's result, or the officer's who answered it."""

    member_id: int
    decided_at: datetime
    result: str
    pd_e6: int | None


async def scored_decisions(
    tx: Tx,
    *,
    product: str,
    occasion: Occasion,
    since: datetime,
    until: datetime,
    naming: str = "",
    features: bool = True,
) -> AsyncIterator[ScoredDecision]:
    """Read the decisions of a span, the end exclusive, in their order; `naming` one model, or any.

    Without `features` they are left empty, which is much faster.
    """
    read = SCORED.format(features="i -> 'features'" if features else "null::jsonb")
    async with tx.cursor(name="scored_decisions") as cursor:
        cursor.itersize = READ_AT_ONCE
        await cursor.execute(read.encode(), (product, occasion, since, until, naming))
        async for member_id, decision_id, decided_at, told, model, pd, second, second_pd, shadows in cursor:
            said = {**(shadows or {}), second: second_pd, model: pd}
            pds = {sha: one for sha, one in said.items() if sha is not None and one is not None}
            yield ScoredDecision(member_id, decision_id, decided_at, told or {}, pds)


async def last_applications(tx: Tx, *, product: str, since: datetime, until: datetime) -> list[Applied]:
    """Read each member's last application decided in a span, the end exclusive, by member.

    Where an officer answered, the result is theirs and the probability the machine's.
    """
    cursor = await tx.execute(
        "select distinct on (d.member_id) d.member_id, d.decided_at, coalesce(h.result, d.result),"
        " (d.outcome::jsonb ->> 'pd_e6')::int from underwriting.decisions d"
        " left join lateral (select o.result from underwriting.decisions o where o.member_id = d.member_id"
        "   and o.overrides = d.decision_id order by o.decided_at desc limit 1) h on true"
        " where d.product = %s and d.occasion = 'application' and d.decided_at >= %s and d.decided_at < %s"
        " order by d.member_id, d.decided_at desc",
        (product, since, until),
    )
    return [Applied(*row) for row in await cursor.fetchall()]


async def next_applications(tx: Tx, *, product: str, since: datetime) -> dict[int, list[datetime]]:
    """Return when each member who applied since a moment did so, in order."""
    cursor = await tx.execute(
        "select member_id, array_agg(decided_at order by decided_at) from underwriting.decisions"
        " where product = %s and occasion = 'application' and decided_at >= %s group by member_id",
        (product, since),
    )
    return dict(await cursor.fetchall())


async def first_decided_at(tx: Tx, *, product: str) -> datetime | None:
    """Return when the first decision of a product was taken, or None."""
    found = await tx.execute("select min(decided_at) from underwriting.decisions where product = %s", (product,))
    row = await found.fetchone()
    return row[0] if row else None
