"""Holiday tables of tests, in the place of those that are kept."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from unittest.mock import patch

from grainline.kit import holidays
from grainline.kit.holidays import HolidayTable, HolidayYear


def holiday_table(version: str, years: Collection[int], *days_off: date) -> HolidayTable:
    """A table of plain weeks but for some days off."""
    known = {year: HolidayYear(frozenset(day for day in days_off if day.year == year), frozenset()) for year in years}
    return HolidayTable(version, "a test", known)


@contextmanager
def only(*tables: HolidayTable) -> Iterator[None]:
    """Have these tables and no others for the length of a block."""
    with patch.object(holidays, "holiday_tables", lambda: tables):
        _forget()
        yield
    _forget()


def _forget() -> None:
    holidays._year.cache_clear()
    holidays.following_working_day.cache_clear()
