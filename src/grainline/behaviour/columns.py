"""Events as columns of numbers: what was known at a moment, sorted by resident, time and event.

Times become whole microseconds, words their places in the party's vocabulary. Shanghai's clock is UTC+8 the year round;
it has been so since September 1991, and no event here is older.
"""

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from grainline.behaviour.events import Party
from grainline.behaviour.groups import Vocabulary, vocabulary
from grainline.kit.calendar import at

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
SHANGHAI_US = 8 * HOUR_US
NOBODY = np.iinfo(np.int64).min  # stands for a null where a column is whole numbers
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Columns:
    """Events in arrays of one length. Amounts, balances (fen) and days late are floats, NaN where null."""

    resident: Integers
    at_us: Integers
    kind: Integers
    scene: Integers
    tool: Integers
    amount: Floats
    balance: Floats
    late: Floats
    counterparty: Integers
    place: Integers
    device: Integers

    def part(self, first: int, last: int) -> "Columns":
        """Return rows `first` up to and without `last`, as views."""
        return Columns(*(getattr(self, one.name)[first:last] for one in fields(self)))


def instant(moment: date | datetime) -> datetime:
    """Return the instant a moment stands for: a business date is its first instant in Shanghai.

    Raise ValueError on a time without a zone.
    """
    if not isinstance(moment, datetime):
        return at(moment, time())
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone says nothing")
    return moment.astimezone(UTC)


def microseconds(moment: date | datetime) -> int:
    """Return the microseconds from 1970 to a moment."""
    return (instant(moment) - EPOCH) // timedelta(microseconds=1)


def columns_of(events: pl.DataFrame, *, party: Party, as_of: date | datetime, known_by: date | datetime) -> Columns:
    """Return events before `as_of` that had been ingested by `known_by`, sorted; other kinds are left out."""
    words = vocabulary(party)
    known = (
        events.lazy()
        .filter(pl.col("at") < instant(as_of), pl.col("ingested_at") <= instant(known_by))
        .with_columns(pl.col("kind").cast(pl.Enum(words.kinds), strict=False))
        .filter(pl.col("kind").is_not_null(), pl.col("resident").is_not_null())
        .sort("resident", "at", "event_id")
        .select(*_numbers(words))
        .collect()
    )
    return Columns(*(known[one.name].to_numpy() for one in fields(Columns)))


def _numbers(words: Vocabulary) -> list[pl.Expr]:
    def coded(name: str, known: tuple[str, ...]) -> pl.Expr:
        place = pl.col(name).cast(pl.Enum(known), strict=False).to_physical()
        return place.cast(pl.Int64).fill_null(len(known))

    return [
        pl.col("resident").cast(pl.Int64),
        pl.col("at").dt.epoch("us").alias("at_us"),
        pl.col("kind").to_physical().cast(pl.Int64),
        coded("scene", words.scenes),
        coded("tool", words.tools),
        pl.col("amount_fen").cast(pl.Float64).fill_null(float("nan")).alias("amount"),
        pl.col("balance_fen").cast(pl.Float64).fill_null(float("nan")).alias("balance"),
        pl.col("days_late").cast(pl.Float64).fill_null(float("nan")).alias("late"),
        *(pl.col(name).cast(pl.Int64).fill_null(int(NOBODY)) for name in ("counterparty", "place", "device")),
    ]
