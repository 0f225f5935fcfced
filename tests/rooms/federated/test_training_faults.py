"""What befalls messages and parties in the middle of a training: it ends in the twin's model, or in none at all.

Over mutual TLS in one process. What a killed process does is in `test_party_whole.py` and `test_party_killed.py`.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from federated_stage import MODEL, secret
from two_parties import Faulty, acquainted, channel_over, port_of

from grainline.federated import messages as says
from grainline.federated.channel import PartyAway, PartyChannel, PartyDeclined, PartyGarbled, Patience
from grainline.federated.identity import Identity
from grainline.federated.ids import IdKind, row_ids
from grainline.federated.party import psi_host, serve
from grainline.federated.party_model import PARTS, PartyTable, training_host
from grainline.federated.psi import intersect
from grainline.federated.psi_sets import Sizes
from grainline.federated.session_messages import Answer, Ask, Declined
from grainline.federated.training import Alignment, Rows, Settings, Trained, train, train_twin
from grainline.federated.transport import connector
from grainline.federated.trees import Rules
from grainline.federated.wire import decode, encode

ROWS = 120
NAMES = ("payment", "bureau")
PLAN = Settings(trees=2, rules=Rules(depth=3, leaf_rows_min=3), bins=8, smallest_bin=3)
IMPATIENT = Patience(silence_s=0.2, away_s=1.0, backoff_s=0.02, backoff_max_s=0.1)
Befall = Callable[[str, int, bytes], list[bytes]]


def tables() -> tuple[Rows, list[pl.DataFrame], list[bytes]]:
    chance = np.random.default_rng(2)
    signal = chance.normal(size=ROWS)
    label = signal + chance.normal(size=ROWS) / 2 > 0
    hosts = [pl.DataFrame({"spent": signal}), pl.DataFrame({"late": signal + chance.normal(size=ROWS)})]
    guest = pl.DataFrame({"age": chance.normal(size=ROWS)})
    return Rows(guest, label), hosts, row_ids(IdKind.ANY, [f"person {number}" for number in range(ROWS)])


@dataclass
class Ran:
    """What a run came to: the model or what it failed with, the twin's model, and the parts that were kept."""

    trained: Trained | None
    wrong: Exception | None
    twin: bytes
    parts: list[Path]
    asked: list[bytes]


def ran(folder: Path, befall: Befall | None = None, *, dies_at: type | None = None, plan: Settings = PLAN) -> Ran:
    """Agree on rows and train; what passes to and from the bureau befalls it, or it goes away at some message."""
    return asyncio.run(_ran(folder, befall, dies_at, plan))


async def _ran(folder: Path, befall: Befall | None, dies_at: type | None, plan: Settings) -> Ran:
    rows, frames, ids = tables()
    lender, parties = acquainted(folder, *NAMES)
    asked: list[bytes] = []
    async with AsyncExitStack() as stack:
        connects, servers = [], []
        for name, identity, frame in zip(NAMES, parties, frames, strict=True):
            table = PartyTable(ids, frame)
            psi = psi_host(identity, lambda: ids, clock=lambda: datetime.now(UTC), runs_per_day=9,
                           sizes=Sizes(ids_min=1))  # fmt: skip
            hosts = {"psi-offer": psi, "training-begins": training_host(identity, lambda table=table: table)}
            server = await serve(identity, "127.0.0.1:0", hosts, random_bytes=os.urandom, report=lambda *_: None)
            stack.callback(server.close)
            servers.append(server)
            connects.append(connector(lender, name, port_of(server)))
        aligning = [channel_over(connect) for connect in connects]
        common = await intersect(aligning, ids, os.urandom)
        order = [ids.index(one) for one in common]
        own = Rows(rows.frame[order], rows.label[order])
        twin, _ = await train_twin(own, [frame[order] for frame in frames], plan, model=MODEL)

        def passing(way: str, count: int, frame: bytes) -> list[bytes]:
            if way == "to":
                asked.append(frame)
            return [frame] if befall is None else befall(way, count, frame)

        faulty = Faulty(connects[1], passing)
        channel = channel_over(faulty, patience=IMPATIENT)
        channels: list[PartyChannel | Dying] = [channel_over(connects[0]), channel]
        if dies_at is not None:
            channels[1] = Dying(channel, dies_at, faulty)
        stack.callback(channel.drop)
        trained, wrong = None, None
        try:
            trained = await train(own, aligned(aligning), channels, plan, secret=secret(), model=MODEL,
                                  random_bytes=os.urandom)  # fmt: skip
        except Exception as error:  # whatever it is, is looked at
            wrong = error
    parts = [file for identity in parties for file in (identity.folder / PARTS).glob("*")]
    return Ran(trained, wrong, twin.part.dump(), parts, asked)


@dataclass
class Dying:
    """A channel to a party that is there until it is to be asked something of a kind, and never again."""

    channel: PartyChannel
    kind: type
    way: Faulty

    async def ask(self, message):
        if isinstance(message, self.kind):
            self.way.fault = lambda way, count, frame: []
        return await self.channel.ask(message)


def aligned(channels: Sequence[PartyChannel]) -> list[Alignment]:
    return [Alignment(channel.session, np.ones(ROWS, np.bool_)) for channel in channels]


def whole(run: Ran) -> None:
    assert run.wrong is None
    assert run.trained is not None
    assert run.trained.part.dump() == run.twin
    assert len(run.parts) == 2


def nothing(run: Ran, wrong: type[Exception]) -> None:
    assert isinstance(run.wrong, wrong), run.wrong
    assert run.trained is None
    assert run.parts == []


def body_of(frame: bytes):
    outer = decode(frame)
    return decode(outer.body) if isinstance(outer, Ask | Answer) else None


ONCE = ("gradients", "sums", "splits")
KIND = {"gradients": says.Gradients, "sums": says.SumsAsked, "splits": says.SplitsChosen}
ANSWER = {"gradients": says.Taken, "sums": says.Sums, "splits": says.SplitsMade}


def once(direction: str, what: str, change: Callable[[bytes], list[bytes]]) -> tuple[Befall, list[bytes]]:
    """Let a change befall the first message of a kind."""
    hit: list[bytes] = []
    kind = (KIND if direction == "to" else ANSWER)[what]

    def befall(way: str, count: int, frame: bytes) -> list[bytes]:
        if way == direction and not hit and isinstance(body_of(frame), kind):
            hit.append(frame)
            return change(frame)
        return [frame]

    return befall, hit


@pytest.mark.parametrize("direction", ["to", "from"])
@pytest.mark.parametrize("what", ONCE)
@pytest.mark.parametrize("fault", ["dropped", "doubled"])
def test_a_message_of_training_that_is_dropped_or_doubled_changes_nothing(
    tmp_path: Path, fault: str, what: str, direction: str
) -> None:
    befall, hit = once(direction, what, lambda frame: [] if fault == "dropped" else [frame, frame])
    whole(ran(tmp_path, befall))
    assert hit


@pytest.mark.parametrize("what", ONCE)
def test_a_message_that_arrives_after_its_successor_changes_nothing(tmp_path: Path, what: str) -> None:
    late: list[bytes] = []

    def befall(way: str, count: int, frame: bytes) -> list[bytes]:
        if way != "to":
            return [frame]
        if not late and isinstance(body_of(frame), KIND[what]):
            late.append(frame)
            return [frame]
        if len(late) == 1:
            late.append(frame)
            return [frame, late[0]]
        return [frame]

    run = ran(tmp_path, befall)
    assert len(late) == 2
    whole(run)


@pytest.mark.parametrize("what", ONCE)
@pytest.mark.parametrize("bytes_left", [-1, 10])
def test_a_question_that_is_cut_off_is_asked_again(tmp_path: Path, what: str, bytes_left: int) -> None:
    befall, hit = once("to", what, lambda frame: [frame[:bytes_left]])
    whole(ran(tmp_path, befall))
    assert hit


@pytest.mark.parametrize("what", ONCE)
@pytest.mark.parametrize("how", ["cut off", "tampered with"])
def test_an_answer_that_is_changed_on_the_way_ends_the_run_without_a_model(tmp_path: Path, what: str, how: str) -> None:
    def change(frame: bytes) -> list[bytes]:
        return [frame[:-1] if how == "cut off" else frame[:20] + bytes((frame[20] ^ 1,)) + frame[21:]]

    befall, hit = once("from", what, change)
    nothing(ran(tmp_path, befall), PartyGarbled)
    assert hit


def test_gradients_that_are_tampered_with_within_the_protocol_are_refused_and_leave_no_model(tmp_path: Path) -> None:
    def change(frame: bytes) -> list[bytes]:
        outer, inner = decode(frame), body_of(frame)
        assert isinstance(outer, Ask)
        bad = says.Gradients(inner.tree, inner.first, b"\xff" * len(inner.ciphertexts))
        return [encode(Ask(outer.session, outer.round, encode(bad)))]

    befall, hit = once("to", "gradients", change)
    nothing(ran(tmp_path, befall), PartyDeclined)
    assert hit


@pytest.mark.parametrize("kind", [says.TrainingBegins, says.Gradients, says.SumsAsked, says.SplitsChosen])
def test_a_party_that_stays_away_in_the_middle_fails_the_run_and_leaves_no_model(tmp_path: Path, kind: type) -> None:
    run = ran(tmp_path, dies_at=kind)
    nothing(run, PartyAway)
    assert isinstance(run.wrong, PartyAway)
    assert run.wrong.params["party"] == "payment"  # the name that `channel_over` gives every channel


def test_a_session_that_was_recorded_and_is_put_again_trains_nothing(tmp_path: Path) -> None:
    first = ran(tmp_path / "first")
    whole(first)

    async def replayed() -> list[object]:
        """Say it all again to the same party, over a new connection of the same lender."""
        lender, party = (Identity(tmp_path / "first" / name) for name in ("lender", "bureau"))
        frame = tables()[1][1]
        table = PartyTable(tables()[2], frame)
        hosts = {"training-begins": training_host(party, lambda: table)}
        server = await serve(party, "127.0.0.1:0", hosts, random_bytes=os.urandom, report=lambda *_: None)
        try:
            link = await connector(lender, "bureau", port_of(server))()
            answers = []
            for one in first.asked:
                await link.send(one)
                answers.append(decode(await link.receive()))
            link.close()
            return answers
        finally:
            server.close()

    answers = asyncio.run(replayed())
    *earlier, last = answers
    assert {(type(one), one.code) for one in earlier} == {(Declined, "session_replayed")}
    assert len(earlier) == len(first.asked) - 1 > 8
    assert isinstance(last, Answer)  # the last round is answered again, as it was: nothing is worked out anew
    assert isinstance(decode(last.body), says.PartKept)
