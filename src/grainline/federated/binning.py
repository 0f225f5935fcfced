"""Cutting features into bins, at the party that has them and without the label.

Numbers are cut at quantiles of the rows that are trained on; a column with few values keeps a bin for each. An edge
lies halfway between the two values it parts, and a value on an edge belongs below it. Missing values (null, NaN) have a
bin of their own, the last, and every split says where they go.

A text column is a category. A host has no labels to order categories by, and an order by frequency would mean nothing,
so a split sets one category apart from all others. The most frequent ones keep a bin each, the others share one that is
never set apart; a missing value is a category like any other.

A column that has a single bin is dropped: nothing can be split by it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

BINS_MAX = 255  # a bin is a byte
Table = npt.NDArray[np.uint8]  # (rows, features): the bin of every value
Floats = npt.NDArray[np.float64]


class BadTable(Exception):
    """A party's table that cannot be used; the message names the column."""


@dataclass(frozen=True)
class Cut:
    """How one column is cut. Of numbers: `edges`; of a category: the names by bin, with None for missing."""

    name: str
    edges: tuple[float, ...] = ()
    categories: tuple[str | None, ...] = ()
    is_category: bool = False
    has_missing: bool = False  # of numbers only
    largest: int = 0  # the bin with most rows, the first of several

    @property
    def ordinary(self) -> int:
        """Return how many bins there are besides that of missing numbers and that of all other categories."""
        return len(self.categories) if self.is_category else len(self.edges) + 1


def cut(frame: pl.DataFrame, *, bins: int) -> tuple[list[Cut], Table]:
    """Cut every column into at most so many bins, that of missing values among them; raise BadTable, ValueError.

    Returns the cuts of the columns that are not constant and the bins, of shape (rows, cuts), uint8.
    """
    if not 2 <= bins <= BINS_MAX:
        raise ValueError(f"bins: 2 to {BINS_MAX}")
    cuts, columns = [], []
    for series in frame.iter_columns():
        raw = cut_category(series, bins=bins) if series.dtype == pl.String else cut_numbers(series, bins=bins)
        column = bins_of(raw, series)
        counts = np.bincount(column, minlength=1)
        if np.count_nonzero(counts) > 1:
            cuts.append(Cut(**(vars(raw) | {"largest": int(counts.argmax())})))
            columns.append(column)
    table = np.stack(columns, axis=1) if columns else np.zeros((frame.height, 0), np.uint8)
    return cuts, np.asfortranarray(table)


def cut_numbers(series: pl.Series, *, bins: int) -> Cut:
    """Cut numbers at quantiles; raise BadTable for a column of another type."""
    values = numbers(series)
    known = values[~np.isnan(values)]
    has_missing = len(known) < len(values)
    return Cut(series.name, edges=_edges(known, bins - has_missing), has_missing=has_missing)


def cut_category(series: pl.Series, *, bins: int) -> Cut:
    """Keep the most frequent categories, by name where equally frequent, and leave one bin for all others."""
    counts = series.value_counts().rows()
    ranked = sorted(counts, key=lambda pair: (-pair[1], pair[0] is not None, pair[0] or ""))
    named = ranked if len(ranked) <= bins else ranked[: bins - 1]
    return Cut(series.name, categories=tuple(value for value, _ in named), is_category=True)


def bins_of(cut: Cut, series: pl.Series) -> npt.NDArray[np.uint8]:
    """Return the bin of every value, also of values that were not there when the cut was made."""
    if cut.is_category:
        bin_by_name = {name: place for place, name in enumerate(cut.categories)}
        return np.array([bin_by_name.get(value, len(cut.categories)) for value in series.to_list()], np.uint8)
    values = numbers(series)
    found = np.searchsorted(np.array(cut.edges), values, side="left")
    return np.where(np.isnan(values), cut.ordinary, found).astype(np.uint8)


def numbers(series: pl.Series) -> Floats:
    """Return a column as float64 with NaN for what is missing; raise BadTable."""
    if not (series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)):
        raise BadTable(f"{series.name}: numbers or text are needed, the column has {series.dtype}")
    return series.cast(pl.Float64).fill_null(math.nan).to_numpy().astype(np.float64)


def _edges(known: Floats, bins: int) -> tuple[float, ...]:
    """Return at most bins - 1 edges.

    A bin is full with its share of the rows that are left, or where the next value fills one by itself. So two bins
    hold somebody wherever there are two values.
    """
    values, counts = np.unique(known, return_counts=True)
    if len(values) <= bins:
        return _between(values, range(len(values) - 1))
    places, inside, rows, left = [], 0, int(counts.sum()), bins
    for place, (count, following) in enumerate(pairwise(counts.tolist())):
        if left <= 1:
            break
        inside += count
        if max(inside, following) * left >= rows:
            places.append(place)
            rows, left, inside = rows - inside, left - 1, 0
    return _between(values, places)


def _between(values: Floats, places: Sequence[int]) -> tuple[float, ...]:
    found = []
    for place in places:
        low, high = float(values[place]), float(values[place + 1])
        middle = low + (high - low) / 2
        found.append(middle if low <= middle < high else low)
    return tuple(found)
