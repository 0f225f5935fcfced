"""The platform's processes: started together, started again when one dies, and none left when we stop.

Each child leads a process group of its own, so that whatever it forked (an HTTP server's workers) ends with it, and
so that a Ctrl-C at the terminal reaches only us, who then stop them in order.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event

Say = Callable[[str], None]

POLL_SECONDS = 0.1
STOP_SECONDS = 12.0  # what is still there after this is killed
STEADY_SECONDS = 60.0  # who lived this long was not failing at its start
BACKOFF_SECONDS_MAX = 30.0
DEATHS_AT_START_MAX = 3

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class NotStarted(Exception):
    """A program does not come up; the message names it."""


@dataclass(frozen=True)
class Program:
    """A command to keep running, and what to call it when we speak of it."""

    name: str
    argv: tuple[str, ...]


@dataclass
class _Child:
    program: Program
    process: "subprocess.Popen[bytes]"
    started: float
    deaths: int = 0
    again_at: float | None = field(default=None)


def die_with_parent() -> None:
    """Ask the kernel to send us SIGTERM when our parent ends, however it ends (Linux; elsewhere nothing).

    For a process that was forked: an HTTP server's worker calls it so that it does not outlive a killed server.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Processes:
    """The children of one supervisor; use it from the main thread only.

    The kernel counts the death of the thread that forked as the death of the parent.
    """

    def __init__(self, programs: Sequence[Program], *, say: Say, stop_seconds: float = STOP_SECONDS) -> None:
        self._programs = programs
        self._say = say
        self._stop_seconds = stop_seconds
        self._children: list[_Child] = []

    def start(self) -> None:
        """Start every program."""
        for program in self._programs:
            self._children.append(_Child(program, _spawn(program), time.monotonic()))

    def wait_until(self, ready: Callable[[], bool], *, stop: Event, seconds: float) -> bool:
        """Wait until all live and `ready`, starting again who dies; return False when told to stop before.

        Raises NotStarted when a program dies again and again, or when it takes longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        while not (self._all_live() and ready()):
            self._tend()
            for child in self._children:
                if child.deaths >= DEATHS_AT_START_MAX:
                    raise NotStarted(f"{child.program.name} ended {child.deaths} times; its words are above")
            if time.monotonic() > deadline:
                raise NotStarted(f"no answer within {seconds:.0f} s")
            if stop.wait(POLL_SECONDS):
                return False
        return True

    def watch(self, stop: Event) -> None:
        """Start again who dies, until told to stop."""
        while not stop.wait(POLL_SECONDS):
            self._tend()

    def stop(self, hurry: Event) -> None:
        """Ask all to end, kill who does not (at once when `hurry` is set), and leave nothing behind."""
        for child in self._children:
            with suppress(ProcessLookupError):
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._stop_seconds
        while any(child.process.poll() is None for child in self._children):
            if time.monotonic() > deadline or hurry.wait(POLL_SECONDS / 10):
                slow = [child.program.name for child in self._children if child.process.poll() is None]
                self._say(f"{', '.join(slow)} did not stop and will be killed")
                break
        for child in self._children:
            _kill_group(child.process)
        self._children.clear()

    def _all_live(self) -> bool:
        return all(child.process.poll() is None for child in self._children)

    def _tend(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.again_at is None and child.process.poll() is not None:
                self._mourn(child, now)
            if child.again_at is not None and now >= child.again_at:
                child.process, child.started, child.again_at = _spawn(child.program), now, None

    def _mourn(self, child: _Child, now: float) -> None:
        # Its forks would keep the port that its successor needs.
        _kill_group(child.process)
        if now - child.started > STEADY_SECONDS:
            child.deaths = 0
        seconds = min(BACKOFF_SECONDS_MAX, 0.5 * 2**child.deaths)
        child.deaths += 1
        child.again_at = now + seconds
        how = _how(child.process.returncode)
        self._say(f"{child.program.name} ended ({how}); starting it again in {seconds:g} s")


def run_to_end(program: Program, *, say: Say) -> None:
    """Run a program once, with each line it writes for `say`; nothing of it is left when we are interrupted.

    Raises NotStarted with its exit code when that is not 0.
    """
    process = _spawn(program, output=subprocess.PIPE)
    try:
        for line in process.stdout or ():
            say(line.decode(errors="replace").rstrip())
        process.wait()
    except BaseException:
        _kill_group(process)
        raise
    if process.returncode != 0:
        raise NotStarted(f"{program.name} ended ({_how(process.returncode)}); its words are above")


def _spawn(program: Program, *, output: int | None = None) -> "subprocess.Popen[bytes]":
    parent = os.getpid()

    def tie() -> None:
        die_with_parent()
        if os.getppid() != parent:  # the parent died before the kernel was asked
            os._exit(1)

    return subprocess.Popen(
        program.argv, stdin=subprocess.DEVNULL, stdout=output, start_new_session=True, preexec_fn=tie
    )


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS answers "not permitted" for a group of zombies
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
