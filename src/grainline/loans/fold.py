"""A loan is `fold(terms, events, as_of)`: nothing else says what is owed.

Interest accrues by the day on the outstanding principal, exactly, in 10⁻⁸ fen. Within an instalment's period it is
rounded once, half-up to the fen, over what has accrued in that period so far: charged at the due date, earlier as far
as a prepayment needs it, and after the last due date at each repayment. There is no interest on interest. The order in
which events were posted does not matter, only their value dates: within a day, falling due comes before repayment.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from grainline.kit.money import Fen, round_half_up
from grainline.loans.terms import Repayment, Terms


class Overpaid(ValueError):
    """A repayment above what was owed on its date: the caller must have refused it."""


@dataclass(frozen=True)
class Instalment:
    """One instalment as it stands; `interest_fen` is what has been charged in its period so far."""

    number: int
    due_on: date
    principal_fen: Fen
    interest_fen: Fen
    principal_paid_fen: Fen
    interest_paid_fen: Fen
    is_due: bool

    @property
    def unpaid_fen(self) -> Fen:
        """What of it is not paid: its principal and the interest charged so far."""
        return Fen(self.principal_fen + self.interest_fen - self.principal_paid_fen - self.interest_paid_fen)


@dataclass(frozen=True)
class LoanState:
    """What is owed at the start of `as_of`, after the repayments of that date; all in fen."""

    as_of: date
    instalments: tuple[Instalment, ...]
    principal_outstanding_fen: Fen
    interest_charged_fen: Fen
    interest_paid_fen: Fen
    accrued_fen: Fen
    """Interest accrued and not yet charged, rounded half-up: due at once if everything is repaid."""
    settled_on: date | None

    @property
    def due_fen(self) -> Fen:
        """What has fallen due and is not paid; after the last due date, the interest since then too."""
        due = sum(row.unpaid_fen for row in self.instalments if row.is_due)
        return Fen(due + (self.accrued_fen if self.instalments[-1].is_due else 0))

    @property
    def payoff_fen(self) -> Fen:
        """What settles the loan today."""
        unpaid_interest = self.interest_charged_fen - self.interest_paid_fen
        return Fen(self.principal_outstanding_fen + unpaid_interest + self.accrued_fen)

    @property
    def next_unpaid(self) -> Instalment | None:
        """The earliest instalment that is not wholly paid, or None when the loan is settled."""
        if self.settled_on is not None:
            return None
        for row in self.instalments:
            if row.unpaid_fen > 0 or not row.is_due:
                return row
        return self.instalments[-1]


def fold(terms: Terms, events: Iterable[Repayment], as_of: date) -> LoanState:
    """Return a loan's state on a date; events after it are not seen. Raise Overpaid."""
    return _walk(terms, events, as_of).state(as_of)


def forecast(terms: Terms, events: Iterable[Repayment], as_of: date) -> LoanState:
    """Return a loan's state on its last due date if what is due is paid now, and each instalment when it falls due."""
    run = _walk(terms, events, as_of)
    for index in range(run.due_count, terms.instalments):
        run.pay_due()
        run.fall_due(index)
    run.pay_due()
    return run.state(max(as_of, run.due_dates[-1]))


def _walk(terms: Terms, events: Iterable[Repayment], as_of: date) -> "_Run":
    run = _Run(terms)
    pending = sorted((event for event in events if event.value_on <= as_of), key=lambda e: (e.value_on, e.number))
    place = 0
    for index, due_on in enumerate(run.due_dates):
        if due_on > as_of:
            break
        while place < len(pending) and pending[place].value_on < due_on:
            run.repay(pending[place])
            place += 1
        run.fall_due(index)
    for event in pending[place:]:
        run.repay(event)
    run.accrue(as_of)
    return run


class _Run:
    """The one walk over a loan's time; plain lists, because it is the hottest loop of the day's work."""

    def __init__(self, terms: Terms) -> None:
        count = terms.instalments
        self.rate_e8 = terms.rate_e8
        self.due_dates = terms.due_dates()
        self.principal = terms.principals()
        self.interest = [0] * count
        self.principal_paid = [0] * count
        self.interest_paid = [0] * count
        self.outstanding = int(terms.amount_fen)
        self.period = 0  # the instalment whose period is running; after the last due date it stays the last
        self.due_count = 0
        self.accrued_e8 = 0  # over this period so far, whether charged or not
        self.charged_in_period = 0
        self.accrued_to = terms.started_on
        self.settled_on: date | None = None

    def accrue(self, day: date) -> None:
        if self.outstanding and day > self.accrued_to:
            self.accrued_e8 += self.outstanding * self.rate_e8 * (day - self.accrued_to).days
        self.accrued_to = max(day, self.accrued_to)

    def charge(self) -> None:
        """Charge what has accrued in this period, rounded over the whole of it so far."""
        total = round_half_up(self.accrued_e8)
        self.interest[self.period] += total - self.charged_in_period
        self.charged_in_period = total

    def fall_due(self, index: int) -> None:
        self.accrue(self.due_dates[index])
        self.charge()
        self.due_count = index + 1
        self.accrued_e8 = 0
        self.charged_in_period = 0
        self.period = min(index + 1, len(self.due_dates) - 1)

    def repay(self, event: Repayment) -> None:
        self.accrue(event.value_on)
        self.charge_if_overdue()
        left = self.pay_rows(int(event.amount_fen), self.due_count)
        if left:
            self.charge()  # what goes beyond the due is a prepayment: interest to date comes first
            left = self.pay_interest(self.period, left)
            left = self.pay_rows(left, len(self.due_dates))
        if left:
            raise Overpaid(f"{event} leaves {left} fen that nothing was owed for")
        if not self.outstanding and self.interest == self.interest_paid:
            self.settled_on = event.value_on

    def charge_if_overdue(self) -> None:
        """After the last due date interest is due as it accrues: uncharged, it would be forgiven with the rest paid."""
        if self.due_count == len(self.due_dates):
            self.charge()

    def pay_due(self) -> None:
        """Pay all that has fallen due."""
        self.charge_if_overdue()
        self.pay_rows(sum(self.principal) + sum(self.interest), self.due_count)

    def pay_rows(self, amount: int, count: int) -> int:
        """Pay rows in order, interest before principal; return what is left."""
        for index in range(count):
            if not amount:
                break
            amount = self.pay_interest(index, amount)
            part = min(amount, self.principal[index] - self.principal_paid[index])
            self.principal_paid[index] += part
            self.outstanding -= part
            amount -= part
        return amount

    def pay_interest(self, index: int, amount: int) -> int:
        part = min(amount, self.interest[index] - self.interest_paid[index])
        self.interest_paid[index] += part
        return amount - part

    def state(self, as_of: date) -> LoanState:
        rows = tuple(
            Instalment(
                number=index + 1,
                due_on=due_on,
                principal_fen=self.principal[index],
                interest_fen=Fen(self.interest[index]),
                principal_paid_fen=Fen(self.principal_paid[index]),
                interest_paid_fen=Fen(self.interest_paid[index]),
                is_due=index < self.due_count,
            )
            for index, due_on in enumerate(self.due_dates)
        )
        return LoanState(
            as_of=as_of,
            instalments=rows,
            principal_outstanding_fen=Fen(self.outstanding),
            interest_charged_fen=Fen(sum(self.interest)),
            interest_paid_fen=Fen(sum(self.interest_paid)),
            accrued_fen=Fen(round_half_up(self.accrued_e8) - self.charged_in_period),
            settled_on=self.settled_on,
        )
