"""Data parties as processes of their own on this machine, over mutual TLS, with what they cost."""

import asyncio
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import typer

from grainline.entry.federated_tables import BadFile, read_table
from grainline.entry.he_backend import choose
from grainline.entry.problems import detail_of
from grainline.federated.admitting import Admit, by_consent
from grainline.federated.channel import PartyChannel
from grainline.federated.consent import UNDERWRITING
from grainline.federated.he import Ciphertext, PublicKey, RandomBytes, SecretKey
from grainline.federated.identity import Identity, Role, keep_consent_key, make_identity, trust
from grainline.federated.party import psi_host, serve
from grainline.federated.party_model import directions_host, training_host
from grainline.federated.psi_sets import Sizes
from grainline.federated.scorecard_party import points_host, scorecard_host
from grainline.federated.sessions import Host, MakeHost, Opening
from grainline.federated.transport import Connect, Link, connector
from grainline.federated.wire import Message
from grainline.kit.errors import Refusal

READY_S = 60.0
STOP_S = 10.0
FIGURES = "figures"
LENDER = "lender"
BRIEF = frozenset({"directions-asked", "points-asked"})


@dataclass
class Spent:
    """Processor seconds: of the whole process, and of answering in it."""

    process_s: float
    answering_s: float


@dataclass
class Counted:
    """Bytes of frames that went either way."""

    to_hosts: int = 0
    back: int = 0


@dataclass
class Party:
    """A running host: its name, where it listens, and the pipe by which it tells what it spent."""

    name: str
    address: str
    pipe: Connection

    def spent(self) -> Spent:
        """Ask for the figures so far."""
        self.pipe.send(FIGURES)
        found = self.pipe.recv()
        assert isinstance(found, Spent)  # noqa: S101  # it sends nothing else
        return found


@dataclass(frozen=True)
class Measured:
    """Seconds since a meter was started: of the wall, of this process, of the hosts, and of answering in them."""

    wall_s: float
    own_s: float
    hosts_s: float
    answering_s: float


class Meter:
    """Measures from when it is made what this process and its hosts spend."""

    def __init__(self, parties: Sequence[Party]) -> None:
        self._parties = parties
        self._own, self._spent, self._wall = time.process_time(), [one.spent() for one in parties], time.perf_counter()

    def read(self) -> Measured:
        """Return what was spent so far."""
        wall, own = time.perf_counter() - self._wall, time.process_time() - self._own
        pairs = list(zip([one.spent() for one in self._parties], self._spent, strict=True))
        return Measured(
            wall,
            own,
            hosts_s=sum(now.process_s - then.process_s for now, then in pairs),
            answering_s=sum(now.answering_s - then.answering_s for now, then in pairs),
        )


@contextmanager
def running(folder: Path, tables: Sequence[Path], roles: Sequence[Role] = ()) -> Iterator[tuple[Identity, list[Party]]]:
    """Run a host for each table in a process of its own; raise RuntimeError for one that does not come up.

    Where the hosts have `roles`, one for each table, they ask for consents for these; else they tell of anybody.
    """
    now = datetime.now(UTC)
    lender = make_identity(folder / LENDER, Role.LENDER, now=now, random_bytes=os.urandom)
    context = multiprocessing.get_context("spawn")
    started, parties = [], []
    try:
        for number, table in enumerate(tables, start=1):
            name = f"host-{number}"
            role = roles[number - 1] if roles else Role.PAYMENT
            identity = make_identity(folder / name, role, now=now, random_bytes=os.urandom)
            trust(lender, name, identity.certificate.read_bytes())
            trust(identity, LENDER, lender.certificate.read_bytes())
            if roles:
                keep_consent_key(identity, lender.consent_public.read_bytes())
            ours, theirs = context.Pipe()
            process = context.Process(target=_host, args=(str(identity.folder), str(table), theirs), daemon=True)
            process.start()
            theirs.close()
            started.append((process, ours, name))
        for process, ours, name in started:
            if not ours.poll(READY_S):
                raise RuntimeError(f"{name} did not come up")
            try:
                told = ours.recv()
            except EOFError:
                process.join(STOP_S)
                raise RuntimeError(f"{name} could not be started: exit code {process.exitcode}") from None
            if isinstance(told, str):
                raise RuntimeError(f"{name}: {told}")
            parties.append(Party(name, f"127.0.0.1:{told}", ours))
        yield lender, parties
    finally:
        for process, ours, _ in started:
            ours.close()
            process.join(STOP_S)
            if process.is_alive():
                process.terminate()
                process.join(STOP_S)


def channel_to(lender: Identity, party: Party, counted: Counted) -> PartyChannel:
    """Return a new session with a party, whose bytes are counted."""
    connect = _counting(connector(lender, party.name, party.address), counted)
    return PartyChannel(party.name, connect, os.urandom(16))


@dataclass
class Metered:
    """A secret key that counts processor seconds and decrypted ciphertexts."""

    secret: SecretKey
    encrypt_s: float = 0.0
    decrypt_s: float = 0.0

    @property
    def public(self) -> PublicKey:
        """Return the key to give away."""
        return self.secret.public

    def encrypt(self, plaintexts: Sequence[int], random_bytes: RandomBytes) -> list[Ciphertext]:
        """Encrypt; see `he.SecretKey`."""
        started = time.process_time()
        found = self.secret.encrypt(plaintexts, random_bytes)
        self.encrypt_s += time.process_time() - started
        return found

    def decrypt(self, ciphertexts: Sequence[Ciphertext]) -> list[int]:
        """Decrypt; see `he.SecretKey`."""
        started = time.process_time()
        found = self.secret.decrypt(ciphertexts)
        self.decrypt_s += time.process_time() - started
        return found


@dataclass
class _Timed:
    """A host whose answers are timed, as the processor seconds of the thread that works."""

    host: Host
    spent: Spent

    def answer(self, message: Message) -> Message:
        started = time.thread_time()
        try:
            return self.host.answer(message)
        finally:
            self.spent.answering_s += time.thread_time() - started

    def checkpoint(self) -> bytes | None:
        found = getattr(self.host, "checkpoint", None)
        return None if found is None else found()


@dataclass
class _CountingLink:
    link: Link
    counted: Counted = field(repr=False)

    async def send(self, frame: bytes) -> None:
        self.counted.to_hosts += len(frame)
        await self.link.send(frame)

    async def receive(self) -> bytes:
        frame = await self.link.receive()
        self.counted.back += len(frame)
        return frame

    def close(self) -> None:
        self.link.close()


def _counting(connect: Connect, counted: Counted) -> Connect:
    async def connected() -> Link:
        return _CountingLink(await connect(), counted)

    return connected


def _host(folder: str, table: str, pipe: Connection) -> None:
    """Be a host until the pipe is closed."""
    choose()
    identity = Identity(Path(folder))
    try:
        own = read_table(Path(table))
    except BadFile as error:
        return pipe.send(f"{error} [{error.code}]")
    except Refusal as refusal:
        return pipe.send(f"{table}: {detail_of(refusal.code, refusal.params, 'en')} [{refusal.code}]")
    spent = Spent(0.0, 0.0)

    def timed(make: MakeHost) -> MakeHost:
        return lambda opening: _Timed(make(opening), spent)

    admit = _admitting(identity)
    hosts = {
        "psi-offer": psi_host(
            identity, lambda: own.ids, clock=lambda: datetime.now(UTC), runs_per_day=1, sizes=Sizes(ids_min=1)
        ),
        "training-begins": timed(training_host(identity, lambda: own, smallest_bin_min=1)),
        "directions-asked": directions_host(identity, lambda _: own, admit),
        "scorecard-begins": timed(scorecard_host(identity, lambda: own, smallest_bin_min=1)),
        "points-asked": points_host(identity, lambda _: own, admit),
    }
    return asyncio.run(_serve(identity, hosts, pipe, spent))


def _admitting(identity: Identity) -> Callable[[Opening], Admit]:
    """Return who may be asked about: who consented, or anybody where no consents can be checked."""
    if identity.consent_public.exists():
        return by_consent(identity, source=identity.role(), purpose=UNDERWRITING, clock=lambda: datetime.now(UTC))
    return lambda _: lambda applicant, consent: None  # such a run asks only about the rows that it was trained on


async def _serve(identity: Identity, hosts: dict[str, MakeHost], pipe: Connection, spent: Spent) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def report(session: str, wrong: Exception) -> None:
        typer.echo(f"{identity.folder.name}: session {session[:8]} ended: {wrong!r}", err=True)

    server = await serve(identity, "127.0.0.1:0", hosts, random_bytes=os.urandom, report=report, brief=BRIEF)
    pipe.send(server.sockets[0].getsockname()[1])

    def listen() -> None:
        try:
            while pipe.recv() == FIGURES:
                pipe.send(Spent(time.process_time(), spent.answering_s))
        except (EOFError, OSError):
            pass
        loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=listen, daemon=True).start()
    await stopped.wait()
    server.close()
