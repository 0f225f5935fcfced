"""What day it is for a borrower in China, and on which day an instalment falls."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.kit.calendar import add_months, at, business_date, first_of_next_month

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def test_the_business_day_turns_at_four_in_the_afternoon_utc():
    assert business_date(datetime(2026, 11, 2, 15, 59, 59, tzinfo=UTC)) == date(2026, 11, 2)
    assert business_date(datetime(2026, 11, 2, 16, 0, tzinfo=UTC)) == date(2026, 11, 3)


def test_an_instant_has_one_business_date_wherever_it_was_written_down():
    written_in_new_york = datetime(2026, 11, 2, 11, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert business_date(written_in_new_york) == date(2026, 11, 3)


def test_an_instant_without_a_zone_has_no_business_date():
    with pytest.raises(ValueError, match="time zone"):
        business_date(datetime(2026, 11, 2, 12, 0))  # noqa: DTZ001


@given(DAYS, st.times())
def test_a_wall_clock_time_of_a_day_is_on_that_day(day, clock_time):
    instant = at(day, clock_time)
    assert instant.utcoffset() == timedelta(0)
    assert business_date(instant) == day


def test_midnight_in_shanghai_is_the_evening_before_in_utc():
    assert at(date(2026, 3, 1), time(0, 0)) == datetime(2026, 2, 28, 16, 0, tzinfo=UTC)


def test_the_31st_clamps_to_short_months_and_comes_back():
    due = [add_months(date(2025, 10, 31), number) for number in range(1, 7)]
    assert [day.isoformat() for day in due] == [
        "2025-11-30",
        "2025-12-31",
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
    ]


@pytest.mark.parametrize(
    ("anchor", "months", "due"),
    [
        (date(2023, 11, 29), 3, date(2024, 2, 29)),
        (date(2024, 11, 29), 3, date(2025, 2, 28)),
        (date(2024, 11, 30), 3, date(2025, 2, 28)),
        (date(2024, 11, 30), 4, date(2025, 3, 30)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
        (date(2018, 9, 11), 5, date(2019, 2, 11)),
    ],
)
def test_the_29th_to_31st_in_february(anchor, months, due):
    assert add_months(anchor, months) == due


@given(DAYS, st.integers(0, 60))
def test_a_month_later_is_in_the_next_month_on_the_anchors_day_or_its_last(anchor, months):
    due = add_months(anchor, months)
    assert (due.year * 12 + due.month) - (anchor.year * 12 + anchor.month) == months
    assert due.day == min(anchor.day, monthrange(due.year, due.month)[1])


@given(DAYS, st.integers(0, 60))
def test_due_dates_rise(anchor, months):
    assert 28 <= (add_months(anchor, months + 1) - add_months(anchor, months)).days <= 31


def test_evaluations_begin_on_the_first_of_next_month():
    assert first_of_next_month(date(2026, 12, 31)) == date(2027, 1, 1)
    assert first_of_next_month(date(2026, 1, 1)) == date(2026, 2, 1)
