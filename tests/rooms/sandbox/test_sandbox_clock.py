"""The sandbox's clock: moved forward by a file that all its processes share, and never backwards."""

import fcntl
import json
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.sandbox.clock import SandboxClock

START = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data" / "clock.json"


def test_an_unmoved_clock_is_the_machines(file):
    assert SandboxClock(file, lambda: START)() == START


def test_a_moved_clock_goes_on_from_where_it_was_moved_to(file):
    machine = [START]
    clock = SandboxClock(file, lambda: machine[0])
    later = START + timedelta(days=31)
    assert clock.advance_to(later) == later
    machine[0] += timedelta(seconds=90)
    assert clock() == later + timedelta(seconds=90)


def test_another_process_sees_the_move_and_so_does_a_restart(file):
    mover, watcher = SandboxClock(file, lambda: START), SandboxClock(file, lambda: START)
    assert watcher() == START
    for days in (1, 2, 40):
        mover.advance_to(START + timedelta(days=days))
        assert watcher() == START + timedelta(days=days)
    assert SandboxClock(file, lambda: START)() == START + timedelta(days=40)


def test_it_never_goes_backwards(file):
    clock = SandboxClock(file, lambda: START)
    clock.advance_to(START + timedelta(days=2))
    with pytest.raises(ValueError, match="never goes backwards"):
        clock.advance_to(START + timedelta(days=1))
    with pytest.raises(ValueError, match="time zone"):
        clock.advance_to(datetime(2030, 1, 1))  # noqa: DTZ001  (the mistake under test)
    assert clock() == START + timedelta(days=2)


@given(days=st.lists(st.integers(0, 400), min_size=1, max_size=8))
def test_whatever_is_asked_it_only_goes_forward(tmp_path_factory, days):
    clock = SandboxClock(tmp_path_factory.mktemp("clock") / "clock.json", lambda: START)
    shown = clock()
    for day in days:
        try:
            clock.advance_to(START + timedelta(days=day))
        except ValueError:
            assert START + timedelta(days=day) < shown
        assert clock() >= shown
        shown = clock()
    assert shown == START + timedelta(days=max(days))


def test_who_moves_it_waits_for_another_who_is_moving_it(file):
    """Or the earlier instant, looked at before and written after, could win over the later one."""
    clock = SandboxClock(file, lambda: START)
    clock.advance_to(START + timedelta(days=1))
    with file.with_suffix(".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        mover = threading.Thread(target=clock.advance_to, args=(START + timedelta(days=2),), daemon=True)
        mover.start()
        mover.join(0.3)
        assert clock() == START + timedelta(days=1)
    mover.join(5)
    assert clock() == START + timedelta(days=2)


def test_a_move_that_broke_off_changes_nothing(file):
    clock = SandboxClock(file, lambda: START)
    clock.advance_to(START + timedelta(days=1))
    file.with_suffix(".draft").write_text('{"offset')
    assert SandboxClock(file, lambda: START)() == START + timedelta(days=1)


@pytest.mark.parametrize("content", ["", "[]", '{"offset_us": "1"}', '{"offset_us": -1}', '{"offset_us": true}'])
def test_a_broken_file_stops_the_clock_rather_than_turning_it_back(file, content):
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(ValueError, match=r"offset|Expecting"):
        SandboxClock(file, lambda: START)()


def test_only_the_offset_is_kept(file):
    SandboxClock(file, lambda: START).advance_to(START + timedelta(seconds=1))
    assert json.loads(file.read_text()) == {"offset_us": 1_000_000}


def test_a_call_is_cheap_enough_for_every_request(file):
    clock = SandboxClock(file, lambda: datetime.now(UTC))
    clock.advance_to(datetime.now(UTC) + timedelta(days=1))
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(10_000):
            clock()
        best = min(best, time.perf_counter() - start)
    assert best / 10_000 < 20e-6, "microseconds are expected; a read of the file on each call would take more"
