"""`grainline up`: everything comes up, what dies comes back, and whatever ends it leaves nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest

from grainline.entry.postgres import Database
from grainline.entry.processes import NotStarted, Processes, Program, run_to_end
from grainline.entry.settings import PROJECT_ROOT, Settings
from grainline.entry.up import up

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")

APP = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
"""
SERVE = """
import sys
from granian import Granian
Granian("tiny:app", address="127.0.0.1", port=int(sys.argv[1]), interface="asginl", workers=2).serve()
"""
WORK = "import signal; signal.pause()"
DRIVER = """
import sys, time
from grainline.entry.processes import Program
from grainline.entry.settings import load
from grainline.entry.up import up
folder, port, mode = sys.argv[1:]
settings = load()
def say(line): print(line, flush=True)
def ready(database): print("ready", database.owner_url, flush=True)
def prepare(settings, database, say):
    say("preparing")
    if mode == "slow":
        time.sleep(600)
python = sys.executable
programs = [
    Program("app", (python, "-c", open(folder + "/serve").read(), port, folder)),
    Program("worker", (python, "-c", open(folder + "/work").read(), folder)),
]
if mode == "broken":
    programs[1] = Program("worker", (python, "-c", "raise SystemExit(3)"))
sys.exit(up(settings, say=say, on_ready=ready, prepare=prepare, programs=lambda settings: programs))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gl-", dir="/tmp")).resolve()
    folder.chmod(0o755)
    (folder / "tiny.py").write_text(APP)
    (folder / "serve").write_text(SERVE)
    (folder / "work").write_text(WORK)
    yield folder
    for pid in processes_of(folder):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)


@pytest.fixture
def port() -> int:
    return free_port()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Up:
    """The supervisor in a process of its own."""

    def __init__(self, folder: Path, port: int, mode: str = "") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(folder), str(port), mode],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "GRAINLINE_DATA": str(folder / "data"),
                "GRAINLINE_PORT": str(port),
                "GRAINLINE_SANDBOX": "no",
                "GRAINLINE_PARTNERS_URL": "http://partners.example",
                "PYTHONPATH": os.pathsep.join([str(PROJECT_ROOT / "src"), str(folder)]),
            },
        )

    def line(self, start: str) -> str:
        """Return the next line that starts so."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(start):
                return line.strip()
        raise AssertionError(f"ended with {self.process.wait()} before it said {start!r}")


@pytest.fixture
def start(folder: Path, port: int) -> Iterator[Callable[..., Up]]:
    made: list[Up] = []

    def make(mode: str = "") -> Up:
        made.append(Up(folder, port, mode))
        return made[-1]

    yield make
    for each in made:
        each.process.kill()
        each.process.communicate()


def processes_of(folder: Path, mark: bytes = b"") -> list[int]:
    """Return the pids of all that has the folder in its command line: supervisor, servers, workers, PostgreSQL.

    With a mark, of those that have it there too. A process may end while it is looked at.
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
            if str(folder).encode() in words and mark in words:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def wait(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
    return True


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).text == "ok"
    except httpx.TransportError:
        return False


def serving(folder: Path) -> list[int]:
    """Return the HTTP server and its workers, the server first."""
    return sorted(processes_of(folder, b"Granian"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_comes_up_and_a_signal_takes_all_of_it_down(
    start: Callable[..., Up], folder: Path, port: int, number: int
) -> None:
    running = start()
    running.line("ready postgresql://postgres@/grainline")
    assert answers(port)
    assert len(serving(folder)) == 3
    begun = time.monotonic()
    running.process.send_signal(number)
    assert running.process.wait(timeout=20) == 0
    assert time.monotonic() - begun < 20
    assert processes_of(folder) == []


def test_kill_9_of_the_supervisor_ends_its_children_and_the_next_start_works(
    start: Callable[..., Up], folder: Path, port: int
) -> None:
    running = start()
    running.line("ready")
    running.process.kill()
    running.process.wait()
    assert wait(lambda: serving(folder) == [])
    assert not answers(port)
    again = start()
    again.line("ready")
    assert answers(port)
    again.process.terminate()
    assert again.process.wait(timeout=20) == 0
    assert processes_of(folder) == []


def test_killed_server_is_started_again_without_its_old_workers(
    start: Callable[..., Up], folder: Path, port: int
) -> None:
    running = start()
    running.line("ready")
    old = serving(folder)
    os.kill(old[0], signal.SIGKILL)
    assert running.line("app ended").startswith("app ended (SIGKILL); starting it again in 0.5 s")
    assert wait(lambda: len(serving(folder)) == 3 and answers(port))
    assert not set(old) & set(serving(folder))


def test_signal_during_the_preparation_stops_it(start: Callable[..., Up], folder: Path) -> None:
    running = start("slow")
    running.line("preparing")
    running.process.terminate()
    assert running.process.wait(timeout=20) == 0
    assert processes_of(folder) == []


def test_program_that_keeps_dying_is_started_again_later_each_time(start: Callable[..., Up]) -> None:
    running = start("broken")
    # What a program says of itself may stand behind it on the same line: all of them write to one place.
    assert running.line("worker ended").startswith("worker ended (exit code 3); starting it again in 0.5 s")
    assert running.line("worker ended").startswith("worker ended (exit code 3); starting it again in 1 s")


def test_taken_port_is_named_before_anything_starts(folder: Path, port: int) -> None:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", port)):
        settings = Settings(data=folder / "data", port=port, sandbox=False, partners_url="http://partners.example")
        code = up(settings, say=said.append, on_ready=lambda _: said.append("ready"))
    assert code == 1
    assert said == [f"port {port} on 127.0.0.1 is already in use; choose another: {said[0].split(': ')[-1]}"]
    assert "GRAINLINE_PORT=" in said[0]
    assert not (folder / "data").exists()


def test_taken_sandbox_port_names_its_own_variable(folder: Path, port: int) -> None:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", port)):
        settings = Settings(data=folder / "data", port=free_port(), sandbox_port=port)
        assert up(settings, say=said.append, on_ready=lambda _: None) == 1
    assert "GRAINLINE_SANDBOX_PORT=" in said[0]


def test_wait_gives_up_on_a_program_that_dies_at_each_start() -> None:
    said: list[str] = []
    processes = Processes([Program("oracle", (sys.executable, "-c", "raise SystemExit(9)"))], say=said.append)
    processes.start()
    with pytest.raises(NotStarted, match="oracle ended 3 times"):
        processes.wait_until(lambda: False, stop=Event(), seconds=60)
    processes.stop(Event())
    assert [line.rpartition(" in ")[2] for line in said] == ["0.5 s", "1 s", "2 s"]


def test_program_run_to_its_end_is_heard_line_by_line() -> None:
    said: list[str] = []
    run_to_end(Program("filling", (sys.executable, "-c", "print('one'); print('two 二')")), say=said.append)
    assert said == ["one", "two 二"]


@pytest.mark.parametrize(
    ("code", "how"), [("raise SystemExit(9)", "exit code 9"), ("import os; os.kill(os.getpid(), 9)", "SIGKILL")]
)
def test_program_that_does_not_come_to_a_good_end_says_how_it_ended(code: str, how: str) -> None:
    with pytest.raises(NotStarted, match=rf"filling ended \({how}\); its words are above"):
        run_to_end(Program("filling", (sys.executable, "-c", code)), say=print)


def test_program_run_to_its_end_is_gone_when_that_is_interrupted(folder: Path) -> None:
    """What it forked as well: the signal comes between two of its lines."""

    def interrupted(line: str) -> None:
        assert len(processes_of(folder)) == 2
        raise KeyboardInterrupt

    forking = "import os, signal; os.fork() or signal.pause(); print('there', flush=True); signal.pause()"
    with pytest.raises(KeyboardInterrupt):
        run_to_end(Program("filling", (sys.executable, "-c", forking, str(folder))), say=interrupted)
    assert wait(lambda: processes_of(folder) == [])


def test_preparation_that_fails_ends_the_start(folder: Path, port: int) -> None:
    said: list[str] = []

    def fails(settings: Settings, found: Database, say: Callable[[str], None]) -> None:
        run_to_end(Program("filling the sandbox", (sys.executable, "-c", "raise SystemExit(3)")), say=say)

    settings = Settings(data=folder / "data", port=port, sandbox=False, partners_url="http://partners.example")
    assert up(settings, say=said.append, on_ready=lambda _: said.append("ready"), prepare=fails) == 1
    assert said == ["filling the sandbox ended (exit code 3); its words are above"]
    assert processes_of(folder) == []


def test_wait_gives_up_after_its_time() -> None:
    processes = Processes([Program("worker", (sys.executable, "-c", WORK))], say=print)
    processes.start()
    with pytest.raises(NotStarted, match="no answer"):
        processes.wait_until(lambda: False, stop=Event(), seconds=0)
    processes.stop(Event())


@pytest.mark.parametrize("hurried", [False, True])
def test_child_that_ignores_the_request_to_end_is_killed_with_what_it_forked(folder: Path, *, hurried: bool) -> None:
    stubborn = (
        "import os, signal, pathlib, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork(): pathlib.Path(sys.argv[1], 'there').touch()\n"
        "signal.pause()"
    )
    said: list[str] = []
    hurry = Event()
    if hurried:
        hurry.set()
    child = Program("mule", (sys.executable, "-c", stubborn, str(folder)))
    processes = Processes([child], say=said.append, stop_seconds=600 if hurried else 0.2)
    processes.start()
    assert wait((folder / "there").exists)
    assert len(processes_of(folder)) == 2
    processes.stop(hurry)
    assert wait(lambda: processes_of(folder) == [])
    assert said == ["mule did not stop and will be killed"]
