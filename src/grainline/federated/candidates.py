"""The splits a party can offer, which of them it may tell of in a node, and their sums.

A candidate parts the rows of a node by one feature; its **left** is the side that does not hold the feature's largest
bin (of all rows), so that nobody ever needs the sum over that bin: the other side is the node's total less the left.
For numbers the left is what lies up to a threshold, or above it, with the missing values or without; for a category it
is one category, or all others.

**Suppression.** Whoever sees the sums of two neighbouring thresholds sees the sum of what lies between. So a party
tells only of candidates between which, in either of two siblings, there are no rows or at least `smallest`; and of
missing values or a category likewise. What is not told of in a node is not told of below it. The rule looks at one
feature at a time; sums over two features can still be compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from grainline.federated.binning import Cut, Table

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BINS = 256


@dataclass(frozen=True)
class Candidate:
    """One split: the column, the threshold's or category's bin, and which side is the left."""

    feature: int
    bin: int
    is_above: bool  # the left is what lies above the threshold, or is not the category
    missing_left: bool


@dataclass(frozen=True)
class Candidates:
    """All candidates of a party in their canonical order: by feature, bin, where missing values go."""

    cuts: Sequence[Cut]
    all: Sequence[Candidate]
    start: Sequence[int]  # by feature, and the end

    def left_sums(self, histogram: Ints) -> Ints:
        """Return the sum over the left of every candidate, of a histogram of shape (features, BINS)."""
        if not self.all:
            return np.zeros(0, np.int64)
        feature, place, above, missing, category = self._columns
        ordinary = np.array([cut.ordinary for cut in self.cuts])
        below = histogram.cumsum(axis=1)
        features = np.arange(len(self.cuts))
        known = below[features, ordinary - 1]
        gone = np.where([cut.has_missing for cut in self.cuts], histogram[features, np.minimum(ordinary, BINS - 1)], 0)
        part = np.where(category, histogram[feature, place], below[feature, place])
        whole = np.where(category, below[feature, -1], known[feature])
        return np.where(above, whole - part, part) + np.where(missing, gone[feature], 0)

    def left_bins(self, candidate: Candidate) -> Mask:
        """Return for each of the BINS bins whether a candidate sends it left."""
        cut, place = self.cuts[candidate.feature], candidate.bin
        bins = np.arange(BINS)
        if cut.is_category:
            return np.asarray((bins == place) != candidate.is_above)
        left = ((bins <= place) != candidate.is_above) & (bins < cut.ordinary)
        return np.asarray(left | (candidate.missing_left & (bins == cut.ordinary)))

    @cached_property
    def _columns(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Mask, Mask, Mask]:
        feature = np.array([one.feature for one in self.all])
        place = np.array([one.bin for one in self.all])
        above = np.array([one.is_above for one in self.all])
        missing = np.array([one.missing_left for one in self.all])
        return feature, place, above, missing, np.array([self.cuts[one].is_category for one in feature])


def candidates_of(cuts: Sequence[Cut]) -> Candidates:
    """Return every split the cuts allow."""
    found: list[Candidate] = []
    start = [0]
    for feature, cut in enumerate(cuts):
        found += _of_category(feature, cut) if cut.is_category else _of_numbers(feature, cut)
        start.append(len(found))
    return Candidates(cuts, found, start)


def _of_category(feature: int, cut: Cut) -> list[Candidate]:
    places = range(cut.ordinary)
    if cut.ordinary == 2 and cut.largest < 2:  # two of them tell the same
        places = range(1 - cut.largest, 2 - cut.largest)
    return [Candidate(feature, place, is_above=place == cut.largest, missing_left=False) for place in places]


def _of_numbers(feature: int, cut: Cut) -> list[Candidate]:
    found = []
    is_missing_largest = cut.has_missing and cut.largest == cut.ordinary
    for place in range(cut.ordinary - 1):
        above = cut.largest <= place
        found.append(Candidate(feature, place, above, missing_left=False))
        if is_missing_largest:
            found.append(Candidate(feature, place, is_above=True, missing_left=False))
        elif cut.has_missing:
            found.append(Candidate(feature, place, above, missing_left=True))
    if cut.has_missing:  # the missing ones against all others
        found.append(Candidate(feature, cut.ordinary - 1, not is_missing_largest, missing_left=not is_missing_largest))
    return found


def histogram(table: Table, rows: npt.NDArray[np.intp], values: Ints | None = None) -> Ints:
    """Return sums of values (left out: counts) by feature and bin, of shape (features, BINS); exact below 2**53."""
    features = table.shape[1]
    codes = (table[rows].astype(np.int64) + BINS * np.arange(features)).ravel()
    weights = None if values is None else np.repeat(values[rows], features).astype(np.float64)
    sums = np.bincount(codes, weights, minlength=BINS * features)
    return sums.astype(np.int64).reshape(features, BINS)


def tellable(
    candidates: Candidates, before: Mask, pair: tuple[Ints, Ints], rows: tuple[int, int], *, smallest: int, leaf: int
) -> Mask:
    """Return which candidates a party tells of in two siblings, of those it told of in their parent.

    `pair` has their row counts as histograms and `rows` how many rows they have (of a root: the other is empty). Left
    out is what suppression forbids, what tells the same as another, and what would leave a leaf of under `leaf` rows in
    both.
    """
    kept = np.zeros(len(before), np.bool_)
    for feature, cut in enumerate(candidates.cuts):
        span = slice(candidates.start[feature], candidates.start[feature + 1])
        if not before[span].any():
            continue
        offered = [one for one, told in zip(candidates.all[span], before[span], strict=True) if told]
        counts = (pair[0][feature], pair[1][feature])
        stay = (_categories if cut.is_category else _thresholds)(cut, offered, counts, smallest)
        kept[span] = [told and one in stay for one, told in zip(candidates.all[span], before[span], strict=True)]
    useful = np.zeros(len(before), np.bool_)
    for counted, in_all in zip(pair, rows, strict=True):
        left = candidates.left_sums(counted)
        useful |= (left >= leaf) & (in_all - left >= leaf)
    return kept & useful


def _thresholds(cut: Cut, offered: Sequence[Candidate], counts: tuple[Ints, Ints], smallest: int) -> set[Candidate]:
    missing = (int(counts[0][cut.ordinary]), int(counts[1][cut.ordinary])) if cut.has_missing else (0, 0)
    is_apart = any(missing) and _may_show(missing, smallest)
    places = _bounds(cut, offered, counts, (0, 0) if is_apart else missing, smallest)
    known = (int(counts[0][: cut.ordinary].sum()), int(counts[1][: cut.ordinary].sum()))
    stay = set()
    for one in offered:
        is_of_missing = one.missing_left or (cut.largest == cut.ordinary and one.is_above)
        if one.bin == cut.ordinary - 1:
            stay |= {one} if is_apart and _may_show(known, smallest) else set()
        elif one.bin in places and (is_apart or not is_of_missing):
            stay.add(one)
    return stay


def _bounds(
    cut: Cut, offered: Sequence[Candidate], counts: tuple[Ints, Ints], beside: tuple[int, int], smallest: int
) -> set[int]:
    """Return the thresholds between which there is nobody or enough; `beside` are missing values at either end."""
    below = [one[: cut.ordinary].cumsum().tolist() for one in counts]
    bounds: list[tuple[int, int, int]] = []  # a threshold, and the rows up to it in either sibling

    def since(place: int) -> tuple[int, int]:
        _, first, second = bounds[-1] if bounds else (0, 0, 0)
        return below[0][place] - first, below[1][place] - second

    def is_end(rows: tuple[int, int]) -> bool:
        return _may_show((rows[0] + beside[0], rows[1] + beside[1]), smallest)

    for place in sorted({one.bin for one in offered if one.bin < cut.ordinary - 1}):
        rows = since(place)
        if any(rows) and _may_show(rows, smallest) and (bounds or is_end(rows)):
            bounds.append((place, below[0][place], below[1][place]))
    while bounds and not (any(since(-1)) and _may_show(since(-1), smallest) and is_end(since(-1))):
        bounds.pop()
    return {place for place, _, _ in bounds}


def _categories(cut: Cut, offered: Sequence[Candidate], counts: tuple[Ints, Ints], smallest: int) -> set[Candidate]:
    def rows(place: int) -> tuple[int, int]:
        return int(counts[0][place]), int(counts[1][place])

    stay = [one for one in offered if any(rows(one.bin)) and _may_show(rows(one.bin), smallest)]
    stay.sort(key=lambda one: (-sum(rows(one.bin)), one.bin))

    def others() -> tuple[int, int]:
        told = [rows(one.bin) for one in stay]
        return (
            int(counts[0].sum()) - sum(first for first, _ in told),
            int(counts[1].sum()) - sum(second for _, second in told),
        )

    while stay and not _may_show(others(), smallest):
        stay.pop()
    return set(stay)


def _may_show(rows: tuple[int, int], smallest: int) -> bool:
    return all(count == 0 or count >= smallest for count in rows)
