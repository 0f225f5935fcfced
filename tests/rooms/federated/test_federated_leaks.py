"""Nothing leaves: every byte between the parties is recorded, and nothing that was planted may be in it in the clear.

What is looked for is each feature value, threshold, gradient, hessian and packed gradient, as the numbers a program
could write (floats and integers of either byte order, and text), the names of columns, and the labels as bytes, bits
and text.
"""

import asyncio
import os
import struct
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from federated_stage import secret
from two_parties import acquainted, channel_over, port_of

from grainline.federated import messages as says
from grainline.federated.channel import PartyChannel, PartyDeclined
from grainline.federated.gradients import BadSum, Slots, logistic
from grainline.federated.he import BadCiphertext
from grainline.federated.ids import IdKind, row_ids
from grainline.federated.inference import score
from grainline.federated.model import read_host_part
from grainline.federated.party import psi_host, serve
from grainline.federated.party_model import PARTS, PartyTable, directions_host, training_host
from grainline.federated.psi import intersect
from grainline.federated.psi_sets import Sizes
from grainline.federated.session_messages import Answer
from grainline.federated.signed_parts import read_part
from grainline.federated.training import Alignment, Rows, Settings, train
from grainline.federated.transport import connector
from grainline.federated.trees import Rules
from grainline.federated.wire import BadMessage, encode
from wire_recorder import Frame, Recorder

ROWS = 150
PLAN = Settings(trees=2, rules=Rules(depth=3, leaf_rows_min=3), bins=12, smallest_bin=3)


def planted() -> tuple[Rows, list[pl.DataFrame], list[str]]:
    """Values that do not come about by chance, and ids of people."""
    chance = np.random.default_rng(11)
    signal, other = chance.normal(size=(2, ROWS))
    label = signal + other + chance.normal(size=ROWS) / 2 > 0
    hosts = [
        pl.DataFrame({"canary_income": np.round(31_337_000 + signal * 7_777, 3)}),
        pl.DataFrame({"canary_bills": (814_159_265 + other * 1e6).astype(np.int64),
                      "canary_city": np.where(other > 0.5, "Canaryville", "Nightingale")}),
    ]  # fmt: skip
    guest = pl.DataFrame({"canary_limit": np.round(271_828_182 + chance.normal(size=ROWS) * 9_999, 2)})
    return Rows(guest, label), hosts, [f"110101{number:012d}" for number in range(ROWS)]


def spellings(number: float) -> Iterable[bytes]:
    """Every way in which a program could write a number of its own."""
    yield from (struct.pack(">d", number), struct.pack("<d", number), repr(number).encode())
    if float(number).is_integer() and abs(number) > 2**13:
        whole = int(number)
        yield from (struct.pack(">q", whole), struct.pack("<q", whole), str(whole).encode())


def canaries(rows: Rows, hosts: list[pl.DataFrame], base: float, parts: Iterable[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for frame in (rows.frame, *hosts):
        found |= {name.encode() for name in frame.columns}
        for series in frame.iter_columns():
            for value in series.to_list():
                found |= {value.encode()} if isinstance(value, str) else set(spellings(value))
    for part in parts:
        thresholds = (one.threshold for one in read_host_part(part).conditions)
        found |= {written for one in thresholds if one is not None for written in spellings(one)}
    gradient, hessian = logistic(np.full(ROWS, base), rows.label)
    for one in {*gradient.tolist(), *hessian.tolist()}:
        found |= set(spellings(one))
    found |= {written for one in Slots(ROWS).pack(gradient, hessian) for written in spellings(one)}
    chance = 1 / (1 + np.exp(-base))
    found |= {written for one in (chance, chance - 1, chance * (1 - chance), base) for written in spellings(float(one))}
    bits = np.array(rows.label, np.uint8)
    found |= {bits.tobytes(), np.packbits(bits).tobytes(), np.packbits(1 - bits).tobytes()}
    return found | {"".join(map(str, bits.tolist())).encode(), str(rows.label.tolist()).encode()}


@dataclass
class Leaky:
    """A host whose answers pass a function: what it returns is sent."""

    host: object
    change: object

    def answer(self, message):
        return self.change(self.host.answer(message))


@dataclass
class LeakyChannel:
    """A channel whose questions pass a function."""

    channel: PartyChannel
    change: object

    async def ask(self, message):
        return await self.channel.ask(self.change(message))


def as_it_is(message):
    return message


async def everything(folder: Path, recorder: Recorder, change=as_it_is, change_asked=as_it_is):
    """Agree on rows, train, and score all, over mutual TLS with every frame recorded."""
    rows, frames, people = planted()
    lender, parties = acquainted(folder, "payment", "bureau")
    ids = row_ids(IdKind.ANY, people)
    async with AsyncExitStack() as stack:
        connects = []
        for name, identity, frame in zip(("payment", "bureau"), parties, frames, strict=True):
            server = await serve(identity, "127.0.0.1:0", hosts_of(identity, PartyTable(ids, frame), change),
                                 random_bytes=os.urandom, report=lambda *_: None)  # fmt: skip
            stack.callback(server.close)
            connects.append(recorder.around(name, connector(lender, name, port_of(server))))

        def channels():
            made = [channel_over(connect) for connect in connects]
            for one in made:
                stack.callback(one.drop)
            return [LeakyChannel(one, change_asked) for one in made]

        aligning = channels()
        common = await intersect(aligning, ids, os.urandom)
        order = [ids.index(one) for one in common]
        own = Rows(rows.frame[order], rows.label[order])
        used = np.ones(ROWS, np.bool_)
        trained = await train(
            own, [Alignment(one.channel.session, used) for one in aligning], channels(), PLAN,
            secret=secret(), model=os.urandom(16), random_bytes=os.urandom,
        )  # fmt: skip
        scores = await score(trained.part, own.frame, common, channels())
    kept = [(identity.folder / PARTS).glob("*.json") for identity in parties]
    parts = [read_part(file.read_bytes()) for files in kept for file in files]
    return own, [frame[order] for frame in frames], trained, scores, parts


def hosts_of(identity, table: PartyTable, change):
    sizes = Sizes(ids_min=1)
    psi = psi_host(identity, lambda: table.ids, clock=lambda: datetime.now(UTC), runs_per_day=9, sizes=sizes)
    make = training_host(identity, lambda: table)
    return {
        "psi-offer": psi,
        "training-begins": lambda opening: Leaky(make(opening), change),
        "directions-asked": directions_host(identity, lambda _: table, lambda _: lambda applicant, consent: None),
    }


def test_nothing_that_was_planted_is_in_any_byte_and_every_message_is_in_the_schema(tmp_path: Path) -> None:
    recorder = Recorder()
    rows, frames, trained, scores, parts = asyncio.run(everything(tmp_path, recorder))
    assert (scores == trained.scores).all()
    assert {what.party for tree in trained.part.trees for what in tree.values() if hasattr(what, "party")} >= {1, 2}
    planted_here = canaries(rows, frames, trained.part.base, parts)
    assert len(planted_here) > 2 * ROWS
    assert recorder.found(planted_here) == []
    names = {type(one).__name__ for one in recorder.messages()}
    assert names >= {"TrainingBegins", "Gradients", "Sums", "SplitsMade", "Directions", "PsiPoints"}


def test_the_lenders_part_says_nothing_of_the_hosts_and_theirs_nothing_of_labels_or_leaves(tmp_path: Path) -> None:
    _, frames, trained, _, parts = asyncio.run(everything(tmp_path, Recorder()))
    lenders = trained.part.dump()
    assert b"Useless alone" in lenders
    for frame in frames:
        for series in frame.iter_columns():
            assert series.name.encode() not in lenders
            assert not any(repr(value).encode() in lenders for value in set(series.to_list()))
    for part in parts:
        assert b"Useless alone" in part
        assert not any(repr(one.threshold).encode() in lenders for one in read_host_part(part).conditions)
        assert not any(word in part for word in (b"weight", b"base", b"label", b"canary_limit", b"trees"))
        leaves = [what.weight for tree in trained.part.trees for what in tree.values() if hasattr(what, "weight")]
        assert not any(repr(weight).encode() in part for weight in leaves)


def leak_value(answer):
    """Hide a value of the host's in the bits of a split."""
    if isinstance(answer, says.SplitsMade) and answer.numbers:
        return replace(answer, lefts=struct.pack(">d", float(planted()[1][0]["canary_income"][17])) + answer.lefts)
    return answer


def leak_sum(answer):
    """Send a sum back as it is, not encrypted: here a gradient that the host should never have known."""
    if isinstance(answer, says.Sums):
        return replace(answer, ciphertexts=struct.pack(">q", 814_159_265) + answer.ciphertexts)
    return answer


@pytest.mark.parametrize("leak", [leak_value, leak_sum])
def test_a_deliberate_leak_is_caught(tmp_path: Path, leak) -> None:
    """The run itself ends, for the bytes do not fit; and the recorder finds what was planted."""
    recorder = Recorder()
    with pytest.raises((BadMessage, BadCiphertext, BadSum)):
        asyncio.run(everything(tmp_path, recorder, leak))
    value = float(planted()[1][0]["canary_income"][17])
    hidden = {*spellings(value), struct.pack(">q", 814_159_265)}
    assert len(recorder.found(hidden)) == 1


def test_a_leak_that_fits_the_schema_is_caught_too(tmp_path: Path) -> None:
    """A lender that tells who defaulted in the place of whose gradients come: every message is well-formed."""
    recorder, labels = Recorder(), np.packbits(planted()[0].label).tobytes()

    def tell_labels(message):
        return replace(message, active=labels) if isinstance(message, says.TreeBegins) else message

    with pytest.raises(PartyDeclined):
        asyncio.run(everything(tmp_path, recorder, change_asked=tell_labels))
    assert recorder.messages()
    assert len(recorder.found([labels])) == 1


def test_what_is_outside_the_schema_is_no_message() -> None:
    recorder = Recorder([Frame("bureau", "from", b'{"income": 31337}')])
    with pytest.raises(BadMessage):
        recorder.messages()
    inside = Recorder([Frame("bureau", "from", encode(Answer(bytes(16), 1, b"income=31337")))])
    with pytest.raises(BadMessage):
        inside.messages()
