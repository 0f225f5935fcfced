"""Events of a block of residents, once for each group they belong to, and sums over them by window.

Windows end at the same moment, so they are nested: an event lies in exactly one ring between two of them. Sums are made
by ring, in the order of time, and then added up from the shortest window on. The order of every sum is thus the same
whoever else is in the block: that is why a batch, one person and Spark agree.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grainline.behaviour.columns import DAY_US, Floats, Integers
from grainline.behaviour.measures import WINDOWS

RINGS = len(WINDOWS)
EDGES_US = np.array(WINDOWS, dtype=np.int64) * DAY_US


def ring_of(age_us: Integers) -> Integers:
    """Return the place of the shortest window that an event of that age lies in; RINGS where it lies in none."""
    return np.searchsorted(EDGES_US, age_us, side="left")


@dataclass(frozen=True)
class Entries:
    """Entries sorted by group, resident and time.

    `event` is the row in the block, `cell` is group x residents + resident.

    Arrays told of entries have the shape (window, group, resident) or (group, resident).
    """

    event: Integers
    cell: Integers
    ring: Integers
    age_us: Integers
    groups: int
    residents: int

    @property
    def cells(self) -> int:
        """Return how many pairs of group and resident there are."""
        return self.groups * self.residents

    def where(self, chosen: NDArray[np.bool_]) -> "Entries":
        """Return the chosen entries, over the same cells."""
        return Entries(
            self.event[chosen], self.cell[chosen], self.ring[chosen], self.age_us[chosen], self.groups, self.residents
        )

    def sums(self, weights: Floats | NDArray[np.bool_] | None = None, *, ring: Integers | None = None) -> Floats:
        """Return sums of weights, or numbers of entries, by window; `ring` overrides where an entry is counted."""
        place = (self.ring if ring is None else ring) * self.cells + self.cell
        rings = np.bincount(place, weights, minlength=(RINGS + 1) * self.cells)[: RINGS * self.cells]
        return np.cumsum(self.shaped(rings.astype(np.float64, copy=False)), axis=0)

    def rings(self, weights: Floats | None = None) -> Floats:
        """Return sums of weights, or numbers of entries, by ring and cell, flat; the last ring is in no window."""
        found = np.bincount(self.ring * self.cells + self.cell, weights, minlength=(RINGS + 1) * self.cells)
        return found.astype(np.float64, copy=False)

    def largest(self, values: Floats, *, ring: Integers | None = None) -> Floats:
        """Return the largest value by window, NaN where there is none."""
        rings = np.full((RINGS + 1) * self.cells, -np.inf)
        np.maximum.at(rings, (self.ring if ring is None else ring) * self.cells + self.cell, values)
        found = np.maximum.accumulate(self.shaped(rings), axis=0)
        found[np.isneginf(found)] = np.nan
        return found

    def latest(self, values: Floats) -> Floats:
        """Return the value of the latest entry of each cell, NaN where there is none, by cell."""
        found = np.full(self.cells, np.nan)
        found[self.cell] = values  # of entries of one cell the last in time is written last
        return found.reshape(self.groups, self.residents)

    def begins(self) -> NDArray[np.bool_]:
        """Return which entries are the first of their cell."""
        found = np.ones(len(self.cell), dtype=np.bool_)
        found[1:] = self.cell[1:] != self.cell[:-1]
        return found

    def ends(self) -> NDArray[np.bool_]:
        """Return which entries are the last of their cell."""
        found = np.ones(len(self.cell), dtype=np.bool_)
        found[:-1] = self.cell[1:] != self.cell[:-1]
        return found

    def shaped(self, rings: Floats) -> Floats:
        """Return the windows of a flat array over rings and cells, in their three dimensions."""
        return rings[: RINGS * self.cells].reshape(RINGS, self.groups, self.residents)


def entries_of(
    inside: NDArray[np.bool_], resident: Integers, age_us: Integers, ring: Integers, residents: int
) -> Entries:
    """Return the entries of events, given which group (rows of `inside`) each event (columns) is in."""
    group, event = np.nonzero(inside)
    return Entries(event, group * residents + resident[event], ring[event], age_us[event], len(inside), residents)


def over(part: Floats, whole: Floats) -> Floats:
    """Divide, NaN where the whole is nought or unknown."""
    found: Floats = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=found, where=whole != 0)
    return found
