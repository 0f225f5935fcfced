"""Parties in one process whose every message goes through its bytes, and small tables to train on."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import polars as pl
from hypothesis import strategies as st

from grainline.federated.host import Host
from grainline.federated.inference import DirectionsHost, Lookup
from grainline.federated.keys import make_keys
from grainline.federated.model import HostPart
from grainline.federated.training import Alignment, Rows, Settings, Trained, train, train_twin
from grainline.federated.twin import Twin
from grainline.federated.wire import Message, decode, encode

MODEL = b"the model's name"


@cache
def secret():
    """A real key of the smallest size that is allowed; made once."""
    return make_keys("okamoto-uchiyama", 2048, os.urandom)


@dataclass
class Local:
    """A channel into this process."""

    answer: Callable[[Message], Message]
    frames: list[bytes] = field(default_factory=list)

    async def ask(self, message: Message) -> Message:
        asked = encode(message)
        answered = encode(self.answer(decode(asked)))
        self.frames += [asked, answered]
        return decode(answered)


@dataclass
class Parties:
    """Hosts with their frames, the parts that they kept, and ways to ask them."""

    frames: Sequence[pl.DataFrame]
    ids: Sequence[bytes]
    parts: dict[int, HostPart] = field(default_factory=dict)

    def host(self, number: int, random_bytes: Callable[[int], bytes] = os.urandom, checkpoint=None) -> Host:
        def keep(part: HostPart) -> None:
            self.parts[number] = part

        return Host(lambda *_: self.frames[number], keep, random_bytes, checkpoint)

    def training(self) -> list[Local]:
        return [Local(self.host(number).answer) for number in range(len(self.frames))]

    def inference(self) -> list[Local]:
        def channel(number: int) -> Local:
            lookup = Lookup(self.parts[number], self.ids, self.frames[number])
            return Local(DirectionsHost(lambda _: lookup, lambda applicant, consent: None).answer)

        return [channel(number) for number in range(len(self.frames))]


async def federated(rows: Rows, parties: Parties, settings: Settings) -> Trained:
    """Train over real encryption; all rows of the parties are used."""
    used = np.ones(len(rows.label), np.bool_)
    return await train(
        rows,
        [Alignment(bytes(16), used)] * len(parties.frames),
        parties.training(),
        settings,
        secret=secret(),
        model=MODEL,
        random_bytes=os.urandom,
    )


async def twin(rows: Rows, parties: Parties, settings: Settings) -> tuple[Trained, Twin]:
    return await train_twin(rows, parties.frames, settings, model=MODEL)


def ids_of(count: int) -> list[bytes]:
    return [b"%032d" % number for number in range(count)]


@st.composite
def frames(draw, rows: int) -> pl.DataFrame:
    """A frame of one to three columns: numbers with gaps, or a category."""
    columns = {}
    for number in range(draw(st.integers(1, 3))):
        if draw(st.integers(0, 3)) == 0:
            values = st.one_of(st.none(), st.sampled_from(["north", "south", "east", "west"]))
            kind = pl.String
        else:
            values = st.one_of(st.none(), st.integers(-4, 4).map(float), st.floats(-10, 10))
            kind = pl.Float64
        columns[f"f{number}"] = pl.Series(draw(st.lists(values, min_size=rows, max_size=rows)), dtype=kind)
    return pl.DataFrame(columns)


@st.composite
def cases(draw, rows_max: int, hosts_max: int) -> tuple[Rows, list[pl.DataFrame]]:
    """The guest's rows with both classes, and the hosts' frames."""
    rows = draw(st.integers(8, rows_max))
    label = np.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)))
    label[:2] = True, False
    guest = draw(frames(rows)).with_columns(pl.Series("even", [number % 2 for number in range(rows)]))
    return Rows(guest, label), [draw(frames(rows)) for _ in range(draw(st.integers(1, hosts_max)))]
