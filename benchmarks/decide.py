"""Whole decisions through HTTP at a steady rate, and the pure part of each by itself.

Members apply as they come: POST /api/v1/applications is due at fixed times, whatever the answers do, and its time is
counted from when it was due. It goes to the app as it is shipped (`grainline serve`, its settings, fsync on), which
asks a bureau in another process; client, app, bureau and database share the machine. Every member applies once;
members with their sessions, names, cards, consents and evaluations are written beforehand. Every answer but 201 is an
error. Afterwards the books must balance and every decision must come out again to the bit.

The pure part is `decide_on` in this process, on people of the portfolio: scores, rules, price, reasons.
"""

import asyncio
import json
import os
import re
import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from threading import Event

import httpx
import uvloop
from _applicants import Applicant, applicants, cast, fitted, inputs_of, settle, town
from _stage import Figures, Stage, findings_of, options, print_figures, stage, tell, telling
from draw import START_SECONDS_MAX, _settings

from grainline.entry.model_keys import models_of
from grainline.entry.processes import Processes, Program
from grainline.entry.seed import PORTFOLIO
from grainline.entry.settings import Settings
from grainline.entry.wiring import make_clock, read_pack, read_packs, read_profiles
from grainline.kit.db import make_pool, transaction
from grainline.kit.sealing import Vault
from grainline.sandbox.seeding import records_in
from grainline.sandbox.town import Resident
from grainline.underwriting.deciding import Occasion, decide_on
from grainline.underwriting.replaying import Replayed, replay_since
from grainline.underwriting.shelf import Shelf

PURE_PEOPLE = 2_500
PURE_WARM_UP = 200
WARM_UP = 200  # statements prepared, caches filled, in each of the app's workers
LATE_MOST_S = 30.0  # of the last answer, after the last request was due
GRAINLINE = (sys.executable, "-m", "grainline.entry.cli")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass
class Told:
    """What came back: seconds of each answer from when it was due, statuses, results, the first body of each status.

    `cpu_s` is what each program took meanwhile, with its children.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)
    lasted: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)


def main() -> int:
    """Measure, print, and fail where an answer, the books or a decision taken again are wrong."""
    parser = options(__doc__ or "", seconds=10.0)
    parser.add_argument("--rate", type=float, default=50.0, help="applications due a second (%(default)s)")
    parser.add_argument("--people", type=int, default=6_000, help="people that the models are fitted to (%(default)s)")
    given = parser.parse_args()
    count = int(given.rate * given.seconds)
    with stage(scale=1) as on, telling(2 * given.rounds + 6) as progress:
        settings = _settings(on)
        clock = make_clock(settings)
        tell(progress, "settling the town")
        residents = town(1, WARM_UP + given.rounds * count, now=clock())
        settle(settings, residents, now=clock())
        tell(progress, "fitting the models")
        uvloop.run(_cast(on, settings, given.people, now=clock()))
        rounds: list[Told] = []
        with _serving(settings) as programs:
            for number in range(given.rounds + 1):
                tell(progress, "preparing members")
                first = WARM_UP + (number - 1) * count if number else 0
                people = residents[first : first + (count if number else WARM_UP)]
                vault = Vault(settings.read_master_key(), os.urandom)
                made = uvloop.run(_applicants(on, vault, people, now=clock()))
                tell(progress, "applying")
                rounds.append(uvloop.run(apply_all(settings.port, made, rate=given.rate, pids=programs | _server(on))))
        tell(progress, "the pure part")
        pure = uvloop.run(_pure(on, settings, now=clock()))
        tell(progress, "replaying and verifying")
        replayed = uvloop.run(_replayed(on, settings))
        findings = findings_of(on)
    return _report(given, rounds, pure, replayed, findings)


async def apply_all(port: int, people: Sequence[Applicant], *, rate: float, pids: dict[str, int]) -> Told:
    """Let people apply, each when it is due; raise TimeoutError where the last answer does not come."""
    told, idle = Told(), list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
    before, began = {name: _cpu_s(pid) for name, pid in pids.items()}, time.perf_counter()

    async def one(person: Applicant, due: float) -> None:
        reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        writer.write(_request(person, port))
        head = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        told.seconds.append(time.perf_counter() - due)
        idle.append((reader, writer))
        status = head[9:12].decode()
        told.statuses[status] += 1
        told.samples.setdefault(status, body.decode())
        if status == "201":
            told.results[json.loads(body)["result"]] += 1

    async with asyncio.timeout(len(people) / rate + LATE_MOST_S), asyncio.TaskGroup() as tasks:
        for number, person in enumerate(people):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(one(person, due))
    told.lasted = time.perf_counter() - began
    told.cpu_s = {name: _cpu_s(pid) - before[name] for name, pid in pids.items()}
    for _, writer in idle:
        writer.close()
    return told


def _request(person: Applicant, port: int) -> bytes:
    body = b'{"student":false}'
    head = (
        "POST /api/v1/applications HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Authorization: Bearer {person.token}",
        f"Idempotency-Key: {person.key}",
        "Content-Type: application/json",
        "Accept-Language: zh-CN",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*head, "", "")).encode() + body


@contextmanager
def _serving(settings: Settings) -> Iterator[dict[str, int]]:
    """Run bureau and app as `grainline up` runs them, for the length of a block; yield their process ids by name."""
    wanted = [Program("sandbox", (*GRAINLINE, "sandbox", "serve")), Program("app", (*GRAINLINE, "serve"))]
    programs = Processes(wanted, say=lambda text: print(text, file=sys.stderr))
    try:
        programs.start()
        programs.wait_until(lambda: _answer(settings), stop=Event(), seconds=START_SECONDS_MAX)
        yield {name: _child(word) for name, word in (("sandbox", b"sandbox"), ("app", b"serve"))}
    finally:
        programs.stop(Event())


def _answer(settings: Settings) -> bool:
    try:
        return all(
            httpx.get(f"{url}/healthz", timeout=5, trust_env=False).is_success
            for url in (settings.url, settings.sandbox_url)
        )
    except httpx.TransportError:
        return False


def _child(word: bytes) -> int:
    """Return our child whose first word after `grainline` is this one."""
    for pid in _children(os.getpid()):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if words[3:4] == [word]:
            return pid
    raise RuntimeError(f"no process {word.decode()}")


def _server(on: Stage) -> dict[str, int]:
    found = next(on.data.rglob("postmaster.pid"))
    return {"database": int(found.read_text().split()[0])}


def _cpu_s(pid: int) -> float:
    """Return the processor time of a process and everything under it, also what ended there."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = _children(pid)
    except (FileNotFoundError, ProcessLookupError):  # it ended just now, and counts with its parent
        return 0.0
    return sum(map(int, words[11:15])) / TICKS_A_SECOND + sum(map(_cpu_s, children))


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


async def _cast(on: Stage, settings: Settings, people: int, *, now: datetime) -> None:
    async with make_pool(on.server.app_url, size_max=1) as pool:
        await cast(settings, pool, list(read_packs()), fitted(people), now=now)


async def _applicants(on: Stage, vault: Vault, people: Sequence[Resident], *, now: datetime) -> list[Applicant]:
    async with make_pool(on.server.app_url, size_max=1) as pool:
        return await applicants(on.server.owner_url, pool, vault, read_pack(), people, now=now)


async def _pure(on: Stage, settings: Settings, *, now: datetime) -> list[float]:
    """Return the seconds of `decide_on` on each of many people."""
    pack, shelf, records = read_pack(), Shelf(models_of(settings)), records_in(PORTFOLIO)
    profile, taken = read_profiles()[pack.regulation.profile], []
    async with make_pool(on.server.app_url, size_max=1) as pool, transaction(pool) as tx:
        for one in town(1, PURE_PEOPLE + PURE_WARM_UP, now=now):
            named = await shelf.in_force(tx, pack, member_id=one.number, now=now)
            inputs = inputs_of(named, profile, one, records[one.number], occasion=Occasion.APPLICATION, now=now)
            started = time.perf_counter()
            decide_on(named.artefacts, inputs)
            taken.append(time.perf_counter() - started)
    return taken[PURE_WARM_UP:]


async def _replayed(on: Stage, settings: Settings) -> Replayed:
    async with make_pool(on.server.app_url, size_max=1) as pool, transaction(pool) as tx:
        return await replay_since(tx, Shelf(models_of(settings)), datetime(1970, 1, 1, tzinfo=UTC))


def _report(given: Namespace, rounds: list[Told], pure: list[float], replayed: Replayed, findings: list[str]) -> int:
    for finding in findings:
        print(finding, file=sys.stderr)
    for told in rounds:
        for status, body in told.samples.items():
            if status != "201":
                print(f"{told.statuses[status]} answers {status}, the first: {body}", file=sys.stderr)
    errors = sum(told.statuses.total() - told.statuses["201"] for told in rounds)
    figures: Figures = {
        **_figures(rounds[1:], pure),
        "by_result": dict(sum((told.results for told in rounds[1:]), Counter[str]())),
        "errors": errors,
        "verified": not findings,
        "replayed": replayed.counted.total(),
        "differences": len(replayed.differences),
        "rate": given.rate,
        "people": given.people,
        "rounds": given.rounds,
        "seconds": given.seconds,
    }
    print_figures(figures, as_json=given.json)
    return 1 if errors or findings or replayed.differences else 0


def _figures(rounds: list[Told], pure: list[float]) -> Figures:
    percentiles = [quantiles(told.seconds, n=100, method="inclusive") for told in rounds]
    of_pure = quantiles(pure, n=100, method="inclusive")
    return {
        "per_s": round(median(told.statuses["201"] / told.lasted for told in rounds), 1),
        "p50_ms": round(1000 * median(found[49] for found in percentiles), 2),
        "p99_ms": round(1000 * median(found[98] for found in percentiles), 2),
        "pure_p50_ms": round(1000 * of_pure[49], 3),
        "pure_p99_ms": round(1000 * of_pure[98], 3),
        **{
            f"{name}_cpu_ms": round(1000 * median(told.cpu_s[name] / len(told.seconds) for told in rounds), 2)
            for name in rounds[0].cpu_s
        },
    }


if __name__ == "__main__":
    raise SystemExit(main())
