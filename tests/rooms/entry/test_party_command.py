"""What a data party's process does beside answering: what it does by day, and how it is stopped."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from grainline.entry import party_command
from grainline.entry.party_settings import PartySettings
from grainline.entry.party_source import ready, source_of
from grainline.federated.identity import Role, make_identity
from grainline.federated.ids import IdKind
from grainline.federated.party import sessions_of
from grainline.federated.party_model import PartyTable
from grainline.federated.session_messages import Ask, PsiOffer
from grainline.federated.wire import encode

NOW = datetime.now(UTC)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_party_is_stopped_also_where_loops_have_no_signals(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

    async def run() -> None:
        stopped, loop = asyncio.Event(), asyncio.get_running_loop()

        def none(*_: object) -> None:
            raise NotImplementedError

        monkeypatch.setattr(loop, "add_signal_handler", none)
        party_command._when_told_to_stop(stopped.set)
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5):
            await stopped.wait()

    try:
        asyncio.run(run())
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def test_by_day_old_sessions_end_and_features_are_made(tmp_path: Path) -> None:
    started = datetime.now(UTC)
    identity = make_identity(tmp_path / "bureau", Role.BUREAU, now=started, random_bytes=os.urandom)
    prepared = []
    plain = ready(PartyTable([], pl.DataFrame()), PartySettings(sessions_days=3))
    source = type(plain)(**(vars(plain) | {"prepare": prepared.append}))
    hosts = party_command._hosts(identity, source, 1, party_command.Sizes(ids_min=1))
    sessions = sessions_of(identity, hosts, random_bytes=os.urandom, report=lambda *_: None)
    sessions.handle("lender", Ask(b"s" * 16, 1, encode(PsiOffer(1, bytes(32)))))
    folder = identity.folder / "sessions" / (b"s" * 16).hex()
    assert not (folder / "over").exists()
    then = (started - timedelta(days=4)).timestamp()
    for path in (*folder.iterdir(), folder):
        os.utime(path, (then, then))
    party_command._daily(source, sessions)
    assert (folder / "over").read_text() == "session_expired"
    assert abs(prepared[0] - (started - timedelta(days=3))) < timedelta(minutes=5)


def test_the_day_s_work_is_done_when_the_date_changes_and_again_where_it_broke(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day, done = [NOW], []

    def work() -> None:
        done.append(day[0])
        if len(done) == 1:
            raise OSError("the disk is full")
        if len(done) == 2:
            day[0] += timedelta(days=1)

    async def run() -> None:
        task = asyncio.create_task(party_command._each_day(work))
        await asyncio.sleep(0.05)
        assert done == []
        day[0] += timedelta(days=1)
        async with asyncio.timeout(10):
            while len(done) < 3:
                await asyncio.sleep(0.01)
        task.cancel()

    monkeypatch.setattr(party_command, "LOOK_S", 0.01)
    monkeypatch.setattr(party_command, "_now", lambda: day[0])
    asyncio.run(run())
    assert done == [NOW + timedelta(days=1)] * 2 + [NOW + timedelta(days=2)]


def test_a_table_in_the_folder_comes_before_events(tmp_path: Path) -> None:
    identity = make_identity(tmp_path / "bureau", Role.BUREAU, now=NOW, random_bytes=os.urandom)
    (identity.folder / "table.csv").write_text("id,x\n7,1\n8,2\n")
    source = source_of(identity, table=None, events=None, kind=IdKind.ANY, clock=lambda: NOW)
    assert (source.kind, len(source.ids()), source.as_of) == ("table", 2, None)
