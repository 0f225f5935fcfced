"""Trees, and how a split is found on exact sums: the same code whether the sums were encrypted or not.

The gain of a split is GL² / (HL + l2) + GR² / (HR + l2) - G² / (H + l2), the weight of a leaf -G / (H + l2), as in
XGBoost (Chen and Guestrin, 2016). Sums are whole numbers below 2**53, so they are exact in float64, and every gain is
computed by the same operations in the same order: two computations of it are equal to the last bit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grainline.federated.gradients import SCALE

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """A node that is parted by a party: 0 is the guest. `number` is the split's in the party's part of the model."""

    party: int
    number: int


@dataclass(frozen=True)
class Leaf:
    """What a row that ends here adds to the score, the learning rate in it, in log-odds."""

    weight: float


# Nodes are numbered from 1; the children of n are 2n, the left, and 2n + 1.
Tree = Mapping[int, Split | Leaf]
ROOT = 1


@dataclass(frozen=True)
class Rules:
    """What a split must keep to, and how leaves weigh."""

    depth: int = 5
    learning_rate: float = 0.1
    l2: float = 1.0
    gain_min: float = 0.0  # a split must gain more
    hessian_min: float = 1.0  # of each child; XGBoost's min_child_weight
    leaf_rows_min: int = 10

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= 10:
            raise ValueError("depth: 1 to 10")
        if self.leaf_rows_min < 1 or self.l2 < 0 or self.gain_min < 0 or self.hessian_min < 0:
            raise ValueError("leaf_rows_min: at least 1; l2, gain_min and hessian_min: not negative")


@dataclass(frozen=True)
class Total:
    """Sums over the rows of a node that have a gradient: their number, gradients and hessians."""

    rows: int
    gradient: int
    hessian: int

    def less(self, other: "Total") -> "Total":
        """Return what is left when some of the rows are taken away."""
        return Total(self.rows - other.rows, self.gradient - other.gradient, self.hessian - other.hessian)


@dataclass(frozen=True)
class Sums:
    """Sums over the left of each candidate of one party, and which of them the party told of."""

    told: Mask
    rows: Ints
    gradient: Ints
    hessian: Ints

    def of_sibling(self, smaller: "Sums") -> "Sums":
        """Return the sums of one child from the parent's (these) and those of the other child."""
        return Sums(
            smaller.told,
            self.rows - smaller.rows,
            self.gradient - smaller.gradient,
            self.hessian - smaller.hessian,
        )

    def at(self, candidate: int) -> Total:
        """Return the sums of one candidate."""
        return Total(int(self.rows[candidate]), int(self.gradient[candidate]), int(self.hessian[candidate]))


@dataclass(frozen=True)
class Best:
    """The best split of a node: whose, and all of the party's candidates that gain as much, in the party's order."""

    party: int
    candidates: tuple[int, ...]
    gain: float


def best_split(total: Total, offers: Sequence[Sums], rules: Rules) -> Best | None:
    """Return the best split of a node among all parties' offers, or None; of equal ones the first party's."""
    best: Best | None = None
    for party, sums in enumerate(offers):
        gain = _gains(total, sums, rules)
        if not len(gain):
            continue
        most = float(gain.max())
        if most > (rules.gain_min if best is None else best.gain):
            best = Best(party, tuple(np.flatnonzero(gain == most).tolist()), most)
    return best


def _gains(total: Total, sums: Sums, rules: Rules) -> Floats:
    """Return the gain of every candidate, minus infinity for what is not allowed."""
    right_rows = total.rows - sums.rows
    left_g, left_h = sums.gradient / SCALE, sums.hessian / SCALE
    right_g, right_h = (total.gradient - sums.gradient) / SCALE, (total.hessian - sums.hessian) / SCALE
    allowed = sums.told & (sums.rows >= rules.leaf_rows_min) & (right_rows >= rules.leaf_rows_min)
    allowed &= (left_h >= rules.hessian_min) & (right_h >= rules.hessian_min)
    allowed &= (left_h + rules.l2 > 0) & (right_h + rules.l2 > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = left_g * left_g / (left_h + rules.l2) + right_g * right_g / (right_h + rules.l2)
    g, h = total.gradient / SCALE, total.hessian / SCALE
    whole = g * g / (h + rules.l2) if h + rules.l2 > 0 else 0.0
    return np.where(allowed, sides - whole, -np.inf)


def leaf_of(total: Total, rules: Rules) -> Leaf:
    """Return the leaf that a node with these sums becomes."""
    denominator = total.hessian / SCALE + rules.l2
    return Leaf(-(total.gradient / SCALE) / denominator * rules.learning_rate if denominator > 0 else 0.0)
