"""A second, slower account of what a loan owes: lived one day after the other, in fractions.

It is the rule of the loan in words and shares nothing with the fold. It knows what a product pack can say: interest to
date is paid before principal is prepaid, and nothing of other systems' conventions.
"""

from calendar import monthrange
from datetime import timedelta
from fractions import Fraction

from grainline.kit.calendar import add_months
from grainline.loans.events import EventKind
from grainline.products import (
    AllocateBy,
    FirstPeriod,
    Prepayment,
    Remainder,
    RoundedPer,
    Rounding,
    Shape,
    YearBasis,
)

DAY = timedelta(days=1)
PARTS = ("fee", "penalty", "interest", "principal")
YEARS = {YearBasis.DAILY: 1, YearBasis.DAYS_360: 360, YearBasis.DAYS_364: 364, YearBasis.DAYS_365: 365}


def falling_due(terms):
    """The due dates, where nothing moves them, found by looking at one day after the other."""
    rules, day, found = terms.rules, terms.started_on, []
    a_month_on = add_months(terms.started_on, 1)
    while len(found) < terms.instalments:
        day += DAY
        if rules.due_day is None:
            fits = day == add_months(terms.started_on, len(found) + 1)
        else:
            far = (day - terms.started_on).days >= rules.first_period_min_days
            far = far and (rules.first_period is FirstPeriod.SHORT or day >= a_month_on)
            fits = day.day == min(rules.due_day, monthrange(day.year, day.month)[1]) and (found or far)
        if fits:
            found.append(day)
    return found[-1:] if rules.shape is Shape.BULLET else found


class SlowRow:
    """An instalment: what is owed of each part and what is paid of it."""

    def __init__(self, due_on):
        self.due_on = due_on
        self.owed = dict.fromkeys(PARTS, 0)
        self.paid = dict.fromkeys(PARTS, 0)
        self.penalty = Fraction(0)  # over its whole life
        self.penalty_charged = 0

    def unpaid(self, *parts):
        return sum(self.owed[part] - self.paid[part] for part in parts or PARTS)


class SlowLoan:
    """A loan that is lived through: `pass_day`, `happen`."""

    def __init__(self, terms):
        self.terms, self.rules = terms, terms.rules
        self.today = terms.started_on
        self.rows = [SlowRow(due_on) for due_on in falling_due(terms)]
        self.due = 0  # how many have fallen due
        self.begin_period()
        self.equal = 0
        self.lay(0, terms.amount_fen, self.today)
        self.coupon = self.suspense = self.recovered = self.lent = 0
        self.money_in = self.money_out = 0
        self.discounts = []
        self.written_off_on = self.settled_on = None
        self.lost = 0  # principal written off

    # looking

    @property
    def running(self):
        return self.rows[min(self.due, len(self.rows) - 1)]

    @property
    def principal(self):
        return sum(row.unpaid("principal") for row in self.rows)

    def uncharged(self):
        return max(self.fen(self.kept) - self.kept_charged - self.coupon, 0)

    def uncharged_penalty(self, row):
        return self.fen(row.penalty) - row.penalty_charged

    @property
    def payoff(self):
        return sum(row.unpaid() + self.uncharged_penalty(row) for row in self.rows) + self.uncharged()

    @property
    def fallen_due(self):
        over = self.due == len(self.rows)
        due = sum(row.unpaid() + self.uncharged_penalty(row) for row in self.rows[: self.due])
        return due + (self.uncharged() if over else 0)

    def late_rows(self):
        grace = DAY * self.rules.grace_days
        return [row for row in self.rows[: self.due] if row.due_on + grace <= self.today and row.unpaid("principal")]

    # time

    def begin_period(self):
        self.kept = self.given = Fraction(0)
        self.kept_charged = self.given_charged = 0

    def factor(self):
        """The part of the rate that a day which begins now bears, after the year in which it ends."""
        year = (self.today + DAY).year
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return Fraction(self.terms.rate_e8, 10**8 * YEARS.get(self.rules.year_basis, 366 if leap else 365))

    def pass_day(self):
        if not self.written_off_on:
            late = self.late_rows() if self.rules.penalty_e4 else []
            for row in late:
                row.penalty += row.unpaid("principal") * self.factor() * Fraction(self.rules.penalty_e4, 10_000)
            interest = (self.principal - sum(row.unpaid("principal") for row in late)) * self.factor()
            if self.rules.rounded_per is RoundedPer.DAY:
                interest = Fraction(self.fen(interest))
            share = min(sum(e.share_e4 for e in self.discounts if e.value_on <= self.today < e.until), 10_000)
            self.kept += interest * (10_000 - share) / 10_000
            self.given += interest * share / 10_000
        self.today += DAY
        if self.due < len(self.rows) and self.rows[self.due].due_on == self.today:
            self.charge()
            self.due += 1
            self.begin_period()

    def charge(self):
        fresh = self.fen(self.kept) - self.kept_charged
        spent = min(self.coupon, fresh)
        self.coupon -= spent
        self.running.owed["interest"] += fresh - spent
        self.kept_charged += fresh

    def charge_penalties(self):
        for row in self.rows:
            fresh = self.uncharged_penalty(row)
            row.owed["penalty"] += fresh
            row.penalty_charged += fresh

    # planning

    def lay(self, place, amount, start):
        rows = self.rows[place:]
        parts = [0] * len(rows)
        if self.rules.shape is Shape.EQUAL_PRINCIPAL:
            self.equal = amount // len(rows)
            parts = [self.equal] * len(rows)
            parts[0 if self.rules.remainder is Remainder.FIRST else -1] += amount % len(rows)
        elif self.rules.shape is Shape.EQUAL_INSTALMENT:
            grown, worth = Fraction(1), Fraction(0)
            for days in self.spans(rows, start):
                grown *= 1 + self.interest(1, days, exact=True)
                worth += 1 / grown
            self.equal = self.fen(amount / worth)
            parts = self.annuity(rows, amount, start)
        else:
            parts[-1] = amount
        self.set_principals(rows, parts)

    def lay_shorter(self, place, amount, start):
        rows = self.rows[place:]
        if self.rules.shape is Shape.EQUAL_INSTALMENT:
            parts = self.annuity(rows, amount, start)
        else:
            parts, left = [], amount
            for _ in rows[:-1]:
                parts.append(min(self.equal, left))
                left -= parts[-1]
            parts.append(left)
        self.set_principals(rows, parts)
        while len(self.rows) > place + 1 and self.rows[-1].owed["principal"] + self.rows[-1].owed["fee"] == 0:
            self.rows.pop()

    def annuity(self, rows, amount, start):
        parts = []
        for days in self.spans(rows, start)[:-1]:
            parts.append(max(0, min(self.equal - self.fen(self.interest(amount, days)), amount)))
            amount -= parts[-1]
        return [*parts, amount]

    def spans(self, rows, start):
        starts = [start, *(row.due_on for row in rows)]
        return [
            [begin + DAY * n for n in range((row.due_on - begin).days)]
            for begin, row in zip(starts, rows, strict=False)
        ]

    def interest(self, balance, days, *, exact=False):
        today, total = self.today, Fraction(0)
        for self.today in days:
            of_day = balance * self.factor()
            per_day = self.rules.rounded_per is RoundedPer.DAY and not exact
            total += self.fen(of_day) if per_day else of_day
        self.today = today
        return total

    def set_principals(self, rows, parts):
        for row, part in zip(rows, parts, strict=True):
            row.owed["principal"] = row.paid["principal"] + part

    # money

    def fen(self, amount):
        whole = amount.numerator // amount.denominator
        rest = amount - whole
        even = self.rules.rounding is Rounding.HALF_EVEN and whole % 2 == 0
        return whole + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and not even))

    def pay(self, rows, fen):
        order = [part.value for part in self.rules.allocation]
        if self.rules.allocate_by is AllocateBy.COMPONENT:
            claims = [(row, part) for part in order for row in rows]
        else:
            claims = [(row, part) for row in rows for part in order]
        for row, part in claims:
            fen = self.pay_part(row, part, fen)
        return fen

    def pay_part(self, row, part, fen):
        paid = min(fen, row.unpaid(part))
        if paid and part == "principal":
            self.balance_changes()
        row.paid[part] += paid
        self.recovered += paid if self.written_off_on else 0
        return fen - paid

    def balance_changes(self):
        if self.rules.rounded_per is RoundedPer.SUB_PERIOD and not self.written_off_on:
            self.kept, self.given = Fraction(self.fen(self.kept)), Fraction(self.fen(self.given))

    # events

    def happen(self, event):
        getattr(self, f"on_{event.kind}")(event)
        if self.payoff:
            self.settled_on = None
        else:
            self.settled_on = self.settled_on or self.today

    def on_repayment(self, event):
        self.money_in += event.amount_fen
        self.charge_penalties()
        if self.due == len(self.rows) or self.written_off_on:
            self.charge()
        left = self.pay(self.rows if self.written_off_on else self.rows[: self.due], event.amount_fen)
        if left and left >= self.payoff:
            self.charge()
            left = self.pay(self.rows, left)
            self.suspense += left
        elif left:
            self.charge()
            for part in self.rules.allocation:
                if part != "principal":
                    left = self.pay_part(self.running, part.value, left)
            if left:
                left = self.prepay(left, event.prepayment or self.rules.prepayment)
            assert self.pay(self.rows, left) == 0

    def prepay(self, left, mode):
        coming = self.rows[self.due :]
        if mode is Prepayment.NEXT:
            return self.pay(coming, left)
        if mode is Prepayment.LAST:
            return self.pay(coming[::-1], left)
        if mode is Prepayment.SPREAD:
            unpaid = [row for row in coming if row.unpaid()]
            share = self.fen(Fraction(left, len(unpaid)))
            for row in unpaid[:-1]:
                tried = min(share, left)
                left = left - tried + self.pay([row], tried)
            return self.pay(unpaid[::-1], left)
        part = min(left, self.principal)
        self.running.owed["principal"] += part
        self.pay_part(self.running, "principal", part)
        rest = self.principal - part  # what was to be paid of it in the coming rows is planned anew
        lay = self.lay_shorter if mode is Prepayment.REDUCE_TERM else self.lay
        lay(self.due, rest, self.today)
        return left - part

    def on_refund(self, event):
        self.money_out += event.amount_fen
        lent = max(event.amount_fen - self.suspense, 0)
        self.suspense -= event.amount_fen - lent
        if lent:
            self.balance_changes()
            self.running.owed["principal"] += lent
            self.lent += lent
            self.lost += lent if self.written_off_on else 0

    def on_fee(self, event):
        self.running.owed["fee"] += event.amount_fen
        self.suspense = self.pay_part(self.running, "fee", self.suspense)

    def on_waiver(self, event):
        self.charge_penalties()
        if event.component == "interest":
            self.charge()
        left = event.amount_fen
        for row in self.rows:
            part = min(left, row.unpaid(event.component.value))
            row.owed[event.component.value] -= part
            left -= part

    def on_discount(self, event):
        self.discounts.append(event)

    def on_coupon(self, event):
        self.coupon += event.amount_fen

    def on_charge_off(self, _):
        """What is owed does not change, only what of it is income."""

    def on_write_off(self, _):
        self.charge_penalties()
        self.charge()
        if self.payoff and not self.written_off_on:
            self.written_off_on, self.lost = self.today, self.principal

    def on_reschedule(self, event):
        self.charge_penalties()
        self.charge()
        if not self.payoff:
            return
        rest, old = self.principal, self.rows
        count = event.instalments
        numbers = [count - 1] if self.rules.shape is Shape.BULLET else range(count)
        new = [SlowRow(add_months(event.until, number)) for number in numbers]
        for place, row in enumerate(old):
            for part in PARTS:
                gone = place >= self.due
                new[0].paid[part] += row.paid[part] if gone else 0
                new[0].owed[part] += (row.unpaid(part) if part != "principal" else 0) + (row.paid[part] if gone else 0)
                row.owed[part] = row.paid[part]
        self.rows = [*old[: self.due], *new]
        self.begin_period()
        self.lay(self.due, rest, self.today)


def lived(terms, events, until):
    """Live a loan through its events, in the order in which they count, up to a date."""
    slow = SlowLoan(terms)
    for event in in_order(events):
        while slow.today < event.value_on:
            slow.pass_day()
        slow.happen(event)
    while slow.today < until:
        slow.pass_day()
    return slow


def in_order(events):
    """Leave out what was reversed; the rest by date, then by kind, then by amount."""
    reversed_ = {event.reverses for event in events if event.kind is EventKind.REVERSAL}
    kinds = list(EventKind)
    left = [e for e in events if e.kind is not EventKind.REVERSAL and e.number not in reversed_]
    return sorted(
        left,
        key=lambda e: (
            *(e.value_on, kinds.index(e.kind), e.amount_fen, e.component or "", e.share_e4),
            *(e.until or e.value_on, e.instalments, e.prepayment or ""),
        ),
    )
