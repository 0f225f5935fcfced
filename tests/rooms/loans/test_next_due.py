"""What a loan's row says its next due date brings is what the fold says on that date."""

from datetime import timedelta

from hypothesis import event, given
from loan_lives import lives
from ten_thousand import TEN_THOUSAND

from grainline.ledger import Account
from grainline.loans import Event, EventKind, fold, project
from grainline.loans.booking import position
from grainline.loans.events import repayment

DAY = timedelta(days=1)


@given(lives)
def test_the_next_due_date_brings_what_was_said_of_it(life):
    state = fold(life.terms, life.events, life.today)
    event("known" if state.next_due else "left to the day")
    if state.next_due is None:
        return
    known = [one for one in life.events if one.value_on <= life.today]
    then = fold(life.terms, known, state.next_change_on)
    before, after = project(state), project(then)
    assert (after.due_fen, after.accrued) == (before.then_due_fen, before.then_accrued)
    moved = {
        account: fen - position(state).get(account, 0)
        for account, fen in position(then).items()
        if fen != position(state).get(account, 0)
    }
    charged = {Account.INTEREST_RECEIVABLE: before.then_charged_fen, Account.ACCRUED_INTEREST: -before.then_charged_fen}
    assert moved == {account: fen for account, fen in charged.items() if fen}
    assert after.change_on == state.next_change_on + DAY
    for column in ("principal_fen", "next_due_on", "late_since", "accrual_slope", "penalty", "penalty_slope"):
        assert getattr(after, column) == getattr(before, column), column
    assert (after.charged_off_on, after.written_off_on, after.settled_on) == (None, None, None)
    assert after.then_due_fen is None


def test_every_due_date_of_a_loan_that_is_paid_on_time_is_known_beforehand():
    events, day = [], TEN_THOUSAND.started_on
    for due_on in TEN_THOUSAND.due_dates():
        before = fold(TEN_THOUSAND, events, day)
        due_fen = fold(TEN_THOUSAND, events, due_on).due_fen
        assert before.next_change_on == due_on
        assert before.next_due.due_fen == due_fen
        day, events = due_on, [*events, repayment(due_fen, due_on, len(events) + 1)]
    assert fold(TEN_THOUSAND, events, day).next_due is None


def test_what_a_coupon_takes_off_is_left_to_the_day():
    coupon = Event(EventKind.COUPON, TEN_THOUSAND.started_on, 1, 1_000)
    assert fold(TEN_THOUSAND, [coupon], TEN_THOUSAND.started_on).next_due is None
