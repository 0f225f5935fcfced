"""From one state of a loan to the next: events kept, books, line and projection moved, all in the caller's transaction.

Everything is done for many loans at once; one loan is a list of one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from grainline.kit.db import Tx
from grainline.ledger import Journal, open_from, post_batch
from grainline.lines import restore_many, set_overdue
from grainline.loans import loans_store
from grainline.loans.booking import Position, journal, position
from grainline.loans.events import Event
from grainline.loans.fold import fold, glance, turn
from grainline.loans.loans_store import NewEvent
from grainline.loans.model import Loan
from grainline.loans.state import LoanState


@dataclass(frozen=True)
class Step:
    """A loan that moves from what is booked to a later state, and what its journal is called."""

    loan: Loan
    before: Position
    after: LoanState
    key: str
    kind: str
    value_on: date
    new: tuple[NewEvent, ...] = ()


def step(
    loan: Loan, known: Sequence[Event], new: Sequence[NewEvent], *, through: date, key: str, kind: str, value_on: date
) -> Step:
    """Return the step that takes a loan's books to a date with new events; its journal counts from `value_on`."""
    as_of = max(through, loan.booked_through)
    if new:
        before = glance(loan.terms, known, loan.booked_through)
        after = fold(loan.terms, [*known, *(item.event for item in new)], as_of)
    else:
        before, after = turn(loan.terms, known, loan.booked_through, as_of)
    return Step(loan, position(before), after, key, kind, value_on, tuple(new))


async def take(tx: Tx, steps: Sequence[Step], *, now: datetime) -> None:
    """Take steps: insert their events, post their journals, move lines and projections.

    What counts from a closed accounting period is booked on the first day after it.
    """
    if not steps:
        return
    new = [item for one in steps for item in one.new]
    if new:
        await loans_store.add_events(tx, new, now=now)
    first_open = await open_from(tx)
    journals = []
    for one in steps:
        lines = journal(one.loan.loan_id, one.loan.product, one.before, position(one.after))
        if lines:
            journals.append(Journal(one.loan.member_id, one.key, one.kind, max(one.value_on, first_open), lines))
    await post_batch(tx, journals, booked_at=now)
    restored = [
        (one.loan.member_id, one.loan.product, one.loan.principal_fen - one.after.principal_outstanding_fen)
        for one in steps
    ]
    await restore_many(tx, [change for change in restored if change[2]])
    await loans_store.write_projections(tx, [(one.loan, one.after) for one in steps])
    turned = {
        (one.loan.member_id, one.loan.product)
        for one in steps
        if (one.loan.late_since is None) != (one.after.late_since is None)
    }
    if turned:
        overdue = await loans_store.overdue_of(tx, sorted(turned))
        pairs = [(member, product, (member, product) in overdue) for member, product in sorted(turned)]
        await set_overdue(tx, pairs, now=now)
