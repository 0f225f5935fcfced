"""The platform as `make run` brings it up: real processes, a data folder and ports of its own."""

import os
import queue
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from grainline.sandbox.client import SandboxClient
from grainline.sandbox.clock import FILE_NAME, SandboxClock
from grainline.sandbox.pages import PapersShown

GRAINLINE = (sys.executable, "-m", "grainline.entry.cli")
START_S = 180.0
STOP_S = 40.0
# Few residents are evaluated in a few seconds; the settings say how few can be.
TOWN = 1_000
PHONE = re.compile(r"phone\D+(\d{11})$")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class PlatformProcess:
    """`grainline up` in a process of its own. `invited` and `not_invited` are the phones that it printed."""

    folder: Path
    port: int = field(default_factory=free_port)
    sandbox_port: int = field(default_factory=free_port)
    invited: str = ""
    not_invited: str = ""
    said: list[str] = field(default_factory=list)
    _process: "subprocess.Popen[str] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    def environment(self) -> dict[str, str]:
        """Return ours without its own settings of Grainline, and with those of this platform."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GRAINLINE_")}
        return inherited | {
            "GRAINLINE_DATA": str(self.folder / "data"),
            "GRAINLINE_PORT": str(self.port),
            "GRAINLINE_SANDBOX_PORT": str(self.sandbox_port),
            "GRAINLINE_TOWN": str(TOWN),
            "PYTHONUNBUFFERED": "1",
        }

    def start(self) -> None:
        """Start it and wait until it says how to move time, which comes last."""
        self.said.clear()
        self._process = subprocess.Popen(
            [*GRAINLINE, "up"], env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._listen, args=(lines,), daemon=True).start()
        deadline = time.monotonic() + START_S
        while "Move time" not in (line := self._next(lines, deadline)):
            if found := PHONE.search(line):
                if self.invited:
                    self.not_invited = found[1]
                else:
                    self.invited = found[1]

    def _listen(self, lines: "queue.Queue[str | None]") -> None:
        # Read to the end, also after the start: a full pipe would stop who writes to it.
        assert self._process is not None and self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.rstrip())
            lines.put(line.rstrip())
        lines.put(None)

    def _next(self, lines: "queue.Queue[str | None]", deadline: float) -> str:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            line = None
        assert line is not None, "the platform did not come up; it said:\n" + "\n".join(self.said)
        return line

    def kill(self) -> None:
        """End it with kill -9, so that it can tidy nothing."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_S)

    def stop(self) -> int:
        """Ask it to end and return its exit code."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(STOP_S)
        finally:
            self._process.kill()

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `grainline …` on the same data."""
        return subprocess.run(
            [*GRAINLINE, *words], env=self.environment(), capture_output=True, text=True, timeout=300, check=False
        )

    def answers(self) -> bool:
        """Return whether the app answers."""
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def hands(self) -> SandboxClient:
        """Return what reads the inbox and turns the partners' knobs."""
        return SandboxClient(httpx.Client(base_url=self.sandbox_url, trust_env=False))

    def pass_time(self, length: timedelta) -> None:
        """Move the town's clock forward, for all processes at once, with nobody working on the way."""
        clock = SandboxClock(self.folder / "data" / FILE_NAME, lambda: datetime.now(UTC))
        clock.advance_to(clock() + length)

    def papers(self, phone: str) -> PapersShown:
        """Return what a resident holds in their hands."""
        return self.hands().resident(phone)

    def newest_message(self, phone: str) -> int:
        """Return the number of the newest message to a phone; 0 where there is none."""
        return max((message.message_id for message in self.hands().inbox(phone, limit=1)), default=0)


@contextmanager
def run_platform(folder: Path) -> Iterator[PlatformProcess]:
    """Run a platform for the length of a block; it must end in order."""
    running = PlatformProcess(folder)
    try:
        running.start()
        yield running
    except BaseException:
        running.stop()
        raise
    assert running.stop() == 0, "\n".join(running.said)
