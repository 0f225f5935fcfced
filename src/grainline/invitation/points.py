"""The invitation score: what each feature is good for, the four dimensions, and the total.

One computation for any number of people. Everything that is kept is an integer of 10⁻² points; a curve's value is
rounded once per item, half to even, a dimension is the sum of its items, and the total is rounded once, half up.
Who withholds the social consent is not scored on that dimension: the other weights count for the whole.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grainline.invitation.policy import FULL_E2, FULL_E4, Dimension, Item, Policy

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
NOT_SCORED = -1


@dataclass(frozen=True)
class Scores:
    """Points in 10⁻², a row a person: of each of the policy's items, of the four dimensions, and in total.

    A dimension that is not scored, and its items, have NOT_SCORED.
    """

    items: Integers
    dimensions: Integers
    total: Integers

    def __len__(self) -> int:
        """Return how many people there are."""
        return len(self.total)


def score(policy: Policy, values: Floats, *, social: NDArray[np.bool_], supplement_e2: Integers) -> Scores:
    """Score people by their features' values (a row a person, a column an item; NaN where there is nothing to tell).

    `social` says who consents to the social dimension, `supplement_e2` what accepted proofs add to the total.
    """
    items = np.column_stack([_item(item, values[:, place]) for place, item in enumerate(policy.item)])
    scored = np.column_stack(
        [social if dimension is Dimension.SOCIAL else np.ones_like(social) for dimension in Dimension]
    )
    dimensions = np.column_stack(
        [items[:, [item.dimension is dimension for item in policy.item]].sum(axis=1) for dimension in Dimension]
    )
    weights = np.array([policy.weights_e4[dimension] for dimension in Dimension]) * scored
    weighted, whole = (dimensions * weights).sum(axis=1), weights.sum(axis=1)
    total = np.minimum((2 * weighted + whole) // (2 * whole) + supplement_e2, FULL_E2)
    of_items = scored[:, [list(Dimension).index(item.dimension) for item in policy.item]]
    return Scores(np.where(of_items, items, NOT_SCORED), np.where(scored, dimensions, NOT_SCORED), total)


def values_of(policy: Policy, people: pl.DataFrame) -> Floats:
    """Return the items' features of a frame that has them as columns, a row a person, NaN where null."""
    return people.select(
        pl.col(item.feature).cast(pl.Float64).fill_null(float("nan")) for item in policy.item
    ).to_numpy()


def _item(item: Item, values: Floats) -> Integers:
    at, shares = zip(*item.curve, strict=True)
    seen = np.abs(values) if item.of == "distance" else values
    share = np.where(np.isnan(seen), item.missing, np.interp(seen, at, shares))
    return np.rint(share * (item.points * 100 / FULL_E4)).astype(np.int64)
