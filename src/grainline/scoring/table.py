"""Any table with a two-valued label: read as text, each column found to be numbers or categories.

What cannot be learned from is left out and said (`dropped`); what cannot be meant is refused by the name of the
column. Nothing here looks at the outcome, but to find which value is the bad one.
"""

import csv
import gzip
import io
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from grainline.scoring.arrays import Label

# What stands for "no value" in files of many origins, in lower case.
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
# Under this many of either class five folds with three inner ones estimate nothing.
LEAST_OF_A_CLASS = 50
# Beyond it a sum of a few numbers is no longer exact, nor any amount, count or code meant.
NUMBER_MOST = 1e15
FILE_BYTES_MOST = 2 * 1024**3


class BadTable(ValueError):
    """A table that no model can be fitted to; the message names the column."""


@dataclass(frozen=True)
class Table:
    """`frame` holds Float64 and String columns, without NaN; `label` says who is bad, in the same order.

    `protected` columns are kept beside, as they were in the file, and never read by a model. `dropped` says of
    each column that was left out why.
    """

    frame: pl.DataFrame
    label: Label
    event: str
    protected: pl.DataFrame
    dropped: dict[str, str]


def load_table(
    path: Path,
    label: str,
    *,
    event: str | None = None,
    drop: Collection[str] = (),
    protected: Collection[str] = (),
) -> Table:
    """Read a CSV (also as .gz or the one file of a .zip) or parquet file; raise BadTable naming what is wrong."""
    frame = _read(path)
    for name in (label, *drop, *protected):
        if name not in frame.columns:
            raise BadTable(f"{name}: no such column in the file; there are {', '.join(frame.columns)}")
    if label in (*drop, *protected):
        raise BadTable(f"{label}: the label cannot be left out")
    if frame.is_empty():
        raise BadTable("the file has no rows")
    outcome, bad = _label(frame[label], event)
    dropped = dict.fromkeys(drop, "as asked")
    columns = []
    for name in frame.columns:
        if name in (label, *drop, *protected):
            continue
        column = _typed(frame[name])
        if column.n_unique() == 1:
            dropped[name] = "no values" if column.null_count() else "one value for all"
        else:
            columns.append(column)
    if not columns:
        raise BadTable("no column is left that could tell one row from another")
    return Table(pl.DataFrame(columns), outcome, bad, frame.select(list(protected)), dropped)


def load_declined(path: Path, columns: pl.DataFrame) -> pl.DataFrame:
    """Read people without an outcome, with the columns of a table; raise BadTable naming what is wrong.

    Each column must be there and of the same kind, numbers or text. What else the file has is not read.
    """
    frame = _read(path)
    if frame.is_empty():
        raise BadTable("the file has no rows")
    found = []
    for name, kind in columns.schema.items():
        if name not in frame.columns:
            raise BadTable(f"{name}: no such column in the file; there are {', '.join(frame.columns)}")
        column = _typed(frame[name]) if kind != pl.String else _cleaned(frame[name])
        if column.dtype != kind:
            numbers = column.cast(pl.Float64, strict=False)
            row = (numbers.is_null() & column.is_not_null()).arg_max() or 0
            raise BadTable(f"{name}: row {row + 1}: {column[row]!r} is not a number, as it is among the accepted")
        found.append(column)
    return pl.DataFrame(found)


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise BadTable("there is no such file")
    try:
        data = _unpacked(path)
        if data[:4] == b"PAR1":
            return pl.read_parquet(io.BytesIO(data)).select(pl.all().cast(pl.String))
        if not data.strip():
            raise BadTable("the file is empty")
        header = next(csv.reader([data.decode("utf-8-sig").partition("\n")[0].rstrip("\r")]))
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise BadTable(f"{', '.join(twice)}: more than one column has this name")
        # Every value as text, so that a wrong one is named below and none is guessed at.
        return pl.read_csv(io.BytesIO(data), infer_schema=False)
    except (pl.exceptions.PolarsError, OSError, EOFError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        first_line = str(error).partition("\n")[0]
        raise BadTable(f"cannot be read as CSV or parquet: {first_line}") from error


def _unpacked(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] == b"\x1f\x8b":
        with gzip.open(path) as packed:
            return _bounded(packed.read(FILE_BYTES_MOST + 1))
    if start == b"PK\x03\x04":
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
            if len(names) != 1:
                raise BadTable(f"the archive holds {len(names)} files; one is needed")
            with archive.open(names[0]) as packed:
                return _bounded(packed.read(FILE_BYTES_MOST + 1))
    return path.read_bytes()


def _bounded(data: bytes) -> bytes:
    if len(data) > FILE_BYTES_MOST:
        raise BadTable("the file is larger than 2 GiB when unpacked")
    return data


def _cleaned(series: pl.Series) -> pl.Series:
    text = series.str.strip_chars()
    return text.set(text.str.to_lowercase().is_in(list(MISSING)), None)


def _typed(series: pl.Series) -> pl.Series:
    """Return numbers as Float64 where every value is one, text otherwise; missing values as nulls."""
    text = _cleaned(series)
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() > text.null_count():
        return text
    beyond = ~(numbers.abs() <= NUMBER_MOST) & numbers.is_not_null()
    if beyond.any():
        row = beyond.arg_max() or 0
        raise BadTable(f"{series.name}: row {row + 1}: {text[row]} is not a number within ±{NUMBER_MOST:g}")
    return numbers


def _label(series: pl.Series, event: str | None) -> tuple[Label, str]:
    """Return who is bad and what the label calls it: the event, or the rarer value, or of equals the later one."""
    text = _cleaned(series)
    if text.null_count():
        raise BadTable(f"{series.name}: row {(text.is_null().arg_max() or 0) + 1} has no value; a label has no gaps")
    numbers = text.cast(pl.Float64, strict=False)
    if not numbers.null_count():  # 1 and 1.0 are one value
        text = numbers.map_elements(lambda number: f"{number:g}", return_dtype=pl.String)
        event = _plain_number(event)
    counts = dict(text.value_counts().sort("count", series.name, descending=[False, True]).iter_rows())
    if len(counts) != 2:
        some = ", ".join(sorted(counts)[:5])
        raise BadTable(f"{series.name}: two values are needed, there are {len(counts)}: {some}")
    bad = next(iter(counts)) if event is None else event
    if bad not in counts:
        raise BadTable(f"{series.name}: no row has {event}; there are {' and '.join(sorted(counts))}")
    least = min(counts.values())
    if least < LEAST_OF_A_CLASS:
        raise BadTable(f"{series.name}: {least} rows of one value; at least {LEAST_OF_A_CLASS} of each are needed")
    return np.asarray((text == bad).to_numpy(), dtype=np.bool_), bad


def _plain_number(text: str | None) -> str | None:
    try:
        return None if text is None else f"{float(text):g}"
    except ValueError:
        return text
