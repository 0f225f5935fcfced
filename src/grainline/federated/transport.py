"""Frames between parties: each 4 bytes of length and a message, over TLS 1.3 on which both sides show a certificate.

Who has another certificate than a pinned one ends in the handshake; not one of its messages is read. In TLS 1.3 the
client is done before the server has looked at its certificate, so a party greets whom it takes, with the same bytes
always, and the lender says nothing before it was greeted.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import ClassVar, Protocol

from grainline.federated.identity import Identity, peer_name, tls
from grainline.federated.session_messages import Ask, Working
from grainline.federated.wire import MAX_MESSAGE_BYTES, BadMessage, Message, decode, encode
from grainline.kit.errors import Kind, Refusal

MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 4096
GREETING = b"grainline party 1\n"
TURNED_AWAY_MAX = 3  # in a row, before one takes it that a party will never take one's certificate
HANDSHAKE_S = 10.0
IDLE_S = 900.0  # between two messages of a connection
HEARTBEAT_S = 3.0
CONNECTIONS_MAX = 32

Handle = Callable[[str, Message], Message]


class Lost(Exception):
    """The connection broke off, or never came to be."""


class PartyStranger(Refusal):
    """A party that shows another certificate than the pinned one, or to which ours is none of its pinned ones."""

    code: ClassVar[str] = "party_stranger"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class Link(Protocol):
    """A connection that carries frames, whatever is below."""

    async def send(self, frame: bytes) -> None:
        """Send a frame; raise Lost."""

    async def receive(self) -> bytes:
        """Return the next frame; raise Lost."""

    def close(self) -> None:
        """Let go of it."""


Connect = Callable[[], Awaitable[Link]]


class StreamLink:
    """Frames over a stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, frame: bytes) -> None:
        """Send a frame; raise Lost."""
        try:
            self._writer.write(len(frame).to_bytes(4, "big") + frame)
            await self._writer.drain()
        except OSError as wrong:
            raise _lost(wrong) from None

    async def receive(self) -> bytes:
        """Return the next frame; raise Lost, for one that is too long too."""
        try:
            length = int.from_bytes(await self._reader.readexactly(4), "big")
            if length > MAX_FRAME_BYTES:
                raise Lost(f"a frame of {length} bytes")
            return await self._reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as wrong:
            raise _lost(wrong) from None

    def close(self) -> None:
        """Let go of it."""
        self._writer.close()


def connector(identity: Identity, peer: str, address: str) -> Connect:
    """Return a way to connect to a party, by its pinned name, at `host:port`; it raises Lost or PartyStranger."""
    host, port = split_address(address)
    turned_away = 0

    async def connect() -> Link:
        nonlocal turned_away
        try:
            reader, writer = await asyncio.open_connection(
                host, port, ssl=tls(identity, server=False), ssl_handshake_timeout=HANDSHAKE_S, server_hostname=""
            )
        except (OSError, TimeoutError) as wrong:
            raise _lost(wrong) from None
        link = StreamLink(reader, writer)
        if _name(identity, writer) != peer:
            link.close()
            raise PartyStranger(party=peer)
        if not await _greeted(reader):
            link.close()
            turned_away += 1
            raise PartyStranger(party=peer) if turned_away == TURNED_AWAY_MAX else Lost("not greeted")
        turned_away = 0
        return link

    return connect


async def listen(identity: Identity, address: str, handle: Handle) -> asyncio.Server:
    """Answer frames of pinned peers at `host:port`, each by `handle(peer, message)` in a thread of its own."""
    host, port = split_address(address)
    open_connections: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link, peer = StreamLink(reader, writer), _name(identity, writer)
        try:
            if peer is not None and len(open_connections) < CONNECTIONS_MAX:
                open_connections.add(writer)
                writer.write(GREETING)
                # cancelled when the server stops; asyncio would print that as an error
                with suppress(Lost, BadMessage, TimeoutError, asyncio.CancelledError):
                    await _serve(link, peer, handle)
        finally:
            open_connections.discard(writer)
            link.close()

    return await asyncio.start_server(
        connected, host, port, ssl=tls(identity, server=True), ssl_handshake_timeout=HANDSHAKE_S
    )


async def _serve(link: Link, peer: str, handle: Handle) -> None:
    """Answer one frame after the other; what is not a message ends the connection."""
    while True:
        async with asyncio.timeout(IDLE_S):
            request = decode(await link.receive())
        work = asyncio.create_task(asyncio.to_thread(handle, peer, request))
        try:
            while isinstance(request, Ask) and not (await asyncio.wait({work}, timeout=HEARTBEAT_S))[0]:
                await link.send(encode(Working(request.session, request.round)))
        finally:
            answer = encode(await work)  # the work is finished, and kept, even if nobody waits for it any more
        await link.send(answer)


async def _greeted(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(HANDSHAKE_S):
            return await reader.readexactly(len(GREETING)) == GREETING
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return False


def _lost(wrong: Exception) -> Lost | PartyStranger:
    """Tell a connection that broke from one that either side will never take."""
    if isinstance(wrong, ssl.SSLError) and ("CERTIFICATE" in (wrong.reason or "") or "ALERT" in (wrong.reason or "")):
        return PartyStranger(party=wrong.reason)
    return Lost(str(wrong))


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of `host:port`; raise ValueError."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(f"{address} is not HOST:PORT")
    return host.strip("[]"), int(port)


def _name(identity: Identity, writer: asyncio.StreamWriter) -> str | None:
    connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
    return peer_name(identity, connection.getpeercert(binary_form=True))
