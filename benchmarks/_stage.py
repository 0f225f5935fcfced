"""What the benchmarks stand on: a database of their own, pgbench as client and as baseline, and how figures are told.

The baseline is pgbench's built-in TPC-B-like transaction in a database of the same server, run in the same minutes,
because on a shared machine only a ratio says anything. It runs as pgbench runs it unless told otherwise, in the simple
protocol, which is what `tpcb_tps` and every `…_ratio` mean; and in the prepared one, told beside it as
`…_ratio_prepared`, because our own statements are prepared.
"""

import argparse
import asyncio
import json
import math
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from grainline.desk import Finding, verify
from grainline.entry.migrate import migrate
from grainline.entry.postgres import Server, embedded
from grainline.entry.settings import make_folder
from grainline.kit.db import make_pool

Protocol = Literal["simple", "prepared"]
Figures = dict[str, float | int | bool | str | dict[str, float]]

CLIENTS = 8
TPCB_SCALE = 20
TPCB_DATABASE = "tpcb"
TPS = re.compile(r"^tps = ([0-9.]+) \(without initial connection time\)$", re.MULTILINE)
FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)


@dataclass(frozen=True)
class Stage:
    """A migrated database on an embedded server of its own, and the data folder both live in."""

    data: Path
    server: Server


def options(about: str, *, seconds: float, rounds: int = 3) -> argparse.ArgumentParser:
    """Return a parser with the options every benchmark has."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
    parser.add_argument("--seconds", type=float, default=seconds, help="length of each measurement (%(default)s)")
    parser.add_argument("--rounds", type=int, default=rounds, help="rounds of which the median counts (%(default)s)")
    parser.add_argument("--scale", type=int, default=TPCB_SCALE, help="scale of TPC-B (%(default)s)")
    return parser


@contextmanager
def stage(*, scale: int) -> Iterator[Stage]:
    """Bring up a database with our schema and one with pgbench's, with the product's settings; leave nothing behind."""
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(SystemExit(143)))
    folder = Path(tempfile.mkdtemp(prefix="grainline-bench-"))
    folder.chmod(0o711)  # as root, PostgreSQL runs as another user, who must get through
    try:
        data = folder / "data"
        make_folder(data)
        with embedded(data) as server:
            migrate(server.owner_url)
            with psycopg.connect(server.owner_url, autocommit=True) as connection:
                connection.execute(f"create database {TPCB_DATABASE}")
            _run_pgbench(server, "postgres", TPCB_DATABASE, ["-i", "-q", "-s", str(scale)])
            yield Stage(data, server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def telling(steps: int) -> Iterator[Progress]:
    """Show a bar on standard error; standard output is for the figures."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task("starting", total=steps)
        yield progress


def tell(progress: Progress, step: str) -> None:
    """Say which measurement begins."""
    progress.update(progress.task_ids[0], description=step, advance=1)


def tpcb(server: Server, protocol: Protocol, *, seconds: float) -> float:
    """Return the transactions a second of pgbench's TPC-B-like script."""
    return pgbench(server, "postgres", TPCB_DATABASE, ["-b", "tpcb-like"], protocol, seconds=seconds)


def scripted(server: Server, user: str, script: str, *, seconds: float, clients: int = CLIENTS) -> float:
    """Return the transactions a second of a pgbench script of ours, in the prepared protocol."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        words = ["-n", "-f", file.name]
        return pgbench(server, user, database_of(server.app_url), words, "prepared", seconds=seconds, clients=clients)


def pgbench(
    server: Server,
    user: str,
    database: str,
    words: list[str],
    protocol: Protocol,
    *,
    seconds: float,
    clients: int = CLIENTS,
) -> float:
    """Run pgbench for whole seconds, at least one, and return its transactions a second; no transaction may fail."""
    timed = ["-M", protocol, "-c", str(clients), "-j", "2", "-T", str(max(1, math.ceil(seconds)))]
    said = _run_pgbench(server, user, database, [*words, *timed])
    found, failed = TPS.search(said), FAILED.search(said)
    if found is None or failed is None or int(failed[1]):
        raise RuntimeError(f"pgbench measured nothing or had failures:\n{said}")
    return float(found[1])


def database_of(url: str) -> str:
    """Return the name of the database a connection URL leads to."""
    return str(conninfo_to_dict(url)["dbname"])


def findings_of(on: Stage, *, without: str | None = None) -> list[str]:
    """Prove the books after a measurement, as `grainline verify` does, and return what does not agree.

    `without` leaves a check out where what it compares is not there.
    """

    async def prove() -> list[Finding]:
        async with make_pool(on.server.app_url, size_max=1) as pool:
            return (await verify(pool))[1]

    found = [finding for finding in asyncio.run(prove()) if finding.check != without]
    return [f"{finding.check} member {finding.member_id}: {finding.what}" for finding in found]


def ratio(ours: list[float], base: list[float]) -> float:
    """Return the median of the rounds' ratios: what a noisy minute does to both, it does not do to these."""
    return round(median(one / other for one, other in zip(ours, base, strict=True)), 3)


def print_figures(figures: Figures, *, as_json: bool) -> None:
    """Print the figures, as one JSON object or one a line."""
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<20} {value:,.2f}" if isinstance(value, float) else f"{name:<20} {value}")


def _run_pgbench(server: Server, user: str, database: str, words: list[str]) -> str:
    if server.bin is None:
        raise RuntimeError("the embedded PostgreSQL has no pgbench for this system")
    command = [str(server.bin / "pgbench"), "-h", str(server.sockets), "-U", user, *words, database]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout
