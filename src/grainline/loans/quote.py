"""A quote: what a draw would cost, with its whole dated schedule."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from grainline.guard import check_amount
from grainline.kit.errors import Refusal
from grainline.kit.money import Fen, RateE8
from grainline.loans.apr import irr_percent, simple_percent
from grainline.loans.campaigns import Saving, best_saving
from grainline.loans.schedule import PlannedInstalment, plan
from grainline.loans.terms import Terms
from grainline.products import Campaign, Pack, Shape


class UnknownTerm(Refusal):
    """Not a number of instalments this product has."""

    code = "unknown_term"


class UnknownPurpose(Refusal):
    """Not a purpose this product lends for."""

    code = "unknown_purpose"


@dataclass(frozen=True)
class Quote:
    """Terms, their plan, and the annual cost by both methods (percent, as shown).

    Where a campaign saves interest, the plan is the one with it; the annual costs are without it.
    """

    terms: Terms
    rows: tuple[PlannedInstalment, ...]
    annual_simple_percent: str
    annual_irr_percent: str
    saving: Saving | None = None

    @property
    def interest_fen(self) -> Fen:
        """All interest if every instalment is paid on its due date."""
        return Fen(sum(row.interest_fen for row in self.rows))

    @property
    def interest_before_fen(self) -> Fen:
        """All interest by the plan without a campaign."""
        return Fen(self.interest_fen + (self.saving.saved_fen if self.saving else 0))

    @property
    def total_fen(self) -> Fen:
        """Principal and all interest."""
        return Fen(self.terms.amount_fen + self.interest_fen)


class UnknownShape(Refusal):
    """Not a way of repaying this product has."""

    code = "unknown_shape"


def quote(
    pack: Pack,
    *,
    amount_fen: int,
    instalments: int,
    rate_e8: RateE8,
    starts_on: date,
    shape: Shape | None = None,
    campaigns: Iterable[Campaign] = (),
) -> Quote:
    """Quote a draw, in the pack's first shape unless told, with the best of the campaigns that are open to it.

    Raises UnknownTerm, UnknownShape, NoHolidayTable, or the guard's refusal of the amount.
    """
    check_amount(pack, amount_fen)
    if instalments not in pack.schedule.instalments:
        raise UnknownTerm(allowed=", ".join(str(term) for term in pack.schedule.instalments))
    shape = shape or pack.schedule.shapes[0]
    if shape not in pack.schedule.shapes:
        raise UnknownShape(allowed=", ".join(pack.schedule.shapes))
    terms = Terms(Fen(amount_fen), rate_e8, instalments, starts_on, pack.rules(shape))
    terms.check_holidays()
    rows = plan(terms)
    saving = best_saving(terms, rows, campaigns)
    return Quote(
        terms,
        saving.rows if saving else rows,
        simple_percent(rate_e8, terms.rules.year_basis),
        irr_percent(terms, rows),
        saving,
    )
