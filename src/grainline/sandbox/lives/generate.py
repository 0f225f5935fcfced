"""Write a town: each party's event files, what the lender may know, and the truth apart."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree

import polars as pl

from grainline.behaviour.events import Party
from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.block_events import Lives, lives_of
from grainline.sandbox.lives.calendar_days import Span, span_until

RESIDENTS_LEAST, RESIDENTS_MOST = 1, 10_000_000


@dataclass(frozen=True)
class Town:
    """What was written."""

    folder: Path
    first: date
    until: date
    residents: int
    events: dict[Party, int]


def generate(
    folder: Path,
    *,
    residents: int,
    seed: int,
    until: date,
    months: int = 18,
    processes: int = 1,
    chunk: int = p.CHUNK,
    told: Callable[[int], None] = lambda _: None,
) -> Town:
    """Write the town of residents 1..N under a folder: their events over calendar months, the last that of `until`.

    The folder holds `social`, `payment`, `bureau`, `residents.parquet`, and `truth.parquet`, which only an evaluation
    may read. The same seed, `until` and months give the same rows, however many processes and residents a file, and
    resident 17 lives the same life in a small town and in a large one. `told` hears how many residents are done.

    Raises ValueError for a number of residents, months or years out of range, FileExistsError for a folder in use.
    """
    if not RESIDENTS_LEAST <= residents <= RESIDENTS_MOST:
        raise ValueError(f"a town has {RESIDENTS_LEAST} to {RESIDENTS_MOST} residents, not {residents}")
    if chunk < 1 or chunk % p.BLOCK:
        raise ValueError(f"a file holds whole blocks of {p.BLOCK} residents, not {chunk}")
    span = span_until(until, months)
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty")
    pieces = ("residents", "truth")
    for name in (*Party, *(f".{piece}" for piece in pieces)):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write = partial(write_chunk, folder, residents=residents, seed=seed, span=span, chunk=chunk)
    counts = dict.fromkeys(Party, 0)
    for number, found in enumerate(_all(write, -(-residents // chunk), processes), start=1):
        for party, count in found.items():
            counts[party] += count
        told(min(number * chunk, residents))
    for piece in pieces:
        pl.scan_parquet(folder / f".{piece}" / "*.parquet").sink_parquet(folder / f"{piece}.parquet")
        rmtree(folder / f".{piece}")
    return Town(folder, span.first, span.until, residents, counts)


def write_chunk(folder: Path, number: int, *, residents: int, seed: int, span: Span, chunk: int) -> dict[Party, int]:
    """Write the files of one chunk of residents; return each party's number of events."""
    first, last = number * chunk, min((number + 1) * chunk, residents)
    blocks = range(first // p.BLOCK, -(-last // p.BLOCK))
    lives = [_cut(lives_of(seed, block, span), last) for block in blocks]
    counts = {}
    for party in Party:
        events = pl.concat([each.events[party] for each in lives], rechunk=False)
        counts[party] = len(events)
        _write(events, folder / party / f"events-{number:05d}.parquet")
    _write(pl.concat([each.residents for each in lives]), folder / ".residents" / f"{number:05d}.parquet")
    _write(pl.concat([each.truth for each in lives]), folder / ".truth" / f"{number:05d}.parquet")
    return counts


def _all(write: Callable[[int], dict[Party, int]], chunks: int, processes: int) -> Iterator[dict[Party, int]]:
    if processes == 1 or chunks == 1:
        yield from map(write, range(chunks))
        return
    # A fork would copy the locks of the threads that polars runs.
    with ProcessPoolExecutor(min(processes, chunks), mp_context=get_context("spawn")) as pool:
        yield from pool.map(write, range(chunks))


def _cut(lives: Lives, last: int) -> Lives:
    """Leave out who has a number beyond the town's."""
    there = pl.col("resident") <= last
    events = {party: found.filter(there) for party, found in lives.events.items()}
    return Lives(events, lives.residents.filter(there), lives.truth.filter(there))


def _write(found: pl.DataFrame, path: Path) -> None:
    found.write_parquet(path, compression="zstd", compression_level=1)
