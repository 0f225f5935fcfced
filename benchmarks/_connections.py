"""A light HTTP/1.1 client: connections that each send one prepared request after another and time every answer.

A client library would cost more than the server it measures on the two cores they share. It understands what our
server answers with: a status, a Content-Length, a body; anything else ends the benchmark.
"""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
STATUS = slice(9, 12)  # HTTP/1.1 202
HEAD_END = b"\r\n\r\n"


@dataclass
class Answers:
    """What came back: seconds of each answer, statuses with their count, and the first body of each status."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    samples: dict[str, bytes] = field(default_factory=dict)
    began: float = 0.0
    ended: float = 0.0

    def errors(self, right: str) -> int:
        """Count the answers that did not have the right status."""
        return sum(count for status, count in self.statuses.items() if status != right)


async def send_all(port: int, requests: Iterator[bytes], *, connections: int, seconds: float) -> Answers:
    """Send requests over keep-alive connections, one after another on each, until the time or the requests are over.

    Raises ConnectionError when the server closes a connection or answers what is not understood.
    """
    loop, answers = asyncio.get_running_loop(), Answers()
    lanes = [
        (await loop.create_connection(lambda: _Lane(requests, answers, loop.create_future()), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    answers.began = time.perf_counter()
    for lane in lanes:
        lane.until = answers.began + seconds
        lane.send_next()
    try:
        await asyncio.gather(*(lane.done for lane in lanes))
    finally:
        answers.ended = time.perf_counter()
        for lane in lanes:
            lane.close()
    return answers


class _Lane(asyncio.Protocol):
    """One connection with one request under way."""

    def __init__(self, requests: Iterator[bytes], answers: Answers, done: "asyncio.Future[None]") -> None:
        self.done = done
        self.until = 0.0
        self._requests = requests
        self._answers = answers
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send_next(self) -> None:
        """Send the next request, or be done."""
        self._sent_at = time.perf_counter()
        request = next(self._requests, None) if self._sent_at < self.until else None
        if request is None:
            self.done.set_result(None)
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head_end = self._received.find(HEAD_END)
        if head_end < 0:
            return
        length = LENGTH.search(self._received, 0, head_end + 2)
        if length is None:
            self._fail(f"an answer without a length: {self._received[:200]!r}")
            return
        body = head_end + len(HEAD_END)
        if len(self._received) < body + int(length[1]):
            return
        answers, status = self._answers, self._received[STATUS].decode()
        answers.seconds.append(time.perf_counter() - self._sent_at)
        answers.statuses[status] += 1
        if status not in answers.samples:
            answers.samples[status] = self._received[body:]
        self._received = b""
        self.send_next()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"the server closed a connection: {error}")

    def close(self) -> None:
        """Close the connection."""
        self._transport.abort()

    def _fail(self, what: str) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(what))
