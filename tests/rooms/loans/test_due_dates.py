"""When instalments fall due: on the draw's day or a fixed one, short or long at first, moved to working days or not."""

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from loan_lives import BASES, due_days, terms_under
from slow_loan import falling_due
from ten_thousand import RULES, columns, under

from grainline.kit.calendar import add_months
from grainline.kit.holidays import NoHolidayTable, following_working_day, is_working_day
from grainline.loans.events import Event, EventKind, repayment
from grainline.loans.fold import fold, forecast
from grainline.loans.schedule import plan
from grainline.loans.terms import Terms
from grainline.products import BusinessDayConvention, FirstPeriod, Rules, Shape, YearBasis

DAY = timedelta(days=1)
TABLE = "cn-2025-11-04"
FOLLOWING = {"business_day_convention": BusinessDayConvention.FOLLOWING, "holiday_table": TABLE}


def drawn(on, instalments=3, amount_fen=900_000, **rules):
    return under(Terms(amount_fen, 50_000, instalments, date.fromisoformat(on), RULES), **rules)


def said(terms):
    return [str(due_on) for due_on in terms.due_dates()]


# a fixed due day -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "rules", "due"),
    [
        ("2026-01-05", {"due_day": 20}, ["2026-01-20", "2026-02-20", "2026-03-20"]),
        ("2026-01-19", {"due_day": 20}, ["2026-01-20", "2026-02-20", "2026-03-20"]),
        ("2026-01-20", {"due_day": 20}, ["2026-02-20", "2026-03-20", "2026-04-20"]),  # not on the day of the draw
        ("2025-12-25", {"due_day": 20}, ["2026-01-20", "2026-02-20", "2026-03-20"]),
        ("2026-01-15", {"due_day": 31}, ["2026-01-31", "2026-02-28", "2026-03-31"]),  # clamps and returns
        ("2024-02-10", {"due_day": 30}, ["2024-02-29", "2024-03-30", "2024-04-30"]),
        ("2026-02-28", {"due_day": 31}, ["2026-03-31", "2026-04-30", "2026-05-31"]),
        # a long first period is a whole one and what is left to the due day
        ("2026-01-05", {"due_day": 20, "first_period": FirstPeriod.LONG}, ["2026-02-20", "2026-03-20", "2026-04-20"]),
        ("2026-01-20", {"due_day": 20, "first_period": FirstPeriod.LONG}, ["2026-02-20", "2026-03-20", "2026-04-20"]),
        ("2026-01-21", {"due_day": 20, "first_period": FirstPeriod.LONG}, ["2026-03-20", "2026-04-20", "2026-05-20"]),
        ("2026-01-31", {"due_day": 28, "first_period": FirstPeriod.LONG}, ["2026-02-28", "2026-03-28", "2026-04-28"]),
        # at least so many days
        ("2026-01-10", {"due_day": 20, "first_period_min_days": 10}, ["2026-01-20", "2026-02-20", "2026-03-20"]),
        ("2026-01-11", {"due_day": 20, "first_period_min_days": 10}, ["2026-02-20", "2026-03-20", "2026-04-20"]),
        ("2025-12-25", {"due_day": 1, "first_period_min_days": 45}, ["2026-03-01", "2026-04-01", "2026-05-01"]),
        ("2026-01-05", {"due_day": 20, "shape": Shape.BULLET}, ["2026-03-20"]),
    ],
)
def test_due_dates_by_the_calendar(on, rules, due):
    assert said(drawn(on, **rules)) == due


def test_a_short_first_period_bears_its_days():
    # 9,000 × 0.0005 × 15 days, 6,000 × 0.0005 × 31, 3,000 × 0.0005 × 28
    rows = plan(drawn("2026-01-05", due_day=20))
    assert [(row.days, row.principal_fen, row.interest_fen) for row in rows] == [
        (15, 300_000, 6_750), (31, 300_000, 9_300), (28, 300_000, 4_200)
    ]  # fmt: skip


def test_a_long_first_period_bears_its_days():
    # 9,000 × 0.0005 × 46 days, 6,000 × 0.0005 × 28, 3,000 × 0.0005 × 31
    rows = plan(drawn("2026-01-05", due_day=20, first_period=FirstPeriod.LONG))
    assert [(row.days, row.principal_fen, row.interest_fen) for row in rows] == [
        (46, 300_000, 20_700), (28, 300_000, 8_400), (31, 300_000, 4_650)
    ]  # fmt: skip


def test_the_equal_instalment_allows_for_the_short_period():
    """Factors 0.75 %, 1.55 %, 1.40 %; 10,000 ÷ (1/1.0075 + 1/1.02311625 + 1/1.0374398775) = 3,408.46.

    Interest: 10,000 × 0.75 % = 75.00; 6,666.54 × 1.55 % = 103.33; 3,361.41 × 1.40 % = 47.06, and the rest is 3,408.47.
    """
    terms = drawn("2026-01-05", amount_fen=1_000_000, due_day=20, shape=Shape.EQUAL_INSTALMENT)
    assert columns(forecast(terms, (), terms.started_on), "principal", "interest") == [
        (333_346, 7_500), (330_513, 10_333), (336_141, 4_706)
    ]  # fmt: skip


def test_interest_of_a_first_period_above_the_equal_instalment_is_that_row_and_the_last_is_smaller():
    """1,000 × 0.001 × 80 days = 80.00 is more than an instalment of 20; the others stay equal."""
    terms = Terms(100_000, 100_000, 20, date(2026, 1, 1), RULES)
    rows = plan(under(terms, due_day=22, first_period_min_days=60, shape=Shape.EQUAL_INSTALMENT))
    assert (rows[0].days, rows[0].principal_fen, rows[0].interest_fen) == (80, 0, 8_000)
    totals = [row.total_fen for row in rows]
    assert len(set(totals[1:-1])) == 1
    assert totals[0] > totals[1]
    assert totals[-1] < totals[1]
    assert sum(row.principal_fen for row in rows) == 100_000


# working days --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "rows"),
    [
        # the 15th of February lies in the Spring Festival and moves to the 24th; the 15th of March is a Sunday
        (Shape.EQUAL_PRINCIPAL, [(40, 300_000, 18_000), (20, 300_000, 6_000), (30, 300_000, 4_500)]),
        (Shape.INTEREST_FIRST, [(40, 0, 18_000), (20, 0, 9_000), (30, 900_000, 13_500)]),
        (Shape.BULLET, [(90, 900_000, 40_500)]),
    ],
)
def test_interest_runs_to_the_moved_date_and_the_next_period_begins_there(shape, rows):
    terms = drawn("2026-01-15", shape=shape, **FOLLOWING)
    assert said(terms) == ["2026-02-24", "2026-03-16", "2026-04-15"][-len(rows) :]
    assert [(row.days, row.principal_fen, row.interest_fen) for row in plan(terms)] == rows


def test_nothing_moves_where_the_pack_does_not_say_so():
    assert said(drawn("2026-01-15")) == ["2026-02-15", "2026-03-15", "2026-04-15"]
    assert said(drawn("2040-01-15")) == ["2040-02-15", "2040-03-15", "2040-04-15"]


def test_who_pays_on_the_moved_date_is_on_time_and_grace_counts_from_it():
    terms = drawn("2026-01-15", **FOLLOWING)
    moved = date(2026, 2, 24)
    assert fold(terms, (), moved - DAY).due_fen == 0
    paid = fold(terms, (repayment(318_000, moved, 1),), date(2026, 3, 1))
    assert (paid.late_since, paid.instalments[0].paid_late_fen, paid.instalments[0].unpaid_fen) == (None, 0, 0)
    assert fold(terms, (), moved + DAY).days_late == 0  # a day of grace
    assert (fold(terms, (), moved + 2 * DAY).late_since, fold(terms, (), moved + 2 * DAY).days_late) == (moved, 2)


def test_a_rescheduled_loan_falls_due_on_working_days_too():
    terms = drawn("2026-01-15", **FOLLOWING)
    event = Event(EventKind.RESCHEDULE, date(2026, 3, 20), 1, until=date(2026, 4, 4), instalments=3)
    rows = fold(terms, (event,), date(2026, 3, 20)).instalments
    # Qingming moves the 4th of April to the 7th, Labour Day the 4th of May to the 6th
    assert [str(row.due_on) for row in rows[2:]] == ["2026-04-07", "2026-05-06", "2026-06-04"]
    assert sum(row.principal_fen for row in rows) == 900_000


@pytest.mark.parametrize(
    ("on", "instalments", "refused"),
    [
        ("2026-01-15", 11, False),  # the last one on 15 December
        ("2026-01-15", 12, True),
        ("2026-01-23", 11, False),
        ("2026-01-28", 11, True),  # on 28 December; paid out four days later it would be in a year without a table
        ("2026-11-20", 1, False),
        ("2026-11-26", 1, True),
    ],
)
def test_what_may_run_into_a_year_without_a_table_is_refused_beforehand(on, instalments, refused):
    terms = drawn(on, instalments, **FOLLOWING)
    if refused:
        with pytest.raises(NoHolidayTable) as refusal:
            terms.check_holidays()
        assert refusal.value.params == {"year": 2027, "table": TABLE}
    else:
        terms.check_holidays()
    drawn(on, instalments).check_holidays()  # and never where nothing moves


def test_a_rescheduling_into_a_year_without_a_table_is_refused():
    event = Event(EventKind.RESCHEDULE, date(2026, 3, 20), 1, until=date(2026, 12, 4), instalments=2)
    with pytest.raises(NoHolidayTable):
        fold(drawn("2026-01-15", **FOLLOWING), (event,), date(2026, 3, 20))


# laws ----------------------------------------------------------------------------------------------------------------


@st.composite
def dated_rules(draw):
    moved = FOLLOWING if draw(st.booleans()) else {}
    shape, basis = draw(st.sampled_from(Shape)), draw(st.sampled_from(BASES))
    return Rules(shape=shape, year_basis=basis, **draw(due_days), **moved)


def within_the_table(terms):
    """Bring a loan into years that have a table."""
    year = 2018 + terms.started_on.year % 7
    return Terms(
        *(terms.amount_fen, terms.rate_e8, terms.instalments),
        terms.started_on.replace(year=year, day=min(terms.started_on.day, monthrange(year, terms.started_on.month)[1])),
        terms.rules,
    )


dated = terms_under(dated_rules()).map(within_the_table)


@given(dated)
@example(drawn("2024-01-31", 5, due_day=None))
@example(drawn("2024-01-30", 5, due_day=30, first_period=FirstPeriod.LONG))
def test_due_dates_are_those_of_a_person_with_a_calendar(terms):
    nominal = falling_due(terms)
    moved = [following_working_day(day, TABLE) for day in nominal] if terms.rules.holiday_table else nominal
    assert terms.due_dates() == moved


@given(dated)
def test_due_dates_rise_and_the_day_of_the_month_returns(terms):
    due = terms.due_dates()
    assert terms.started_on < due[0]
    assert all(one < next_one for one, next_one in pairwise(due))
    if terms.rules.holiday_table:
        assert all(is_working_day(day, TABLE) for day in due)
        return
    day_of_month = terms.rules.due_day or terms.started_on.day
    assert all(day.day == min(day_of_month, monthrange(day.year, day.month)[1]) for day in due)


@given(terms_under(due_days.filter(bool).map(lambda dates: Rules(shape=Shape.EQUAL_PRINCIPAL, **dates))))
def test_the_first_period_is_as_long_as_its_convention_says(terms):
    rules = terms.rules
    days, least = (terms.due_dates()[0] - terms.started_on).days, rules.first_period_min_days
    whole = (add_months(terms.started_on, 1) - terms.started_on).days if rules.first_period is FirstPeriod.LONG else 1
    assert max(least, whole) <= days <= max(least, whole) + 30


@given(dated)
def test_principal_is_all_there_and_interest_by_the_day_is_the_days(terms):
    rows = plan(terms)
    assert sum(row.principal_fen for row in rows) == terms.amount_fen
    assert rows[-1].principal_after_fen == 0
    assert sum(row.days for row in rows) == (terms.due_dates()[-1] - terms.started_on).days
    left = terms.amount_fen
    for row in rows:
        if terms.rules.year_basis is YearBasis.DAILY:
            assert abs(2 * 10**8 * row.interest_fen - 2 * left * terms.rate_e8 * row.days) <= 10**8
        left = row.principal_after_fen


@given(dated)
def test_equal_instalments_are_equal_whatever_the_first_period(terms):
    assume(terms.amount_fen >= 100_000)
    terms = Terms(
        *(terms.amount_fen, terms.rate_e8, terms.instalments, terms.started_on),
        terms.rules.model_copy(update={"shape": Shape.EQUAL_INSTALMENT}),
    )
    rows = plan(terms)
    assume(rows[0].principal_fen)  # interest of a long first period may be more than the instalment
    totals = [row.total_fen for row in rows]
    assert len(set(totals[:-1])) <= 1
    assert abs(totals[-1] - totals[0]) <= 2 * len(totals)


# no terms of a loan --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rules",
    [
        {"due_day": 0},
        {"due_day": 32},
        {"first_period": "long"},
        {"first_period_min_days": 10},
        {"due_day": 20, "first_period_min_days": 61},
        {"due_day": 20, "every_months": 0, "every_days": 7},
        {"due_day": 20, "year_basis": "thirty_360"},
        {"business_day_convention": "following"},
        {"holiday_table": TABLE},
        {"business_day_convention": "following", "holiday_table": TABLE, "every_months": 0, "every_days": 7},
        {"business_day_convention": "following", "holiday_table": TABLE, "year_basis": "thirty_360"},
        {"business_day_convention": "preceding", "holiday_table": TABLE},
    ],
)
def test_rules_that_do_not_fit_are_no_rules(rules):
    with pytest.raises(ValueError, match="validation error"):
        Rules(shape=Shape.EQUAL_PRINCIPAL, **rules)


def test_a_due_day_leaves_no_place_for_an_anchor():
    with pytest.raises(ValueError, match="no terms of a loan"):
        Terms(100_000, 50_000, 3, date(2026, 1, 5), under(due_day=20).rules, anchored_on=date(2026, 1, 1))
