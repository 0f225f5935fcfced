"""The one walk over a loan's time: interest accrues, instalments fall due, money is taken (events: `happen.py`)."""

from collections.abc import Iterator, Sequence
from datetime import date

from grainline.loans.interest import E4, rounded
from grainline.loans.rows import Row, Rows
from grainline.loans.state import Totals
from grainline.loans.terms import Terms
from grainline.products import AllocateBy, Component, RoundedPer


class Walk:
    """A loan walked from its first day on. `come_to` a date, let things happen there, look at it (`fold.py`).

    Of the running period it keeps what has accrued, exactly, apart for what stays and what dated discounts give back;
    both are rounded over the whole period so far, so that charging in the middle of it changes nothing in the end.
    """

    def __init__(self, terms: Terms) -> None:
        self.rules, self.rate = terms.rules, int(terms.rate_e8)
        self.rows = Rows(terms)
        self.today = terms.started_on
        self.due_count = 0  # rows that have fallen due; the row of this place has the running period
        self.outstanding = int(terms.amount_fen)  # principal on the books
        self.acc = self.acc_given = 0  # of the running period, in 10⁻⁴ units: what stays, what is given back
        self.charged = self.charged_given = 0  # what became fen of them
        self.discounts: list[tuple[date, int]] = []  # running ones: until when, and what share in 10⁻⁴
        self.coupon = 0
        self.total = dict.fromkeys(Totals._fields, 0)
        self.charged_off_on: date | None = None
        self.recognised = 0  # interest that had accrued by the charge-off and was charged later: still income
        self.written_off_on: date | None = None
        self.settled_on: date | None = None
        self.come_to(self.today)

    # time ------------------------------------------------------------------------------------------------------------

    def come_to(self, day: date) -> None:
        """Let time pass up to a date."""
        while self.due_count < len(self.rows) and self.rows[self.due_count].due_on <= day:
            self.fall_due()
        self._accrue(day)

    def fall_due(self) -> None:
        """Let the next instalment fall due on its date."""
        self._accrue(self.rows[self.due_count].due_on)
        self.charge()
        if self.rules.instalment_holds:
            self.rows.hold(self.due_count)
        self.due_count += 1
        self.begin_period()

    def begin_period(self) -> None:
        """Begin to count interest at nought; what has accrued is charged."""
        self.acc = self.acc_given = self.charged = self.charged_given = 0

    @property
    def running(self) -> Row:
        """The row of the running period; after the last due date it stays the last."""
        return self.rows[min(self.due_count, len(self.rows) - 1)]

    @property
    def interest_row(self) -> Row:
        """The row that takes the interest of the running period: a later one while instalments are free of it."""
        return self.rows[min(max(self.due_count, self.rows.interest_free), len(self.rows) - 1)]

    @property
    def due_rows(self) -> list[Row]:
        """The rows that have fallen due."""
        return self.rows[: self.due_count]

    def late_rows(self, day: date) -> Iterator[Row]:
        """Yield the rows of which principal is late on a day: it bears the penalty rate instead of the ordinary one."""
        if self.rules.penalty_e4:
            for row in self.due_rows:
                if row.late_from <= day and row.principal > row.principal_paid:
                    yield row

    def _accrue(self, day: date) -> None:
        while self.today < day:
            edges = [edge for edge in self._edges() if self.today < edge < day]
            self._accrue_evenly(min(edges, default=day))

    def _edges(self) -> Iterator[date]:
        """Every date at which something but a payment changes how interest accrues."""
        if self.rules.penalty_e4:
            for row in self.due_rows:
                if row.principal > row.principal_paid:
                    yield row.late_from
        for until, _ in self.discounts:
            yield until

    def _accrue_evenly(self, day: date) -> None:
        start, self.today = self.today, day
        if not self.outstanding:
            return
        bearing = self.outstanding
        for row in self.late_rows(start):
            late = row.principal - row.principal_paid
            bearing -= late
            row.penalty_acc += late * self.rate * self.rules.penalty_e4 * row.period.weight(start, day)
        interest = self.running.period.interest(bearing * self.rate, start, day, self.rules)
        share_e4 = self._share_given_back(start) if self.discounts else 0
        self.acc += interest * (E4 - share_e4)
        self.acc_given += interest * share_e4

    def _share_given_back(self, day: date) -> int:
        """Return what share of interest discounts give back on a day, in 10⁻⁴; those that are over are dropped."""
        self.discounts = [(until, share_e4) for until, share_e4 in self.discounts if until > day]
        return min(sum(share_e4 for _, share_e4 in self.discounts), E4)

    # charging --------------------------------------------------------------------------------------------------------

    def fen(self, acc: int) -> int:
        """Round 10⁻⁴ units of the running period to the fen."""
        return rounded(acc, self.running.period.unit * E4, self.rules.rounding)

    @property
    def accrued(self) -> int:
        """Interest of the running period that is not charged yet, less what a coupon will give back of it, in fen."""
        return max(self.fen(self.acc) - self.charged - self.coupon, 0)

    def charge(self) -> None:
        """Charge what has accrued in the running period, less what discounts and a coupon give back."""
        row, accrued, given = self.interest_row, self.fen(self.acc), self.fen(self.acc_given)
        fresh, back = accrued - self.charged, given - self.charged_given
        coupon = min(self.coupon, fresh)
        self.charged, self.charged_given = accrued, given
        self.coupon -= coupon
        row.interest += fresh - coupon
        self.total["discounted"] += back + coupon
        self.total["interest_charged"] += fresh + back
        income = fresh + back if self.charged_off_on is None else min(fresh + back, self.recognised)
        self.recognised -= income if self.charged_off_on else 0
        self.total["interest_charged_accruing"] += income

    def charge_penalties(self) -> None:
        """Charge the penalties that have accrued."""
        for row in self.due_rows:
            if row.penalty_acc:
                fresh = self.penalty_accrued(row)
                if fresh:
                    row.penalty += fresh
                    row.penalty_charged += fresh
                    self.total["penalty_charged"] += fresh
                    self.total["penalty_charged_accruing"] += fresh if self.charged_off_on is None else 0

    def penalty_accrued(self, row: Row) -> int:
        """Return the penalty of a row that is not charged yet, in fen, rounded over the row's whole life."""
        return rounded(row.penalty_acc, row.period.unit * E4, self.rules.rounding) - row.penalty_charged

    def charge_due(self) -> None:
        """Charge what is due as it accrues: penalties, and after the last due date all interest."""
        self.charge_penalties()
        if self.due_count == len(self.rows):
            self.charge()

    # paying ----------------------------------------------------------------------------------------------------------

    def pay(self, rows: Sequence[Row], amount: int) -> int:
        """Pay rows in the order of the rules' allocation; return what is left, in fen."""
        order = self.rules.allocation
        if self.rules.allocate_by is AllocateBy.INSTALMENT:
            claims = ((row, component) for row in rows if row.unpaid for component in order)
        else:
            claims = ((row, component) for component in order for row in rows)
        for row, component in claims:
            if not amount:
                break
            amount = self.pay_component(row, component, amount)
        return amount

    def pay_component(self, row: Row, component: Component, amount: int) -> int:
        """Pay what is unpaid of one component of a row; return what is left, in fen."""
        name = component.value
        paid: int = getattr(row, name + "_paid")
        part: int = min(amount, getattr(row, name) - paid)
        if part <= 0:
            return amount
        if component is Component.PRINCIPAL and self.written_off_on is None:
            self.change_balance(-part)
        setattr(row, name + "_paid", paid + part)
        self.total["recovered" if self.written_off_on else name + "_paid"] += part
        if self.today < row.due_on:
            row.early += part
        elif self.today > row.due_on:
            row.late += part
        if row.unpaid == 0:
            row.paid_on = self.today
        return amount - part

    def change_balance(self, fen: int) -> None:
        """Change the principal on the books; where rules round by stretch, what accrued on the old one becomes fen."""
        if self.rules.rounded_per is RoundedPer.SUB_PERIOD:
            unit = self.running.period.unit * E4
            self.acc, self.acc_given = self.fen(self.acc) * unit, self.fen(self.acc_given) * unit
        self.outstanding += fen

    def owed(self) -> int:
        """Return what settles the loan today, in fen, once its penalties are charged."""
        return sum(row.unpaid for row in self.rows) + self.accrued

    def note_settled(self) -> None:
        """Keep since when nothing is owed, if nothing is."""
        if self.outstanding or self.owed():
            self.settled_on = None
        else:
            self.settled_on = self.settled_on or self.today

    def pay_due(self) -> None:
        """Pay all that has fallen due, as a forecast supposes."""
        self.charge_due()
        self.pay(self.due_rows, sum(row.unpaid for row in self.due_rows))
        self.note_settled()
