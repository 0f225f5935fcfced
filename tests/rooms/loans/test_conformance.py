"""The loan's arithmetic against cases with known figures, and what is said of cases it cannot reproduce."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grainline.entry.cli import app
from grainline.loans.conformance import BadCases, read_cases, run

CASES = Path(__file__).parents[4] / "shared" / "data" / "loan_cases"
beside = pytest.mark.skipif(not CASES.exists(), reason="../shared/data/loan_cases is not beside this checkout")

# 1,200 over three months at 12 %, thirds of a year of 360 days: 12, 8 and 4 of interest on 400 each
CASE = {
    "id": "own-1",
    "title": "equal principal",
    "as_of": "2026-01-15",
    "rounding": "2 digits; HALF_EVEN",
    "product": {
        "principal": "1200",
        "annual_rate_pct": "12",
        "day_count": "30/360",
        "amortization": "equal_principal",
        "number_of_repayments": 3,
        "repay_every": "1 MONTHS",
        "start_date": "2026-01-15",
    },
    "events": [{"type": "disburse", "date": "2026-01-15", "amount": "1200"}],
    "expected": {
        "rows": [
            {"nr": 1, "due_date": "2026-02-15", "days": 31, "principal": "400", "interest": "12.00", "paid_date": None},
            {"nr": 2, "due_date": "2026-03-15", "days": 28, "principal": "400", "interest": "8.0", "due": "408"},
            {"nr": 3, "due_date": "2026-04-15", "days": 31, "principal": "400", "interest": "4", "balance_after": "0"},
        ],
        "totals": {"principal_due": "1200", "interest": "24.0", "outstanding": "1224.00"},
    },
}


def case(**changes):
    """The case with its product's keys and its own changed."""
    changed = deepcopy(CASE)
    for key, value in changes.items():
        (changed["product"] if key not in CASE else changed)[key] = value
    return changed


def why(**changes):
    """Why the changed case is not supported."""
    report = run([case(**changes)])
    assert (report.exact, report.differ) == (0, [])
    [found] = report.unsupported
    return found["why"]


def told(type_, text="", **more):
    return [*CASE["events"], {"type": type_, "text": text, **more}]


@beside
def test_every_case_that_can_be_said_is_reproduced_to_the_cent():
    report = run(read_cases(CASES / "schedule_cases.json"))
    assert report.differ == []
    assert (report.cases, report.exact) == (60, 59)
    assert report.unsupported == [
        {"id": "fin-emi-04-s1", "why": "its title names a reschedule that is not among its events"}
    ]


@beside
def test_a_published_loan_by_the_day_is_reproduced():
    report = run(read_cases(CASES / "weilidai_case.json"))
    assert (report.cases, report.exact, report.differ, report.unsupported) == (1, 1, [], [])


def test_a_case_of_our_own_and_where_it_differs():
    assert run([CASE]).exact == 1
    rows = deepcopy(CASE["expected"])
    rows["rows"][1] |= {"interest": "8.01", "paid_date": "2026-03-15"}
    rows["totals"]["interest"] = "24.01"
    assert run([case(expected=rows)]).differ == [
        {"id": "own-1", "where": "row 2 paid_date", "expected": "2026-03-15", "got": "None"},
        {"id": "own-1", "where": "row 2 interest", "expected": "8.01", "got": "8"},
        {"id": "own-1", "where": "totals interest", "expected": "24.01", "got": "24"},
    ]
    fewer = run([case(expected={"rows": CASE["expected"]["rows"][:2]})])
    assert fewer.differ == [{"id": "own-1", "where": "rows", "expected": "2", "got": "3"}]


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        ("day count '30/365'", {"day_count": "30/365"}),
        ("30/360 with periods of days or weeks", {"repay_every": "2 WEEKS"}),
        ("repayment every '1 FORTNIGHT'", {"repay_every": "1 FORTNIGHT"}),
        ("amortization 'balloon'", {"amortization": "balloon"}),
        ("rounding '2 digits; HALF_DOWN'", {"rounding": "2 digits; HALF_DOWN"}),
        ("rounding '0 digits'", {"rounding": "0 digits"}),
        ("reschedule strategy 'WAIT'", {"reschedule_strategy": "WAIT"}),
        ("payment strategy 'HEAVENLY_ORDER'", {"payment_strategy": "HEAVENLY_ORDER"}),
        ("the product says 'balloon_amount', which is not known", {"balloon_amount": "100"}),
        ("interest type 'FLAT'", {"interest_type": "FLAT"}),
        ("flat interest", {"fineract_product": "LP1_INTEREST_FLAT"}),
        ("interest on interest", {"fineract_product": "LP1_RECALCULATION_COMPOUNDING_MONTHLY"}),
        ("0.005 is not a whole number of cents", {"instalment_rounded_to_multiple_of": "0.005"}),
        ("annual_rate_pct has more places", {"annual_rate_pct": "12.00000001"}),
        ("interest is put off beyond", {"interest_free_periods": 1}),
        ("interest that stays as planned", {"fineract_product": "LP1_DECLINING", "as_of": "2026-03-01"}),
        ("its title names a reschedule", {"title": "a reschedule"}),
        ("more than one disbursement", {"events": CASE["events"] * 2}),
        ("an event after the date", {"events": told("repayment", date="2026-01-16", amount="1")}),
        ("event 'write_off'", {"events": told("write_off", date="2026-01-15", amount="1")}),
        ("event 'waiver'", {"events": told("waiver", date="2026-01-15", amount="1")}),
        ("event 'repayment' of kind 'CHARGEBACK'", {"events": told("repayment", kind="CHARGEBACK", amount="1")}),
        ("a penalty of a fixed amount", {"events": told("charge", kind="PENALTY", date="2026-01-15", amount="1")}),
        ("a fee on a due date", {"events": told("fee", date="2026-02-15", amount="1")}),
        ("event 'the moon is full'", {"events": told("other", "the moon is full")}),
        ("the disbursement itself is undone", {
            "events": told("other", 'undo "1"th transaction made on "15 January 2026"')
        }),
        ("not of the form of a case: IndexError", {
            "events": told("other", 'undo "7"th transaction made on "15 January 2026"')
        }),
        ("future installment allocation rule 'NONE'", {"payment_strategy": "ADVANCED_PAYMENT_ALLOCATION, future=NONE"}),
        ("not of the form of a case: KeyError: 'rows'", {"expected": {}}),
        ("not of the form of a case", {"start_date": "last week"}),
        ("not of the form of a case", {"number_of_repayments": None}),
    ],
)  # fmt: skip
def test_what_the_rules_cannot_say_is_told_with_the_reason(said, changes):
    assert said in why(**changes)


def test_keys_that_are_not_there_mean_their_defaults():
    bare = {key: value for key, value in case().items() if key not in ("title", "as_of", "rounding", "events")}
    assert run([bare]).exact == 1


def test_shares_are_rounded_to_the_cent_and_the_last_takes_the_rest():
    """5,000 in 18: 277.78 seventeen times, and 277.74."""
    rows = [{"principal": "277.78"}] * 17 + [{"principal": "277.74"}]
    changed = case(principal="5000", number_of_repayments=18, events=[], expected={"rows": rows})
    assert run([changed]).exact == 1


def test_interest_that_is_put_off_comes_with_the_first_instalment_that_has_any():
    rows = [{"interest": "0"}, {"interest": "0"}, {"interest": "36"}]
    changed = case(grace_on_principal=2, interest_free_periods=2, expected={"rows": rows})
    assert run([changed]).exact == 1


def test_a_fee_is_in_the_instalment_of_its_period():
    rows = [{"fees": "0"}, {"fees": "7.5"}, {"fees": "0"}]
    fee = told("fee", date="2026-03-01", amount="7.50")
    assert run([case(events=fee, as_of="2026-03-01", expected={"rows": rows})]).exact == 1


def test_a_file_that_is_none_is_refused(tmp_path):
    for text in ("", "{}", '["a"]', "[{}]", "[" * 100_000, "\xff"):
        file = tmp_path / "cases.json"
        file.write_text(text, encoding="latin-1")
        with pytest.raises(BadCases, match=r"cases\.json"):
            read_cases(file)
    with pytest.raises(BadCases, match="absent"):
        read_cases(tmp_path / "absent.json")


def test_the_command_tells_json_and_ends_by_what_it_found(tmp_path):
    file = tmp_path / "cases.json"

    def command(*cases, words=("--json",)):
        file.write_text(json.dumps(cases), encoding="utf-8")
        return CliRunner().invoke(app, ["conformance", str(file), *words])

    odd, wrong = case(id="odd", day_count="1/2"), case(id="wrong", principal="1300", events=[])
    fine = command(CASE, odd)
    assert (fine.exit_code, json.loads(fine.stdout)) == (
        0,
        {"cases": 2, "exact": 1, "differ": [], "unsupported": [{"id": "odd", "why": "day count '1/2'"}]},
    )
    differs = command(CASE, wrong)
    assert differs.exit_code == 1
    assert set(json.loads(differs.stdout)["differ"][0]) == {"id", "where", "expected", "got"}
    assert "2 cases: 1 exact to the cent, 1 differ, 0 not supported." in command(CASE, wrong, words=()).stdout
    file.write_text("nothing", encoding="utf-8")
    assert CliRunner().invoke(app, ["conformance", str(file)]).exit_code == 2
