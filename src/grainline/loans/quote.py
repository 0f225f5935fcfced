"""A quote: what a draw would cost, with its whole dated schedule."""

from dataclasses import dataclass
from datetime import date

from grainline.guard import check_amount
from grainline.kit.errors import Refusal
from grainline.kit.money import Fen, RateE8
from grainline.loans.apr import irr_percent, simple_percent
from grainline.loans.schedule import PlannedInstalment, plan
from grainline.loans.terms import Terms
from grainline.products import Pack, Shape


class UnknownTerm(Refusal):
    """Not a number of instalments this product has."""

    code = "unknown_term"


class UnknownPurpose(Refusal):
    """Not a purpose this product lends for."""

    code = "unknown_purpose"


@dataclass(frozen=True)
class Quote:
    """Terms, their plan, and the annual cost by both methods (percent, as shown)."""

    terms: Terms
    rows: tuple[PlannedInstalment, ...]
    annual_simple_percent: str
    annual_irr_percent: str

    @property
    def interest_fen(self) -> Fen:
        """All interest if every instalment is paid on its due date."""
        return Fen(sum(row.interest_fen for row in self.rows))

    @property
    def total_fen(self) -> Fen:
        """Principal and all interest."""
        return Fen(self.terms.amount_fen + self.interest_fen)


class UnknownShape(Refusal):
    """Not a way of repaying this product has."""

    code = "unknown_shape"


def quote(
    pack: Pack, *, amount_fen: int, instalments: int, rate_e8: RateE8, starts_on: date, shape: Shape | None = None
) -> Quote:
    """Quote a draw, in the pack's first shape unless told; raise UnknownTerm, UnknownShape, or the guard's refusal."""
    check_amount(pack, amount_fen)
    if instalments not in pack.schedule.instalments:
        raise UnknownTerm(allowed=", ".join(str(term) for term in pack.schedule.instalments))
    shape = shape or pack.schedule.shapes[0]
    if shape not in pack.schedule.shapes:
        raise UnknownShape(allowed=", ".join(pack.schedule.shapes))
    terms = Terms(Fen(amount_fen), rate_e8, instalments, starts_on, pack.rules(shape))
    rows = plan(terms)
    return Quote(terms, rows, simple_percent(rate_e8, terms.rules.year_basis), irr_percent(terms, rows))
