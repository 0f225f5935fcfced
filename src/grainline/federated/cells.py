"""Summing ciphertexts by bin with few additions.

Features that go together are summed together: rows are added up by joint cell (a pair of bins, of pairs of bins, …),
and the few cells are then added up by bin. With two features that fill 900 joint cells, 30,000 rows take 29,100 + 1,800
additions, not 60,000. Which features are merged is decided once, on the bins of all rows: always the pair with the
fewest cells, while that saves anything. What nobody needs, above all the largest bin of each feature, is left out on
the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from grainline.federated.binning import Table
from grainline.federated.he import Ciphertext, PublicKey
from grainline.federated.kernel import chosen

Cells = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Merging, and summing by joint cell, must leave at most this share of what went in, or is not worth its bookkeeping.
WORTH = 0.9
# Merges are looked for among this many neighbouring columns, so that their number does not grow with the square of all.
TOGETHER = 32
DENSE_MAX = 2**20


@dataclass(frozen=True)
class Group:
    """One feature, or two groups that are summed together.

    `cells` has the cell of every row; of a merged group, `parts` has for every cell the cells in the two groups below.
    """

    cells: Cells
    count: int
    feature: int = -1
    below: tuple["Group", ...] = ()
    parts: tuple[Cells, ...] = ()


def grouped(table: Table) -> list[Group]:
    """Return the groups that all features of a table are merged into."""
    found = []
    for first in range(0, table.shape[1], TOGETHER):
        features = range(first, min(first + TOGETHER, table.shape[1]))
        singles = [Group(table[:, one].astype(np.int64), int(table[:, one].max()) + 1, one) for one in features]
        found += _merged(singles, len(table))
    return found


def sums_by_bin(
    key: PublicKey, groups: Sequence[Group], rows: Cells, ciphertexts: Sequence[Ciphertext], needed: Sequence[Mask]
) -> dict[int, dict[int, Ciphertext]]:
    """Return by feature and bin the sum of the ciphertexts of some rows, for the bins that are needed and not empty.

    `ciphertexts` has one for each of `rows`; `needed` has for every feature which bins are.
    """
    found: dict[int, dict[int, Ciphertext]] = {}
    for group in groups:
        _descend(key, group, group.cells[rows], ciphertexts, needed, found)
    return found


def _descend(
    key: PublicKey,
    group: Group,
    cells: Cells,
    items: Sequence[Ciphertext],
    needed: Sequence[Mask],
    found: dict[int, dict[int, Ciphertext]],
) -> None:
    wanted = _needed_cells(group, needed)[cells]
    if not wanted.all():
        places = np.flatnonzero(wanted)
        cells, items = cells[places], chosen(items, places)
    occupied = np.bincount(cells, minlength=group.count) > 0
    count = int(np.count_nonzero(occupied))
    if not group.below or count < WORTH * len(cells):
        items = key.totals(items, (np.cumsum(occupied) - 1)[cells], count)
        cells = np.flatnonzero(occupied)
    if not group.below:
        found[group.feature] = dict(zip(cells.tolist(), items, strict=True))
    elif count:
        for part, below in zip(group.parts, group.below, strict=True):
            _descend(key, below, part[cells], items, needed, found)


def _needed_cells(group: Group, needed: Sequence[Mask]) -> Mask:
    if not group.below:
        return needed[group.feature][: group.count]
    wanted = np.zeros(group.count, np.bool_)
    for part, below in zip(group.parts, group.below, strict=True):
        wanted |= _needed_cells(below, needed)[part]
    return wanted


def _merged(groups: list[Group], rows: int) -> list[Group]:
    count_by_pair: dict[tuple[int, int], int] = {}
    open_groups = dict(enumerate(groups))
    following = len(groups)
    while len(open_groups) > 1:
        for pair in combinations(open_groups, 2):
            if pair not in count_by_pair:
                one, other = (open_groups[place] for place in pair)
                count_by_pair[pair] = _occupied(one, other)
        least = min(combinations(open_groups, 2), key=lambda pair: (count_by_pair[pair], pair))
        if count_by_pair[least] >= WORTH * rows:
            break
        open_groups[following] = _merge(open_groups.pop(least[0]), open_groups.pop(least[1]))
        following += 1
    return list(open_groups.values())


def _occupied(one: Group, other: Group) -> int:
    joint = one.cells * other.count + other.cells
    if one.count * other.count <= DENSE_MAX:
        return int(np.count_nonzero(np.bincount(joint, minlength=1)))
    return len(np.unique(joint))


def _merge(one: Group, other: Group) -> Group:
    distinct, cells = np.unique(one.cells * other.count + other.cells, return_inverse=True)
    parts = (distinct // other.count, distinct % other.count)
    return Group(cells.astype(np.int64), len(distinct), below=(one, other), parts=parts)
