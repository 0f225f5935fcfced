"""A full refresh of the whitelist: everybody judged, kept, ranked, and the month's capacity shared out.

It begins with what the parties handed over (making features is another benchmark, `features`): the asked features of a
simulated town's people, repeated for as many as are wanted. The database is real. Beside it, in the same rounds, what
the database alone takes for as many rows of the same width by `copy`.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import polars as pl
import psycopg
from _stage import Figures, options, print_figures, ratio, stage, tell, telling

from grainline.entry.parties import CHUNK, Parties
from grainline.invitation import Refresh, policy_for, refresh
from grainline.kit.db import make_pool
from grainline.sandbox.lives import generate

MONTH = date(2026, 11, 1)
NOW = datetime(2026, 11, 1, 4, tzinfo=UTC)
SAMPLE = 2_000
SMALL, LARGE = 20_000, 200_000


def main() -> int:
    """Measure, print, and fail where somebody was lost on the way."""
    parser = options(__doc__ or "", seconds=0.0)
    given = parser.parse_args()
    with telling(2 + 2 * given.rounds) as progress, TemporaryDirectory(prefix="grainline-bench-") as folder:
        tell(progress, f"a town of {SAMPLE:,} people")
        generate(Path(folder) / "town", residents=SAMPLE, seed=7, until=date(2026, 10, 31))
        sample = pl.concat(Parties(Path(folder) / "town").people(policy_for(MONTH), as_of=NOW, now=NOW))
        rates: dict[int, list[float]] = {SMALL: [], LARGE: []}
        copies: dict[int, list[float]] = {SMALL: [], LARGE: []}
        lost = 0
        with stage(scale=1) as on:
            for number in range(given.rounds):
                for people in (SMALL, LARGE):
                    tell(progress, f"round {number + 1}: {people:,} residents")
                    seconds, judged = asyncio.run(_refreshed(on.server.app_url, sample, people))
                    lost += people - judged
                    rates[people].append(people / seconds)
                    copies[people].append(people / _copied(on.server.owner_url))
    figures: Figures = {
        "residents": SMALL,
        "residents_per_s": round(median(rates[SMALL])),
        "residents_large": LARGE,
        "residents_per_s_large": round(median(rates[LARGE])),
        "cost_per_resident_ratio": ratio(rates[SMALL], rates[LARGE]),
        "ratio_to_copy": ratio(rates[LARGE], copies[LARGE]),
        "rounds": given.rounds,
        "lost": lost,
    }
    print_figures(figures, as_json=given.json)
    return 1 if lost else 0


async def _refreshed(url: str, sample: pl.DataFrame, people: int) -> tuple[float, int]:
    """Refresh the month for so many people; return the seconds it took and how many have an outcome."""

    async def chunks(_: Refresh) -> AsyncIterator[pl.DataFrame]:
        for first in range(0, people, CHUNK):
            ids = pl.int_range(first, min(first + CHUNK, people), eager=True)
            yield sample[(ids % len(sample)).cast(pl.UInt32)].with_columns(member_id=ids + 1)

    async with make_pool(url) as pool:
        began = time.perf_counter()
        await refresh(pool, chunks, month=MONTH, capacity=people // 5, as_of=NOW, now=NOW)
        seconds = time.perf_counter() - began
        async with pool.connection() as connection:
            row = await (await connection.execute("select count(*) from invitation.outcomes")).fetchone()
    return seconds, int(row[0]) if row else 0


def _copied(url: str) -> float:
    """Write the outcomes once more, from a file of them, and empty the tables; return the seconds of the writing."""
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.cursor() as cursor, cursor.copy("copy invitation.outcomes to stdout (format binary)") as copy:
            rows = list(copy)
        connection.execute("truncate invitation.outcomes, invitation.refreshes")
        began = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy("copy invitation.outcomes from stdin (format binary)") as into:
            for row in rows:
                into.write(row)
        seconds = time.perf_counter() - began
        connection.execute("truncate invitation.outcomes")
        connection.execute("vacuum analyze invitation.outcomes")
        connection.execute("checkpoint")
    return seconds


if __name__ == "__main__":
    raise SystemExit(main())
