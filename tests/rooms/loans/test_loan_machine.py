"""A loan's whole life, lived at random beside the day-by-day model: every kind of event, backdated ones, reversals."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from loan_lives import DAY, next_event, sizes, terms_of_loans
from slow_loan import SlowLoan, in_order, lived

from grainline.loans.booking import position
from grainline.loans.events import Event, EventKind, repayment
from grainline.loans.fold import fold


class LoanLife(RuleBasedStateMachine):
    """Days pass, things happen, and some are learned of late. The model lives forward only; else it is lived again."""

    @initialize(terms=terms_of_loans)
    def is_drawn(self, terms):
        self.terms, self.slow, self.events = terms, SlowLoan(terms), []

    @rule(days=st.integers(1, 45))
    def time_passes(self, days):
        for _ in range(days):
            self.slow.pass_day()

    def learn(self, event):
        self.events.append(event)
        if in_order(self.events)[-1:] == [event] and event.value_on == self.slow.today:
            self.slow.happen(event)
        else:
            self.slow = lived(self.terms, self.events, self.slow.today)

    @rule(size=sizes, back=st.one_of(st.just(0), st.integers(1, 60)))
    def money_comes(self, size, back):
        self.learn(next_event(self.terms, self.events, self.slow.today, EventKind.REPAYMENT, size, back))

    @precondition(lambda self: self.slow.fallen_due)
    @rule()
    def what_is_due_is_paid(self):
        self.learn(repayment(self.slow.fallen_due, self.slow.today, len(self.events) + 1))

    @precondition(lambda self: self.slow.payoff)
    @rule()
    def all_is_paid(self):
        self.learn(repayment(self.slow.payoff, self.slow.today, len(self.events) + 1))

    @precondition(lambda self: self.slow.suspense)
    @rule()
    def what_is_held_is_refunded(self):
        number = len(self.events) + 1
        self.learn(Event(EventKind.REFUND, self.slow.today, number, self.slow.suspense))

    @rule(kind=st.sampled_from(EventKind), size=sizes, back=st.one_of(st.just(0), st.integers(1, 60)))
    def something_happens(self, kind, size, back):
        event = next_event(self.terms, self.events, self.slow.today, kind, size, back)
        if event:
            self.learn(event)

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def something_is_reversed(self, data):
        gone = data.draw(st.sampled_from(self.events))
        self.learn(Event(EventKind.REVERSAL, self.slow.today, len(self.events) + 1, reverses=gone.number))

    @invariant()
    def the_fold_agrees(self):
        state = fold(self.terms, self.events, self.slow.today)
        assert (state.payoff_fen, state.due_fen) == (self.slow.payoff, self.slow.fallen_due)
        assert [row.unpaid_fen for row in state.instalments] == [
            row.unpaid() + self.slow.uncharged_penalty(row) for row in self.slow.rows
        ]
        assert state.principal_outstanding_fen == (0 if self.slow.written_off_on else self.slow.principal)
        assert (state.settled_on, state.written_off_on) == (self.slow.settled_on, self.slow.written_off_on)
        total = state.totals
        assert (total.repaid, total.refunded) == (self.slow.money_in, self.slow.money_out)
        assert (total.suspense, total.recovered) == (self.slow.suspense, self.slow.recovered)

    @invariant()
    def the_books_agree(self):
        state = fold(self.terms, self.events, self.slow.today)
        assert sum(position(state).values()) == self.terms.amount_fen

    @invariant()
    def tomorrow_owes_no_less(self):
        state = fold(self.terms, self.events, self.slow.today + DAY)
        assert state.payoff_fen >= self.slow.payoff


TestLoanLife = LoanLife.TestCase
TestLoanLife.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
