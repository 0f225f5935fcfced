"""Laws of the loan, for every loan and every life of it: what time costs, and what a plan is."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st
from loan_lives import (
    DAY,
    all_lives,
    amounts,
    days_between,
    live,
    paying_lives,
    payments,
    rules_of_loans,
    sizes,
    terms_of_loans,
    terms_under,
)

from grainline.loans.events import Event, EventKind, repayment
from grainline.loans.fold import fold, forecast
from grainline.loans.interest import Period
from grainline.products import Prepayment, Remainder, RoundedPer, Shape, YearBasis

# time ----------------------------------------------------------------------------------------------------------------


@given(terms_of_loans, amounts, st.lists(st.integers(0, 500), min_size=3, max_size=3).map(sorted))
def test_interest_is_additive_over_dates(terms, balance, days):
    start, middle, end = (terms.started_on + DAY * day for day in days)
    period = Period(terms.rules.year_basis, terms.started_on, terms.started_on + 31 * DAY, 1)

    def interest(begin, stop):
        return period.interest(balance * terms.rate_e8, begin, stop, terms.rules)

    assert interest(start, middle) + interest(middle, end) == interest(start, end)
    assert period.weight(start, middle) + period.weight(middle, end) == period.weight(start, end)


@given(all_lives, st.integers(0, 100))
def test_a_charge_off_changes_what_is_income_and_nothing_that_is_owed(life, percent):
    on = life.terms.started_on + (life.today - life.terms.started_on) * percent // 100
    assume(all(event.kind is not EventKind.CHARGE_OFF for event in life.events))
    off, without = fold(life.terms, [*life.events, Event(EventKind.CHARGE_OFF, on, 1_000)], life.today), life.state
    then = fold(life.terms, life.events, on)
    accrued = then.accrual.interest / Period(life.terms.rules.year_basis, on, on + DAY, 1).unit
    income, charged = off.totals.interest_charged_accruing, without.totals.interest_charged
    assert then.totals.interest_charged <= income <= charged
    if life.terms.rules.year_basis is YearBasis.DAILY and not then.charged_off_on and not then.written_off_on:
        assert income <= then.totals.interest_charged + accrued + 2
    assert off.instalments == without.instalments
    assert (off.payoff_fen, off.due_fen, off.settled_on) == (without.payoff_fen, without.due_fen, without.settled_on)
    mine, theirs = off.totals._asdict(), without.totals._asdict()
    assert {name for name in mine if mine[name] != theirs[name]} <= {
        "interest_charged_accruing", "penalty_charged_accruing", "penalty_charged"
    }  # fmt: skip


@given(terms_of_loans)
def test_nothing_is_late_through_the_grace_and_there_is_no_penalty(terms):
    first = forecast(terms, (), terms.started_on).instalments[0]
    grace_ends = first.due_on + terms.rules.grace_days * DAY
    state = fold(terms, (), grace_ends)
    assert (state.days_late, state.late_since) == (0, None)
    assert state.instalments[0].penalty_fen == 0
    if state.instalments[0].unpaid_fen:
        after = fold(terms, (), grace_ends + DAY)
        assert (after.late_since, after.days_late) == (first.due_on, terms.rules.grace_days + 1)


@given(terms_of_loans, st.integers(0, 700), st.integers(1, 10**6))
def test_only_principal_bears_interest(terms, days, fee):
    """With a fee unpaid from the first day on, interest and penalties are what they would be without it."""
    today = terms.started_on + days * DAY
    charged = fold(terms, [Event(EventKind.FEE, terms.started_on, 1, fee)], today)
    plain = fold(terms, (), today)
    assert charged.payoff_fen == plain.payoff_fen + fee
    # and of nothing paid at all, simple interest at the higher of the two rates is the most that can be owed
    rules = terms.rules
    period = Period(rules.year_basis, terms.started_on, today, 1)
    most = terms.amount_fen * terms.rate_e8 * period.weight(terms.started_on, today) * max(rules.penalty_e4, 10_000)
    roundings = 2 * terms.instalments + (days if rules.rounded_per is RoundedPer.DAY else 1)
    assert plain.payoff_fen - terms.amount_fen <= most / (period.unit * 10_000) + roundings


@given(terms_of_loans, st.integers(0, 700))
def test_a_penalty_replaces_ordinary_interest_and_is_not_added_to_it(terms, days):
    """A penalty of 1 times the rate costs what no penalty at all costs, but for rounding."""
    today = terms.started_on + days * DAY
    rules = terms.rules.model_copy(update={"rounded_per": RoundedPer.INSTALMENT})
    none, once, more = (
        fold(replace(terms, rules=rules.model_copy(update={"penalty_e4": e4})), (), today).payoff_fen
        for e4 in (0, 10_000, 15_000)
    )
    assert abs(none - once) <= terms.instalments
    assert more >= once


# Paid into a later instalment or planned anew, money that came early may leave the next one to fall due in full, and to
# bear a penalty if it is missed then. So for these modes the law is of the ordinary rate.
early_rules = rules_of_loans.map(
    lambda rules: rules if rules.prepayment is Prepayment.NEXT else rules.model_copy(update={"penalty_e4": 0})
)


@given(terms_under(early_rules), payments, st.data())
def test_paying_earlier_never_costs_more(terms, taken, data):
    """Move one repayment forward in time; whatever that saves shows in the end, and it is never below nothing."""
    late = live(terms, taken, after_days=40)
    plain = [replace(event, prepayment=None) for event in late.events]
    assume(plain)
    place = data.draw(st.integers(0, len(plain) - 1))
    room = (plain[place].value_on - terms.started_on).days
    moved = replace(plain[place], value_on=plain[place].value_on - DAY * data.draw(st.integers(0, room)))
    early = [*plain[:place], moved, *plain[place + 1 :]]
    slack = late_roundings(terms, plain)
    assert cost(terms, early, late.today) <= cost(terms, plain, late.today) + slack


def late_roundings(terms, events):
    """By how much rounding may disturb a comparison, in fen: whole periods round alike, stretches do not."""
    return 0 if terms.rules.rounded_per is RoundedPer.INSTALMENT else 2 * len(events) + terms.instalments


def cost(terms, events, today):
    """What a loan will have cost if it is paid off today."""
    state = fold(terms, events, today)
    total = state.totals
    return total.repaid - total.suspense + state.payoff_fen - terms.amount_fen


lenders_gifts = st.sampled_from([EventKind.DISCOUNT, EventKind.COUPON, EventKind.WAIVER, EventKind.CHARGE_OFF])


@given(paying_lives, days_between, lenders_gifts, sizes)
def test_what_only_a_lender_gives_never_costs_the_borrower(life, days, kind, size):
    """A discount, a coupon, a waiver and a charge-off leave no more to pay than there was."""
    given_ = live(life.terms, [(days, kind, size, 0)]).events
    today = life.today + 60 * DAY
    renamed = [replace(event, number=1_000 + event.number) for event in given_]
    less = cost(life.terms, [*life.events, *renamed], today)
    assert less <= cost(life.terms, life.events, today) + 2 * len(life.events)


# plans ---------------------------------------------------------------------------------------------------------------


equal_principal = terms_under(
    rules_of_loans.map(lambda rules: rules.model_copy(update={"shape": Shape.EQUAL_PRINCIPAL}))
)


@given(terms_of_loans)
def test_the_plan_is_the_formula_of_the_contract(terms):
    """Principal is all there, and by the day interest is what is outstanding × daily rate × days, halves as said."""
    rows = forecast(terms, (), terms.started_on).instalments
    assert sum(row.principal_fen for row in rows) == terms.amount_fen
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    if terms.rules.year_basis is not YearBasis.DAILY or terms.rules.rounded_per is RoundedPer.DAY:
        return
    left, start = terms.amount_fen, terms.started_on
    for row in rows:
        exact = 2 * left * terms.rate_e8 * (row.due_on - start).days
        assert abs(2 * 10**8 * row.interest_fen - exact) <= 10**8
        left, start = left - row.principal_fen, row.due_on


@given(equal_principal)
def test_equal_principal_is_equal_and_one_named_instalment_has_the_remainder(terms):
    principals = [row.principal_fen for row in forecast(terms, (), terms.started_on).instalments]
    share, rest = divmod(terms.amount_fen, terms.instalments)
    principals[0 if terms.rules.remainder is Remainder.FIRST else -1] -= rest
    assert principals == [share] * terms.instalments


@given(terms_under(rules_of_loans.map(lambda r: r.model_copy(update={"shape": Shape.EQUAL_INSTALMENT}))))
def test_equal_instalments_are_equal_and_the_last_is_near(terms):
    assume(terms.amount_fen >= 100_000)
    rows = forecast(terms, (), terms.started_on).instalments
    assume(rows[0].principal_fen)  # interest of a long first period may be more than the instalment
    totals = [row.total_fen for row in rows]
    assert len(set(totals[:-1])) <= 1
    if terms.rules.rounded_per is not RoundedPer.DAY:
        assert abs(totals[-1] - totals[0]) <= 2 * len(totals)


@given(terms_of_loans)
def test_interest_first_and_bullet_return_the_principal_at_the_end(terms):
    rows = forecast(terms, (), terms.started_on).instalments
    if terms.rules.shape in (Shape.INTEREST_FIRST, Shape.BULLET):
        assert [row.principal_fen for row in rows[:-1]] == [0] * (len(rows) - 1)
    assert len(rows) == (1 if terms.rules.shape is Shape.BULLET else terms.instalments)


@given(terms_of_loans, st.integers(0, 20))
def test_who_pays_each_instalment_on_its_day_pays_the_plan(terms, months):
    rows = forecast(terms, (), terms.started_on).instalments
    on_time = [repayment(row.total_fen, row.due_on, row.number) for row in rows if row.total_fen]
    state = fold(terms, on_time, rows[-1].due_on)
    assert [row.total_fen for row in state.instalments] == [row.total_fen for row in rows]
    assert (state.settled_on, state.totals.suspense) == (max(row.due_on for row in rows if row.total_fen), 0)
    assert (state.totals.penalty_charged, state.totals.interest_charged) == (0, sum(row.interest_fen for row in rows))
    # and in the middle of its life the forecast is what is left of the plan
    today = rows[min(months, len(rows)) - 1].due_on if months else terms.started_on
    ahead = forecast(terms, on_time, today)
    assert [row.total_fen for row in ahead.instalments] == [row.total_fen for row in rows]


@given(all_lives)
def test_a_forecast_pays_everything_and_never_foresees_less_than_was_charged(life):
    now, ahead = life.state, forecast(life.terms, life.events, life.today)
    assert (ahead.principal_outstanding_fen, ahead.payoff_fen) == (0, 0)
    assert [row.unpaid_fen for row in ahead.instalments] == [0] * len(now.instalments)
    for seen, foreseen in zip(now.instalments, ahead.instalments, strict=True):
        assert foreseen.interest_fen >= seen.interest_fen


@given(equal_principal, payments, st.integers(0, 75), st.integers(1, 1_200))
def test_a_prepayment_that_reduces_keeps_rows_or_instalment(terms, taken, days, size):
    """As many rows and each no larger than before; or each as large, and fewer."""
    life = live(terms, [*taken, (days, EventKind.REPAYMENT, size, 0)])
    for mode in (Prepayment.REDUCE_INSTALMENT, Prepayment.REDUCE_TERM):
        events = [replace(event, prepayment=mode) for event in life.events]
        before = fold(life.terms, events[:-1], events[-1].value_on)
        after = fold(life.terms, events, events[-1].value_on)
        coming = [row.principal_fen - row.principal_paid_fen for row in after.instalments if not row.is_due]
        had = [row.principal_fen - row.principal_paid_fen for row in before.instalments if not row.is_due]
        assert len(after.instalments) <= len(before.instalments)
        if mode is Prepayment.REDUCE_INSTALMENT:
            assert len(coming) == len(had)
        assert max(coming, default=0) <= max(had, default=0) + len(had)  # the remainder
