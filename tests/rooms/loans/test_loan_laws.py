"""Laws that hold for every loan and every way of repaying it."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from loan_lives import DAY, DayByDay, Life, live, lives, renumbered, steps, terms_of_loans

from grainline.loans import Overpaid, Repayment, fold, forecast
from grainline.loans.schedule import plan


@given(lives)
def test_the_fold_is_the_loan_lived_day_by_day(life):
    slow = DayByDay(life.terms)
    while slow.today <= life.today:
        for event in life.events:
            if event.value_on == slow.today:
                slow.repay(event.amount_fen)
        if slow.today == life.today:
            break
        slow.pass_day()
    state = fold(life.terms, life.events, life.today)
    assert state.principal_outstanding_fen == slow.outstanding
    assert state.interest_paid_fen == slow.interest_paid
    assert (state.payoff_fen, state.due_fen) == (slow.payoff, slow.due)
    assert [row.unpaid_fen for row in state.instalments] == [sum(row.values()) for row in slow.owed]
    assert state.settled_on == slow.settled_on


@given(lives)
def test_principal_drawn_is_principal_paid_and_principal_left(life):
    state = fold(life.terms, life.events, life.today)
    assert sum(row.principal_fen for row in state.instalments) == life.terms.amount_fen
    paid = sum(row.principal_paid_fen for row in state.instalments)
    assert state.principal_outstanding_fen == life.terms.amount_fen - paid
    assert state.interest_charged_fen == sum(row.interest_fen for row in state.instalments)
    assert state.interest_paid_fen == sum(row.interest_paid_fen for row in state.instalments)
    for row in state.instalments:
        assert 0 <= row.principal_paid_fen <= row.principal_fen
        assert 0 <= row.interest_paid_fen <= row.interest_fen


@given(lives)
def test_every_fen_of_a_repayment_goes_somewhere_and_none_goes_twice(life):
    for place, event in enumerate(life.events):
        before = fold(life.terms, life.events[:place], event.value_on)
        after = fold(life.terms, life.events[: place + 1], event.value_on)
        principal = before.principal_outstanding_fen - after.principal_outstanding_fen
        interest = after.interest_paid_fen - before.interest_paid_fen
        assert principal >= 0
        assert interest >= 0
        assert principal + interest == event.amount_fen
        assert after.payoff_fen == before.payoff_fen - event.amount_fen
        for old, new in zip(before.instalments, after.instalments, strict=True):
            assert new.principal_paid_fen >= old.principal_paid_fen
            assert new.interest_paid_fen >= old.interest_paid_fen


@given(lives, st.randoms(use_true_random=False))
def test_the_order_in_which_repayments_were_booked_does_not_matter(life, chance):
    booked = list(life.events)
    chance.shuffle(booked)
    assert fold(life.terms, renumbered(booked), life.today) == fold(life.terms, life.events, life.today)


@given(lives, st.data())
def test_what_comes_later_is_not_seen(life, data):
    before = life.terms.started_on + DAY * data.draw(st.integers(0, (life.today - life.terms.started_on).days))
    known = [event for event in life.events if event.value_on <= before]
    assert fold(life.terms, life.events, before) == fold(life.terms, known, before)


@given(lives)
def test_the_payoff_settles_to_the_fen(life):
    owed = fold(life.terms, life.events, life.today).payoff_fen
    assume(owed)
    number = len(life.events) + 1

    def pay(fen):
        return fold(life.terms, [*life.events, Repayment(fen, life.today, number)], life.today)

    settled = pay(owed)
    assert settled.settled_on == life.today
    assert (settled.payoff_fen, settled.due_fen, settled.principal_outstanding_fen) == (0, 0, 0)
    assert settled.next_unpaid is None
    if owed > 1:
        almost = pay(owed - 1)
        assert (almost.payoff_fen, almost.settled_on) == (1, None)
    with pytest.raises(Overpaid):
        pay(owed + 1)


@given(lives, st.integers(0, 400))
def test_a_loan_is_settled_exactly_when_nothing_is_owed_and_stays_so(life, days):
    later = life.today + days * DAY
    state = fold(life.terms, life.events, later)
    assert (state.settled_on is not None) == (fold(life.terms, life.events, life.today).payoff_fen == 0)
    assert (state.settled_on is not None) == (state.payoff_fen == 0)
    assert (state.next_unpaid is None) == (state.settled_on is not None)


@given(terms_of_loans, steps, st.data())
def test_paying_earlier_never_costs_more(terms, taken, data):
    """Move one repayment forward in time; whatever that saves shows in the end, and it is never below nothing.

    Later repayments that would then exceed the debt are cut to it.
    """
    late = live(terms, taken, after_days=40)
    assume(late.events)
    moved = data.draw(st.integers(0, len(late.events) - 1))
    room = (late.events[moved].value_on - terms.started_on).days
    earlier = late.events[moved].value_on - DAY * data.draw(st.integers(0, room))
    wanted = [*late.events[:moved], Repayment(late.events[moved].amount_fen, earlier, 0), *late.events[moved + 1 :]]
    early = Life(terms, _within_the_debt(terms, wanted), late.today)
    assert _cost(early) <= _cost(late)


def _within_the_debt(terms, wanted):
    events = []
    for event in sorted(wanted, key=lambda event: event.value_on):
        fen = min(event.amount_fen, fold(terms, events, event.value_on).payoff_fen)
        if fen:
            events.append(Repayment(fen, event.value_on, len(events) + 1))
    return tuple(events)


def _cost(life):
    return life.paid_fen + fold(life.terms, life.events, life.today).payoff_fen - life.terms.amount_fen


@given(lives, st.integers(0, 60))
def test_waiting_never_makes_the_debt_smaller(life, days):
    now, later = (fold(life.terms, life.events, life.today + wait * DAY) for wait in (0, days))
    assert later.payoff_fen >= now.payoff_fen
    assert later.due_fen >= now.due_fen


@given(terms_of_loans)
def test_the_plan_is_the_formula_of_the_contract(terms):
    """Interest of a row is what is outstanding × daily rate × days, to the fen, halves up."""
    left, start = terms.amount_fen, terms.started_on
    for row in plan(terms):
        days = (row.due_on - start).days
        assert row.days == days
        assert row.interest_fen == (2 * left * terms.rate_e8 * days + 10**8) // (2 * 10**8)
        left -= row.principal_fen
        assert (row.principal_after_fen, row.total_fen) == (left, row.principal_fen + row.interest_fen)
        start = row.due_on
    assert left == 0
    assert [row.number for row in plan(terms)] == list(range(1, terms.instalments + 1))


@given(terms_of_loans, st.integers(0, 20))
def test_who_pays_each_instalment_on_its_day_pays_the_plan(terms, months):
    rows = plan(terms)
    on_time = [Repayment(row.total_fen, row.due_on, row.number) for row in rows if row.total_fen]
    state = fold(terms, on_time, rows[-1].due_on)
    assert [row.interest_fen for row in state.instalments] == [row.interest_fen for row in rows]
    assert state.settled_on == rows[-1].due_on
    # and in the middle of its life the forecast is what is left of the plan
    today = rows[min(months, len(rows)) - 1].due_on if months else terms.started_on
    ahead = forecast(terms, on_time, today)
    assert [row.interest_fen for row in ahead.instalments] == [row.interest_fen for row in rows]


@given(lives)
def test_a_forecast_pays_everything_and_never_foresees_less_than_was_charged(life):
    now, ahead = fold(life.terms, life.events, life.today), forecast(life.terms, life.events, life.today)
    assert ahead.principal_outstanding_fen == 0
    assert [row.unpaid_fen for row in ahead.instalments] == [0] * life.terms.instalments
    assert ahead.payoff_fen == 0
    for seen, foreseen in zip(now.instalments, ahead.instalments, strict=True):
        assert foreseen.interest_fen >= seen.interest_fen
