"""People for the whitelist: rows of facts and features, at their best unless a test says otherwise."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl

from grainline.behaviour import Party
from grainline.invitation import Policy, policy_for
from grainline.invitation.policy import Dimension
from grainline.invitation.preconditions import FACTS

MONTH = date(2026, 12, 1)
POLICY = policy_for(MONTH)
SOUND = {
    "real_name": True,
    "born_on": date(1990, 5, 17),
    "student": False,
    "card_bound": True,
    "willingness": False,
    "consent_social": True,
}
SOCIAL = frozenset(POLICY.asked_of(Party.SOCIAL))
COLUMNS = {
    "member_id": pl.Int64(),
    "supplement_e2": pl.Int64(),
    **FACTS,
    **dict.fromkeys(POLICY.features, pl.Float64()),
}


def best(policy: Policy = POLICY) -> dict[str, float]:
    """The value of each feature that is worth all its points, and no negative record."""
    found = {entry.feature: 0.0 for entry in policy.negative}
    for item in policy.item:
        found[item.feature] = max(item.curve, key=lambda knot: knot[1])[0]
    return found


def worst(policy: Policy = POLICY) -> dict[str, float]:
    """The value of each feature that is worth nothing, and no negative record either."""
    found = {entry.feature: 0.0 for entry in policy.negative}
    for item in policy.item:
        found[item.feature] = min(item.curve, key=lambda knot: knot[1])[0]
    return found


def at_best(*dimensions: Dimension) -> dict[str, float]:
    """Features of a person who is at their best in these dimensions, and worth nothing in the others."""
    good, bad = best(), worst()
    there = {item.feature for item in POLICY.item if item.dimension in dimensions}
    return {name: (good if name in there else bad)[name] for name in POLICY.features}


def person(member_id: int = 1, **told: object) -> dict[str, object]:
    """A person of the whitelist whose every feature is at its best, except what is told."""
    return {"member_id": member_id, "supplement_e2": 0, **SOUND, **best(), **told}


def with_features(features: Mapping[str, object], member_id: int = 1, **told: object) -> dict[str, object]:
    """A person with these features instead; names of features have dots and cannot be keywords."""
    return person(member_id, **told) | dict(features)


def near(total_e2: int, member_id: int = 1) -> dict[str, object]:
    """A person of this total, of 55 to 66 points: social and consumption at their best, and savings to the point.

    A point of assets is a fifth of one of the total. Wealth products are good for 25 of them, a money-market balance
    for up to 30.
    """
    features, points_e2 = at_best(Dimension.SOCIAL, Dimension.CONSUMPTION), (total_e2 - 5_500) * 5
    if points_e2 > 3_000:
        features["wealth.balance_mean.180d"] = best()["wealth.balance_mean.180d"]
        points_e2 -= 2_500
    curve = next(item.curve for item in POLICY.item if item.feature == "money_market.balance_mean.180d")
    balances, shares = zip(*curve, strict=True)
    features["money_market.balance_mean.180d"] = float(np.interp(points_e2 / 0.3, shares, balances))
    return with_features(features, member_id)


def people(*rows: Mapping[str, object]) -> pl.DataFrame:
    """These persons as the frame that `judge` takes."""
    return pl.DataFrame(list(rows), schema=COLUMNS)
