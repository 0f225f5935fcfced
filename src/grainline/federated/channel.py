"""The lender's side of a session: asks a party one round after the other, until it has the answer or the party is gone.

An answer that does not come is asked for again, over a new connection, under the same number and in the same bytes; the
party answers it once. So a connection may break, and the party may die and return, without anybody above noticing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from grainline.federated.session_messages import Answer, Ask, Close, Closed, Declined, Working
from grainline.federated.transport import Connect, Link, Lost
from grainline.federated.wire import BadMessage, Message, decode, encode
from grainline.kit.errors import Kind, Refusal


class PartyAway(Refusal):
    """A party that gave no sign of life for as long as one waits."""

    code: ClassVar[str] = "party_away"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class PartyDeclined(Refusal):
    """A party that will not answer, and says by which code why."""

    code: ClassVar[str] = "party_declined"
    kind: ClassVar[Kind] = Kind.CONFLICT


class PartyGarbled(Refusal):
    """A party whose answer is no message of the protocol."""

    code: ClassVar[str] = "party_garbled"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class Channel(Protocol):
    """How the lender's part of a protocol reaches one party."""

    async def ask(self, message: Message) -> Message:
        """Return the party's answer to a message; raise PartyAway, PartyDeclined or PartyGarbled."""


@dataclass(frozen=True)
class Patience:
    """How long one waits, in seconds."""

    silence_s: float = 15.0  # without a sign of life, before one connects anew
    away_s: float = 120.0  # without a sign of life, before one gives up
    backoff_s: float = 0.2  # before the second try; doubled each time
    backoff_max_s: float = 5.0
    tries_max: int = 50  # of one round: a party that dies of it each time is gone too


class PartyChannel:
    """A session with one party; of use to one caller at a time."""

    def __init__(self, name: str, connect: Connect, session: bytes, patience: Patience | None = None) -> None:
        self.name = name
        self.session = session
        self._connect = connect
        self._patience = patience or Patience()
        self._link: Link | None = None
        self._round = 0

    async def ask(self, message: Message) -> Message:
        """Return the party's answer to a message; raise PartyAway, PartyDeclined or PartyGarbled."""
        self._round += 1
        frame = encode(Ask(self.session, self._round, encode(message)))
        answer = await self._persist(frame, self._answer)
        if isinstance(answer, Declined):
            raise PartyDeclined(party=self.name, reason=answer.code, numbers=answer.numbers)
        assert isinstance(answer, Answer)  # noqa: S101  # `_answer` lets nothing else through
        try:
            return decode(answer.body)
        except BadMessage as wrong:
            raise PartyGarbled(party=self.name, what=str(wrong)) from None

    async def close(self) -> None:
        """End the session at the party and let go of the connection; raise PartyAway."""
        await self._persist(encode(Close(self.session)), self._closed)
        self.drop()

    def drop(self) -> None:
        """Let go of the connection; the session stays."""
        if self._link is not None:
            self._link.close()
            self._link = None

    async def _persist(self, frame: bytes, wait: Callable[[Link], Awaitable[Message]]) -> Message:
        """Send a frame until its answer comes, or until there was no sign of life for too long."""
        loop, patience = asyncio.get_running_loop(), self._patience
        self._seen = loop.time()
        pause = patience.backoff_s
        for _ in range(patience.tries_max):
            before = self._seen
            try:
                async with asyncio.timeout(patience.away_s):
                    self._link = self._link or await self._connect()
                    await self._link.send(frame)
                return await wait(self._link)
            except (Lost, TimeoutError):
                self.drop()
            if self._seen > before:
                pause = patience.backoff_s
            if loop.time() + pause - self._seen > patience.away_s:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, patience.backoff_max_s)
        raise PartyAway(party=self.name, seconds=round(loop.time() - self._seen))

    async def _receive(self, link: Link) -> Message:
        async with asyncio.timeout(self._patience.silence_s):
            frame = await link.receive()
        try:
            message = decode(frame)
        except BadMessage as wrong:
            raise PartyGarbled(party=self.name, what=str(wrong)) from None
        self._seen = asyncio.get_running_loop().time()
        return message

    async def _answer(self, link: Link) -> Message:
        """Return what answers this round; what answers an earlier one came late and is left."""
        while True:
            message = await self._receive(link)
            if not isinstance(message, Answer | Declined | Working) or message.session != self.session:
                raise PartyGarbled(party=self.name, what=type(message).__name__)
            if message.round > self._round:
                raise PartyGarbled(party=self.name, what=f"round {message.round}")
            if message.round == self._round and not isinstance(message, Working):
                return message

    async def _closed(self, link: Link) -> Message:
        while True:
            message = await self._receive(link)
            if isinstance(message, Closed | Declined):
                return message
