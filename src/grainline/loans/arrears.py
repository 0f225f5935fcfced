"""Days late, and what they make of a loan: bucket, five-category class and IFRS 9 stage, from dated tables."""

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from grainline.loans.state import LoanState

LAST = -1
TOLD: dict[str, Any] = tomllib.loads(Path(__file__).with_name("classification.toml").read_text(encoding="utf-8"))
Table = tuple[tuple[int, str], ...]


class Tables(NamedTuple):
    """The tables in force on a date: least days late and name, in order."""

    bucket: Table
    category: Table
    stage: Table


@dataclass(frozen=True)
class Classification:
    """How a loan is classified: bucket M0 … M6+, category normal … loss, IFRS 9 stage 1 … 3."""

    bucket: str
    category: str
    stage: int


def classify(state: LoanState) -> Classification:
    """Classify a loan on its date. A written-off loan is a loss at stage 3, a charged-off one at least substandard."""
    tables = tables_on(state.as_of)
    days = state.days_late
    found = Classification(_name(tables.bucket, days), _name(tables.category, days), int(_name(tables.stage, days)))
    if state.written_off_on is not None:
        return Classification(found.bucket, tables.category[LAST][1], int(tables.stage[LAST][1]))
    if state.charged_off_on is not None and found.stage < int(tables.stage[LAST][1]):
        return Classification(found.bucket, "substandard", int(tables.stage[LAST][1]))
    return found


def next_edge(state: LoanState) -> date | None:
    """Return the next date on which a late loan is classified otherwise if nothing is paid, or None."""
    if state.late_since is None:
        return None
    edges = sorted({days for table in tables_on(state.as_of) for days, _ in table})
    return next((state.late_since + timedelta(days=edge) for edge in edges if edge > state.days_late), None)


@cache
def tables_on(day: date) -> Tables:
    """Return the tables in force on a date."""
    return Tables(**{kind: _in_force(TOLD[kind], day) for kind in Tables._fields})


def _in_force(tables: list[dict[str, Any]], day: date) -> Table:
    begun = [table for table in tables if table["from"] <= day] or tables[:1]
    return tuple((row["days"], row["name"]) for row in begun[LAST]["rows"])


def _name(table: Table, days: int) -> str:
    return next(name for least, name in reversed(table) if days >= least)
