"""The plaintext twin: the same trees without encryption, messages, packing, subtraction or joint cells.

It is the oracle of the tests: all parties' features lie in one place, and every node's sums are made afresh from all of
its rows. What it has in common with guest and hosts is what defines a tree: bins, candidates and what may be told of
them, and how the best split is chosen. So its trees are equal to the federated ones bit for bit, or one of both is
wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grainline.federated.gradients import Mask
from grainline.federated.growing import Features, Gradients, Grown, Rows, may_split
from grainline.federated.model import Condition, HostPart
from grainline.federated.trees import ROOT, Leaf, Rules, Split, best_split, leaf_of


@dataclass
class Twin:
    """Grows trees over the joined features of all parties, the guest's first."""

    parties: Sequence[Features]
    rules: Rules
    smallest_bin: int
    model: bytes
    parts: Sequence[HostPart] = ()

    async def grow(self, number: int, gradients: Gradients, *, alone: bool) -> Grown:
        """Grow a tree level by level."""
        parties = self.parties[:1] if alone else self.parties
        rows = np.arange(len(gradients.active))
        tree: dict[int, Split | Leaf] = {}
        added = np.zeros(len(rows))
        level = {ROOT: (rows, self._told((rows, rows[:0]), gradients, [one.all_told for one in parties]))}
        for depth in range(self.rules.depth):
            following: dict[int, tuple[Rows, list[Mask]]] = {}
            for place, (inside, told) in sorted(level.items()):
                left = self._split(place, inside, told, gradients, tree)
                if left is None:
                    self._end(place, inside, gradients, tree, added)
                    continue
                pair = (inside[left], inside[~left])
                for child, part in zip((2 * place, 2 * place + 1), pair, strict=True):
                    following[child] = (part, [])
                if depth + 1 < self.rules.depth and any(may_split(gradients.total(one), self.rules) for one in pair):
                    for child, part in zip((2 * place, 2 * place + 1), pair, strict=True):
                        following[child] = (part, self._told(pair, gradients, told))
            level = following
        for place, (inside, _) in level.items():
            self._end(place, inside, gradients, tree, added)
        return Grown(tree, added, [len(one.conditions) for one in self.parties])

    async def finish(self, splits: Sequence[int]) -> tuple[Sequence[Condition], Sequence[bytes]]:
        """Cut each party's conditions to so many; return the guest's and the hashes of the hosts' parts."""
        kept = [tuple(one.conditions[:count]) for one, count in zip(self.parties, splits, strict=True)]
        self.parts = [HostPart(self.model, conditions) for conditions in kept[1:]]
        return kept[0], [part.sha256 for part in self.parts]

    def _told(self, pair: tuple[Rows, Rows], gradients: Gradients, before: Sequence[Mask]) -> list[Mask]:
        leaf = self.rules.leaf_rows_min
        return [
            party.told(pair, gradients.active, mask, smallest=self.smallest_bin if index else 1, leaf=leaf)
            for index, (party, mask) in enumerate(zip(self.parties, before, strict=False))
        ]

    def _split(
        self, place: int, rows: Rows, told: Sequence[Mask], gradients: Gradients, tree: dict[int, Split | Leaf]
    ) -> Mask | None:
        sums = [one.sums(rows, gradients, mask) for one, mask in zip(self.parties, told, strict=False)]
        best = best_split(gradients.total(rows), sums, self.rules)
        if best is None:
            return None
        number, left = self.parties[best.party].split(min(best.candidates), rows)
        tree[place] = Split(best.party, number)
        return left

    def _end(
        self, place: int, rows: Rows, gradients: Gradients, tree: dict[int, Split | Leaf], added: np.ndarray
    ) -> None:
        leaf = leaf_of(gradients.total(rows), self.rules)
        tree[place] = leaf
        added[rows] = leaf.weight
