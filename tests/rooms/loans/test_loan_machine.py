"""A loan's whole life, lived at random beside the day-by-day model; and booked beside it, in whatever order."""

from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from loan_lives import DayByDay, lives, renumbered, terms_of_loans

from grainline.ledger import Account
from grainline.loans import Overpaid, Repayment, fold
from grainline.loans.booking import journal

LOAN = UUID(int=7)


class BookOfOneLoan:
    """What the ledger would hold for a loan: journals added up, and how far the books have come."""

    def __init__(self, terms):
        self.terms, self.events, self.through = terms, (), terms.started_on
        self.balances = Counter({Account.LOAN_PRINCIPAL: terms.amount_fen, Account.RAIL_CLEARING: -terms.amount_fen})

    def move(self, events, through):
        before, after = fold(self.terms, self.events, self.through), fold(self.terms, events, through)
        lines = journal(LOAN, before, after)
        assert sum(line.amount_fen for line in lines) == 0
        assert len(lines) != 1
        assert all(line.amount_fen and line.sub == LOAN for line in lines)
        assert len({line.account for line in lines}) == len(lines)
        assert bool(lines) == (
            (before.interest_charged_fen, before.interest_paid_fen, before.principal_outstanding_fen)
            != (after.interest_charged_fen, after.interest_paid_fen, after.principal_outstanding_fen)
        )
        for line in lines:
            self.balances[line.account] += line.amount_fen
        self.events, self.through = events, through

    def close_day(self, day):
        self.move(self.events, max(day, self.through))

    def book(self, event):
        self.move(renumbered([*self.events, event]), max(self.through, event.value_on))

    def check(self):
        """The books hold what the fold says, and the house what it gave, got and earned."""
        state = fold(self.terms, self.events, self.through)
        paid = sum(event.amount_fen for event in self.events)
        assert {account: fen for account, fen in self.balances.items() if fen} == {
            account: fen
            for account, fen in {
                Account.LOAN_PRINCIPAL: state.principal_outstanding_fen,
                Account.INTEREST_RECEIVABLE: state.interest_charged_fen - state.interest_paid_fen,
                Account.INTEREST_INCOME: -state.interest_charged_fen,
                Account.RAIL_CLEARING: paid - self.terms.amount_fen,
            }.items()
            if fen
        }


class LoanLife(RuleBasedStateMachine):
    """Days pass and money comes; sometimes it is booked at once, sometimes the rail answers days later."""

    @initialize(terms=terms_of_loans)
    def is_drawn(self, terms):
        self.terms, self.slow, self.book = terms, DayByDay(terms), BookOfOneLoan(terms)
        self.events, self.unbooked = (), []

    @rule(days=st.integers(1, 45))
    def time_passes(self, days):
        for _ in range(days):
            self.slow.pass_day()

    def pays(self, fen, at_once):
        event = Repayment(fen, self.slow.today, len(self.events) + 1)
        self.events = (*self.events, event)
        self.slow.repay(fen)
        if at_once:
            self.book.book(event)
        else:
            self.unbooked.append(event)

    @precondition(lambda self: self.slow.payoff)
    @rule(part=st.floats(0, 1, exclude_min=True), at_once=st.booleans())
    def pays_some(self, part, at_once):
        self.pays(max(1, int(self.slow.payoff * part)), at_once)

    @precondition(lambda self: self.slow.due)
    @rule(at_once=st.booleans())
    def pays_what_is_due(self, at_once):
        self.pays(self.slow.due, at_once)

    @precondition(lambda self: self.slow.payoff)
    @rule(at_once=st.booleans())
    def pays_all(self, at_once):
        self.pays(self.slow.payoff, at_once)
        assert fold(self.terms, self.events, self.slow.today).settled_on == self.slow.today

    @rule(more=st.integers(1, 10_000))
    def cannot_pay_more_than_is_owed(self, more):
        above = Repayment(self.slow.payoff + more, self.slow.today, len(self.events) + 1)
        with pytest.raises(Overpaid):
            fold(self.terms, [*self.events, above], self.slow.today)

    @precondition(lambda self: self.unbooked)
    @rule(data=st.data())
    def the_rail_answers_at_last(self, data):
        self.book.book(self.unbooked.pop(data.draw(st.integers(0, len(self.unbooked) - 1))))

    @rule()
    def the_day_is_closed(self):
        self.book.close_day(self.slow.today)

    @invariant()
    def the_fold_agrees(self):
        state = fold(self.terms, self.events, self.slow.today)
        assert (state.payoff_fen, state.due_fen) == (self.slow.payoff, self.slow.due)
        assert state.principal_outstanding_fen == self.slow.outstanding
        assert state.settled_on == self.slow.settled_on

    @invariant()
    def the_books_agree(self):
        self.book.check()

    def teardown(self):
        """In the end every answer has come, and the books are the loan."""
        if not hasattr(self, "book"):
            return
        for event in self.unbooked:
            self.book.book(event)
        self.book.close_day(self.slow.today)
        self.book.check()
        assert self.book.balances[Account.LOAN_PRINCIPAL] == self.slow.outstanding


TestLoanLife = LoanLife.TestCase
TestLoanLife.settings = settings(max_examples=80, stateful_step_count=20, deadline=None)


@given(lives, st.randoms(use_true_random=False), st.data())
def test_every_way_of_booking_comes_to_the_same_books(life, chance, data):
    """In order and in none, each day closed or none: the books of one loan end alike."""
    in_order, in_none = BookOfOneLoan(life.terms), BookOfOneLoan(life.terms)
    for event in life.events:
        in_order.close_day(event.value_on)
        in_order.book(event)
        in_order.check()
    shuffled = list(life.events)
    chance.shuffle(shuffled)
    for event in shuffled:
        if data.draw(st.booleans()):
            in_none.close_day(life.today)
        in_none.book(event)
        in_none.check()
    for book in (in_order, in_none):
        book.close_day(life.today)
    assert +in_order.balances == +in_none.balances
    assert -in_order.balances == -in_none.balances


@given(lives)
def test_nothing_happened_nothing_is_booked(life):
    state = fold(life.terms, life.events, life.today)
    assert journal(LOAN, state, state) == []
