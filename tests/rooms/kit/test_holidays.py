"""Which days are working days in mainland China, by tables that are never changed; no table is no answer."""

from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.kit import holidays
from grainline.kit.holidays import (
    NoHolidayTable,
    following_working_day,
    holiday_tables,
    is_working_day,
)
from holiday_years import holiday_table, only

DAY = timedelta(days=1)
FIRST = "cn-2025-11-04"
# Loans are computed by these: a file that differs from its hash would move due dates that people have signed.
KEPT = {FIRST: "c57c05dc4bf91361c677d0cfa15645476f3b8c2a2cfcfc00c8fa2edbb957d9af"}
KNOWN = st.dates(date(2004, 1, 1), date(2026, 12, 20))


def test_a_version_that_is_kept_is_never_changed():
    hashes = {
        path.stem: sha256(path.read_bytes()).hexdigest()
        for path in sorted(Path(holidays.__file__).with_name("holiday_tables").glob("*.toml"))
    }
    assert hashes == KEPT


def test_the_first_version_holds_the_years_its_source_knew():
    [first] = [one for one in holiday_tables() if one.version == FIRST]
    assert sorted(first.years) == list(range(2004, 2027))
    assert first.source.startswith("chinesecalendar==1.11.0")
    for year, days in first.years.items():
        assert all(day.year == year and day.weekday() < 5 for day in days.days_off), year
        assert all(day.year == year and day.weekday() > 4 for day in days.days_worked), year


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-26", True),  # a Thursday
        ("2026-11-28", False),  # a Saturday
        ("2026-02-14", True),  # a Saturday that is worked for the Spring Festival
        ("2026-02-16", False),  # a Monday, Spring Festival's eve
        ("2026-02-23", False),  # a Monday, the festival's ninth day off
        ("2026-02-24", True),
        ("2026-10-10", True),  # a Saturday, worked for the National Day
        ("2025-10-08", False),  # a Wednesday: Mid-Autumn fell into the National Day's week
        ("2020-01-31", False),  # a Friday: the festival was made longer in the epidemic
    ],
)
def test_days_that_everybody_in_china_remembers(day, works):
    assert is_working_day(date.fromisoformat(day), FIRST) is works


@pytest.mark.parametrize(
    ("day", "following"),
    [
        ("2026-11-26", "2026-11-26"),
        ("2026-11-28", "2026-11-30"),
        ("2026-02-13", "2026-02-13"),
        ("2026-02-15", "2026-02-24"),
        ("2026-10-01", "2026-10-08"),
        ("2025-12-31", "2025-12-31"),
        ("2026-01-01", "2026-01-04"),  # a Sunday that is worked
    ],
)
def test_the_working_day_that_follows(day, following):
    assert following_working_day(date.fromisoformat(day), FIRST) == date.fromisoformat(following)


@given(KNOWN)
def test_the_following_working_day_is_the_first_one_not_before(day):
    following = following_working_day(day, FIRST)
    assert is_working_day(following, FIRST)
    assert all(not is_working_day(day + n * DAY, FIRST) for n in range((following - day).days))
    assert following_working_day(following, FIRST) == following


@pytest.mark.parametrize("year", [2003, 2027, 2090])
def test_a_year_without_a_table_has_no_working_days_and_no_holidays(year):
    for asked in (is_working_day, following_working_day):
        with pytest.raises(NoHolidayTable) as refused:
            asked(date(year, 6, 15), FIRST)
        assert refused.value.params == {"year": year, "table": FIRST}


def test_looking_for_a_working_day_does_not_cross_into_an_unknown_year():
    with only(holiday_table("a", [2030], date(2030, 12, 31))):
        assert following_working_day(date(2030, 12, 30), "a") == date(2030, 12, 30)
        with pytest.raises(NoHolidayTable):
            following_working_day(date(2030, 12, 31), "a")


def test_a_version_that_is_not_kept_is_a_mistake():
    with pytest.raises(ValueError, match="no holiday table 'cn-1999'"):
        is_working_day(date(2026, 6, 15), "cn-1999")


def test_a_later_version_adds_years_and_moves_no_day_of_an_earlier_one():
    monday, new_year = date(2030, 6, 17), date(2031, 1, 1)
    before, after = holiday_table("a", [2030]), holiday_table("b", [2030, 2031], monday, new_year)
    with only(before), pytest.raises(NoHolidayTable):
        is_working_day(new_year, "a")
    with only(before, after):
        assert is_working_day(monday, "a")
        assert not is_working_day(monday, "b")
        assert not is_working_day(new_year, "a")


def test_of_later_versions_the_first_that_holds_a_year_counts():
    new_year = date(2031, 1, 1)
    with only(holiday_table("a", [2030]), holiday_table("b", [2031]), holiday_table("c", [2031], new_year)):
        assert is_working_day(new_year, "a")
        assert not is_working_day(new_year, "c")
        with pytest.raises(NoHolidayTable):
            is_working_day(date(2030, 1, 1), "b")  # what was dropped later is not looked for earlier
