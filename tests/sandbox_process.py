"""A sandbox in its own process, a receiver of callbacks, and how a test waits for something to happen."""

import json
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import httpx

from grainline.partners.card_network import CardMatched
from grainline.partners.transport import Link
from grainline.sandbox.client import SandboxClient
from grainline.sandbox.clock import FILE_NAME, SandboxClock

SECRET = bytes(range(32))
PEOPLE = 400
WAIT_S = 15.0


def until(condition, *, what: str, wait_s: float = WAIT_S):
    """Look again and again until the condition gives something true; fail loudly when it never does."""
    deadline = time.monotonic() + wait_s
    pause = threading.Event()
    while time.monotonic() < deadline:
        if found := condition():
            return found
        pause.wait(0.02)
    raise AssertionError(f"{what} did not happen within {wait_s} s")


@dataclass
class Received:
    """A callback as it came in."""

    headers: dict[str, str]
    body: bytes


class Receiver:
    """A small HTTP server that keeps what is posted to it; `statuses` are its next answers, then 204."""

    def __init__(self) -> None:
        self.received: queue.Queue[Received] = queue.Queue()
        self.statuses: queue.Queue[int] = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    status = receiver.statuses.get_nowait()
                except queue.Empty:
                    status = 204
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                receiver.received.put(Received(dict(self.headers.items()), body))

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/callbacks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def next_for(self, key: str) -> Received:
        """Wait for the next callback about this order."""
        deadline = time.monotonic() + WAIT_S
        while True:
            got = self.received.get(timeout=max(0.01, deadline - time.monotonic()))
            if json.loads(got.body)["key"] == key:
                return got

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Running:
    """A sandbox process; `kill` is kill -9."""

    folder: Path
    receiver: Receiver
    settlement_delay_s: int = 0
    callback_attempts_max: int = 12
    process: subprocess.Popen | None = None
    url: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def start(self) -> None:
        port = _free_port()
        self.url = f"http://127.0.0.1:{port}"
        given = {
            "folder": str(self.folder),
            "secret": SECRET.hex(),
            "callback_url": self.receiver.url,
            "settlement_delay_s": self.settlement_delay_s,
            "callback_attempts_max": self.callback_attempts_max,
            "port": port,
            "ages": [30 + number % 40 for number in range(PEOPLE)],
        }
        script = Path(__file__).with_name("serve_sandbox.py")
        self.process = subprocess.Popen([sys.executable, str(script), json.dumps(given)])
        until(self._is_up, what="the start of the sandbox", wait_s=30)

    def _is_up(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the sandbox ended with {self.process.returncode}")
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).json() == {"status": "ok"}
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def hands(self) -> SandboxClient:
        return SandboxClient(httpx.Client(base_url=self.url, trust_env=False))

    def clock(self) -> SandboxClock:
        return SandboxClock(self.folder / FILE_NAME, lambda: datetime.now(UTC))

    def link(self, client: httpx.AsyncClient, partner: str, **options: float) -> Link:
        base_url = f"{self.url}/{partner}"
        return Link(client, partner=partner, base_url=base_url, secret=SECRET, clock=self.clock(), **options)

    def someone(self):
        """Return the papers of a resident whom no other test has met."""
        return self.hands().resident(str(10_000_000_000 + next(self.numbers)))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_sandbox(folder: Path, **options: int) -> Iterator[Running]:
    receiver = Receiver()
    running = Running(folder, receiver, **options)
    running.start()
    yield running
    running.kill()
    receiver.close()


async def sign(network, papers) -> str:
    answer = await network.verify(
        card_number=papers.card_number,
        name=papers.name,
        national_id=papers.national_id,
        phone=papers.phone,
    )
    assert isinstance(answer, CardMatched)
    return answer.agreement
