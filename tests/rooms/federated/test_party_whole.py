"""Lender, payment platform and bureau as processes: whom they share, a model, an applicant, and nothing in the clear.

The parties are run by `grainline party serve` on tables with canaries. The bureau is killed in the middle of a tree.
"""

import asyncio
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from grainline.entry.federated_tables import read_table
from grainline.federated import messages as says
from grainline.federated.channel import PartyChannel, PartyDeclined, Patience
from grainline.federated.consent import Consent, sign
from grainline.federated.identity import Identity, Role, consent_signer, keep_consent_key, make_identity, trust
from grainline.federated.inference import score
from grainline.federated.keys import make_keys
from grainline.federated.psi import intersect
from grainline.federated.session_messages import Ask
from grainline.federated.training import Alignment, Rows, Settings, Trained, train, train_twin
from grainline.federated.transport import Connect, Link, connector
from grainline.federated.trees import Rules
from grainline.federated.wire import Message, decode, encode
from wire_recorder import Recorder

PARTIES = ("payment", "bureau")
SETTINGS = Settings(trees=3, rules=Rules(depth=3, leaf_rows_min=3), bins=8, smallest_bin=3)
MODEL = b"whole, and tried"
PATIENT = Patience(silence_s=5.0, away_s=120.0, backoff_s=0.1, backoff_max_s=0.5)
CANARY = "CANARY-OF-A-CITY"


def tables() -> dict[str, pl.DataFrame]:
    """Return the tables of three who each know people the others do not; every value of a host is a canary."""
    chance = np.random.default_rng(7)
    rows = 260
    hidden = chance.normal(size=rows)
    people = pl.Series([f"person-{number:05d}" for number in range(rows)])
    whole = {
        "lender": pl.DataFrame({"id": people, "age": chance.normal(size=rows)}),
        "payment": pl.DataFrame(
            {
                "id": people,
                "spending": hidden + chance.normal(size=rows),
                "city": [CANARY if one else "elsewhere" for one in chance.random(rows) < 0.4],
            }
        ),
        "bureau": pl.DataFrame({"id": people, "late": 1234.5678 + hidden + chance.normal(size=rows) / 2}),
    }
    label = (hidden + chance.normal(size=rows) / 3 > 0.3).astype(np.float64)
    whole["lender"] = whole["lender"].with_columns(label=label)
    return {name: frame[start : start + 220].sample(fraction=1.0, shuffle=True, seed=1) for (name, frame), start in
            zip(whole.items(), (0, 20, 40), strict=True)}  # fmt: skip


@dataclass
class Party:
    """A party's process, which is started again on the same port."""

    identity: Identity
    role: str
    table: Path
    address: str = "127.0.0.1:0"
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        words = ["party", "serve", "--role", self.role, "--data", str(self.identity.folder), "--listen", self.address]
        command = [sys.executable, "-c", "from grainline.entry.cli import app; app()", *words]
        self.process = subprocess.Popen([*command, "--table", str(self.table)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = json.loads(self.process.stdout.readline())["listening"]

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@dataclass
class Stage:
    lender: Identity
    parties: dict[str, Party]
    recorder: Recorder = field(default_factory=Recorder)

    def channel(self, name: str, wrap=lambda connect: connect) -> PartyChannel:
        connect = connector(self.lender, name, self.parties[name].address)
        return PartyChannel(name, wrap(self.recorder.around(name, connect)), os.urandom(16), PATIENT)


@contextmanager
def staged(folder: Path, frames: dict[str, pl.DataFrame]) -> Iterator[Stage]:
    now = datetime.now(UTC)
    lender = make_identity(folder / "lender", Role.LENDER, now=now, random_bytes=os.urandom)
    parties = {}
    for name in PARTIES:
        identity = make_identity(folder / name, Role(name), now=now, random_bytes=os.urandom)
        trust(lender, name, identity.certificate.read_bytes())
        trust(identity, "lender", lender.certificate.read_bytes())
        keep_consent_key(identity, lender.consent_public.read_bytes())
        table = folder / f"{name}.parquet"
        frames[name].write_parquet(table)
        parties[name] = Party(identity, name, table)
    try:
        for party in parties.values():
            party.start()
        yield Stage(lender, parties)
    finally:
        for party in parties.values():
            if party.process is not None:
                party.kill()


class KillingLink:
    """Kills a party as soon as a question of a certain kind was sent to it, once; it is started again."""

    def __init__(self, connect: Connect, party: Party, kind: type, number: int) -> None:
        self.connect_really = connect
        self.party = party
        self.kind = kind
        self.left = number

    async def __call__(self) -> Link:
        self.link = await self.connect_really()
        return self

    async def send(self, frame: bytes) -> None:
        await self.link.send(frame)
        outer = decode(frame)
        if isinstance(outer, Ask) and isinstance(decode(outer.body), self.kind):
            self.left -= 1
            if self.left == 0:
                await asyncio.to_thread(self.party.kill)
                await asyncio.to_thread(self.party.start)

    async def receive(self) -> bytes:
        return await self.link.receive()

    def close(self) -> None:
        self.link.close()


def consents(lender: Identity, member: bytes, nonce: bytes) -> list[list[bytes]]:
    now = datetime.now(UTC).replace(microsecond=0)
    key = consent_signer(lender)
    ends = now + timedelta(minutes=10)
    return [[sign(Consent(member, name, "underwriting", now, ends, nonce), key)] for name in PARTIES]


def canaries(frames: dict[str, pl.DataFrame]) -> Iterable[bytes]:
    """Return what must not be seen: ids as they are, every number in binary and in digits, features' names, words."""
    yield CANARY.encode()
    for name in ("spending", "city", "late", "age", "label"):
        yield name.encode()
    for name in PARTIES:
        yield from (one.encode() for one in frames[name]["id"])
        for column in frames[name].select(pl.col(pl.Float64)).iter_columns():
            for value in column.to_list():
                yield from (struct.pack("<d", value), struct.pack(">d", value), repr(value)[:9].encode())


async def whole(stage: Stage, frames: dict[str, pl.DataFrame], lender_table: Path) -> tuple[Trained, Rows, list[bytes]]:
    own = read_table(lender_table)
    aligning = [stage.channel(name) for name in PARTIES]
    common = await intersect(aligning, own.ids, os.urandom)
    place = {one: row for row, one in enumerate(own.ids)}
    mine = own.frame[[place[one] for one in common]]
    rows = Rows(mine.drop("label"), (mine["label"] == 1.0).to_numpy())
    bureau = stage.parties["bureau"]
    training = [
        stage.channel("payment"),
        stage.channel("bureau", lambda connect: KillingLink(connect, bureau, says.SumsAsked, 4)),
    ]
    trained = await train(
        rows,
        [Alignment(channel.session, np.ones(len(common), np.bool_)) for channel in aligning],
        training,
        SETTINGS,
        secret=make_keys("okamoto-uchiyama", 2048, os.urandom),
        model=MODEL,
        random_bytes=os.urandom,
    )
    for channel in (*aligning, *training):
        await channel.close()
    return trained, rows, common


async def applicant(stage: Stage, trained: Trained, rows: Rows, common: list[bytes]) -> None:
    """Score one applicant by consent; without, or with one that was used, the parties decline."""
    channels = [stage.channel(name) for name in PARTIES]
    frame, who = rows.frame[:1], common[:1]
    tokens = consents(stage.lender, who[0], b"n" * 16)
    [scored] = await score(trained.part, frame, who, channels, tokens)
    assert scored == trained.scores[0]
    for given, reason in ((tokens, "consent_spent"), ([], "consent_missing")):
        with pytest.raises(PartyDeclined) as told:
            await score(trained.part, frame, who, channels, given)
        assert told.value.params["reason"] == reason
    [again] = await score(trained.part, frame, who, channels, consents(stage.lender, who[0], b"o" * 16))
    assert again == scored
    for channel in channels:
        await channel.close()


def test_three_processes_make_a_model_and_use_it_and_nothing_leaves(tmp_path: Path) -> None:
    frames = tables()
    lender_table = tmp_path / "lender.parquet"
    frames["lender"].write_parquet(lender_table)
    with staged(tmp_path, frames) as stage:
        first = stage.parties["bureau"].process
        trained, rows, common = asyncio.run(whole(stage, frames, lender_table))
        assert stage.parties["bureau"].process is not first, "the bureau was killed on the way"
        asyncio.run(applicant(stage, trained, rows, common))
        recorder = stage.recorder

    hosts = []
    for name in PARTIES:
        table = read_table(tmp_path / f"{name}.parquet")
        place = {one: row for row, one in enumerate(table.ids)}
        hosts.append(table.frame[[place[one] for one in common]])
    assert len(common) == 180
    twin, _ = asyncio.run(train_twin(rows, hosts, SETTINGS, model=MODEL))
    assert (trained.scores == twin.scores).all()
    assert trained.part.dump() == twin.part.dump()

    said = recorder.messages()  # refuses whatever is outside the schema
    assert {type(one) for one in said} >= {says.Gradients, says.Sums, says.SplitsMade, says.Directions}
    assert recorder.found(canaries(frames)) == []
    asked_about = b"".join(encode(one) for one in said if isinstance(one, says.DirectionsAsked))
    assert [one for one in common[1:] if recorder.found([one])] == []
    assert common[0] in asked_about, "whom a party is asked about, it is told"
    leak(recorder, frames)


def leak(recorder: Recorder, frames: dict[str, pl.DataFrame]) -> None:
    """Let one value out within the schema, and see it caught."""
    value = struct.pack(">d", frames["bureau"]["late"][0])
    leaking: Message = says.Gradients(tree=0, first=0, ciphertexts=bytes(40) + value)
    recorder.frames.append(type(recorder.frames[0])("bureau", "from", encode(Ask(bytes(16), 1, encode(leaking)))))
    assert [found for found, _ in recorder.found(canaries(frames))] == [value]
