"""Reads what `generate` wrote, with the local time beside the instants."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl

from grainline.behaviour.events import Party

LOCAL = pl.col("at").dt.convert_time_zone("Asia/Shanghai")
DAY = LOCAL.dt.date()
HOUR = LOCAL.dt.hour()
AT_NIGHT = (HOUR >= 23) | (HOUR < 6)
TOLD_MONTHS, HORIZON_MONTHS = 18, 12


@dataclass(frozen=True)
class Files:
    folder: Path

    def __hash__(self) -> int:
        return hash(self.folder)

    def party(self, party: Party | str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / party / "events-*.parquet")

    @cached_property
    def payment(self) -> pl.DataFrame:
        return self.party(Party.PAYMENT)

    @cached_property
    def social(self) -> pl.DataFrame:
        return self.party(Party.SOCIAL)

    @cached_property
    def bureau(self) -> pl.DataFrame:
        return self.party(Party.BUREAU)

    @cached_property
    def truth(self) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "truth.parquet")

    @cached_property
    def residents(self) -> pl.DataFrame:
        return pl.read_parquet(self.folder / "residents.parquet")

    def kind(self, kind: str) -> pl.DataFrame:
        return self.payment.filter(pl.col("kind") == kind)

    def at_risk(self, as_of: date) -> pl.DataFrame:
        """The truth of who had not defaulted by then and was there, with `bad`: a default in the 12 months after."""
        there = (pl.col("default_on").is_null() | (pl.col("default_on") > as_of)) & (
            pl.col("joined_on").is_null() | (pl.col("joined_on") <= as_of)
        )
        bad = pl.col("default_on").is_not_null() & (pl.col("default_on") <= pl.lit(as_of).dt.offset_by("12mo"))
        return self.truth.filter(there).with_columns(bad.alias("bad"))


def auc(score: pl.Series, bad: pl.Series) -> float:
    """The chance that a bad one has a higher score than a good one (Mann and Whitney)."""
    rank = score.rank("average").to_numpy()
    wrong = bad.to_numpy()
    first, rest = int(wrong.sum()), int((~wrong).sum())
    assert first > 20, "too few to measure with"
    return float((rank[wrong].sum() - first * (first + 1) / 2) / (first * rest))


def correlation(frame: pl.DataFrame, left: str, right: str) -> float:
    """Spearman's, of two columns."""
    return float(frame.select(pl.corr(left, right, method="spearman")).item())
