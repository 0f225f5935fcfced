"""The schedule as it is shown before a draw: every instalment paid on its due date."""

from dataclasses import dataclass
from datetime import date

from grainline.kit.money import Fen
from grainline.loans.fold import forecast
from grainline.loans.terms import Terms


@dataclass(frozen=True)
class PlannedInstalment:
    """One row of the plan: days of interest, amounts in fen, principal left after it."""

    number: int
    due_on: date
    days: int
    principal_fen: Fen
    interest_fen: Fen
    principal_after_fen: Fen

    @property
    def total_fen(self) -> Fen:
        """Principal and interest."""
        return Fen(self.principal_fen + self.interest_fen)


def plan(terms: Terms) -> tuple[PlannedInstalment, ...]:
    """Return the plan of equal principal instalments: the loan's own arithmetic, run ahead.

    Interest of a row is the outstanding principal × rate × actual days from the row before (that due day counts, its
    own does not), rounded half-up to the fen per instalment.
    """
    rows = []
    left, start = int(terms.amount_fen), terms.started_on
    for row in forecast(terms, (), terms.started_on).instalments:
        left -= row.principal_fen
        days = (row.due_on - start).days
        rows.append(PlannedInstalment(row.number, row.due_on, days, row.principal_fen, row.interest_fen, Fen(left)))
        start = row.due_on
    return tuple(rows)
