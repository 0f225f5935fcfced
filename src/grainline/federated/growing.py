"""What guest and plaintext twin share: settings, what a grown tree is, and the guest's own features."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from grainline.federated.binning import Cut, Table, cut
from grainline.federated.candidates import Candidates, candidates_of, histogram, tellable
from grainline.federated.gradients import Floats, Ints, Mask
from grainline.federated.model import Condition, condition_of
from grainline.federated.trees import Rules, Sums, Total, Tree

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Gradients:
    """Of every row of the session: whether it counts in this tree, and gradient and hessian if so."""

    active: Mask
    gradient: Ints
    hessian: Ints

    def total(self, rows: Rows) -> Total:
        """Return the sums over some rows."""
        own = rows[self.active[rows]]
        return Total(len(own), int(self.gradient[own].sum()), int(self.hessian[own].sum()))


@dataclass(frozen=True)
class Grown:
    """A tree, what it adds to the score of every row of the session, and how many splits each party has had so far."""

    tree: Tree
    added: Floats
    splits: Sequence[int]


class Grower(Protocol):
    """Grows one tree after the other over the same rows, with hosts or without encryption."""

    async def grow(self, number: int, gradients: Gradients, *, alone: bool) -> Grown:
        """Grow a tree; of the guest's own features only if `alone`."""

    async def finish(self, splits: Sequence[int]) -> tuple[Sequence[Condition], Sequence[bytes]]:
        """Let each party keep so many splits; return the guest's conditions and the hashes of the hosts' parts."""


@dataclass
class Features:
    """One party's features in the clear, cut into bins, and the splits that were chosen of them."""

    cuts: Sequence[Cut]
    table: Table
    candidates: Candidates
    conditions: list[Condition] = field(default_factory=list)

    def told(self, pair: tuple[Rows, Rows], active: Mask, before: Mask, *, smallest: int, leaf: int) -> Mask:
        """Return which candidates are told of in two siblings; see `candidates.tellable`."""
        rows = [one[active[one]] for one in pair]
        counts = (histogram(self.table, rows[0]), histogram(self.table, rows[1]))
        size = (len(rows[0]), len(rows[1]))
        return tellable(self.candidates, before, counts, size, smallest=smallest, leaf=leaf)

    def sums(self, rows: Rows, gradients: Gradients, told: Mask) -> Sums:
        """Return the sums over the left of every candidate, of some rows."""
        own = rows[gradients.active[rows]]
        of_rows = self.candidates.left_sums(histogram(self.table, own))
        gradient = self.candidates.left_sums(histogram(self.table, own, gradients.gradient))
        hessian = self.candidates.left_sums(histogram(self.table, own, gradients.hessian))
        return Sums(told, of_rows, gradient, hessian)

    def split(self, candidate: int, rows: Rows) -> tuple[int, Mask]:
        """Keep a candidate as a split; return its number and which rows go left."""
        what = self.candidates.all[candidate]
        self.conditions.append(condition_of(self.cuts[what.feature], what))
        left = self.candidates.left_bins(what)[self.table[rows, what.feature]]
        return len(self.conditions) - 1, left

    @property
    def all_told(self) -> Mask:
        """Return what is told of before anything is left out."""
        return np.ones(len(self.candidates.all), np.bool_)


def features_of(frame: pl.DataFrame, *, bins: int) -> Features:
    """Cut a party's frame of the session's rows; raise BadTable."""
    cuts, table = cut(frame, bins=bins)
    return Features(cuts, table, candidates_of(cuts))


def may_split(total: Total, rules: Rules) -> bool:
    """Tell whether a node has rows enough for two leaves."""
    return total.rows >= 2 * rules.leaf_rows_min
