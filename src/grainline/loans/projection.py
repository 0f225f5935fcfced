"""What the day's work looks for in a loan's row: a projection of its state, rebuildable at any time."""

from dataclasses import dataclass
from datetime import date, timedelta

from grainline.kit.money import Fen
from grainline.loans.arrears import next_edge
from grainline.loans.state import LoanState


@dataclass(frozen=True)
class Projection:
    """A loan as its row has it; accrued amounts and slopes are in the units of `state.Accrual`.

    `due_fen` is what is due and unpaid on the day the books have reached.
    `change_on` is the next date on which time alone changes something; until then the loan need not be touched. What
    it brings then is in the last three, `state.NextDue`, or has to be computed on the day.
    """

    principal_fen: Fen
    due_fen: Fen
    next_due_on: date | None
    change_on: date | None
    late_since: date | None
    accrued: int
    accrual_slope: int
    penalty: int
    penalty_slope: int
    charged_off_on: date | None
    written_off_on: date | None
    settled_on: date | None
    then_due_fen: Fen | None
    then_charged_fen: Fen | None
    then_accrued: int | None

    def columns(self) -> tuple[object, ...]:
        """Return the values in the order of the fields."""
        return tuple(self.__dict__.values())


def project(state: LoanState) -> Projection:
    """Return the projection of a state."""
    unpaid = state.next_unpaid
    changes = [day for day in (state.next_change_on, next_edge(state)) if day is not None]
    if state.due_fen and state.late_since is None:
        changes.append(state.as_of + timedelta(days=1))  # within its grace
    accrual, then = state.accrual, state.next_due or (None, None, None)
    return Projection(
        principal_fen=state.principal_outstanding_fen,
        due_fen=state.due_fen,
        next_due_on=unpaid.due_on if unpaid else None,
        change_on=min(changes, default=None),
        late_since=state.late_since,
        accrued=accrual.interest,
        accrual_slope=accrual.interest_slope,
        penalty=accrual.penalty,
        penalty_slope=accrual.penalty_slope,
        charged_off_on=state.charged_off_on,
        written_off_on=state.written_off_on,
        settled_on=state.settled_on,
        then_due_fen=then[0],
        then_charged_fen=then[1],
        then_accrued=then[2],
    )
