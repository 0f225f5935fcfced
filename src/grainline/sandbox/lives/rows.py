"""Events as arrays, and the frame that a party keeps of them."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from grainline.behaviour.events import COLUMNS, KINDS, SCENES, TOOLS, Party
from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import NONE, Bools, Ints
from grainline.sandbox.lives.calendar_days import DAY_MS
from grainline.sandbox.lives.moments import Block

ALL_SCENES = tuple(sorted({scene for scenes in SCENES.values() for scene in scenes}))
EVENTS_A_RESIDENT = 1 << 20  # event numbers that are kept free for each resident
NUMBERS = ("amount_fen", "balance_fen", "counterparty", "place", "device", "days_late")


@dataclass(frozen=True)
class Rows:
    """Events of one kind. `scene` and `tool` are positions in SCENES[kind] and TOOLS; what is None is null."""

    kind: str
    who: Ints
    at_ms: Ints
    amount_fen: Ints | None = None
    balance_fen: Ints | None = None
    counterparty: Ints | None = None
    scene: Ints | int | None = None
    tool: Ints | None = None
    place: Ints | None = None
    device: Ints | None = None
    days_late: Ints | None = None

    def __len__(self) -> int:
        return len(self.who)

    def scene_codes(self) -> Ints:
        """Return positions in ALL_SCENES, len(ALL_SCENES) for none."""
        if self.scene is None:
            return np.full(len(self), len(ALL_SCENES), dtype=np.int64)
        lookup = np.array([ALL_SCENES.index(name) for name in SCENES[self.kind]], dtype=np.int64)
        return np.broadcast_to(lookup[self.scene], len(self))


def told(block: Block, who: Ints, at_ms: Ints) -> Bools:
    """Return which instants lie within the span and after their resident joined."""
    joined = np.maximum(block.people.joined_day, 0)[who] * DAY_MS
    return (at_ms >= joined) & (at_ms < block.span.days * DAY_MS)


def frame(rng: np.random.Generator, block: Block, party: Party, groups: list[Rows]) -> pl.DataFrame:
    """Return what a party has of a block by the end of the last day, in the form of behaviour/events.py, sorted.

    What it had not learned of by then is not there.
    """
    who = np.concatenate([rows.who for rows in groups])
    at_ms = np.concatenate([rows.at_ms for rows in groups])
    order = _order(block, party, who, at_ms)
    delay_us = _delays_us(rng, party, len(order))
    learned = at_ms[order] * 1_000 + delay_us < block.span.days * DAY_MS * 1_000
    order, delay_us = order[learned], delay_us[learned]
    who, at_us = who[order], block.span.origin_us + at_ms[order] * 1_000
    number, first = block.people.number[who], np.searchsorted(who, np.arange(len(block)))
    kinds = np.repeat([KINDS[party].index(rows.kind) for rows in groups], [len(rows) for rows in groups])
    columns = {
        "event_id": pl.Series(number * EVENTS_A_RESIDENT + np.arange(len(who)) - first[who], dtype=pl.UInt64),
        "resident": pl.Series(number),
        "at": _instants(at_us),
        "ingested_at": _instants(at_us + delay_us),
        "kind": _words(KINDS[party], kinds[order]),
        "scene": _words(ALL_SCENES, np.concatenate([rows.scene_codes() for rows in groups])[order]),
        "tool": _words(TOOLS, _together(groups, "tool", len(TOOLS))[order]),
    }
    for name in NUMBERS:
        columns[name] = _nullable(_together(groups, name, NONE)[order], COLUMNS[name])
    return pl.DataFrame({name: columns[name] for name in COLUMNS})


def _order(block: Block, party: Party, who: Ints, at_ms: Ints) -> Ints:
    """Return the positions of what is told, by resident and time."""
    span_ms = block.span.days * DAY_MS
    # The bureau has known people for longer than the app has, and accounts for longer than the span.
    kept = at_ms < span_ms if party is Party.BUREAU else told(block, who, at_ms)
    order = np.flatnonzero(kept)
    return order[np.lexsort((at_ms[order], who[order]))]


def _together(groups: list[Rows], name: str, missing: int) -> Ints:
    parts = [(getattr(rows, name), len(rows)) for rows in groups]
    return np.concatenate([np.full(n, missing, dtype=np.int64) if given is None else given for given, n in parts])


def _instants(us: Ints) -> pl.Series:
    return pl.Series(us).cast(pl.Datetime("us", "UTC"))


def _words(words: tuple[str, ...], codes: Ints) -> pl.Series:
    """Return words for codes; the code after the last is null."""
    given = pl.Series(codes.astype(np.uint8))
    known = given.set(given == len(words), None)
    return known.cat.to(pl.Enum(list(words))).cast(pl.String())


def _nullable(values: Ints, kind: pl.DataType) -> pl.Series:
    given = pl.Series(values)
    return given.set(given == NONE, None).cast(kind)


def _delays_us(rng: np.random.Generator, party: Party, count: int) -> Ints:
    """Draw how long a party took to learn of each event: most at once, some hours later, a few after days."""
    shares, means = zip(*p.INGESTION[party.value], strict=True)
    mean = np.array(means)[np.searchsorted(np.cumsum(shares)[:-1], rng.random(count))]
    delay: Ints = (np.minimum(rng.exponential(1.0, count) * mean, p.INGESTION_MOST_S) * 1e6).astype(np.int64)
    return delay
