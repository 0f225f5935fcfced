"""The run: from an empty folder through the days to the proof and the digest."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import date, timedelta
from datetime import time as clock_time
from pathlib import Path

import httpx
import psycopg
from granian.server.embed import Server as HttpServer

from grainline.desk import verify
from grainline.entry.http import equip, make_app
from grainline.entry.migrate import migrate
from grainline.entry.postgres import Server, embedded
from grainline.entry.settings import make_folder
from grainline.entry.simulation import books
from grainline.entry.simulation.days import Broken, Days
from grainline.entry.simulation.outcome import Order, Outcome
from grainline.entry.simulation.people import settle, settle_town, town_of
from grainline.entry.simulation.weather import forecast
from grainline.entry.simulation.wiring import Place, SeededPlatform, standing_clock, wire
from grainline.entry.wiring import SANDBOX_FILE
from grainline.kit.calendar import at
from grainline.kit.db import transaction
from grainline.sandbox.client import SandboxClient

FIRST_DAY = date(2023, 7, 1)  # so that a year of it has a year's end and a 29th of February
START_S = 30.0


Told = Callable[[date, Outcome], None]


def simulate(order: Order, *, told: Told = lambda *_: None) -> Outcome:
    """Run a simulation; `told` hears of the end of each day, with the counts of the last day of a month.

    The run ends with the first findings. Raises Broken where a process does not do what it is for.
    """
    started = time.perf_counter()
    with _folder(order.folder) as folder, embedded(folder) as server:
        _prepare(server)
        outcome = asyncio.run(_run(order, folder, server.app_url, told))
    outcome.seconds = round(time.perf_counter() - started, 1)
    return outcome


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        make_folder(given)
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="grainline-simulate-"))
    folder.chmod(0o711)  # as root, PostgreSQL runs as another user, who must get through
    try:
        make_folder(folder / "data")
        yield folder / "data"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(server: Server) -> None:
    migrate(server.owner_url)
    with psycopg.connect(server.owner_url, autocommit=True) as connection:
        # Workers are killed here, the server is not: nothing is lost by not waiting for the disk.
        connection.execute("alter role grainline_app set synchronous_commit = off")


async def _run(order: Order, folder: Path, database_url: str, told: Told) -> Outcome:
    start = at(FIRST_DAY, clock_time(0, 0))
    town_port, app_port = _free_ports(2)
    place = Place(folder, database_url, f"http://127.0.0.1:{town_port}", order.seed, start)
    people = town_of(order.members, start)
    clock = standing_clock(folder, start)
    settle_town(folder / SANDBOX_FILE, people, secret=place.secret("partners"), now=start)
    callback_url = f"http://127.0.0.1:{app_port}/api/v1/partners/rail/callbacks" if order.trouble.passing else ""
    with _town(place, town_port, callback_url) as hands:
        async with wire(place, name="simulation") as platform, _hearing(platform, app_port, on=bool(callback_url)):
            settled = await settle(platform, people, secret=place.secret("partners"))
            days = Days(place, platform, clock, hands, settled, FIRST_DAY)
            return await _live(order, days, told)


async def _live(order: Order, days: Days, told: Told) -> Outcome:
    outcome = Outcome(refused=days.refused)
    for weather in forecast(order.seed, start=FIRST_DAY, days=order.days, trouble=order.trouble):
        try:
            await days.live(weather)
        except Exception as error:
            error.add_note(f"seed {order.seed}, {weather}")
            raise
        is_last = (weather.day - FIRST_DAY).days + 1 == order.days
        month_ends = (weather.day + timedelta(days=1)).day == 1
        outcome.kills, outcome.down_days = days.kills, days.down_days
        if is_last or (weather.day - FIRST_DAY).days % order.verify_every == order.verify_every - 1:
            await _prove(days, weather.day, outcome)
        if is_last or month_ends or outcome.findings:
            await _count(days, weather.day, outcome)
        told(weather.day, outcome)
        if outcome.findings:
            break
    async with transaction(days.platform.pool) as tx:
        outcome.digest = await books.digest(tx)
    return outcome


async def _prove(days: Days, day: date, outcome: Outcome) -> None:
    started = time.perf_counter()
    _, findings = await verify(days.platform.pool)
    outcome.verified += 1
    outcome.verify_seconds += time.perf_counter() - started
    outcome.findings += [(day.isoformat(), one.check, one.member_id, one.what) for one in findings]


async def _count(days: Days, day: date, outcome: Outcome) -> None:
    rail = days.hands.books()
    async with transaction(days.platform.pool) as tx:
        outcome.counts = await books.counts(tx)
        differ = await books.against_rail(tx, rail.model_dump())
    wrong = [*(f"the rail's account {name} does not add up" for name in rail.imbalances), *differ]
    outcome.findings += [(day.isoformat(), "books_equal_rail", 0, what) for what in wrong]


@contextmanager
def _town(place: Place, port: int, callback_url: str) -> Iterator[SandboxClient]:
    """Run the sandbox as a process of its own."""
    given = {
        "folder": str(place.folder),
        "secret": place.secret("partners").hex(),
        "callback_url": callback_url,
        "seed": str(place.seed),
        "start": place.start.isoformat(),
        "port": str(port),
    }
    words = [sys.executable, "-m", "grainline.entry.simulation.town_process", json.dumps(given)]
    process = subprocess.Popen(words)
    try:
        with httpx.Client(base_url=place.partners_url, trust_env=False) as client:
            _await_answer(process, client)
            yield SandboxClient(client)
    finally:
        process.kill()
        process.wait()


def _await_answer(process: "subprocess.Popen[bytes]", client: httpx.Client) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            if client.get("/healthz").is_success:
                return
        time.sleep(0.05)
    raise Broken(f"the sandbox does not answer; it ended with {process.poll()}")


@asynccontextmanager
async def _hearing(platform: SeededPlatform, port: int, *, on: bool) -> AsyncIterator[None]:
    """Serve the API in this process, for the rail to call back to."""
    if not on:
        yield
        return
    app = make_app()
    equip(app, platform)
    server = HttpServer(app, address="127.0.0.1", port=port, interface="asginl", log_enabled=False)  # type: ignore[arg-type]
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        await serving


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
