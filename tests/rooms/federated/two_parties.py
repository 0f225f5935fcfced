"""A lender and parties who trust each other, in folders of their own, and links that misbehave."""

import asyncio
import os
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from grainline.federated.channel import PartyChannel, Patience
from grainline.federated.identity import Identity, Role, make_identity, trust
from grainline.federated.transport import Connect, Link, Lost

QUICK = Patience(silence_s=0.2, away_s=10.0, backoff_s=0.02, backoff_max_s=0.1)


def identity_of(folder: Path, role: Role) -> Identity:
    return make_identity(folder, role, now=datetime.now(UTC), random_bytes=os.urandom)


def acquainted(folder: Path, *names: str) -> tuple[Identity, list[Identity]]:
    """Return a lender and parties, each of which has the lender's certificate and the lender theirs."""
    lender = identity_of(folder / "lender", Role.LENDER)
    parties = [identity_of(folder / name, Role.PAYMENT) for name in names]
    for name, party in zip(names, parties, strict=True):
        trust(lender, name, party.certificate.read_bytes())
        trust(party, "lender", lender.certificate.read_bytes())
    return lender, parties


def channel_over(connect: Connect, *, session: bytes | None = None, patience: Patience = QUICK) -> PartyChannel:
    return PartyChannel("payment", connect, session or os.urandom(16), patience)


def port_of(server: asyncio.Server) -> str:
    return f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def stopped(server: asyncio.Server):
    try:
        yield port_of(server)
    finally:
        server.close()


class Faulty:
    """A way to connect on which each frame passes a function: what it returns is what gets through, and how often.

    `fault(direction, number, frame)` is called with the number of the frame in its direction, over all connections.
    """

    def __init__(self, connect: Connect, fault: Callable[[str, int, bytes], list[bytes]]) -> None:
        self.connect_really = connect
        self.fault = fault
        self.count = {"to": 0, "from": 0}

    async def __call__(self) -> Link:
        return _FaultyLink(await self.connect_really(), self)

    def passed(self, direction: str, frame: bytes) -> list[bytes]:
        self.count[direction] += 1
        return self.fault(direction, self.count[direction], frame)


class _FaultyLink:
    def __init__(self, link: Link, way: Faulty) -> None:
        self.link = link
        self.way = way
        self.waiting: list[bytes] = []

    async def send(self, frame: bytes) -> None:
        for one in self.way.passed("to", frame):
            await self.link.send(one)

    async def receive(self) -> bytes:
        while not self.waiting:
            frame = await self.link.receive()
            self.waiting += self.way.passed("from", frame)
        return self.waiting.pop(0)

    def close(self) -> None:
        self.link.close()


async def lost() -> Link:
    raise Lost("nobody there")
