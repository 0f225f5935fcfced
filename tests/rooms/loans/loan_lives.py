"""Loans and their lives for property tests, and a second, slower account of what is owed.

`DayByDay` is the rule of the loan in words, one day at a time, in fractions; it shares nothing with the fold.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import strategies as st

from grainline.kit.calendar import add_months
from grainline.loans import Repayment, Terms, fold

DAY = timedelta(days=1)

terms_of_loans = st.builds(
    Terms,
    amount_fen=st.one_of(st.integers(1, 400).map(lambda hundreds: hundreds * 10_000), st.integers(1, 5_000_000)),
    rate_e8=st.one_of(st.sampled_from([20_000, 35_000, 50_000, 60_000]), st.integers(1, 100_000)),
    instalments=st.sampled_from([1, 2, 3, 5, 10, 20]),
    started_on=st.dates(date(2018, 1, 1), date(2030, 12, 31)),
)
# a step of a life: days that pass, and the part of the payoff then paid (in thousandths), or all that is due
steps = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 3), st.integers(0, 75)),
        st.one_of(st.just("due"), st.integers(1, 300), st.integers(1, 1_000)),
    ),
    max_size=8,
)


@dataclass(frozen=True)
class Life:
    """A loan, what was repaid of it, and a day on which to look at it (on or after the last repayment)."""

    terms: Terms
    events: tuple[Repayment, ...]
    today: date

    @property
    def paid_fen(self) -> int:
        return sum(event.amount_fen for event in self.events)


def live(terms: Terms, taken: list, *, after_days: int = 0) -> Life:
    """Let a loan live through the steps, never paying more than is owed."""
    events, today = [], terms.started_on
    for days, part in taken:
        today += days * DAY
        state = fold(terms, events, today)
        fen = state.due_fen if part == "due" else -(-state.payoff_fen * part // 1_000)
        if fen:
            events.append(Repayment(fen, today, len(events) + 1))
    return Life(terms, tuple(events), today + after_days * DAY)


lives = st.builds(live, terms_of_loans, steps, after_days=st.integers(0, 200))


def renumbered(events) -> tuple[Repayment, ...]:
    """Book the same money in the given order."""
    return tuple(Repayment(event.amount_fen, event.value_on, place) for place, event in enumerate(events, 1))


@dataclass
class DayByDay:
    """A loan that is lived through one day after the other."""

    terms: Terms
    today: date = field(init=False)
    accrued: Fraction = Fraction(0)  # in the running period, in fen
    charged: int = 0  # of it
    period: int = 0
    settled_on: date | None = None

    def __post_init__(self) -> None:
        terms, count = self.terms, self.terms.instalments
        self.today = terms.started_on
        self.due_dates = [add_months(terms.started_on, number + 1) for number in range(count)]
        share = terms.amount_fen // count
        shares = [share] * (count - 1) + [terms.amount_fen - share * (count - 1)]
        self.owed = [{"interest": 0, "principal": fen} for fen in shares]
        self.interest_paid = 0

    @property
    def fallen_due(self) -> int:
        return sum(day <= self.today for day in self.due_dates)

    @property
    def outstanding(self) -> int:
        return sum(row["principal"] for row in self.owed)

    @property
    def uncharged(self) -> int:
        return half_up(self.accrued) - self.charged

    @property
    def payoff(self) -> int:
        return self.outstanding + sum(row["interest"] for row in self.owed) + self.uncharged

    @property
    def due(self) -> int:
        fallen = sum(row["interest"] + row["principal"] for row in self.owed[: self.fallen_due])
        return fallen + (self.uncharged if self.fallen_due == len(self.owed) else 0)

    def charge(self) -> None:
        self.owed[self.period]["interest"] += self.uncharged
        self.charged = half_up(self.accrued)

    def pass_day(self) -> None:
        self.accrued += Fraction(self.outstanding * self.terms.rate_e8, 10**8)
        self.today += DAY
        if self.today in self.due_dates:
            self.charge()
            self.accrued, self.charged = Fraction(0), 0
            self.period = min(self.due_dates.index(self.today) + 1, len(self.owed) - 1)

    def repay(self, fen: int) -> None:
        """Due instalments first, the oldest first; then interest to today; then principal ahead of its time."""
        fallen = self.fallen_due
        if fallen == len(self.owed):
            self.charge()  # nothing is ahead of its time any more
        claims = [(row, what) for row in self.owed[:fallen] for what in ("interest", "principal")]
        fen = self._settle(claims, fen)
        if fen:
            self.charge()
            claims = [(self.owed[self.period], "interest"), *((row, "principal") for row in self.owed)]
            fen = self._settle(claims, fen)
        assert fen == 0, "the model was paid more than it was owed"
        if self.payoff == 0:
            self.settled_on = self.today

    def _settle(self, claims, fen: int) -> int:
        for row, what in claims:
            part = min(fen, row[what])
            row[what] -= part
            fen -= part
            self.interest_paid += part if what == "interest" else 0
        return fen


def half_up(amount: Fraction) -> int:
    whole = amount.numerator // amount.denominator
    return whole + (amount - whole >= Fraction(1, 2))
