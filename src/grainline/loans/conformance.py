"""Hold the fold against cases with known figures: files of the form of Apache Fineract's own test cases.

A case names its terms, its events and the rows they must lead to. How it is read is in `conformance_case.py`. Every
figure that a case gives and a loan has is compared, to the cent.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from grainline.loans.conformance_case import Case, as_of, read_case
from grainline.loans.conformance_events import Unsupported
from grainline.loans.events import Event, EventKind
from grainline.loans.fold import fold, forecast
from grainline.loans.state import Instalment, LoanState
from grainline.loans.terms import Terms

SUMMED = ("interest", "fees", "penalties", "due", "paid", "in_advance", "late", "outstanding")


class BadCases(ValueError):
    """A file that is no list of cases; the message names it."""


@dataclass
class Report:
    """What came of running cases: how many, how many exact, which differ and where, which cannot be said and why."""

    cases: int = 0
    exact: int = 0
    differ: list[dict[str, str]] = field(default_factory=list)
    unsupported: list[dict[str, str]] = field(default_factory=list)


def read_cases(path: Path) -> list[Case]:
    """Read a file of cases; raise BadCases."""
    try:
        cases = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadCases(f"{path}: {error}") from error
    if not isinstance(cases, list) or not all(isinstance(case, dict) and "id" in case for case in cases):
        raise BadCases(f"{path}: not a list of cases with an id each")
    return cases


def run(cases: Iterable[Case]) -> Report:
    """Run cases and say which are reproduced to the cent, which differ and where, and which are not supported."""
    report = Report()
    for case in cases:
        report.cases += 1
        try:
            differences = _differences(case)
        except Unsupported as reason:
            report.unsupported.append({"id": str(case["id"]), "why": str(reason)})
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            why = f"not of the form of a case: {type(error).__name__}: {error}"
            report.unsupported.append({"id": str(case["id"]), "why": why})
        else:
            report.differ += [{"id": str(case["id"])} | difference for difference in differences]
            report.exact += not differences
    return report


def _differences(case: Case) -> list[dict[str, str]]:
    if "given" in case:  # a published loan, with the rows that were recomputed for it
        rows = next(value for key, value in case.items() if key.startswith("recomputed_rows"))
        case = {**case, "rows_of": rows, "expected": {"rows": rows}, "as_of": rows[0]["due_date"]}
    terms, events = read_case(case)
    now, ahead = fold(terms, events, as_of(case)), forecast(terms, events, as_of(case))
    expected = case["expected"]["rows"]
    if len(expected) != len(ahead.instalments):
        return [_difference("rows", len(expected), len(ahead.instalments))]
    got = _rows(terms, events, now, ahead)
    found = []
    for number, (row, mine) in enumerate(zip(expected, got, strict=True), 1):
        found += [
            _difference(f"row {row.get('nr', number)} {name}", row[name], value)
            for name, value in mine.items()
            if not _same(row, name, value)
        ]
    totals: dict[str, Any] = {name: sum(row[name] for row in got) for name in SUMMED}
    totals["principal_due"] = sum(row["principal"] for row in got)
    wanted = case["expected"].get("totals") or {}
    return found + [
        _difference(f"totals {name}", wanted[name], value)
        for name, value in totals.items()
        if not _same(wanted, name, value)
    ]


def _difference(where: str, expected: object, got: object) -> dict[str, str]:
    return {"where": where, "expected": str(expected), "got": str(got)}


def _rows(terms: Terms, events: list[Event], now: LoanState, ahead: LoanState) -> list[dict[str, Any]]:
    lent = {event.value_on: event.amount_fen for event in events if event.kind is EventKind.REFUND}
    lent_again = sum(row.principal_fen for row in ahead.instalments) > terms.amount_fen
    left, before = int(terms.amount_fen), terms.anchored_on or terms.started_on
    rows = []
    for paid, planned in zip(now.instalments, ahead.instalments, strict=True):
        left -= planned.principal_fen
        if lent_again:
            left += sum(amount for on, amount in lent.items() if before < on <= planned.due_on)
        rows.append(_row(paid, planned, left, (planned.due_on - before).days))
        before = planned.due_on
    return rows


def _row(paid: Instalment, planned: Instalment, left: int, days: int) -> dict[str, Any]:
    return {
        "due_date": planned.due_on,
        "days": days,
        "paid_date": paid.paid_on if paid.paid_fen == planned.total_fen else None,
        "balance_after": _cents(left),
        "principal": _cents(planned.principal_fen),
        "interest": _cents(planned.interest_fen),
        "fees": _cents(planned.fee_fen),
        "penalties": _cents(planned.penalty_fen),
        "due": _cents(planned.total_fen),
        "paid": _cents(paid.paid_fen),
        "in_advance": _cents(paid.paid_early_fen),
        "late": _cents(paid.paid_late_fen),
        "outstanding": _cents(planned.total_fen - paid.paid_fen),
    }


def _same(expected: Case, name: str, got: object) -> bool:
    """Hold a figure against ours; one that is not given, or given as nothing, is not held, but for when it was paid."""
    wanted = expected.get(name)
    if name not in expected or (wanted is None and name != "paid_date"):
        return True
    if isinstance(got, Decimal | int):
        return Decimal(str(wanted)) == got
    return (date.fromisoformat(wanted) if wanted else None) == got


def _cents(amount_fen: int) -> Decimal:
    return Decimal(amount_fen) / 100
