"""The rows of a loan under way: what each instalment owes, and how principal lies in those to come.

Plain and mutable, because the walk over them is the hottest loop of the day's work.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from grainline.loans.amortisation import Ahead, lay_out, lay_out_shorter
from grainline.loans.interest import E4, Period, rounded
from grainline.loans.terms import Terms
from grainline.products import Shape

BESIDE_PRINCIPAL = ("fee", "penalty", "interest")


class Row:
    """An instalment: what it owes and what is paid of it, in fen, by component."""

    __slots__ = (
        *("due_on", "early", "late", "late_from", "paid_on", "period"),
        *("principal", "principal_apart", "principal_paid", "interest", "interest_paid", "fee", "fee_paid"),
        *("penalty", "penalty_acc", "penalty_charged", "penalty_paid"),
    )

    def __init__(self, due_on: date, period: Period, late_from: date) -> None:
        self.due_on, self.period, self.late_from = due_on, period, late_from
        self.principal = self.interest = self.penalty = self.fee = 0
        self.principal_paid = self.interest_paid = self.penalty_paid = self.fee_paid = 0
        self.penalty_acc = 0  # over the row's whole life, in 10⁻⁴ units; `penalty_charged` is what became fen of it
        self.penalty_charged = 0
        self.principal_apart = 0  # of its principal, what is beside the planned part: prepaid, or lent again
        self.early = self.late = 0  # paid before and after its due date
        self.paid_on: date | None = None

    @property
    def unpaid(self) -> int:
        """Everything in it that is not paid."""
        owed = self.principal + self.interest + self.penalty + self.fee
        return owed - self.principal_paid - self.interest_paid - self.penalty_paid - self.fee_paid

    def ahead(self, start: date) -> Ahead:
        """Return what is ahead of it from a date on."""
        return Ahead(self.period, start, self.due_on)

    def hand_over(self, other: "Row") -> None:
        """Hand what is unpaid over to another row; principal is planned anew and only leaves this one."""
        self.principal = self.principal_paid
        for name in BESIDE_PRINCIPAL:
            paid = getattr(self, name + "_paid")
            setattr(other, name, getattr(other, name) + getattr(self, name) - paid)
            setattr(self, name, paid)

    def merge_into(self, other: "Row") -> None:
        """Hand over what is unpaid, and what was paid with it: this row is given up."""
        self.hand_over(other)
        for name in ("principal", *BESIDE_PRINCIPAL):
            paid = getattr(self, name + "_paid")
            setattr(other, name, getattr(other, name) + paid)
            setattr(other, name + "_paid", getattr(other, name + "_paid") + paid)
        other.early += self.early
        other.late += self.late


class Rows(list[Row]):
    """A loan's rows in order, and the principal laid over them."""

    def __init__(self, terms: Terms) -> None:
        super().__init__()
        self.terms, self.rules, self.rate = terms, terms.rules, int(terms.rate_e8)
        self.instalment = 0  # what is equal in the rows, in fen: the instalment, or its principal; 0 where none is
        self.first_period: Ahead | None = None  # where it sets the rate of the equal instalment
        down = bool(self.rules.down_payment_e4)
        self.free = self.rules.principal_free + down  # rows without planned principal, a down payment among them
        self.interest_free = self.rules.interest_free + down  # rows whose interest a later one takes
        amount, due_dates = int(terms.amount_fen), terms.due_dates()
        months = terms.months(terms.instalments)
        if down:
            self._extend(terms.started_on, due_dates[:1], months)
            self[0].principal = rounded(amount * self.rules.down_payment_e4, E4, self.rules.rounding)
            amount -= self[0].principal
        self._extend(terms.anchored_on or terms.started_on, due_dates[down:], months)
        if self.rules.instalment_at_first_rate:
            self.first_period = self[down].ahead(self[down].period.starts_on)
        self.lay(down, amount, terms.started_on)

    def lay(self, place: int, amount: int, start: date, *, shorter: bool = False) -> None:
        """Lay an unpaid amount, in fen, out from a place and date on; paid parts stay.

        As many rows, each with its share; or shorter: each row as large as it was, and those left with nothing go.
        """
        rows, free = self[place:], max(self.free - place, 0)
        ahead = _ahead(rows, start)
        if shorter:
            principals = lay_out_shorter(self.rules, amount, self.rate, ahead, free=free, instalment=self.instalment)
        else:
            layout = lay_out(self.rules, amount, self.rate, ahead, free=free, first=self.first_period)
            principals, self.instalment = layout.principals, layout.instalment_fen
        for row, principal in zip(rows, principals, strict=True):
            row.principal = row.principal_paid + principal
        while shorter and len(self) > place + 1 and not (self[-1].principal or self[-1].interest or self[-1].fee):
            self.pop()

    def plan_anew(self, place: int, start: date, first_due_on: date, instalments: int) -> None:
        """Put new rows in from a place on: they take all unpaid principal, and the first whatever else is unpaid."""
        unpaid = sum(row.principal - row.principal_paid for row in self)
        given_up = self[place:]
        del self[place:]
        due_dates = self.terms.rescheduled(first_due_on, instalments)
        self._extend(start, due_dates, self.terms.months(instalments))
        for row in self[:place]:
            row.hand_over(self[place])
        for row in given_up:
            row.merge_into(self[place])
        self.free = self.interest_free = 0
        self.lay(place, unpaid, start)

    def hold(self, place: int) -> None:
        """Make a row's principal what its equal instalment leaves beside its interest; the last rows take the rest."""
        if self.rules.shape is not Shape.EQUAL_INSTALMENT or not self.free <= place < len(self) - 1:
            return
        row = self[place]
        wanted = max(self.instalment - row.interest + row.principal_apart, row.principal_paid)
        for other in reversed(self[place + 1 :]):
            moved = min(wanted - row.principal, other.principal - other.principal_paid)
            row.principal += moved
            other.principal -= moved
            if row.principal == wanted:
                break

    def _extend(self, start: date, due_dates: Iterable[date], months: int) -> None:
        grace = timedelta(days=self.rules.grace_days)
        for due_on in due_dates:
            self.append(Row(due_on, Period(self.rules.year_basis, start, due_on, months), due_on + grace))
            start = due_on


def _ahead(rows: Sequence[Row], start: date) -> list[Ahead]:
    ahead = []
    for row in rows:
        ahead.append(row.ahead(start))
        start = row.due_on
    return ahead
