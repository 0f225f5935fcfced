"""Working days of mainland China: from tables that are kept as data, each version whole and never changed.

Holidays are announced a year at a time, each November, with the Saturdays and Sundays that are worked in return. So
nobody knows the working days of a year that has no table yet, and nothing here pretends to.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path

from grainline.kit.errors import Refusal

FOLDER = Path(__file__).with_name("holiday_tables")
SATURDAY = 5
ONE_DAY = timedelta(days=1)


class NoHolidayTable(Refusal):
    """The working days of a year are not known (yet): it must not pass as a year without holidays."""

    code = "no_holiday_table"


@dataclass(frozen=True)
class HolidayYear:
    """What differs from plain weeks in a year: days from Monday to Friday off, and weekend days that are worked."""

    days_off: frozenset[date]
    days_worked: frozenset[date]


@dataclass(frozen=True)
class HolidayTable:
    """One version of the table: its name, which ends in the day it was made, where it is from, and its years."""

    version: str
    source: str
    years: Mapping[int, HolidayYear]


@cache
def holiday_tables() -> tuple[HolidayTable, ...]:
    """Return every version that is kept, oldest first."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.toml")))


def holiday_versions() -> list[str]:
    """Return the names of the versions, oldest first."""
    return [table.version for table in holiday_tables()]


def is_working_day(day: date, version: str) -> bool:
    """Tell whether people work on a day, by a version of the table; raise NoHolidayTable, ValueError.

    A year that the version does not hold is looked up in the first later one that does. So a loan that names a version
    keeps its dates when others come, and what could not be said before may be said then. ValueError: no such version.
    """
    year = _year(day.year, version)
    return day in year.days_worked or (day.weekday() < SATURDAY and day not in year.days_off)


@lru_cache(maxsize=100_000)
def following_working_day(day: date, version: str) -> date:
    """Return a day if it is a working day, else the next one that is; raise NoHolidayTable, ValueError."""
    while not is_working_day(day, version):
        day += ONE_DAY
    return day


@cache
def _year(year: int, version: str) -> HolidayYear:
    if version not in holiday_versions():
        raise ValueError(f"there is no holiday table {version!r}")
    for table in holiday_tables():
        if table.version >= version and year in table.years:
            return table.years[year]
    raise NoHolidayTable(year=year, table=version)


def _read(path: Path) -> HolidayTable:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    source = told.pop("source")
    years = {
        int(year): HolidayYear(frozenset(days["days_off"]), frozenset(days["days_worked"]))
        for year, days in told.items()
    }
    return HolidayTable(path.stem, source, years)
