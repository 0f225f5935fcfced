"""Reading a party's files one after another, so that memory is that of one file and not of a town."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from grainline.behaviour.events import COLUMNS
from grainline.behaviour.faults import Fault
from grainline.behaviour.intake import Report


def apart(paths: Sequence[Path]) -> list[list[Path]]:
    """Return the files in groups that may be read one after another with the result of reading them all at once.

    Each file is a group of its own where no resident and no event's number is in two of them, as the form of the files
    has it. Else all are one group. What cannot be read counts as empty here; reading it tells why.
    """
    keys = [found for path in paths if (found := _keys(path)) is not None]
    for name in ("resident", "event_id"):
        within = [one[name].drop_nulls().unique() for one in keys]
        if within and pl.concat(within).n_unique() < sum(map(len, within)):
            return [list(paths)]
    return [[path] for path in paths]


def _keys(path: Path) -> pl.DataFrame | None:
    try:
        found = pl.read_parquet(path, columns=["resident", "event_id"])
        return found.select(pl.col(name).cast(COLUMNS[name]) for name in ("resident", "event_id"))
    except (OSError, PolarsError):
        return None


def together(reports: Iterable[Report]) -> Report:
    """Return the report of files that were read one after another."""
    told = list(reports)
    faults: dict[Fault, int] = {}
    for one in told:
        for fault, count in one.faults.items():
            faults[fault] = faults.get(fault, 0) + count
    return Report(
        files=sum(one.files for one in told),
        read=sum(one.read for one in told),
        valid=sum(one.valid for one in told),
        not_known_yet=sum(one.not_known_yet for one in told),
        out_of_order=sum(one.out_of_order for one in told),
        ingested_out_of_order=sum(one.ingested_out_of_order for one in told),
        faults=dict(sorted(faults.items())),
    )
