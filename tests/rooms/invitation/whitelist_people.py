"""People for a refresh of the whitelist, each item of the policy at its best or worst, and the refresh itself."""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import date, datetime
from itertools import count
from typing import Any

import polars as pl

from grainline.invitation import Policy, Refresh, policy_for, refresh
from grainline.invitation.policy import Dimension, Item
from grainline.invitation.preconditions import FACTS
from grainline.kit.calendar import add_months
from stage import Stage

_months = count(1)
GOOD_FACTS = {
    "real_name": True,
    "born_on": date(1990, 5, 1),
    "student": False,
    "card_bound": True,
    "willingness": False,
    "consent_social": True,
}


def end_of_curve(item: Item, *, best: bool) -> float:
    """The value of an item that is worth all of its points, or the fewest."""
    return (max if best else min)(item.curve, key=lambda knot: knot[1])[0]


def somebody(policy: Policy, member_id: int, weak: Collection[Dimension] = (), **told: object) -> dict[str, Any]:
    """One person's row: full marks but in the weak dimensions, where nothing but nought; `told` facts differ."""
    values = {item.feature: end_of_curve(item, best=item.dimension not in weak) for item in policy.item}
    records = {entry.feature: 0.0 for entry in policy.negative}
    facts = GOOD_FACTS | {name: told[name] for name in GOOD_FACTS if name in told}
    row = {"member_id": member_id, **records, **values, **facts}
    if not facts["consent_social"]:  # a party tells nothing of who does not consent
        row |= {item.feature: None for item in policy.item if item.dimension is Dimension.SOCIAL}
    return row | told.get("values", {})  # type: ignore[operator]


def frame(policy: Policy, *rows: Mapping[str, object]) -> pl.DataFrame:
    """The frame that a refresh is given."""
    numbers = dict.fromkeys(policy.features, pl.Float64())
    return pl.DataFrame(list(rows), schema={"member_id": pl.Int64(), **FACTS, **numbers})


async def whitelist(
    stage: Stage, *rows: Mapping[str, object], as_of: datetime | None = None, capacity: int | None = None
) -> Refresh:
    """Refresh a month that no other test has met, and none before, with these people."""
    now = stage.clock()
    month = add_months(date(2020, 1, 1), next(_months))

    async def people(_: Refresh) -> AsyncIterator[pl.DataFrame]:
        yield frame(policy_for(month), *rows)

    return await refresh(stage.platform.pool, people, month=month, capacity=capacity, as_of=as_of or now, now=now)
