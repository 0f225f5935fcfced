"""The statement: its amounts add up whatever happened, and come to what the loan itself says is owed."""

import csv
import io
import itertools
from datetime import date, timedelta

import pytest
from document_samples import EVENTS, LOAN, TERMS, stated, statement
from hypothesis import given
from hypothesis import strategies as st
from loan_lives import Life, lives

from grainline.loans.events import Event, EventKind
from grainline.loans.fold import fold
from grainline.loans.statement import (
    LineKind,
    LoanStatement,
    StatementPeriodInvalid,
    check_period,
    loan_statement,
)
from grainline.loans.statement_document import as_text, statement_csv

MARCH, JULY = date(2026, 3, 1), date(2026, 7, 10)


def test_a_life_told_line_by_line() -> None:
    """Lent 10,000 at 0.05 % a day; 28 days of it are 140.00, due with 1,000.00 of principal on 28 February."""
    told = [(line.on.isoformat(), line.kind, line.change_fen) for line in stated(TERMS.started_on, JULY).lines]
    assert told[:4] == [
        ("2026-01-31", LineKind.DRAW, 1_000_000),
        ("2026-02-28", LineKind.INSTALMENT, 14_000),
        ("2026-02-28", LineKind.REPAYMENT, -115_000),
        ("2026-03-05", LineKind.FEE, 2_000),
    ]
    # 8,990.00 is left after it: 31 days to 31 March are 139.35, of which 12.5 % over the last 21 and the coupon go back
    assert told[4:8] == [
        ("2026-03-06", LineKind.COUPON, 0),
        ("2026-03-10", LineKind.DISCOUNT, 0),
        ("2026-03-31", LineKind.INSTALMENT, 13_935),
        ("2026-03-31", LineKind.GIVEN_BACK, -2_180),
    ]
    assert {kind for _, kind, _ in told} == set(LineKind) - {LineKind.REFUND}


def test_a_repayment_says_what_it_paid_of_what() -> None:
    [first, second, third] = [line for line in stated(MARCH, JULY).lines if line.kind is LineKind.REPAYMENT] + [
        line for line in stated(TERMS.started_on, MARCH).lines if line.kind is LineKind.REPAYMENT
    ]
    for line in (first, second, third):
        assert sum(line.paid_fen or ()) == -line.change_fen
    assert third.paid_fen == (101_000, 14_000, 0, 0)
    assert first.paid_fen is not None
    assert first.paid_fen[2:] == (891, 2_000)  # 12 days of penalty on 990.00 at 0.075 % a day; the fee


def test_what_was_reversed_is_told_and_not_counted() -> None:
    [line] = [line for line in stated(MARCH, JULY).lines if line.kind is LineKind.REVERSED]
    assert (line.on, line.change_fen, line.event) == (date(2026, 4, 20), 0, EVENTS[5])


def test_periods_join_without_a_gap() -> None:
    parts = [stated(date(2026, month, 1), date(2026, month + 1, 1) - timedelta(days=1)) for month in range(1, 7)]
    assert parts[0].opening_fen == 0
    for before, after in itertools.pairwise(parts):
        assert before.closing_fen == after.opening_fen
    whole = stated(TERMS.started_on, date(2026, 6, 30))
    assert sum((part.lines for part in parts), ()) == whole.lines


@given(lives, st.integers(0, 400), st.integers(0, 400))
def test_amounts_add_up_over_any_part_of_any_life(life: Life, start: int, length: int) -> None:
    to_on = min(life.terms.started_on + timedelta(days=start + length), life.today)
    from_on = min(life.terms.started_on + timedelta(days=start), to_on)
    found = loan_statement(LOAN, life.terms, life.events, from_on=from_on, to_on=to_on)
    balance = found.opening_fen
    for line in found.lines:
        assert from_on <= line.on <= to_on
        balance += line.change_fen
        assert line.balance_fen == balance
    assert found.closing_fen == balance
    state = fold(life.terms, life.events, to_on)
    accrued = state.accrued_fen + state.penalty_accrued_fen
    assert balance == state.payoff_fen - accrued - state.totals.suspense
    _check_money(life, found)


def _check_money(life: Life, found: LoanStatement) -> None:
    """Every repayment of the period that stands is on a line of its own, whole."""
    gone = {event.reverses for event in life.events if event.kind is EventKind.REVERSAL}
    paid = [
        -event.amount_fen
        for event in sorted(life.events, key=lambda event: (event.value_on, event.amount_fen))
        if event.kind is EventKind.REPAYMENT and event.number not in gone
        if max(life.terms.started_on, found.lines[0].on if found.lines else date.max) <= event.value_on
        if event.value_on <= found.state.as_of
    ]
    told = [line for line in found.lines if line.kind is LineKind.REPAYMENT]
    assert sorted(line.change_fen for line in told) == sorted(paid)


def test_what_is_due_next_is_what_will_be_due_on_that_day() -> None:
    found = stated(MARCH, JULY)
    assert found.next_due is not None
    assert found.next_due.due_on == date(2026, 7, 31)  # where the new plan begins
    assert found.next_due.amount_fen == fold(TERMS, EVENTS, found.next_due.due_on).due_fen


def test_a_settled_loan_is_owed_nothing_and_has_nothing_due() -> None:
    payoff = fold(TERMS, EVENTS, JULY).payoff_fen
    events = (*EVENTS, Event(EventKind.REPAYMENT, JULY, 11, payoff))
    found = loan_statement(LOAN, TERMS, events, from_on=JULY, to_on=date(2026, 12, 31))
    assert (found.closing_fen, found.next_due) == (0, None)
    assert found.state.settled_on == JULY
    assert found.lines[-1].kind is LineKind.REPAYMENT  # no instalments of nothing after it


@pytest.mark.parametrize(
    ("from_on", "to_on"), [(JULY, MARCH), (MARCH, JULY + timedelta(days=1))], ids=["backwards", "beyond today"]
)
def test_a_period_must_be_one_and_be_over(from_on: date, to_on: date) -> None:
    with pytest.raises(StatementPeriodInvalid):
        check_period(from_on, to_on, today=JULY)
    check_period(MARCH, JULY, today=JULY)


@pytest.mark.parametrize(("language", "first"), [("zh", "借款编号"), ("en", "Loan number")])
def test_the_csv_is_what_spreadsheets_expect_and_adds_up(language: str, first: str) -> None:
    content = statement_csv(statement(), language=language)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\n") == content.count(b"\r\n")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows[0][0] == first
    assert {len(row) for row in rows} == {10}
    for loan in statement().loans:
        own = [row for row in rows if row[0] == str(loan.loan_id)]
        opening, closing = _fen(own[0][5]), _fen(own[-1][5])
        assert opening + sum(_fen(row[3]) - _fen(row[4]) for row in own) == closing == loan.closing_fen


def _fen(text: str) -> int:
    return int(text.replace(".", "")) if text else 0


@pytest.mark.parametrize("cell", ["=1+1", "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "--1"])
def test_no_cell_is_taken_for_a_formula(cell: str) -> None:
    assert as_text(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["还款", "-5.00", "12", "2026-01-31", ""])
def test_what_is_no_formula_stays_as_it_is(cell: str) -> None:
    assert as_text(cell) == cell
