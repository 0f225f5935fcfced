"""The portfolio a backtest reads: one table of people, what their card shows, and what happened next.

`COLUMNS` is the whole of its contract: names, meanings and bounds. Amounts are whole units of the portfolio's
currency. Month 1 is the latest month before the outcome, month 6 the oldest.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

MONTHS = range(1, 7)
LABEL = "defaulted"
# Kept for fairness reports; no model, rule or hash of a model may read them.
NEVER_INPUTS = ("sex", "marriage", "age")
# Under this many of either class five folds with three inner ones would estimate nothing.
LEAST_OF_A_CLASS = 100
_AMOUNT_MAX = 10**11


@dataclass(frozen=True)
class Column:
    """One whole-number column and the least and largest value it may hold."""

    name: str
    least: int
    most: int
    meaning: str


def _monthly(stem: str, least: int, most: int, meaning: str) -> tuple[Column, ...]:
    return tuple(Column(f"{stem}_{month}", least, most, f"{meaning}, month {month}") for month in MONTHS)


COLUMNS: tuple[Column, ...] = (
    Column("person_id", 0, 2**63 - 1, "who it is: unique in the file"),
    Column("card_limit", 1, _AMOUNT_MAX, "the limit of the existing card"),
    Column("sex", 0, 9, "never an input"),
    Column("education", 0, 9, "1 graduate school, 2 university, 3 high school, other codes: others"),
    Column("marriage", 0, 9, "never an input"),
    Column("age", 18, 150, "in years; never an input"),
    *_monthly("status", -2, 99, "-2 card not used, -1 paid in full, 0 paid in part, n months late"),
    *_monthly("bill", -_AMOUNT_MAX, _AMOUNT_MAX, "the bill of the month; negative when overpaid"),
    *_monthly("paid", 0, _AMOUNT_MAX, "what was paid in the month"),
)


class BadPortfolio(ValueError):
    """A portfolio that cannot be used; `column` is the offending one, or None where it is the file itself."""

    def __init__(self, column: str | None, reason: str) -> None:
        super().__init__(f"{column}: {reason}" if column else reason)
        self.column = column


@dataclass(frozen=True)
class Portfolio:
    """A checked portfolio: every column of `COLUMNS` as Int64 without nulls, and the label as Boolean."""

    frame: pl.DataFrame

    @property
    def rows(self) -> int:
        """Return how many people it holds."""
        return self.frame.height

    def content_hash(self) -> str:
        """Return the SHA-256 of the names and values that may be read, whatever file they came from."""
        digest = hashlib.sha256()
        for series in self.frame.drop(NEVER_INPUTS).iter_columns():
            digest.update(series.name.encode())
            digest.update(series.cast(pl.Int64).to_numpy().astype("<i8").tobytes())
        return digest.hexdigest()


def load_portfolio(path: Path) -> Portfolio:
    """Read a parquet or CSV file and check it; raise BadPortfolio naming the column."""
    return checked(_read(path))


def checked(frame: pl.DataFrame) -> Portfolio:
    """Return the frame as a portfolio, other columns dropped; raise BadPortfolio naming the column."""
    needed = [column.name for column in COLUMNS] + [LABEL]
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise BadPortfolio(", ".join(missing), "no such column in the file")
    if frame.is_empty():
        raise BadPortfolio(", ".join(needed), "the file has no rows")
    whole = [_whole(frame[column.name], column) for column in COLUMNS]
    label = _label(frame[LABEL])
    if whole[0].n_unique() != len(whole[0]):
        raise BadPortfolio(whole[0].name, "the same value is there more than once")
    return Portfolio(pl.DataFrame([*whole, label]))


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise BadPortfolio(None, "there is no such file")
    if path.stat().st_size == 0:
        raise BadPortfolio(None, "the file is empty")
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    if not is_parquet and path.suffix.lower() != ".csv":
        raise BadPortfolio(None, "the file is neither parquet nor a .csv")
    try:
        # Every CSV value is read as text, so that a wrong one is named below and none is guessed at.
        return pl.read_parquet(path) if is_parquet else pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        first_line = str(error).partition("\n")[0]
        raise BadPortfolio(None, f"cannot be read as {'parquet' if is_parquet else 'CSV'}: {first_line}") from error


def _whole(series: pl.Series, column: Column) -> pl.Series:
    _no_nulls(series)
    if series.dtype == pl.String:
        numbers = series.str.strip_chars().cast(pl.Int64, strict=False)
        if numbers.null_count():
            row = numbers.is_null().arg_max() or 0
            raise BadPortfolio(column.name, f"row {row + 1}: {series[row]!r} is not a whole number")
    elif series.dtype.is_integer():
        numbers = series.cast(pl.Int64, strict=False)
        _no_nulls(numbers)
    else:
        raise BadPortfolio(column.name, f"whole numbers are needed, the file has {series.dtype}")
    outside = (numbers < column.least) | (numbers > column.most)
    if outside.any():
        row = outside.arg_max() or 0
        allowed = f"{column.least} … {column.most}"
        raise BadPortfolio(column.name, f"row {row + 1}: {numbers[row]} is outside {allowed}")
    return numbers


def _label(series: pl.Series) -> pl.Series:
    _no_nulls(series)
    if series.dtype == pl.Boolean:
        label = series
    elif not (series.dtype == pl.String or series.dtype.is_integer()):
        raise BadPortfolio(LABEL, f"true/1 and false/0 are needed, the file has {series.dtype}")
    else:
        words = series.cast(pl.String).str.strip_chars().str.to_lowercase()
        known = words.replace_strict({"0": 0, "1": 1, "false": 0, "true": 1}, default=None, return_dtype=pl.Int8)
        if known.null_count():
            row = known.is_null().arg_max() or 0
            raise BadPortfolio(LABEL, f"row {row + 1}: {series[row]!r} is neither true/1 nor false/0")
        label = known == 1
    bad = int(label.sum())
    if bad in (0, len(label)):
        raise BadPortfolio(LABEL, f"every row has the same value: {'true' if bad else 'false'}")
    if min(bad, len(label) - bad) < LEAST_OF_A_CLASS:
        found = f"{bad} of {len(label)} are true"
        raise BadPortfolio(LABEL, f"{found}; at least {LEAST_OF_A_CLASS} of each class are needed")
    return label.alias(LABEL)


def _no_nulls(series: pl.Series) -> None:
    if series.null_count():
        row = series.is_null().arg_max() or 0
        raise BadPortfolio(series.name, f"row {row + 1} has no value")
