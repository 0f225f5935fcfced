"""The one kernel: features of any number of residents, from their events.

`compute` is what a batch, one person now and Spark all call. Residents go through in blocks, so memory does not grow
with them, and nothing told of one resident depends on who else is in the block.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grainline.behaviour.calculations import CALCULATIONS, Block, Calculation
from grainline.behaviour.columns import Columns, Floats, Integers, columns_of, microseconds
from grainline.behaviour.entries import entries_of, ring_of
from grainline.behaviour.events import Party
from grainline.behaviour.families import Cell, Feature, Told
from grainline.behaviour.features import features
from grainline.behaviour.groups import Group, membership, vocabulary
from grainline.behaviour.measures import WINDOWS, Measure
from grainline.behaviour.seen import days_to_cure, local_days, local_hours, marks, utilisation
from grainline.behaviour.told import tell_all

BLOCK_RESIDENTS = 1_000
BLOCK_EVENTS = 200_000
PLANS_MAX = 64  # kept


@dataclass(frozen=True)
class Wanted:
    """Where a measure goes: from these windows and groups of a calculation into these rows of the result."""

    measure: Measure
    rows: Integers
    windows: Integers
    groups: Integers


@dataclass(frozen=True)
class Step:
    """One calculation, the groups it needs (as rows of the plan's), and what is wanted of it."""

    calculate: Calculation
    groups: Integers
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True)
class Plan:
    """All that can be said of features, of those asked for and what they are told from, before any event is seen."""

    names: tuple[str, ...]
    groups: tuple[Group, ...]
    inside: NDArray[np.bool_]
    steps: tuple[Step, ...]


def compute(
    events: pl.DataFrame,
    *,
    party: Party,
    as_of: date | datetime,
    known_by: date | datetime,
    names: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Return one row for each resident with an event before `as_of`: `resident`, then the party's features.

    `events` are valid events of the party, in any order; those at or after `as_of`, or ingested after `known_by`,
    change nothing. A business date stands for its first instant in Shanghai. Features are 64-bit floats, null where
    there is nothing to tell. With `names` there are these and no others, in that order and with the same values, and
    what they do not need is not computed. Raises ValueError for a name that is not the party's.
    """
    known = columns_of(events, party=party, as_of=as_of, known_by=known_by)
    planned, moment_us = plan(party, None if names is None else tuple(names)), microseconds(as_of)
    starts = np.flatnonzero(np.diff(known.resident, prepend=known.resident[:1] - 1))
    found = np.full((len(planned.names), len(starts)), np.nan)
    ends = np.append(starts[1:], len(known.resident))
    for first, last in _blocks(starts, ends):
        fill(found[:, first:last], known.part(int(starts[first]), int(ends[last - 1])), party, moment_us, planned)
    tell_all(party, planned.names, found)
    made = _frame(planned.names, known.resident[starts], found)
    return made if names is None else made.select("resident", *names)


def _frame(names: tuple[str, ...], residents: Integers, found: Floats) -> pl.DataFrame:
    """Return the result as a frame. Its columns are slices of one series: making thousands costs more than filling."""
    flat, rows = pl.Series(found.reshape(-1), nan_to_null=True), len(residents)
    columns = (flat.slice(place * rows, rows).alias(name) for place, name in enumerate(names))
    return pl.DataFrame([pl.Series("resident", residents, dtype=pl.Int64), *columns])


def _blocks(starts: Integers, ends: Integers) -> Iterator[tuple[int, int]]:
    """Yield spans of residents, of at most BLOCK_RESIDENTS, and of BLOCK_EVENTS unless one resident has more."""
    first = 0
    while first < len(starts):
        fitting = int(np.searchsorted(ends, starts[first] + BLOCK_EVENTS, side="right"))
        last = max(first + 1, min(fitting, first + BLOCK_RESIDENTS))
        yield first, last
        first = last


def fill(found: Floats, events: Columns, party: Party, moment_us: int, planned: Plan) -> None:
    """Write the planned cell features of a block's residents into the columns of `found`."""
    words = vocabulary(party)
    hour, age_us = local_hours(events.at_us), moment_us - events.at_us
    resident = np.cumsum(np.diff(events.resident, prepend=events.resident[:1]) != 0)
    unknown = np.full(len(resident), np.nan)
    bureau = party is Party.BUREAU
    block = Block(
        events,
        hour,
        local_days(events.at_us),
        days_to_cure(events, words) if bureau else unknown,
        utilisation(events, words) if bureau else unknown,
    )
    code = words.code(events.kind, events.scene, events.tool, marks(events, words, hour))
    inside = planned.inside[:, code]
    ring, residents = ring_of(age_us), found.shape[1]
    for step in planned.steps:
        chosen = inside if len(step.groups) == len(inside) else inside[step.groups]
        told = step.calculate(entries_of(chosen, resident, age_us, ring, residents), block)
        for want in step.wanted:
            values = told[want.measure]
            found[want.rows] = values[want.windows, want.groups] if want.measure.windowed else values[want.groups]


@lru_cache(PLANS_MAX)
def plan(party: Party, names: tuple[str, ...] | None = None) -> Plan:
    """Return what computing features of a party takes: all, or those named and what they are told from.

    Raises ValueError for a name that is not the party's.
    """
    known = features(party) if names is None else needed_for(party, names)
    cells = [(row, one.of) for row, one in enumerate(known) if isinstance(one.of, Cell)]
    groups = tuple(dict.fromkeys(cell.group for _, cell in cells))
    steps = []
    for calculate, measures in CALCULATIONS:
        needed = [(row, cell) for row, cell in cells if cell.measure in measures]
        if not needed:
            continue
        used = sorted({groups.index(cell.group) for _, cell in needed})
        wanted = []
        for measure in measures:
            of = [(row, cell) for row, cell in needed if cell.measure == measure]
            if of:
                windows = [WINDOWS.index(cell.window) if cell.window else 0 for _, cell in of]
                places = [used.index(groups.index(cell.group)) for _, cell in of]
                wanted.append(Wanted(measure, *map(np.array, ([row for row, _ in of], windows, places))))
        steps.append(Step(calculate, np.array(used), tuple(wanted)))
    return Plan(tuple(one.name for one in known), groups, membership(party, groups), tuple(steps))


def needed_for(party: Party, names: Collection[str]) -> tuple[Feature, ...]:
    """Return the features of these names and those they are told from, in the party's order; raise ValueError."""
    known = {one.name: one for one in features(party)}
    if unknown := sorted(set(names) - known.keys()):
        raise ValueError(f"not of {party}: {', '.join(unknown)}")
    needed = set(names)
    for name in names:
        if isinstance(told := known[name].of, Told):
            needed |= {*told.over, *told.under}
    return tuple(one for name, one in known.items() if name in needed)
