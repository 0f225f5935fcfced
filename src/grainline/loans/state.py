"""What a loan looks like on a date."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from grainline.kit.money import Fen
from grainline.products import Component


class Instalment(NamedTuple):
    """One instalment as it stands, in fen.

    `interest_fen` is what has been charged in its period so far, less what was given back or waived; `penalty_fen`
    includes what has accrued and is not charged yet. `paid_early_fen` came before its due date, `paid_late_fen` after
    it. `paid_on` is the day of the last payment to it where nothing of it is unpaid.
    """

    number: int
    due_on: date
    principal_fen: Fen
    interest_fen: Fen
    penalty_fen: Fen
    fee_fen: Fen
    principal_paid_fen: Fen
    interest_paid_fen: Fen
    penalty_paid_fen: Fen
    fee_paid_fen: Fen
    paid_early_fen: Fen
    paid_late_fen: Fen
    paid_on: date | None
    is_due: bool

    @property
    def total_fen(self) -> Fen:
        """Everything in it."""
        return Fen(self.principal_fen + self.interest_fen + self.penalty_fen + self.fee_fen)

    @property
    def paid_fen(self) -> Fen:
        """Everything paid of it."""
        return Fen(self.principal_paid_fen + self.interest_paid_fen + self.penalty_paid_fen + self.fee_paid_fen)

    @property
    def unpaid_fen(self) -> Fen:
        """What of it is not paid."""
        return Fen(self.total_fen - self.paid_fen)


class Accrual(NamedTuple):
    """Interest under way, exactly: what has accrued and is not charged, and what one more unit of weight adds.

    In units of balance × rate × weight (`interest.py`); penalties in 10⁻⁴ of those. Before discounts and coupons, which
    are given back as interest is charged. Nought where the loan is settled or no longer accrues in the books.
    """

    interest: int
    interest_slope: int
    penalty: int
    penalty_slope: int


class Totals(NamedTuple):
    """What has happened to a loan so far, in fen.

    `repaid` is all money in, `refunded` all money out, `suspense` what is held. Charged is before what was given back:
    `discounted` (by discounts and coupons) and `waived`. Paid is what came while the claim was on the books; after a
    write-off it is `recovered`. `written_off_other` is everything but principal that was written off and is not waived.
    The last two are what was charged before a charge-off.
    """

    repaid: int
    refunded: int
    suspense: int
    interest_charged: int
    penalty_charged: int
    fee_charged: int
    discounted: int
    waived: int
    interest_paid: int
    penalty_paid: int
    fee_paid: int
    principal_paid: int
    written_off_principal: int
    written_off_other: int
    recovered: int
    interest_charged_accruing: int
    penalty_charged_accruing: int


class Glance(NamedTuple):
    """What the books hold of a loan on a date, in fen: a part of its state."""

    principal_outstanding_fen: Fen
    totals: Totals
    charged_off_on: date | None


class NextDue(NamedTuple):
    """What the next due date brings to a loan that is paid up, if nothing happens before.

    What is due then, and what of it is interest charged then, in fen; what has accrued after it, in units of `Accrual`.
    """

    due_fen: Fen
    charged_fen: Fen
    accrued: int


@dataclass(frozen=True)
class LoanState:
    """What is owed at the start of `as_of`, after the events of that date; amounts in fen."""

    as_of: date
    instalments: tuple[Instalment, ...]
    principal_outstanding_fen: Fen
    accrued_fen: Fen
    """Interest accrued and not yet charged, less what is given back of it: due at once if everything is repaid."""
    penalty_accrued_fen: Fen
    totals: Totals
    accrual: Accrual
    late_since: date | None
    """The due date of the oldest instalment of which something is unpaid, once its grace is over."""
    next_change_on: date | None
    """The next date at which time alone changes how the loan accrues."""
    next_due: NextDue | None
    """What that date brings, where it is a due date that brings an instalment with its interest and nothing else."""
    charged_off_on: date | None
    written_off_on: date | None
    settled_on: date | None

    @property
    def interest_charged_fen(self) -> Fen:
        """Interest charged, before what was given back."""
        return Fen(self.totals.interest_charged)

    @property
    def interest_paid_fen(self) -> Fen:
        """Interest paid."""
        return Fen(self.totals.interest_paid)

    @property
    def due_fen(self) -> Fen:
        """What has fallen due and is not paid; after the last due date, the interest since then too."""
        due = sum(row.unpaid_fen for row in self.instalments if row.is_due)
        return Fen(due + (self.accrued_fen if self.instalments[-1].is_due else 0))

    @property
    def payoff_fen(self) -> Fen:
        """What settles the loan today: every instalment's unpaid part and the interest to date."""
        return Fen(sum(row.unpaid_fen for row in self.instalments) + self.accrued_fen)

    @property
    def days_late(self) -> int:
        """Return the days since the oldest unpaid due date, or 0 within its grace."""
        return (self.as_of - self.late_since).days if self.late_since else 0

    @property
    def next_unpaid(self) -> Instalment | None:
        """The earliest instalment that is not wholly paid, or None when the loan is settled."""
        if self.settled_on is not None:
            return None
        for row in self.instalments:
            if row.unpaid_fen > 0 or not row.is_due:
                return row
        return self.instalments[-1]

    def unpaid_of(self, component: Component) -> Fen:
        """Return what is charged of a component and not paid, over all instalments."""
        name = component.value
        return Fen(sum(getattr(row, f"{name}_fen") - getattr(row, f"{name}_paid_fen") for row in self.instalments))
