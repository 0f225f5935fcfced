"""What the fold takes: whole events on days of the loan, each number once; anything else is an error of the caller."""

from dataclasses import replace
from datetime import date

import pytest

from grainline.loans.events import Event, EventKind, repayment
from grainline.loans.fold import fold
from grainline.loans.terms import Terms
from grainline.products import Component, Rules, Shape, YearBasis

DAY = date(2026, 3, 2)
RULES = Rules(shape=Shape.EQUAL_PRINCIPAL)
TERMS = Terms(100_000, 50_000, 5, DAY, RULES)
LATER = date(2026, 4, 2)


@pytest.mark.parametrize(
    ("kind", "more", "needs"),
    [
        (EventKind.REPAYMENT, {}, "a repayment needs an amount"),
        (EventKind.REPAYMENT, {"amount_fen": -1}, "a repayment needs an amount"),
        (EventKind.REFUND, {}, "a refund needs an amount"),
        (EventKind.FEE, {"amount_fen": 0}, "a fee needs an amount"),
        (EventKind.COUPON, {}, "a coupon needs an amount"),
        (EventKind.WAIVER, {"amount_fen": 100}, "a waiver needs a component"),
        (EventKind.WAIVER, {"amount_fen": 100, "component": Component.PRINCIPAL}, "a waiver needs a component"),
        (EventKind.WAIVER, {"component": Component.FEE}, "a waiver needs an amount"),
        (EventKind.DISCOUNT, {"share_e4": 5_000}, "a discount needs a date"),
        (EventKind.DISCOUNT, {"share_e4": 0, "until": LATER}, "a discount needs a share"),
        (EventKind.DISCOUNT, {"share_e4": 10_001, "until": LATER}, "a discount needs a share"),
        (
            EventKind.DISCOUNT,
            {"share_e4": 5_000, "until": DAY},
            "a discount needs a date until when, later than 2026-03-02",
        ),
        (EventKind.RESCHEDULE, {"instalments": 3}, "a reschedule needs a date"),
        (EventKind.RESCHEDULE, {"instalments": 0, "until": LATER}, "a reschedule needs a number of instalments"),
        (EventKind.RESCHEDULE, {"instalments": 3, "until": DAY}, "a reschedule needs a date"),
        (EventKind.REVERSAL, {}, "a reversal needs the number of the event"),
    ],
)
def test_an_event_that_lacks_what_its_kind_needs_is_no_event_and_says_what(kind, more, needs):
    with pytest.raises(ValueError, match=needs):
        Event(kind, DAY, 1, **more)


@pytest.mark.parametrize(
    "changed",
    [
        {"amount_fen": 0},
        {"amount_fen": -100},
        {"rate_e8": -1},
        {"instalments": 0},
        {"rules": RULES.model_copy(update={"principal_free": 5})},
        {"anchored_on": date(2026, 2, 2)},  # its first due date would be the first day
    ],
)
def test_terms_without_money_or_end_are_no_terms(changed):
    with pytest.raises(ValueError, match="no terms"):
        replace(TERMS, **changed)


def test_an_event_before_the_loan_began_is_an_error():
    with pytest.raises(ValueError, match="before the loan's first day"):
        fold(TERMS, [repayment(100, date(2026, 3, 1), 1)], LATER)


def test_an_event_that_is_listed_twice_counts_once():
    event = repayment(5_000, DAY, 1)
    assert fold(TERMS, [event, event, replace(event)], LATER) == fold(TERMS, [event], LATER)


def test_two_events_under_one_number_are_an_error():
    with pytest.raises(ValueError, match="under one number"):
        fold(TERMS, [repayment(5_000, DAY, 1), repayment(6_000, DAY, 1)], LATER)


def test_a_reversal_is_not_reversed():
    paid = repayment(5_000, DAY, 1)
    undone = Event(EventKind.REVERSAL, LATER, 2, reverses=1)
    again = Event(EventKind.REVERSAL, LATER, 3, reverses=2)
    assert fold(TERMS, [paid, undone, again], LATER) == fold(TERMS, (), LATER)


def test_the_first_period_may_have_begun_before_the_draw():
    terms = replace(TERMS, started_on=date(2026, 3, 20), anchored_on=DAY)
    state = fold(terms, (), LATER)
    assert (state.instalments[0].due_on, state.instalments[0].interest_fen) == (LATER, 650)  # 50 a day × 13


@pytest.mark.parametrize(
    "changed",
    [
        {"every_months": 0},
        {"every_days": 7},
        {"every_months": 0, "every_days": 7, "year_basis": YearBasis.THIRTY_360},
        {"allocation": ("fee", "penalty", "interest")},
        {"allocation": ("fee", "fee", "interest", "principal")},
        {"down_payment_e4": 10_001},
        {"colour": "red"},
    ],
)
def test_rules_that_say_nothing_sensible_are_refused(changed):
    with pytest.raises(ValueError, match="validation error"):
        Rules.model_validate({"shape": "equal_principal"} | changed)
