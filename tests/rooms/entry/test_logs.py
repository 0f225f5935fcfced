"""What a process logs: from the level it was told, in a form for machines or for eyes, and nobody's data."""

import json
import logging
import os
import pty
import signal
import subprocess
import sys

import psycopg
import pytest
import structlog

from grainline.entry.logs import set_up
from sandbox_process import SECRET, until

pytestmark = pytest.mark.anyio

SPEAKER = """
import logging
import structlog
from grainline.entry.settings import load
load()
ours = structlog.get_logger("grainline.loans.transfers")
theirs = logging.getLogger("grainline.sandbox.callbacks")
library = logging.getLogger("httpx")
for level in ("debug", "info", "warning", "error"):
    getattr(ours, level)("ours", key="7:x", amount_fen=100)
    getattr(theirs, level)("theirs %s", "told")
    getattr(library, level)("library")
def broken():
    phone = "1991234" + "5678"
    raise RuntimeError("no luck")
try:
    broken()
except RuntimeError:
    ours.exception("ours_broke")
    theirs.exception("theirs broke")
print("the answer")
"""
LEVELS = ("debug", "info", "warning", "error")


def speak(**environment: str) -> "subprocess.CompletedProcess[str]":
    given = {name: value for name, value in os.environ.items() if not name.startswith("GRAINLINE_")}
    command = [sys.executable, "-c", SPEAKER]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=given | environment)


@pytest.fixture
def logging_again():
    """Whatever a test sets up is taken back."""
    root, ours = logging.getLogger(), logging.getLogger("grainline")
    before = (root.handlers[:], root.level, ours.level)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])
    structlog.reset_defaults()


@pytest.mark.parametrize("level", LEVELS)
def test_ours_is_logged_from_the_level_on_and_libraries_from_warnings(level):
    done = speak(GRAINLINE_LOG_LEVEL=level)
    assert done.stdout == "the answer\n"  # a command's answer is not mixed with its log
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    told = {event: [line["level"] for line in lines if line["event"] == event] for event in ("ours", "theirs told")}
    expected = list(LEVELS[LEVELS.index(level) :])
    assert told == {"ours": expected, "theirs told": expected}
    library = [line["level"] for line in lines if line["event"] == "library"]
    assert library == [heard for heard in expected if heard in ("warning", "error")]


def test_a_line_for_machines_says_when_what_and_with_what():
    first = json.loads(speak().stderr.splitlines()[0])
    assert first.pop("timestamp").endswith("Z")
    assert first == {"event": "ours", "level": "info", "key": "7:x", "amount_fen": 100}


def test_a_traceback_shows_where_and_no_local_variables():
    done = speak()
    broke = [json.loads(line) for line in done.stderr.splitlines()][-2:]
    assert [line["event"] for line in broke] == ["ours_broke", "theirs broke"]
    for line in broke:
        assert "RuntimeError: no luck" in line["exception"]
        assert "in broken" in line["exception"]
    assert "19912345678" not in done.stderr


def test_a_terminal_gets_words_and_values():
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-c", SPEAKER], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    told = b""
    try:
        while more := os.read(ours, 65_536):
            told += more
    except OSError:
        pass  # the other side is closed
    finally:
        os.close(ours)
    assert process.wait(20) == 0
    [first, *_] = told.decode().splitlines()
    assert "ours" in first and "amount_fen=100" in first and "key=7:x" in first
    assert "{" not in first and "\x1b" not in first
    assert "RuntimeError: no luck" in told.decode()
    assert "19912345678" not in told.decode()


async def test_a_whole_path_logged_to_the_last_detail_names_nobody(stage, capsys, logging_again):
    """Phones are in addresses that the client of HTTP would tell, and in what is sent and read all along."""
    set_up("debug")
    person = await stage.borrower()
    stage.hands.set_fault("sms", "down", mode="next", count=1)
    stage.hands.set_fault("rail", "lost_answer", mode="next", count=1)
    stage.tick(61)
    await person.post("/sign-in/otp", {"phone": person.papers.phone})
    await stage.work()
    await person.draw(1_000)
    await stage.work()
    stage.hands.inbox(person.papers.phone)
    await person.call("GET", "/nowhere")
    told = "".join(capsys.readouterr())
    assert "transfer_unanswered" in told
    papers = person.papers
    for secret in (papers.phone, papers.name, papers.national_id, papers.card_number, papers.agreement):
        assert secret not in told


@pytest.mark.parametrize(("level", "ready"), [("info", True), ("error", False)])
def test_the_worker_is_told_how_much_to_say(databases, town, level, ready):
    given = {
        "DATABASE_URL": databases[1],
        "DATABASE_OWNER_URL": databases[0],
        "DATA": str(town.folder),
        "PARTNERS_URL": town.url,
        "PARTNER_SECRET": SECRET.hex(),
        "LOG_LEVEL": level,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "grainline.entry.cli", "worker"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {f"GRAINLINE_{name}": value for name, value in given.items()} | {"PGAPPNAME": "worker"},
    )
    working = "select 1 from pg_stat_activity where application_name = 'worker' and query like '%update loans.draws%'"
    with psycopg.connect(databases[0], autocommit=True) as connection:
        until(lambda: connection.execute(working).fetchone(), what="the worker's first look for draws")
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=20)
    assert ("worker_ready" in told) is ready
