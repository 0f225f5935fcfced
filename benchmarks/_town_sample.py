"""A sample of the town: many residents with a few of their events each, and a few residents with all of theirs."""

from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import polars as pl

from grainline.behaviour import Party
from grainline.sandbox.lives import parameters
from grainline.sandbox.lives.block_events import lives_of
from grainline.sandbox.lives.calendar_days import span_until

SEED = 20_261_101
UNTIL = date(2026, 10, 31)  # the last day that is told
MONTHS = 18
WHOLE = 100  # residents whose events are all kept


def write_sample(folder: Path, *, residents: int, events: int) -> int:
    """Write `sample/PARTY` with that many events of residents 1..N, and `whole/PARTY`; return the number written.

    Each event is kept or not by the hash of its number, so a sample is the same however many processes draw it.
    """
    blocks = -(-residents // parameters.BLOCK)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        drawn = list(pool.map(partial(_draw, folder, residents=residents, events=events), range(blocks)))
    written = 0
    for party in Party:
        found = pl.concat(
            [pl.read_parquet(folder / "drawn" / party / f"{block:05d}.parquet") for block in range(blocks)]
        )
        share = sum(one[party] for one in drawn) / sum(sum(one.values()) for one in drawn)
        wanted = events - written if party is list(Party)[-1] else round(events * share)
        kept = found.sort("draw").head(wanted).drop("draw").sort("resident", "at", "event_id")
        (folder / "sample" / party).mkdir(parents=True)
        kept.write_parquet(folder / "sample" / party / "events-00000.parquet")
        written += len(kept)
    return written


def _draw(folder: Path, block: int, *, residents: int, events: int) -> dict[Party, int]:
    """Write those of a block's events that a sample may take, a little more than it will; return what there was."""
    lives = lives_of(SEED, block, span_until(UNTIL, MONTHS))
    counts = {}
    for party, whole in lives.events.items():
        found = whole.filter(pl.col("resident") <= residents)
        counts[party] = len(found)
        if block == 0:
            (folder / "whole" / party).mkdir(parents=True)
            few = found.filter(pl.col("resident") <= WHOLE)
            few.write_parquet(folder / "whole" / party / "events-00000.parquet")
        target = folder / "drawn" / party
        target.mkdir(parents=True, exist_ok=True)
        _lowest(found, events / residents).write_parquet(target / f"{block:05d}.parquet")
    return counts


def _lowest(found: pl.DataFrame, a_resident: float) -> pl.DataFrame:
    """Return the events with the lowest hashes: at most twice of what a resident gives to the sample."""
    drawn = found.with_columns(pl.col("event_id").hash(SEED).alias("draw"))
    people = found["resident"].n_unique()
    return drawn.sort("draw").head(int(2 * a_resident * people))
