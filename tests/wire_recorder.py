"""Records every frame between the lender and the parties, and tells what was in them.

All messages pass the lender, who connects to each party; so a recorder around its connections sees every byte that
leaves any process, before TLS seals it and after TLS has opened it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from grainline.federated.session_messages import Answer, Ask
from grainline.federated.transport import Connect, Link
from grainline.federated.wire import Message, decode

Direction = Literal["to", "from"]


@dataclass(frozen=True)
class Frame:
    party: str
    direction: Direction
    data: bytes


@dataclass
class Recorder:
    """`connect = recorder.around("bureau", connect)` for each party; then look at `frames`, `messages` and `found`."""

    frames: list[Frame] = field(default_factory=list)

    def around(self, party: str, connect: Connect) -> Connect:
        """Return a way to connect that records what passes."""

        async def recorded() -> Link:
            return _Recorded(await connect(), party, self)

        return recorded

    def messages(self, party: str | None = None) -> list[Message]:
        """Return every message and, within it, what a round says; raise BadMessage for bytes outside the schema."""
        found: list[Message] = []
        for frame in self.frames:
            if party in (None, frame.party):
                outer = decode(frame.data)
                found.append(outer)
                if isinstance(outer, Ask | Answer):
                    found.append(decode(outer.body))
        return found

    def found(self, canaries: Iterable[bytes]) -> list[tuple[bytes, Frame]]:
        """Return which of these byte strings occur in the clear, each with the first frame that has it."""
        first = ((canary, next((f for f in self.frames if canary in f.data), None)) for canary in canaries)
        return [(canary, frame) for canary, frame in first if frame is not None]

    def byte_count(self, direction: Direction, party: str | None = None) -> int:
        """Return how many bytes went to, or came from, a party or all."""
        frames = (f for f in self.frames if f.direction == direction and party in (None, f.party))
        return sum(len(frame.data) for frame in frames)


class _Recorded:
    def __init__(self, link: Link, party: str, recorder: Recorder) -> None:
        self._link = link
        self._party = party
        self._recorder = recorder

    async def send(self, frame: bytes) -> None:
        self._recorder.frames.append(Frame(self._party, "to", frame))
        await self._link.send(frame)

    async def receive(self) -> bytes:
        frame = await self._link.receive()
        self._recorder.frames.append(Frame(self._party, "from", frame))
        return frame

    def close(self) -> None:
        self._link.close()
