"""Read a party's files into valid events: what is wrong is counted by kind, set aside, and never used.

Every row that was read ends in exactly one place: valid, not known yet at the moment asked for, or quarantined under
the first fault that it has. A file that cannot be read, or has not the columns, is one fault as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from grainline.behaviour.columns import instant
from grainline.behaviour.events import COLUMNS, Party
from grainline.behaviour.faults import QUARANTINE, Fault, judge
from grainline.kit.errors import Refusal


class NoEvents(Refusal):
    """There are no files of the party to read."""

    code = "no_event_files"


@dataclass(frozen=True)
class Report:
    """What became of the rows read: `read` = `valid` + `not_known_yet` + faults that are not of whole files.

    `out_of_order` rows stood before an earlier one of the same resident; they are valid and were sorted.
    `ingested_out_of_order` are valid too: an ingestion clock that ran backwards, or a late arrival.
    """

    files: int
    read: int
    valid: int
    not_known_yet: int
    out_of_order: int
    ingested_out_of_order: int
    faults: dict[Fault, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Intake:
    """Valid events, sorted by resident, time and event; the report; and what was set aside, with its fault and file."""

    events: pl.DataFrame
    report: Report
    quarantined: pl.DataFrame


def files_of(folder: Path, party: Party) -> list[Path]:
    """Return a party's event files in a folder, or in its folder of the party's name; raise NoEvents where none."""
    inside = folder / party
    found = sorted((inside if inside.is_dir() else folder).glob("events-*.parquet"))
    if not found:
        raise NoEvents(folder=str(folder), party=str(party))
    return found


def read(
    paths: Sequence[Path], *, party: Party, as_of: date | datetime, known_by: date | datetime, now: datetime
) -> Intake:
    """Return a party's valid events before `as_of` that had been ingested by `known_by`.

    What lies after `now` is a fault; what lies after the moment asked for is only left out. Of events with one number
    the first ingested is used, so that a duplicate that comes later changes nothing.
    """
    rows, aside = _read_files(paths)
    judged = judge(rows, party=party, now=now)
    sound, twice = _first_ingested(judged.filter(pl.col("fault").is_null()))
    aside = [*aside, judged.filter(pl.col("fault").is_not_null()), twice]
    quarantined = pl.concat([one.select(_as_quarantined(one)) for one in aside])
    known = sound.filter(pl.col("at") < instant(as_of), pl.col("ingested_at") <= instant(known_by))
    report = _report(len(paths), len(rows), known, not_known_yet=len(sound) - len(known), quarantined=quarantined)
    return Intake(known.select(*COLUMNS).sort("resident", "at", "event_id"), report, quarantined)


class _BadFileError(Exception):
    """A file that cannot be used at all."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(fault, detail)
        self.fault, self.detail = fault, detail


def _read_files(paths: Sequence[Path]) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the rows of all files, each with its file's name, and a frame for each file that is no use."""
    frames = [pl.DataFrame(schema={**COLUMNS, "file": pl.String()})]
    aside: list[pl.DataFrame] = []
    for path in paths:
        try:
            frames.append(_read_file(path).with_columns(pl.lit(path.name).alias("file")))
        except _BadFileError as bad:
            told = {"fault": str(bad.fault), "file": path.name, "detail": bad.detail}
            aside.append(pl.DataFrame([told]))
    return pl.concat(frames), aside


def _read_file(path: Path) -> pl.DataFrame:
    try:
        found = pl.read_parquet(path)
    except (OSError, PolarsError) as error:
        raise _BadFileError(Fault.UNREADABLE_FILE, str(error).partition("\n")[0]) from error
    if missing := [name for name in COLUMNS if name not in found.columns]:
        raise _BadFileError(Fault.MISSING_COLUMNS, ", ".join(missing))
    if wrong := [name for name, kind in COLUMNS.items() if not _fits(found.schema[name], kind)]:
        raise _BadFileError(Fault.WRONG_TYPES, ", ".join(f"{name} is {found.schema[name]}" for name in wrong))
    try:
        return found.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
    except PolarsError as error:
        raise _BadFileError(Fault.WRONG_TYPES, str(error).partition("\n")[0]) from error


def _first_ingested(sound: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return of each event's number the row that was ingested first, in the order given, and all others."""
    if sound["event_id"].n_unique() == len(sound):
        return sound, sound.clear()
    ranked = sound.with_row_index("row").sort("ingested_at", "row")
    ranked = ranked.with_columns(pl.col("event_id").is_first_distinct().alias("first")).sort("row")
    kept = ranked.filter("first").drop("row", "first")
    return kept, ranked.filter(~pl.col("first")).with_columns(pl.lit(str(Fault.DUPLICATE)).alias("fault"))


def _fits(given: pl.DataType, wanted: pl.DataType) -> bool:
    """Tell whether a column may be cast: whole numbers, text, times with a zone; all null fits anything."""
    if given == pl.Null:
        return True
    if wanted.is_integer():
        return given.is_integer()
    if isinstance(wanted, pl.Datetime):
        return isinstance(given, pl.Datetime) and given.time_zone is not None
    return given in (pl.String, pl.Categorical) or isinstance(given, pl.Enum)


def _report(files: int, read: int, known: pl.DataFrame, *, not_known_yet: int, quarantined: pl.DataFrame) -> Report:
    same = pl.col("resident") == pl.col("resident").shift()
    at, ingested = pl.col("at"), pl.col("ingested_at")
    moved = known.select(
        (same & (at < at.shift())).sum().alias("out"),
        (same & (at >= at.shift()) & (ingested < ingested.shift())).sum().alias("ingested"),
    ).row(0)
    counted = quarantined.group_by("fault").len().sort("fault").rows()
    return Report(
        files, read, len(known), not_known_yet, moved[0], moved[1], {Fault(name): many for name, many in counted}
    )


def _as_quarantined(rows: pl.DataFrame) -> list[pl.Expr]:
    return [
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in QUARANTINE.items()
    ]
