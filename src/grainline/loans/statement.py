"""The statement of loans over a period: what was owed, what happened, what is owed now, what comes next. Pure.

The balance of a statement is what is charged and not paid, less money held: `amount + charged + refunded − given back −
repaid`, over a loan's whole life. What accrues and is not charged yet stands beside it.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from grainline.kit.errors import Refusal
from grainline.kit.money import Fen
from grainline.loans.events import Event, EventKind, effective
from grainline.loans.fold import fold, forecast
from grainline.loans.state import Instalment, LoanState, Totals
from grainline.loans.terms import Terms

NONE = Fen(0)


class StatementPeriodInvalid(Refusal):
    """It ends before it begins, or after today."""

    code = "statement_period_invalid"


class LineKind(StrEnum):
    """What a line of a statement tells."""

    DRAW = "draw"
    INSTALMENT = "instalment"
    INTEREST = "interest"
    PENALTY = "penalty"
    FEE = "fee"
    GIVEN_BACK = "given_back"
    WAIVER = "waiver"
    REPAYMENT = "repayment"
    REFUND = "refund"
    DISCOUNT = "discount"
    COUPON = "coupon"
    RESCHEDULE = "reschedule"
    REVERSED = "reversed"


# Which of a loan's totals moves the balance, which way, and on which line.
MOVES = (
    ("interest_charged", 1, LineKind.INTEREST),
    ("penalty_charged", 1, LineKind.PENALTY),
    ("fee_charged", 1, LineKind.FEE),
    ("discounted", -1, LineKind.GIVEN_BACK),
    ("waived", -1, LineKind.WAIVER),
    ("repaid", -1, LineKind.REPAYMENT),
    ("refunded", 1, LineKind.REFUND),
)
# What changes nothing on its day and is told all the same.
TOLD = {
    EventKind.DISCOUNT: LineKind.DISCOUNT,
    EventKind.COUPON: LineKind.COUPON,
    EventKind.RESCHEDULE: LineKind.RESCHEDULE,
}
# The lender's own bookkeeping: what is owed stays owed.
UNTOLD = (EventKind.CHARGE_OFF, EventKind.WRITE_OFF)
PARTS = ("principal", "interest", "penalty", "fee")


@dataclass(frozen=True)
class Line:
    """One line: what moved the balance, in fen, and the balance after it.

    INSTALMENT has its number and what is due of it; REPAYMENT what it paid of principal, interest, penalty and fee.
    """

    on: date
    kind: LineKind
    change_fen: Fen
    balance_fen: Fen = NONE
    number: int = 0
    due_fen: Fen = NONE
    paid_fen: tuple[Fen, ...] | None = None
    event: Event | None = None


@dataclass(frozen=True)
class NextDue:
    """The instalment that falls due next, and what will be due of it, in fen, if all before it is paid when due."""

    due_on: date
    amount_fen: Fen


@dataclass(frozen=True)
class LoanStatement:
    """A loan's part of a statement; `state` is that of the period's last day, amounts in fen."""

    loan_id: UUID
    terms: Terms
    opening_fen: Fen
    lines: tuple[Line, ...]
    closing_fen: Fen
    state: LoanState
    next_due: NextDue | None


@dataclass(frozen=True)
class Statement:
    """Loans over a period, both days included."""

    from_on: date
    to_on: date
    loans: tuple[LoanStatement, ...]

    @property
    def opening_fen(self) -> Fen:
        """What was owed before the first day."""
        return Fen(sum(loan.opening_fen for loan in self.loans))

    @property
    def closing_fen(self) -> Fen:
        """What is owed after the last day."""
        return Fen(sum(loan.closing_fen for loan in self.loans))


def check_period(from_on: date, to_on: date, *, today: date) -> None:
    """Raise StatementPeriodInvalid where a period ends before it begins, or after today."""
    if not from_on <= to_on <= today:
        raise StatementPeriodInvalid(today=today.isoformat())


def loan_statement(
    loan_id: UUID, terms: Terms, events: Iterable[Event], *, from_on: date, to_on: date
) -> LoanStatement:
    """State a loan that began by `to_on`.

    Raises RuntimeError where the lines do not come to what the loan's state says is owed.
    """
    listed = list(events)
    told = [*_lines(terms, listed, to_on), *(line for line in _reversed(listed) if line.on <= to_on)]
    lines = list(_with_balances(sorted(told, key=lambda line: line.on)))
    state = fold(terms, listed, to_on)
    closing = lines[-1].balance_fen
    owed = state.payoff_fen - state.accrued_fen - state.penalty_accrued_fen - state.totals.suspense
    if closing != owed:
        raise RuntimeError(f"the statement of loan {loan_id} comes to {closing} on {to_on}, its state to {owed}")
    before = [line for line in lines if line.on < from_on]
    return LoanStatement(
        loan_id=loan_id,
        terms=terms,
        opening_fen=before[-1].balance_fen if before else NONE,
        lines=tuple(lines[len(before) :]),
        closing_fen=closing,
        state=state,
        next_due=_next_due(state, forecast(terms, listed, to_on)),
    )


def _lines(terms: Terms, events: Iterable[Event], until: date) -> Iterator[Line]:
    """Yield what happens to a loan by the end of a day, without balances: each event apart, and each falling due."""
    yield Line(terms.started_on, LineKind.DRAW, terms.amount_fen)
    state = fold(terms, (), terms.started_on)
    yield from (_due(row, NONE) for row in state.instalments if row.is_due)
    seen: list[Event] = []
    for event in effective(events):
        if event.value_on > until:
            break
        state = yield from _fall_due(terms, seen, state, event.value_on)
        seen.append(event)
        before, state = state, fold(terms, seen, event.value_on)
        if event.kind in TOLD:
            yield Line(event.value_on, TOLD[event.kind], NONE, event=event)
        yield from _moves(before.totals, state.totals, event.value_on)
    yield from _fall_due(terms, seen, state, until)


def _fall_due(terms: Terms, seen: list[Event], state: LoanState, until: date) -> Generator[Line, None, LoanState]:
    """Yield the instalments that fall due by a day; return the state after the last of them."""
    while (row := _upcoming(state)) is not None and row.due_on <= until:
        before, state = state, fold(terms, seen, row.due_on)
        interest = Fen(state.totals.interest_charged - before.totals.interest_charged)
        if interest or before.settled_on is None:
            yield _due(state.instalments[row.number - 1], interest)
        moves = _moves(before.totals, state.totals, row.due_on)
        yield from (line for line in moves if line.kind is not LineKind.INTEREST)
    return state


def _upcoming(state: LoanState) -> Instalment | None:
    return next((row for row in state.instalments if not row.is_due), None)


def _due(row: Instalment, interest_fen: Fen) -> Line:
    return Line(row.due_on, LineKind.INSTALMENT, interest_fen, number=row.number, due_fen=row.unpaid_fen)


def _moves(before: Totals, after: Totals, on: date) -> Iterator[Line]:
    for name, sign, kind in MOVES:
        moved = getattr(after, name) - getattr(before, name)
        if moved:
            line = Line(on, kind, Fen(sign * moved))
            if kind is LineKind.REPAYMENT and after.recovered == before.recovered:
                paid = [Fen(getattr(after, f"{part}_paid") - getattr(before, f"{part}_paid")) for part in PARTS]
                line = replace(line, paid_fen=tuple(paid))
            yield line


def _reversed(events: list[Event]) -> Iterator[Line]:
    """Yield what was reversed, whenever: told on its day, and not counted."""
    gone = {event.reverses for event in events if event.kind is EventKind.REVERSAL}
    for event in events:
        if event.number in gone and event.kind not in UNTOLD:
            yield Line(event.value_on, LineKind.REVERSED, NONE, event=event)


def _with_balances(lines: Iterable[Line]) -> Iterator[Line]:
    balance = 0
    for line in lines:
        balance += line.change_fen
        yield replace(line, balance_fen=Fen(balance))


def _next_due(now: LoanState, ahead: LoanState) -> NextDue | None:
    for row, later in zip(now.instalments, ahead.instalments, strict=False):
        left = later.total_fen - row.paid_fen
        if not row.is_due and left and now.settled_on is None:
            return NextDue(row.due_on, Fen(left))
    return None
