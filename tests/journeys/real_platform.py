"""The platform as separate real processes that a test may kill one by one, and borrowers about to draw."""

import base64
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import httpx
import psycopg

from grainline.entry.migrate import migrate
from grainline.entry.postgres import Server, hold
from grainline.entry.settings import Settings
from grainline.entry.wiring import SANDBOX_FILE, Platform, wire
from grainline.invitation import MonthlyEvaluation, add_evaluations
from grainline.kit.calendar import at, business_date
from grainline.kit.db import Tx, transaction
from grainline.kit.money import Fen, RateE8
from grainline.kit.sealing import token_hash
from grainline.lines import open_line
from grainline.loans import service
from grainline.members import create_members
from grainline.members import store as members_store
from grainline.members.model import Card
from grainline.sandbox.clock import FILE_NAME, SandboxClock
from grainline.sandbox.rail_store import account
from grainline.sandbox.seeding import agreement_of, seed
from grainline.sandbox.store import Store, sign_agreement
from grainline.sandbox.town import Resident, residents
from sandbox_process import until

CODE = "271828"
READING = timedelta(seconds=11)
CHUNK = 200


@dataclass(frozen=True)
class Signature:
    """Everything a member needs to draw: token, key and body; the amount in fen."""

    member_id: int
    token: str
    key: str
    body: dict[str, str]
    amount_fen: int
    agreement: str


@dataclass
class RealPlatform:
    """A data folder, ports, and whoever runs on them."""

    folder: Path
    server: Server
    port: int
    sandbox_port: int
    people: list[Resident]
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return Settings(data=self.folder, port=self.port, sandbox_port=self.sandbox_port, sandbox=True)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GRAINLINE_")}
        own = {"DATA": str(self.folder), "PORT": str(self.port), "SANDBOX_PORT": str(self.sandbox_port)}
        return inherited | {f"GRAINLINE_{name}": value for name, value in own.items()}

    @property
    def clock(self) -> SandboxClock:
        return SandboxClock(self.folder / FILE_NAME, lambda: datetime.now(UTC))

    def start(self, *commands: str) -> None:
        """Start `grainline …`, each in a process group of its own."""
        for command in commands:
            argv = [sys.executable, "-m", "grainline.entry.cli", *command.split()]
            self.processes[command] = subprocess.Popen(argv, env=self.environment, start_new_session=True)

    def wait_until_it_answers(self) -> None:
        """Wait for the app; who has died meanwhile is named."""

        def answers() -> bool:
            for command, process in self.processes.items():
                assert process.poll() is None, f"grainline {command} ended with {process.returncode}"
            try:
                httpx.get(f"http://127.0.0.1:{self.sandbox_port}/healthz", trust_env=False).raise_for_status()
                return httpx.get(f"http://127.0.0.1:{self.port}/healthz", trust_env=False).is_success
            except httpx.TransportError:
                return False

        until(answers, what="the start of the platform", wait_s=60)

    def kill(self, *commands: str) -> None:
        """kill -9, with all they forked, at once."""
        for command in commands:
            os.killpg(self.processes[command].pid, signal.SIGKILL)
        for command in commands:
            self.processes.pop(command).wait(10)

    def stop(self) -> dict[str, int]:
        """Ask all to end; return their exit codes."""
        for process in self.processes.values():
            process.terminate()
        codes = {command: process.wait(20) for command, process in self.processes.items()}
        self.processes.clear()
        return codes

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `grainline …` to its end."""
        argv = [sys.executable, "-m", "grainline.entry.cli", *words]
        return subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=300, check=False)

    def ask(self, question: str) -> list[tuple]:
        """Ask the platform's database."""
        with psycopg.connect(self.server.owner_url) as connection:
            return connection.execute(question).fetchall()

    def ask_town(self, question: str) -> list[tuple]:
        """Ask the sandbox's own store, which only reads here."""
        with sqlite3.connect(f"file:{self.folder / SANDBOX_FILE}?mode=ro", uri=True, timeout=30) as connection:
            return connection.execute(question).fetchall()

    def balance(self, name: str) -> int:
        """Return the balance of an account of the rail, in fen."""
        town = Store(self.folder / SANDBOX_FILE)
        try:
            with town.transaction() as tx:
                found = account(tx, name)
        finally:
            town.close()
        assert found is not None
        return found.balance_fen


def free_ports(count: int) -> list[int]:
    """Return different ports that nobody listens on."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@contextmanager
def real_platform(people: int) -> Iterator[RealPlatform]:
    """A migrated database, a town of people with signed agreements, noon of the next day; nothing runs yet."""
    # PostgreSQL runs as another user when we are root, and pytest's own folders are closed to others
    folder = Path(tempfile.mkdtemp(prefix="grainline-", dir="/tmp"))
    folder.chmod(0o755)
    server = hold(folder)
    port, sandbox_port = free_ports(2)
    everybody = list(residents((30 + n % 40 for n in range(people)), reference=datetime.now(UTC).date()))
    platform = RealPlatform(folder, server, port, sandbox_port, everybody)
    try:
        migrate(server.owner_url)
        clock = platform.clock
        clock.advance_to(at(business_date(clock()) + timedelta(days=1), time(12, 0)))
        town = Store(folder / SANDBOX_FILE)
        seed(town, everybody, secret=platform.settings.read_partner_secret(), now=clock())
        with town.transaction() as tx:
            for person in everybody:
                sign_agreement(tx, person.card_number, now=clock())
        town.close()
        yield platform
    finally:
        for process in platform.processes.values():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        server.release()
        shutil.rmtree(folder)


async def invite(platform: RealPlatform, person: Resident, *, line_fen: int) -> None:
    """Evaluate a resident who is invited."""
    async with wire(platform.settings, platform.server.app_url) as wired, transaction(wired.pool) as tx:
        now = wired.clock()
        members = await create_members(tx, wired.vault, [person.phone], now=now)
        evaluation = MonthlyEvaluation(
            member_id=members[person.phone],
            product=wired.pack.product.code,
            month=business_date(now).replace(day=1),
            pd_e6=50_000,
            invited=True,
            tier="prime",
            line_fen=line_fen,
            rate_e8=30_000,
            reasons=("line_by_capacity",),
            model="test",
            evaluated_at=now,
            expires_on=business_date(now) + timedelta(days=60),
        )
        await add_evaluations(tx, [evaluation])


async def hold_line(platform: RealPlatform, person: Resident, *, limit_fen: int) -> None:
    """Give a resident a line of this size, whatever a decision would say."""
    async with wire(platform.settings, platform.server.app_url) as wired, transaction(wired.pool) as tx:
        members = await create_members(tx, wired.vault, [person.phone], now=wired.clock())
        await _open_line(tx, wired, members[person.phone], limit_fen=limit_fen)


async def signatures(platform: RealPlatform, people: list[Resident]) -> list[Signature]:
    """Bring people to the moment of signing, by the same calls as the API's, without its round trips."""
    made: list[Signature] = []
    async with wire(platform.settings, platform.server.app_url) as wired:
        secret = platform.settings.read_partner_secret()
        for start in range(0, len(people), CHUNK):
            chunk = people[start : start + CHUNK]
            async with transaction(wired.pool) as tx:
                members = await create_members(tx, wired.vault, [p.phone for p in chunk], now=wired.clock())
                made += [await _signature(tx, wired, p, members[p.phone], secret) for p in chunk]
    return made


async def _signature(tx: Tx, wired: Platform, person: Resident, member_id: int, secret: bytes) -> Signature:
    now, agreement = wired.clock(), agreement_of(person.card_number, secret)
    card_id = await _papers(tx, wired, person, member_id, agreement)
    amount_fen = 10_000 * (1 + person.number % 400)
    disclosure, _ = await service.show_disclosure(
        tx,
        wired.pack,
        member_id=member_id,
        disclosure_id=wired.new_id(),
        amount_fen=amount_fen,
        instalments=5,
        shape=None,
        purpose="travel",
        card_id=card_id,
        language="zh",
        now=now,
    )
    contract, _ = await service.make_contract(
        tx,
        wired.vault,
        wired.packs,
        member_id=member_id,
        contract_id=wired.new_id(),
        disclosure_id=disclosure.disclosure_id,
        disclosure_hash=disclosure.content_hash,
        language="zh",
        now=now + READING,
        random_bytes=lambda count: int(CODE).to_bytes(count),
    )
    session = wired.random_bytes(32)
    await members_store.add_session(
        tx, member_id=member_id, token_hash=token_hash(session), now=now, expires_at=now + timedelta(days=90)
    )
    token = base64.urlsafe_b64encode(member_id.to_bytes(8) + session).rstrip(b"=").decode()
    body = {"contract_id": str(contract.contract_id), "contract_hash": contract.content_hash.hex(), "code": CODE}
    return Signature(member_id, token, f"draw-of-{member_id}", body, amount_fen, agreement)


async def _papers(tx: Tx, wired: Platform, person: Resident, member_id: int, agreement: str):
    """Enter real name, card and line."""
    now, member = wired.clock(), await members_store.member(tx, member_id)

    def seal(text: str) -> bytes:
        return wired.vault.seal(text, member_id=member_id, wrapped_key=member.wrapped_key)

    await members_store.set_identity(
        tx, member_id=member_id, name=seal(person.name), national_id=seal(person.national_id), now=now
    )
    card = Card(wired.new_id(), seal(agreement), person.bank, person.card_number[-4:], usual=True)
    await members_store.add_card(
        tx,
        member_id=member_id,
        card=card,
        fingerprint=wired.vault.blind_index("card", person.card_number),
        now=now,
    )
    await _open_line(tx, wired, member_id, limit_fen=5_000_000)
    return card.card_id


async def _open_line(tx: Tx, wired: Platform, member_id: int, *, limit_fen: int) -> None:
    await open_line(
        tx,
        member_id=member_id,
        product=wired.pack.product.code,
        tier="prime",
        limit_fen=Fen(limit_fen),
        rate_e8=RateE8(30_000),
        reasons=["line_by_capacity"],
        now=wired.clock(),
    )
