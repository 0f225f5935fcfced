"""Laws of the loan, for every loan and every life of it: where money goes, and that order does not matter."""

from hypothesis import assume, given
from hypothesis import strategies as st
from loan_lives import (
    DAY,
    all_lives,
    lives,
    renumbered,
)
from slow_loan import PARTS, in_order, lived

from grainline.loans.booking import position
from grainline.loans.events import Event, EventKind, effective, repayment
from grainline.loans.fold import fold
from grainline.products import Component


@given(lives)
def test_the_fold_is_the_loan_lived_day_by_day(life):
    slow, state = lived(life.terms, life.events, life.today), life.state
    rows = [[row.owed[part] + slow.uncharged_penalty(row) * (part == "penalty") for part in PARTS] for row in slow.rows]
    assert [[getattr(row, f"{part}_fen") for part in PARTS] for row in state.instalments] == rows
    paid = [[row.paid[part] for part in PARTS] for row in slow.rows]
    assert [[getattr(row, f"{part}_paid_fen") for part in PARTS] for row in state.instalments] == paid
    assert [row.due_on for row in state.instalments] == [row.due_on for row in slow.rows]
    assert (state.payoff_fen, state.due_fen) == (slow.payoff, slow.fallen_due)
    assert (state.totals.suspense, state.totals.recovered) == (slow.suspense, slow.recovered)
    assert (state.settled_on, state.written_off_on) == (slow.settled_on, slow.written_off_on)


# money ---------------------------------------------------------------------------------------------------------------


@given(all_lives)
def test_no_fen_comes_from_nowhere_or_goes_there(life):
    state, total = life.state, life.state.totals
    lent = sum(row.principal_fen for row in state.instalments) - life.terms.amount_fen
    assert 0 <= lent <= total.refunded
    left = life.terms.amount_fen + lent - total.principal_paid - total.written_off_principal
    assert state.principal_outstanding_fen == left
    paid = total.principal_paid + total.interest_paid + total.penalty_paid + total.fee_paid + total.recovered
    assert total.repaid == paid + total.suspense + total.refunded - lent
    assert sum(row.paid_fen for row in state.instalments) == paid
    charged = total.interest_charged + total.penalty_charged + total.fee_charged
    given_back = total.discounted + total.waived + total.written_off_other
    receivable = charged - given_back - total.interest_paid - total.penalty_paid - total.fee_paid
    beside = (Component.INTEREST, Component.PENALTY, Component.FEE)
    unpaid = sum(state.unpaid_of(component) for component in beside) - state.penalty_accrued_fen
    assert receivable == (0 if state.written_off_on else unpaid)
    assert min(total) >= 0


@given(all_lives)
def test_nothing_is_paid_that_is_not_owed(life):
    state = life.state
    for row in state.instalments:
        for part in PARTS:
            assert 0 <= getattr(row, f"{part}_paid_fen") <= getattr(row, f"{part}_fen")
        assert row.paid_early_fen + row.paid_late_fen <= row.paid_fen
    assert state.accrued_fen >= 0
    assert 0 <= state.due_fen <= state.payoff_fen


@given(all_lives)
def test_no_money_is_held_while_something_is_owed(life):
    state = life.state
    assert not (state.totals.suspense and state.payoff_fen)
    assert (state.settled_on is not None) == (state.payoff_fen == 0) == (state.next_unpaid is None)


@given(all_lives)
def test_every_repayment_lowers_the_debt_by_what_it_brought(life):
    counted = effective(life.events)
    for place, event in enumerate(counted):
        before = fold(life.terms, counted[:place], event.value_on)
        after = fold(life.terms, counted[: place + 1], event.value_on)
        if event.kind is EventKind.REPAYMENT:
            assert after.payoff_fen == max(before.payoff_fen - event.amount_fen, 0)
            held = max(event.amount_fen - before.payoff_fen, 0)
            assert after.totals.suspense == before.totals.suspense + held
        elif event.kind is EventKind.FEE:
            assert after.payoff_fen == before.payoff_fen + max(event.amount_fen - before.totals.suspense, 0)
        elif event.kind is EventKind.WAIVER:
            assert after.payoff_fen == before.payoff_fen - after.totals.waived + before.totals.waived
        elif event.kind is EventKind.COUPON:
            assert max(before.payoff_fen - event.amount_fen, 0) <= after.payoff_fen <= before.payoff_fen
        elif event.kind is not EventKind.REFUND:
            assert after.payoff_fen == before.payoff_fen


@given(all_lives)
def test_the_books_hold_what_was_paid_out(life):
    assert sum(position(life.state).values()) == life.terms.amount_fen


@given(all_lives)
def test_the_payoff_settles_to_the_fen(life):
    owed, number = life.state.payoff_fen, 1_000
    assume(owed)
    counted = [event for event in life.events if event.value_on < life.today]
    owed = fold(life.terms, counted, life.today).payoff_fen
    assume(owed)

    def pay(fen):
        return fold(life.terms, [*counted, repayment(fen, life.today, number)], life.today)

    settled, above = pay(owed), pay(owed + 7)
    assert (settled.settled_on, settled.payoff_fen, settled.due_fen) == (life.today, 0, 0)
    assert settled.principal_outstanding_fen == 0
    assert (above.settled_on, above.totals.suspense) == (life.today, settled.totals.suspense + 7)
    if owed > 1:
        assert (pay(owed - 1).payoff_fen, pay(owed - 1).settled_on) == (1, None)


# order ---------------------------------------------------------------------------------------------------------------


@given(all_lives, st.randoms(use_true_random=False))
def test_the_order_of_posting_does_not_matter(life, chance):
    posted = list(life.events)
    chance.shuffle(posted)
    assert fold(life.terms, renumbered(posted), life.today) == life.state
    assert fold(life.terms, posted, life.today) == life.state


@given(all_lives, st.data())
def test_what_was_reversed_never_happened_and_what_is_told_twice_happened_once(life, data):
    counted = effective(life.events)
    assert fold(life.terms, counted, life.today) == life.state
    assert counted == in_order(life.events)
    assert fold(life.terms, [*life.events, *life.events[::-1]], life.today) == life.state
    assume(counted)
    gone = data.draw(st.sampled_from(counted))
    reversal = Event(EventKind.REVERSAL, life.today, 1_000, reverses=gone.number)
    left = [event for event in counted if event is not gone]
    assert fold(life.terms, [*life.events, reversal], life.today) == fold(life.terms, left, life.today)


@given(all_lives, st.data())
def test_what_comes_later_is_not_seen_and_what_was_paid_stays_paid(life, data):
    before = life.terms.started_on + DAY * data.draw(st.integers(0, (life.today - life.terms.started_on).days))
    known = [e for e in life.events if e.value_on <= before or e.kind is EventKind.REVERSAL]
    then = fold(life.terms, life.events, before)
    assert then == fold(life.terms, known, before)
    later = fold(life.terms, known, life.today)
    assert later.payoff_fen >= then.payoff_fen
    assert later.due_fen >= then.due_fen
    assert later.totals.repaid == then.totals.repaid
    assert [row.paid_fen for row in later.instalments] == [row.paid_fen for row in then.instalments]
