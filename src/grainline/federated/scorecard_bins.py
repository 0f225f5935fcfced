"""Characteristics of a scorecard: how a party's column is parted into bins, none of them small.

Columns are cut as for trees (`binning.py`), without the label. Then every bin with fewer than `smallest` rows is
merged: of numbers with the smaller of its neighbours, missing values with the largest bin, rare categories with each
other. A column that is left with one bin is dropped.

A bin is named by a number. A host draws the order of its features and the numbers of their bins by lot, so that neither
says which feature it is or what is more and what is less.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from grainline.federated.binning import Cut, Table, bins_of, cut, numbers
from grainline.federated.chance import take
from grainline.federated.he import RandomBytes

Codes = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Characteristic:
    """A feature and its `bins`, numbered from 0; number `bins` stands for a value that has none: it is neutral.

    Of numbers: `ranges` has the bin of what is at most each of `edges`, and last of what is above them all. Of a
    category: `names` with the bin of each. `others` is the bin of missing numbers, or of a category not named.
    """

    feature: str
    is_category: bool
    bins: int
    edges: tuple[float, ...]
    names: tuple[str | None, ...]
    ranges: tuple[int, ...]
    others: int

    def codes(self, series: pl.Series) -> Codes:
        """Return the bin of every value; raise BadTable for a column that has no numbers."""
        if self.is_category:
            bin_by_name = dict(zip(self.names, self.ranges, strict=True))
            return np.array([bin_by_name.get(value, self.others) for value in series.to_list()], np.int64)
        values = numbers(series)
        places = np.searchsorted(np.array(self.edges), values, side="left")
        ranges = np.array(self.ranges, np.int64)[np.minimum(places, len(self.edges))]
        return np.where(np.isnan(values), self.others, ranges)

    def renumbered(self, numbers: Sequence[int]) -> "Characteristic":
        """Return the same bins under other numbers."""
        to = [*numbers, self.bins]
        return replace(self, ranges=tuple(to[one] for one in self.ranges), others=to[self.others])


@dataclass(frozen=True)
class Binned:
    """A party's characteristics, and the bins of its rows, of shape (rows, characteristics)."""

    characteristics: Sequence[Characteristic]
    table: Table

    @property
    def counts(self) -> list[Ints]:
        """Return the rows in each bin, by characteristic."""
        pairs = zip(self.characteristics, self.table.T, strict=True)
        return [np.bincount(codes, minlength=one.bins).astype(np.int64) for one, codes in pairs]


def characteristics_of(frame: pl.DataFrame, *, bins: int, smallest: int) -> list[Characteristic]:
    """Cut every column into at most so many bins of at least so many rows; raise BadTable, ValueError."""
    found = []
    for one in cut(frame, bins=bins)[0]:
        counts = np.bincount(bins_of(one, frame[one.name]), minlength=one.ordinary + 1).tolist()
        made = (_of_category if one.is_category else _of_numbers)(one, counts, smallest)
        if made.bins > 1:
            found.append(made)
    return found


def binned(frame: pl.DataFrame, characteristics: Sequence[Characteristic]) -> Binned:
    """Put the rows of a frame into bins."""
    table = np.zeros((frame.height, len(characteristics)), np.uint8, order="F")
    for place, one in enumerate(characteristics):
        table[:, place] = one.codes(frame[one.feature])
    return Binned(characteristics, table)


def shuffled(characteristics: Sequence[Characteristic], random_bytes: RandomBytes) -> list[Characteristic]:
    """Return the characteristics in an order, and their bins under numbers, drawn by lot."""
    order = _order(len(characteristics), random_bytes)
    return [characteristics[one].renumbered(_order(characteristics[one].bins, random_bytes)) for one in order]


def _order(count: int, random_bytes: RandomBytes) -> list[int]:
    keys = np.frombuffer(take(8 * count, random_bytes), np.uint64)
    return [int(one) for one in np.argsort(keys, kind="stable")]


def _of_numbers(one: Cut, counts: list[int], smallest: int) -> Characteristic:
    edges, rows, missing = list(one.edges), counts[: one.ordinary], counts[one.ordinary]
    while len(rows) > 1 and min(rows) < smallest:
        place = rows.index(min(rows))
        into = min((near for near in (place - 1, place + 1) if 0 <= near < len(rows)), key=lambda near: rows[near])
        low = min(place, into)
        rows[low : low + 2] = [rows[low] + rows[low + 1]]
        del edges[low]
    if not missing:
        others, bins = len(rows), len(rows)
    elif missing >= smallest and rows[0] >= smallest:
        others, bins = len(rows), len(rows) + 1
    else:
        others, bins = rows.index(max(rows)), len(rows)
    return Characteristic(one.name, False, bins, tuple(edges), (), tuple(range(len(rows))), others)


def _of_category(one: Cut, counts: list[int], smallest: int) -> Characteristic:
    ranked = sorted(range(one.ordinary), key=lambda place: (-counts[place], place))
    named = [place for place in ranked if counts[place] >= smallest]
    rest = sum(counts) - sum(counts[place] for place in named)
    while named and 0 < rest < smallest:
        rest += counts[named.pop()]
    bins = len(named) + (rest > 0)
    names = tuple(one.categories[place] for place in named)
    return Characteristic(one.name, True, bins, (), names, tuple(range(len(named))), len(named))
