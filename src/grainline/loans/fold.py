"""A loan is `fold(terms, events, as_of)`: nothing else says what is owed.

Interest accrues by the day on the outstanding principal, exactly, and becomes fen where the loan's rules say: charged
at the due date, earlier as far as an event needs it, and after the last due date at each repayment. Principal that is
late bears the penalty rate instead, from the end of its grace on; that is due as it accrues. There is no interest on
interest. Money that comes when nothing is owed is held in suspense and pays the next fee; no money is held while
something is owed. The order in which events were posted does not matter, only their dates: within a day, falling due
comes first, then the kinds in the order of `EventKind`.

`state.py` says what comes out, `events.py` what goes in, `walk.py` how time passes and money is taken, `happen.py` what
each event does, `rows.py` and `amortisation.py` where principal lies.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from grainline.kit.money import Fen
from grainline.loans.events import Event, effective
from grainline.loans.happen import happen
from grainline.loans.interest import E4, ONE_DAY, rounded
from grainline.loans.rows import Row
from grainline.loans.state import Accrual, Glance, Instalment, LoanState, NextDue, Totals
from grainline.loans.terms import Terms
from grainline.loans.walk import Walk
from grainline.products import RoundedPer

__all__ = ["Instalment", "LoanState", "fold", "forecast", "glance", "turn"]
NOTHING = Accrual(0, 0, 0, 0)


def fold(terms: Terms, events: Iterable[Event], as_of: date) -> LoanState:
    """Return a loan's state on a date, after the events of that date; later ones are not seen.

    Raises ValueError for an event before the loan's first day, or two different ones under one number.
    """
    return _look(_walked(terms, events, as_of), as_of)


def forecast(terms: Terms, events: Iterable[Event], as_of: date) -> LoanState:
    """Return a loan's state on its last due date if what is due is paid now, and each instalment when it falls due."""
    walk = _walked(terms, events, as_of)
    walk.pay_due()
    while walk.due_count < len(walk.rows):
        walk.fall_due()
        walk.pay_due()
    return _look(walk, max(as_of, walk.rows[-1].due_on))


def glance(terms: Terms, events: Iterable[Event], as_of: date) -> Glance:
    """Return only what the books hold of a loan on a date, which is much less to make than its state."""
    return _glance(_walked(terms, events, as_of))


def turn(terms: Terms, events: Iterable[Event], before: date, as_of: date) -> tuple[Glance, LoanState]:
    """Return `glance` on one date and `fold` on a later one, in one walk."""
    walk, listed = Walk(terms), effective(events)
    _walk_on(walk, (event for event in listed if event.value_on <= before), before)
    glanced = _glance(walk)
    _walk_on(walk, (event for event in listed if before < event.value_on <= as_of), as_of)
    return glanced, _look(walk, as_of)


def _walked(terms: Terms, events: Iterable[Event], as_of: date) -> Walk:
    walk = Walk(terms)
    _walk_on(walk, (event for event in effective(events) if event.value_on <= as_of), as_of)
    return walk


def _walk_on(walk: Walk, events: Iterable[Event], as_of: date) -> None:
    for event in events:
        if event.value_on < walk.rows.terms.started_on:
            raise ValueError(f"before the loan's first day, {walk.rows.terms.started_on}: {event}")
        walk.come_to(event.value_on)
        happen(walk, event)
    walk.come_to(as_of)


def _glance(walk: Walk) -> Glance:
    return Glance(Fen(walk.outstanding), Totals(**walk.total), walk.charged_off_on)


def _look(walk: Walk, as_of: date) -> LoanState:
    """Return the state; the walk goes on from there, and is of no further use."""
    late = [row for row in walk.due_rows if row.late_from < as_of and row.unpaid]
    edges = [row.due_on for row in walk.rows[walk.due_count :][:1]] if walk.settled_on is None else []
    edges += [row.late_from for row in walk.due_rows if row.unpaid]
    change_on = min((edge for edge in edges if edge > as_of), default=None)
    seen = LoanState(
        as_of=as_of,
        instalments=tuple(_instalment(walk, place, row) for place, row in enumerate(walk.rows)),
        principal_outstanding_fen=Fen(walk.outstanding),
        accrued_fen=Fen(walk.accrued),
        penalty_accrued_fen=Fen(sum(walk.penalty_accrued(row) for row in walk.due_rows)),
        totals=Totals(**walk.total),
        accrual=_accrual(walk),
        late_since=late[0].due_on if late else None,
        next_change_on=change_on,
        next_due=None,
        charged_off_on=walk.charged_off_on,
        written_off_on=walk.written_off_on,
        settled_on=walk.settled_on,
    )
    return replace(seen, next_due=_next_due(walk, seen))


def _next_due(walk: Walk, seen: LoanState) -> NextDue | None:
    """Walk on to the next due date, where that brings an instalment to a loan that is paid up, and nothing else."""
    if seen.next_change_on is None or seen.due_fen or seen.charged_off_on or seen.written_off_on:
        return None
    walk.come_to(seen.next_change_on)
    accrual, charged = _accrual(walk), walk.total["interest_charged"] - seen.totals.interest_charged
    due = sum(row.unpaid for row in walk.due_rows)
    accruing = seen.totals.interest_charged_accruing + charged
    only = seen.totals._replace(
        interest_charged=walk.total["interest_charged"], interest_charged_accruing=accruing
    ) == Totals(**walk.total)
    if not (only and due and accrual[1:] == seen.accrual[1:]):
        return None
    return NextDue(Fen(due), Fen(charged), accrual.interest)


def _instalment(walk: Walk, place: int, row: Row) -> Instalment:
    return Instalment(
        number=place + 1,
        due_on=row.due_on,
        principal_fen=Fen(row.principal),
        interest_fen=Fen(row.interest),
        penalty_fen=Fen(row.penalty + walk.penalty_accrued(row)),
        fee_fen=Fen(row.fee),
        principal_paid_fen=Fen(row.principal_paid),
        interest_paid_fen=Fen(row.interest_paid),
        penalty_paid_fen=Fen(row.penalty_paid),
        fee_paid_fen=Fen(row.fee_paid),
        paid_early_fen=Fen(row.early),
        paid_late_fen=Fen(row.late),
        paid_on=row.paid_on if row.unpaid == 0 else None,
        is_due=place < walk.due_count,
    )


def _accrual(walk: Walk) -> Accrual:
    if walk.charged_off_on or walk.written_off_on or walk.settled_on:
        return NOTHING
    period, today, rules = walk.running.period, walk.today, walk.rules
    late = sum(row.principal - row.principal_paid for row in walk.late_rows(today))
    bearing = (walk.outstanding - late) * walk.rate
    if rules.rounded_per is RoundedPer.DAY:
        weight = period.weight(today, today + ONE_DAY)
        bearing = rounded(bearing * weight, period.unit, rules.rounding) * period.unit // weight
    return Accrual(
        interest=(walk.acc + walk.acc_given) // E4 - (walk.charged + walk.charged_given) * period.unit,
        interest_slope=bearing,
        penalty=sum(row.penalty_acc - row.penalty_charged * row.period.unit * E4 for row in walk.due_rows),
        penalty_slope=late * walk.rate * rules.penalty_e4,
    )
