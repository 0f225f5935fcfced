"""Sessions that nobody closes or goes on with end in time, and leave nothing but their ids."""

import itertools
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import toy_party
from toy_party import Add

from grainline.federated.session_messages import Answer, Ask, Close, Declined
from grainline.federated.sessions import Sessions
from grainline.federated.wire import encode

NOW = datetime(2026, 11, 1, tzinfo=UTC)
OLD, YOUNG, CLOSED = b"o" * 16, b"y" * 16, b"c" * 16


def party(folder: Path) -> Sessions:
    numbers = itertools.count()
    return Sessions(folder, toy_party.adders(), lambda size: next(numbers).to_bytes(size, "big"), lambda *_: None)


def add(sessions: Sessions, session: bytes, round_: int, number: int = 1):
    return sessions.handle("lender", Ask(session, round_, encode(Add(number))))


def aged(folder: Path, session: bytes, days: int) -> Path:
    """Have a session lie there since so many days."""
    own, then = folder / session.hex(), (NOW - timedelta(days=days)).timestamp()
    for path in (*own.iterdir(), own):
        os.utime(path, (then, then))
    return own


def test_an_old_session_ends_and_a_young_one_goes_on(tmp_path: Path) -> None:
    sessions = party(tmp_path)
    for session in (OLD, YOUNG, CLOSED):
        add(sessions, session, 1)
    add(sessions, OLD, 2, 7)
    sessions.handle("lender", Close(CLOSED))
    own = aged(tmp_path, OLD, 31)
    seed = (own / "record").read_bytes()
    aged(tmp_path, YOUNG, 29)
    aged(tmp_path, CLOSED, 31)
    torn = tmp_path / (b"t" * 16).hex()
    torn.mkdir()
    (torn / "1.ask").write_bytes(b"killed before the record was there")
    aged(tmp_path, b"t" * 16, 31)
    (tmp_path / "notes").mkdir()

    assert sessions.expire(NOW - timedelta(days=30)) == 2
    assert sorted(path.name for path in own.iterdir()) == ["asked", "over", "record"]
    assert (own / "record").read_bytes() != seed, "the seed is gone"
    assert not torn.exists()
    assert (tmp_path / "notes").exists()
    assert sessions.expire(NOW - timedelta(days=30)) == 0

    for after in (sessions, party(tmp_path)):
        same, next_, first = add(after, OLD, 2, 7), add(after, OLD, 3), add(after, OLD, 1)
        assert [one.code for one in (same, next_, first)] == ["session_expired", "session_replayed", "session_replayed"]
        assert all(isinstance(one, Declined) for one in (same, next_, first))
    assert isinstance(add(sessions, YOUNG, 2), Answer)
