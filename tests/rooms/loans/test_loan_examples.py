"""Loans with their arithmetic shown: what a lender's counter would work out by hand."""

import json
from datetime import date
from pathlib import Path

import pytest

from grainline.loans import Overpaid, Repayment, Terms, fold, forecast
from grainline.loans.apr import irr_percent, simple_percent
from grainline.loans.schedule import plan

SEPTEMBER = date(2018, 9, 11)
TEN_THOUSAND = Terms(1_000_000, 50_000, 5, SEPTEMBER)  # 0.05 % a day
PUBLISHED = Path(__file__).parents[4] / "shared" / "data" / "loan_cases" / "weilidai_case.json"


def test_ten_thousand_over_five_months():
    rows = plan(TEN_THOUSAND)
    assert [row.due_on.isoformat() for row in rows] == [
        "2018-10-11",
        "2018-11-11",
        "2018-12-11",
        "2019-01-11",
        "2019-02-11",
    ]
    assert [row.days for row in rows] == [30, 31, 30, 31, 31]
    # 10,000 × 0.0005 × 30, 8,000 × 0.0005 × 31, 6,000 × 0.0005 × 30, 4,000 × 0.0005 × 31, 2,000 × 0.0005 × 31
    assert [row.interest_fen for row in rows] == [15_000, 12_400, 9_000, 6_200, 3_100]
    assert {row.principal_fen for row in rows} == {200_000}


def test_an_amount_that_does_not_divide_leaves_its_rest_to_the_last_instalment():
    rows = plan(Terms(100_000, 50_000, 3, SEPTEMBER))
    assert [row.principal_fen for row in rows] == [33_333, 33_333, 33_334]


def test_half_a_fen_of_interest_goes_up():
    """1.00 yuan at 0.05 % for 30 days is 1.5 fen."""
    assert plan(Terms(100, 50_000, 1, date(2018, 9, 1)))[0].interest_fen == 2


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"{PUBLISHED.name} is not beside this checkout")
def test_a_published_case():
    """2,500 over five months; where the source has a typing error, its own arithmetic counts."""
    for case in json.loads(PUBLISHED.read_text(encoding="utf-8")):
        given, rows = case["given"], case["recomputed_rows_if_drawn_in_mid_May"]
        rate_e8 = round(float(given["daily_rate"]) * 10**8)
        terms = Terms(int(given["principal"]) * 100, rate_e8, given["instalments"], date(2022, 5, 15))
        planned = [
            (row.number, str(row.due_on), row.days, row.principal_fen, row.interest_fen, row.principal_after_fen)
            for row in plan(terms)
        ]
        assert planned == [
            (row["nr"], row["due_date"], row["days"], *(round(float(row[key]) * 100) for key in
             ("principal", "interest", "balance_after")))
            for row in rows
        ]  # fmt: skip


@pytest.mark.parametrize("instalments", [5, 10, 20])
def test_six_hundredths_of_a_percent_a_day_by_both_methods(instalments):
    """21.90 % a year by the simple method; by internal rate of return 24.24 %, up to the lengths of the months."""
    terms = Terms(1_000_000, 60_000, instalments, date(2026, 1, 15))
    assert simple_percent(60_000) == "21.90"
    assert abs(float(irr_percent(terms, plan(terms))) - 24.24) <= 0.05


@pytest.mark.parametrize(("rate_e8", "text"), [(20_000, "7.30"), (35_000, "12.78"), (50_000, "18.25"), (1, "0.00")])
def test_the_simple_annual_rate_is_365_days(rate_e8, text):
    assert simple_percent(rate_e8) == text


def test_repaid_on_the_day_of_the_draw_it_costs_nothing():
    state = fold(TEN_THOUSAND, [Repayment(1_000_000, SEPTEMBER, 1)], SEPTEMBER)
    assert (state.settled_on, state.interest_charged_fen) == (SEPTEMBER, 0)


def test_the_day_of_the_draw_counts_and_the_day_of_repayment_does_not():
    assert fold(TEN_THOUSAND, (), date(2018, 9, 12)).payoff_fen == 1_000_000 + 500
    assert fold(TEN_THOUSAND, (), date(2018, 9, 13)).payoff_fen == 1_000_000 + 1_000


def test_a_prepayment_pays_interest_to_date_and_then_shortens_what_is_left():
    """After 10 days 3,050: 50 of it interest, 3,000 principal: the first instalment and half of the second."""
    events = [Repayment(305_000, date(2018, 9, 21), 1)]
    state = fold(TEN_THOUSAND, events, date(2018, 9, 21))
    assert (state.principal_outstanding_fen, state.interest_paid_fen) == (700_000, 5_000)
    assert [row.principal_paid_fen for row in state.instalments] == [200_000, 100_000, 0, 0, 0]
    ahead = forecast(TEN_THOUSAND, events, date(2018, 9, 21))
    # 50 + 7,000 × 0.0005 × 20 = 120; the second month 7,000 × 0.0005 × 31 = 108.50
    assert [row.interest_fen for row in ahead.instalments][:2] == [12_000, 10_850]


def test_a_late_payer_owes_what_fell_due_and_interest_on_principal_only():
    """Nothing is paid for two months: 150 and then 10,000 × 0.0005 × 31 = 155, with no interest on the 150."""
    state = fold(TEN_THOUSAND, (), date(2018, 11, 11))
    assert [row.interest_fen for row in state.instalments] == [15_000, 15_500, 0, 0, 0]
    assert state.due_fen == 400_000 + 15_000 + 15_500
    assert state.next_unpaid.number == 1


def test_a_partial_payment_pays_the_oldest_interest_first():
    state = fold(TEN_THOUSAND, [Repayment(20_000, date(2018, 11, 11), 1)], date(2018, 11, 11))
    assert [(row.interest_paid_fen, row.principal_paid_fen) for row in state.instalments][:2] == [
        (15_000, 5_000),
        (0, 0),
    ]


def test_after_the_last_due_date_interest_goes_on_and_is_not_forgiven():
    """1,000 for one month, ten days late: the instalment alone does not settle it, the interest since is due too."""
    terms = Terms(100_000, 50_000, 1, SEPTEMBER)
    late = date(2018, 10, 21)
    state = fold(terms, (), late)
    instalment, since = 100_000 + 1_500, 500
    assert (state.due_fen, state.payoff_fen) == (instalment + since, instalment + since)
    part = fold(terms, [Repayment(instalment, late, 1)], late)
    assert (part.settled_on, part.payoff_fen, part.principal_outstanding_fen) == (None, since, since)
    whole = fold(terms, [Repayment(instalment, late, 1), Repayment(since, late, 2)], late)
    assert (whole.settled_on, whole.payoff_fen) == (late, 0)


def test_a_forecast_of_a_loan_past_its_end_has_the_interest_since_in_its_last_row():
    terms = Terms(100_000, 50_000, 1, SEPTEMBER)
    [row] = forecast(terms, (), date(2018, 10, 21)).instalments
    assert (row.interest_fen, row.unpaid_fen) == (2_000, 0)


def test_above_the_payoff_is_an_error_of_ours():
    with pytest.raises(Overpaid, match="1 fen"):
        fold(TEN_THOUSAND, [Repayment(1_000_001, SEPTEMBER, 1)], SEPTEMBER)


@pytest.mark.parametrize(
    ("amount", "rate", "count"), [(0, 50_000, 5), (100, 0, 5), (100, 50_000, 0), (-100, 50_000, 5)]
)
def test_terms_without_money_price_or_end_are_no_terms(amount, rate, count):
    with pytest.raises(ValueError, match="no terms"):
        Terms(amount, rate, count, SEPTEMBER)
