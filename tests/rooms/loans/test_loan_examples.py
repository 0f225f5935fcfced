"""Loans with their arithmetic shown, as a counter works it out: shapes, rounding, repayments, lateness."""

import json
from datetime import date
from pathlib import Path

import pytest
from ten_thousand import RULES, SEPTEMBER, TEN_THOUSAND, columns, under

from grainline.loans.events import repayment
from grainline.loans.fold import fold, forecast
from grainline.loans.terms import Terms
from grainline.products import (
    AllocateBy,
    Prepayment,
    Remainder,
    RoundedPer,
    Rounding,
    Shape,
    YearBasis,
)

PUBLISHED = Path(__file__).parents[4] / "shared" / "data" / "loan_cases" / "weilidai_case.json"
BOTH = pytest.mark.parametrize("late_on", [date(2018, 10, 11), date(2018, 10, 12)])


def planned(terms):
    return columns(forecast(terms, (), terms.started_on), "principal", "interest")


# shapes --------------------------------------------------------------------------------------------------------------


def test_ten_thousand_over_five_months_in_equal_principal():
    state = forecast(TEN_THOUSAND, (), SEPTEMBER)
    assert [str(row.due_on) for row in state.instalments] == [
        "2018-10-11", "2018-11-11", "2018-12-11", "2019-01-11", "2019-02-11"
    ]  # fmt: skip
    # 10,000 × 0.0005 × 30, 8,000 × 0.0005 × 31, 6,000 × 0.0005 × 30, 4,000 × 0.0005 × 31, 2,000 × 0.0005 × 31
    assert columns(state, "principal", "interest") == [
        (200_000, 15_000), (200_000, 12_400), (200_000, 9_000), (200_000, 6_200), (200_000, 3_100)
    ]  # fmt: skip


def test_ten_thousand_over_three_months_in_equal_instalments():
    """Factors 0.0005 × 31, 28, 31 = 1.55 %, 1.40 %, 1.55 %; 10,000 ÷ (1/1.0155 + 1/1.029717 + 1/1.04567761) = 3,433.84.

    Interest: 10,000 × 1.55 % = 155.00; 6,721.16 × 1.40 % = 94.10; 3,381.42 × 1.55 % = 52.41, and the rest is 3,433.83.
    """
    terms = under(Terms(1_000_000, 50_000, 3, date(2026, 1, 15), RULES), shape=Shape.EQUAL_INSTALMENT)
    assert planned(terms) == [(327_884, 15_500), (333_974, 9_410), (338_142, 5_241)]
    totals = [row.total_fen for row in forecast(terms, (), terms.started_on).instalments]
    assert totals == [343_384, 343_384, 343_383]


def test_interest_first_and_principal_at_the_end():
    terms = under(Terms(1_000_000, 50_000, 3, date(2026, 1, 15), RULES), shape=Shape.INTEREST_FIRST)
    assert planned(terms) == [(0, 15_500), (0, 14_000), (1_000_000, 15_500)]  # 5 a day × 31, 28, 31


def test_a_bullet_is_one_instalment_at_the_end():
    terms = under(Terms(1_000_000, 50_000, 3, date(2026, 1, 15), RULES), shape=Shape.BULLET)
    [row] = forecast(terms, (), terms.started_on).instalments
    assert (row.due_on, row.principal_fen, row.interest_fen) == (date(2026, 4, 15), 1_000_000, 45_000)  # 5 × 90


def test_instalments_without_principal_and_a_down_payment():
    terms = under(principal_free=2, down_payment_e4=2_500)
    # 25 % on the first day; then two months of interest on 7,500: 112.50, 116.25; then a third of 7,500 each
    assert columns(forecast(terms, (), SEPTEMBER), "principal", "interest") == [
        (250_000, 0), (0, 11_250), (0, 11_625), (250_000, 11_250), (250_000, 7_750), (250_000, 3_875)
    ]  # fmt: skip


def test_an_anchor_day_at_the_end_of_a_month_comes_back():
    terms = Terms(100_000, 50_000, 3, date(2026, 1, 31), RULES)
    due = [str(row.due_on) for row in forecast(terms, (), terms.started_on).instalments]
    assert due == ["2026-02-28", "2026-03-31", "2026-04-30"]


# rounding and days ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "principals"),
    [(Remainder.LAST, [33_333, 33_333, 33_334]), (Remainder.FIRST, [33_334, 33_333, 33_333])],
)
def test_the_named_instalment_takes_the_remainder(place, principals):
    terms = under(Terms(100_000, 50_000, 3, SEPTEMBER, RULES), remainder=place)
    assert [principal for principal, _ in planned(terms)] == principals


@pytest.mark.parametrize(("rounding", "fen"), [(Rounding.HALF_UP, 3), (Rounding.HALF_EVEN, 2)])
def test_half_a_fen_goes_up_or_to_the_even_one(rounding, fen):
    """5.00 yuan at 0.05 % for 10 days is 2.5 fen."""
    terms = under(Terms(500, 50_000, 1, SEPTEMBER, RULES), rounding=rounding)
    assert fold(terms, (), date(2018, 9, 21)).accrued_fen == fen


@pytest.mark.parametrize(
    ("place", "fen"),
    [
        (RoundedPer.INSTALMENT, 1_752),  # 61.728 × 20 + 51.728 × 10 = 1,751.84
        (RoundedPer.SUB_PERIOD, 1_752),  # 1,234.56 is 1,235; 517.28 is 517
        (RoundedPer.DAY, 1_760),  # 62 × 20 + 52 × 10
    ],
)
def test_where_interest_becomes_fen(place, fen):
    """1,234.56 at 0.05 % bears 61.728 fen a day. After 20 days 200 of it and all interest is repaid; 51.728 a day."""
    terms = under(Terms(123_456, 50_000, 1, date(2018, 9, 1), RULES), rounded_per=place)
    paid_on = date(2018, 9, 21)
    interest = fold(terms, (), paid_on).accrued_fen
    state = forecast(terms, [repayment(20_000 + interest, paid_on, 1)], paid_on)
    assert state.instalments[0].interest_fen == fen


@pytest.mark.parametrize(
    ("basis", "fen"),
    [
        (YearBasis.DAYS_360, 10_333),  # 1,000,000 × 0.12 × 31 / 360
        (YearBasis.DAYS_365, 10_192),  # … / 365
        (YearBasis.ACTUAL, 10_191),  # × (30 / 365 + 1 / 366): the night to the new year ends in a leap year
        (YearBasis.THIRTY_360, 10_000),  # a month is a twelfth
    ],
)
def test_a_year_has_as_many_days_as_the_rules_say(basis, fen):
    terms = under(Terms(1_000_000, 12_000_000, 1, date(2023, 12, 1), RULES), year_basis=basis)
    assert planned(terms) == [(1_000_000, fen)]


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"{PUBLISHED.name} is not beside this checkout")
def test_a_published_case():
    """2,500 over five months; where the source has a typing error, its own arithmetic counts."""
    for case in json.loads(PUBLISHED.read_text(encoding="utf-8")):
        given, rows = case["given"], case["recomputed_rows_if_drawn_in_mid_May"]
        rate_e8 = round(float(given["daily_rate"]) * 10**8)
        terms = Terms(int(given["principal"]) * 100, rate_e8, given["instalments"], date(2022, 5, 15), RULES)
        state = forecast(terms, (), terms.started_on)
        got = [(row.number, str(row.due_on), row.principal_fen, row.interest_fen) for row in state.instalments]
        assert got == [
            (row["nr"], row["due_date"], *(round(float(row[key]) * 100) for key in ("principal", "interest")))
            for row in rows
        ]


# repayments ----------------------------------------------------------------------------------------------------------


def test_the_day_of_the_draw_counts_and_the_day_of_repayment_does_not():
    same_day = fold(TEN_THOUSAND, [repayment(1_000_000, SEPTEMBER, 1)], SEPTEMBER)
    assert (same_day.settled_on, same_day.interest_charged_fen) == (SEPTEMBER, 0)
    assert fold(TEN_THOUSAND, (), date(2018, 9, 12)).payoff_fen == 1_000_000 + 500
    assert fold(TEN_THOUSAND, (), date(2018, 9, 13)).payoff_fen == 1_000_000 + 1_000


@pytest.mark.parametrize(
    ("mode", "left", "first"),
    [
        (Prepayment.NEXT, [0, 200_000, 200_000, 200_000, 200_000], 200_000),
        (Prepayment.LAST, [200_000, 200_000, 200_000, 200_000, 0], 200_000),
        (Prepayment.SPREAD, [160_000] * 5, 200_000),  # 2,000 ÷ 5 = 400 of each
        (Prepayment.REDUCE_INSTALMENT, [160_000] * 5, 360_000),  # 8,000 ÷ 5, beside the 2,000 that were paid
        (Prepayment.REDUCE_TERM, [200_000] * 4, 400_000),
    ],
)
def test_a_part_paid_early_in_each_mode(mode, left, first):
    """After 10 days 2,050 come: 50 are the interest to date, 2,000 principal. 8,000 × 0.0005 × 20 = 80 are to come."""
    terms, paid_on = under(prepayment=mode), date(2018, 9, 21)
    events = [repayment(205_000, paid_on, 1)]
    state = fold(terms, events, paid_on)
    assert (state.principal_outstanding_fen, state.totals.interest_paid) == (800_000, 5_000)
    assert [row.principal_fen - row.principal_paid_fen for row in state.instalments] == left
    assert state.instalments[0].principal_fen == first
    assert forecast(terms, events, paid_on).instalments[0].interest_fen == 5_000 + 8_000


def test_equal_instalments_after_a_part_paid_early():
    """10,000 over three months at 3,433.84. After 10 days 2,050: 50 of interest, 2,000 of principal; 8,000 are left.

    Fewer rows: 3,433.84 − 8,000 × 0.0005 × 21 = 3,349.84; 4,650.16 × 1.40 % = 65.10, so 3,368.74; then 1,281.42.
    """
    terms = Terms(1_000_000, 50_000, 3, date(2026, 1, 15), RULES)
    terms = under(terms, shape=Shape.EQUAL_INSTALMENT, prepayment=Prepayment.REDUCE_TERM)
    paid_on = date(2026, 1, 25)
    state = forecast(terms, [repayment(205_000, paid_on, 1)], paid_on)
    assert columns(state, "principal", "interest") == [
        (200_000 + 334_984, 5_000 + 8_400), (336_874, 6_510), (128_142, 1_986)
    ]  # fmt: skip


def test_a_prepayment_of_less_than_the_interest_to_date_plans_nothing_anew():
    terms = under(shape=Shape.EQUAL_INSTALMENT, prepayment=Prepayment.REDUCE_TERM)
    paid_on = date(2018, 9, 21)
    paid = fold(terms, [repayment(4_999, paid_on, 1)], paid_on)
    assert columns(paid, "principal") == columns(fold(terms, (), paid_on), "principal")
    assert paid.payoff_fen == 1_000_001


def test_a_spread_of_less_than_a_fen_each_creates_no_money():
    terms = under(Terms(1_000_000, 0, 10, SEPTEMBER, RULES), prepayment=Prepayment.SPREAD)
    state = fold(terms, [repayment(6, SEPTEMBER, 1)], SEPTEMBER)
    assert columns(state, "principal_paid") == [(1,)] * 6 + [(0,)] * 4  # 0.6 of a fen rounds to one while there is any
    assert (state.payoff_fen, state.totals.suspense) == (999_994, 0)


def test_money_pays_by_instalment_or_by_component():
    """On 11-11 nothing is paid yet, without penalties: 150 and 155 of interest, twice 2,000 of principal. 400 come."""
    on = date(2018, 11, 11)
    for way, paid in (
        (AllocateBy.INSTALMENT, [(15_000, 25_000), (0, 0)]),
        (AllocateBy.COMPONENT, [(15_000, 9_500), (15_500, 0)]),
    ):
        state = fold(under(penalty_e4=0, allocate_by=way), [repayment(40_000, on, 1)], on)
        assert columns(state, "interest_paid", "principal_paid")[:2] == paid


def test_after_the_last_due_date_interest_goes_on_and_is_due():
    """1,000 for one month, ten days late and no penalty: the instalment alone does not settle it."""
    terms, late = under(Terms(100_000, 50_000, 1, SEPTEMBER, RULES), penalty_e4=0), date(2018, 10, 21)
    instalment, since = 100_000 + 1_500, 500
    assert fold(terms, (), late).due_fen == instalment + since
    part = fold(terms, [repayment(instalment, late, 1)], late)
    assert (part.settled_on, part.payoff_fen, part.principal_outstanding_fen) == (None, since, since)
    whole = fold(terms, [repayment(instalment, late, 1), repayment(since, late, 2)], late)
    assert (whole.settled_on, whole.payoff_fen) == (late, 0)


# late ----------------------------------------------------------------------------------------------------------------


@BOTH
def test_through_the_grace_nothing_is_late(late_on):
    state = fold(TEN_THOUSAND, (), late_on)
    assert (state.days_late, state.instalments[0].penalty_fen, state.due_fen) == (0, 0, 215_000)


def test_late_principal_bears_the_penalty_instead_once_the_grace_is_over():
    """2,150 fell due on 10-11 and are not paid by 10-21; the grace ended with 10-12.

    One day on 10,000: 5. Then 9 days on 8,000: 36, and on the late 2,000 at 1.5 times: 2,000 × 0.00075 × 9 = 13.50.
    """
    state = fold(TEN_THOUSAND, (), date(2018, 10, 21))
    assert (state.late_since, state.days_late) == (date(2018, 10, 11), 10)
    assert (state.instalments[0].penalty_fen, state.accrued_fen) == (1_350, 500 + 3_600)
    assert (state.due_fen, state.payoff_fen) == (215_000 + 1_350, 1_000_000 + 15_000 + 4_100 + 1_350)
