"""How each measure is made of entries. A calculation makes several measures at once, over the groups that need any."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from grainline.behaviour import measures as m
from grainline.behaviour.columns import DAY_US, NOBODY, Columns, Floats, Integers
from grainline.behaviour.entries import EDGES_US, RINGS, Entries, over
from grainline.behaviour.measures import Measure
from grainline.behaviour.seen import NIGHT_ENDS


@dataclass(frozen=True)
class Block:
    """Events of whole residents, with what is seen of each: hour and day in Shanghai, and values told of an account."""

    events: Columns
    hour: Integers
    day: Integers
    cure: Floats
    utilisation: Floats


Told = Mapping[Measure, Floats]
Calculation = Callable[[Entries, Block], Told]


def counting(entries: Entries, block: Block) -> Told:
    """Count entries, those at night and on weekends, days and months with any, and days since the last."""
    day, hour = block.day[entries.event], block.hour[entries.event]
    count = entries.sums()
    weekend = (day + 3) % 7 >= 5  # 1970-01-01 was a Thursday; Monday is 0
    age_days = entries.latest(entries.age_us / DAY_US)
    return {
        m.COUNT: count,
        m.NIGHT_SHARE: over(entries.sums(hour < NIGHT_ENDS), count),
        m.WEEKEND_SHARE: over(entries.sums(weekend), count),
        m.ACTIVE_DAYS: _runs(entries, day),
        m.DAYS_SINCE_LAST: age_days,
    }


def months(entries: Entries, block: Block) -> Told:
    """Count the calendar months with any entry."""
    day = block.day[entries.event].astype("datetime64[D]")
    return {m.ACTIVE_MONTHS: _runs(entries, day.astype("datetime64[M]").astype(np.int64))}


def _runs(entries: Entries, value: Integers) -> Floats:
    """Count different values that never go back as time goes on; a window has a value whose last entry lies in it."""
    ends = entries.ends()
    ends[:-1] |= value[1:] != value[:-1]
    return entries.where(ends).sums()


def gaps(entries: Entries, block: Block) -> Told:
    """Tell the gaps between one entry and the next of its cell; a window has a gap that begins in it."""
    follows = np.flatnonzero(~entries.begins())
    begun = np.zeros(len(entries.cell), dtype=np.bool_)
    begun[follows - 1] = True
    days = (entries.age_us[follows - 1] - entries.age_us[follows]) / DAY_US
    _, mean, deviation = moments(entries.where(begun), days)
    return {m.GAP_MEAN: mean, m.GAP_CV: over(deviation, mean)}


def switches(entries: Entries, block: Block) -> Told:
    """Count the entries that are followed by one with another tool; both lie in the window."""
    tool = block.events.tool[entries.event]
    changed = ~entries.ends()
    changed[:-1] &= tool[1:] != tool[:-1]
    return {m.TOOL_SWITCHES: entries.where(changed).sums()}


def moments(entries: Entries, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return sum, mean and standard deviation (of n - 1) of values by window.

    Each ring's own mean is taken off before squaring, and rings are joined as Chan, Golub and LeVeque join samples
    (1979, doi.org/10.1007/978-3-642-51461-6_3): sums of squares of fen would lose what a deviation is made of.
    """
    number, total = entries.rings(), entries.rings(values)
    mean = over(total, number)
    off = values - mean[entries.ring * entries.cells + entries.cell]
    square = entries.shaped(entries.rings(off * off))
    mean = np.nan_to_num(entries.shaped(mean))
    number, total = entries.shaped(number), entries.shaped(total)
    n, centre, squares = number[0].copy(), mean[0].copy(), square[0].copy()
    deviation = np.empty((RINGS, entries.groups, entries.residents))
    for ring in range(RINGS):
        if ring:
            more, apart = number[ring], mean[ring] - centre
            together = n + more
            part = np.divide(more, together, out=np.zeros_like(n), where=together > 0)
            centre, squares = centre + apart * part, squares + square[ring] + apart * apart * n * part
            n = together
        deviation[ring] = np.sqrt(np.divide(squares, n - 1, out=np.full_like(n, np.nan), where=n > 1))
    sums = np.cumsum(total[:RINGS], axis=0)
    return sums, over(sums, np.cumsum(number[:RINGS], axis=0)), deviation


def balances(entries: Entries, block: Block) -> Told:
    """Tell a balance over time: an entry's balance holds until the next entry of its cell, or the moment.

    Time before the first entry is unknown and is left out of means and shares.
    """
    known = entries.where(~np.isnan(block.events.balance[entries.event]))
    value = block.events.balance[known.event]
    until_us = np.zeros(len(known.cell), dtype=np.int64)  # how long ago it ceased to hold
    until_us[:-1] = np.where(known.ends()[:-1], 0, known.age_us[1:])
    first_us = np.zeros(known.cells)
    first_us[known.cell[known.begins()]] = known.age_us[known.begins()]
    mean, held = np.empty((RINGS, known.cells)), np.empty((RINGS, known.cells))
    for ring, edge_us in enumerate(EDGES_US):
        lasted = np.maximum(np.minimum(known.age_us, edge_us) - until_us, 0) / DAY_US
        spanned = np.minimum(first_us, edge_us) / DAY_US
        for told, weight in ((mean, lasted * value), (held, lasted * (value > 0))):
            told[ring] = over(np.bincount(known.cell, weight, minlength=known.cells).astype(np.float64), spanned)
    reaches = np.searchsorted(EDGES_US, until_us, side="right")  # the shortest window in which it still held
    return {
        m.BALANCE_LAST: known.latest(value),
        m.BALANCE_MEAN: known.shaped(mean.reshape(-1)),
        m.BALANCE_MIN: -known.largest(-value, ring=reaches),
        m.BALANCE_MAX: known.largest(value, ring=reaches),
        m.HELD_SHARE: known.shaped(held.reshape(-1)),
    }


@dataclass(frozen=True)
class Spread:
    """Measures of how entries spread over the different values of something; null values are left out."""

    values: Callable[[Block], Integers]
    distinct: Measure | None = None
    new: Measure | None = None
    entropy: Measure | None = None
    top: Measure | None = None

    def __call__(self, entries: Entries, block: Block) -> Told:
        """Count each pair of a cell and a value by window, and tell the pairs of a cell together."""
        value = self.values(block)
        entries = entries.where(value[entries.event] != NOBODY)
        kept, code = np.unique(value[entries.event], return_inverse=True)
        pairs, pair = np.unique(entries.cell * max(len(kept), 1) + code, return_inverse=True)
        cell = pairs // max(len(kept), 1)
        by_pair = Entries(entries.event, pair, entries.ring, entries.age_us, 1, len(pairs))
        found: dict[Measure, Floats] = {}
        latest, earliest = np.full(len(pairs), RINGS), np.full(len(pairs), RINGS)
        latest[pair] = entries.ring  # of entries of one pair the last in time is written last
        earliest[pair[::-1]] = entries.ring[::-1]
        over_cells = Entries(pairs, cell, latest, pairs, entries.groups, entries.residents)
        if self.distinct:
            found[self.distinct] = over_cells.sums()
        if self.new:
            found[self.new] = over_cells.sums(ring=earliest)
        if self.entropy or self.top:
            found |= self._uneven(over_cells, by_pair.sums()[:, 0, :])
        return found

    def _uneven(self, pairs: Entries, counts: Floats) -> dict[Measure, Floats]:
        """Tell entropy and the largest share. Entropy of counts c of n in bits: log n - sum(c log c) / n."""
        shape = (RINGS, pairs.groups, pairs.residents)
        n, logs, top = np.empty(shape), np.empty(shape), np.zeros(shape)
        c_log_c = counts * np.log2(np.maximum(counts, 1))
        for ring in range(RINGS):
            n[ring] = np.bincount(pairs.cell, counts[ring], minlength=pairs.cells).reshape(shape[1:])
            logs[ring] = np.bincount(pairs.cell, c_log_c[ring], minlength=pairs.cells).reshape(shape[1:])
            if self.top:
                np.maximum.at(top[ring].reshape(-1), pairs.cell, counts[ring])
        found: dict[Measure, Floats] = {}
        if self.entropy:
            found[self.entropy] = np.maximum(np.log2(np.maximum(n, 1)) - over(logs, n), 0)
        if self.top:
            found[self.top] = over(top, n)
        return found


@dataclass(frozen=True)
class Values:
    """Measures of a number that entries have; entries without it are left out."""

    values: Callable[[Block], Floats]
    total: Measure | None = None
    mean: Measure | None = None
    largest: Measure | None = None
    deviation: Measure | None = None
    last: Measure | None = None
    positive: Measure | None = None

    def __call__(self, entries: Entries, block: Block) -> Told:
        """Tell sum, mean, largest, deviation, the last one, and the share above nought."""
        value = self.values(block)[entries.event]
        entries, value = entries.where(~np.isnan(value)), value[~np.isnan(value)]
        found: dict[Measure, Floats] = {}
        total, mean, deviation = moments(entries, value)
        for measure, told in ((self.total, total), (self.mean, mean), (self.deviation, deviation)):
            if measure:
                found[measure] = told
        if self.largest:
            found[self.largest] = entries.largest(value)
        if self.positive:
            found[self.positive] = over(entries.sums(value > 0), entries.sums())
        if self.last:
            ring = entries.latest(entries.ring.astype(np.float64))
            inside = ring[None, :, :] <= np.arange(RINGS)[:, None, None]
            found[self.last] = np.where(inside, entries.latest(value)[None, :, :], np.nan)
        return found


# What each calculation can tell; the kernel asks each once, for the groups that need any of it.
CALCULATIONS: tuple[tuple[Calculation, tuple[Measure, ...]], ...] = (
    (counting, (m.COUNT, m.NIGHT_SHARE, m.WEEKEND_SHARE, m.ACTIVE_DAYS, m.DAYS_SINCE_LAST)),
    (months, (m.ACTIVE_MONTHS,)),
    (gaps, (m.GAP_MEAN, m.GAP_CV)),
    (switches, (m.TOOL_SWITCHES,)),
    (balances, (m.BALANCE_LAST, m.BALANCE_MEAN, m.BALANCE_MIN, m.BALANCE_MAX, m.HELD_SHARE)),
    (
        Values(lambda block: block.events.amount, m.AMOUNT_SUM, m.AMOUNT_MEAN, m.AMOUNT_MAX, m.AMOUNT_STD),
        (m.AMOUNT_SUM, m.AMOUNT_MEAN, m.AMOUNT_MAX, m.AMOUNT_STD),
    ),
    (
        Values(
            lambda block: block.events.late,
            mean=m.LATE_MEAN,
            largest=m.LATE_MAX,
            deviation=m.LATE_STD,
            last=m.LATE_LAST,
            positive=m.LATE_SHARE,
        ),
        (m.LATE_MEAN, m.LATE_MAX, m.LATE_STD, m.LATE_LAST, m.LATE_SHARE),
    ),
    (
        Values(lambda block: block.events.balance, mean=m.OWED_MEAN, largest=m.OWED_MAX, last=m.OWED_LAST),
        (m.OWED_MEAN, m.OWED_MAX, m.OWED_LAST),
    ),
    (
        Values(
            lambda block: block.utilisation,
            mean=m.UTILISATION_MEAN,
            largest=m.UTILISATION_MAX,
            last=m.UTILISATION_LAST,
        ),
        (m.UTILISATION_MEAN, m.UTILISATION_MAX, m.UTILISATION_LAST),
    ),
    (Values(lambda block: block.cure, mean=m.CURE_MEAN, largest=m.CURE_MAX), (m.CURE_MEAN, m.CURE_MAX)),
    (
        Spread(lambda block: block.events.counterparty, m.COUNTERPARTIES, m.NEW_COUNTERPARTIES),
        (m.COUNTERPARTIES, m.NEW_COUNTERPARTIES),
    ),
    (
        Spread(lambda block: block.events.counterparty, entropy=m.COUNTERPARTY_ENTROPY, top=m.TOP_COUNTERPARTY),
        (m.COUNTERPARTY_ENTROPY, m.TOP_COUNTERPARTY),
    ),
    (Spread(lambda block: block.events.place, m.PLACES, m.NEW_PLACES), (m.PLACES, m.NEW_PLACES)),
    (Spread(lambda block: block.events.place, entropy=m.PLACE_ENTROPY), (m.PLACE_ENTROPY,)),
    (Spread(lambda block: block.events.device, m.DEVICES, m.NEW_DEVICES), (m.DEVICES, m.NEW_DEVICES)),
    (Spread(lambda block: block.hour, entropy=m.HOUR_ENTROPY), (m.HOUR_ENTROPY,)),
)
