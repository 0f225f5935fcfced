"""`grainline books` on the ledger of a lender who has lived: reports prove themselves, Beancount proves the export."""

import asyncio
import csv
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from typer.testing import CliRunner

from grainline.desk import verify
from grainline.entry import cli
from grainline.kit.calendar import at
from grainline.kit.db import transaction
from grainline.kit.money import Fen
from grainline.ledger import product_sub
from grainline.loans import Event, EventKind
from grainline.loans.officers import record_event
from grainline.products import Component
from stage import open_stage

BEAN_CHECK = Path(sys.executable).with_name("bean-check")


@pytest.fixture(scope="module")
def lived_in(databases, town):
    """From 20 November over the year's end to 4 January; returns the year that ended."""
    return asyncio.run(_live(databases, town))


async def _live(databases, town):
    async with open_stage(databases, town) as stage:
        year = stage.today().year + (stage.today() >= date(stage.today().year, 11, 20))
        stage.clock.advance_to(at(date(year, 11, 20), time(12)))
        settled, prepaid, overdue, lost, failed = [await stage.borrower(line_fen=1_500_000) for _ in range(5)]
        loans = {person.member_id: await person.loan(10_000) for person in (settled, prepaid, overdue, lost)}
        stage.hands.set_fault("rail", "reject", mode="next", count=1)
        await failed.draw(5_000)
        await stage.work()
        for person in (overdue, lost):
            stage.hands.set_balance(person.papers.agreement, 0)
        await stage.pass_days(8)
        await prepaid.repay(loans[prepaid.member_id], 300_000)
        await _happen(stage, prepaid, loans, EventKind.FEE, 5_000)
        await _happen(stage, prepaid, loans, EventKind.COUPON, 2_000)
        await _happen(stage, overdue, loans, EventKind.REPAYMENT, 1_100_000)  # in cash, and 80.00 or so too much
        await _happen(stage, overdue, loans, EventKind.REFUND, 1_000)
        await stage.pass_days(25)
        await _happen(stage, lost, loans, EventKind.WAIVER, 100, component=Component.INTEREST)
        await _happen(stage, lost, loans, EventKind.WRITE_OFF)
        await stage.pass_days(1)
        await _happen(stage, lost, loans, EventKind.REPAYMENT, 25_000)
        payoff = (await settled.get(f"/loans/{loans[settled.member_id]}"))["payoff_fen"]
        await settled.repay(loans[settled.member_id], payoff)
        await stage.pass_days(11)
        assert stage.today() == date(year + 1, 1, 4)
        assert (await verify(stage.platform.pool))[1] == []
        return year


async def _happen(stage, person, loans, kind, amount_fen=0, *, component=None):
    async with transaction(stage.platform.pool) as tx:
        await record_event(
            tx,
            stage.platform.pack,
            Event(kind, stage.today(), 0, Fen(amount_fen), component),
            member_id=person.member_id,
            loan_id=UUID(loans[person.member_id]),
            made_by="officer",
            reason="a test",
            key=f"{kind}/{amount_fen}",
            now=stage.clock(),
        )


@pytest.fixture
def run(lived_in, environment):
    """Run `grainline books …` on the lived-in ledger."""
    return lambda *words: CliRunner().invoke(cli.app, ["books", *words])


@pytest.fixture(scope="module")
def owner(databases):
    with psycopg.connect(databases[0], autocommit=True) as connection:
        yield connection


@pytest.fixture
def open_again(owner):
    """Undo what a test closed, as only the database's owner can."""
    yield
    owner.execute("delete from ledger.closed_periods")
    owner.execute(
        "with gone as (delete from ledger.journals where kind = 'year_end' returning member_id, journal_no)"
        " delete from ledger.entries e using gone where (e.member_id, e.journal_no) = (gone.member_id, gone.journal_no)"
    )


def told(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def in_entries(owner, condition, *params):
    """Sum the ledger's entries, account by account, without our reports."""
    return dict(
        owner.execute(
            "select e.account, sum(e.amount_fen)::bigint from ledger.entries e join ledger.journals j"
            f" using (member_id, journal_no) where {condition} group by 1 having sum(e.amount_fen) <> 0",
            params,
        ).fetchall()
    )


def by_account(rows, column):
    found = Counter()
    for row in rows:
        found[row["account"]] += row[column]
    return {account: fen for account, fen in found.items() if fen}


def test_a_trial_balance_leads_from_one_day_to_another(run, owner, lived_in):
    first, last = date(lived_in, 12, 1), date(lived_in, 12, 31)
    report = told(run("trial-balance", "--from", f"{first}", "--to", f"{last}", "--json"))
    assert report["proved"] is True
    rows = report["accounts"]
    moved = {row["account"] for row in rows if row["debits_fen"] or row["credits_fen"]}
    assert {"1002", "1301", "1302", "1305", "1306", "6011", "6012", "6702", "6711", "9001"} <= moved
    assert by_account(rows, "opening_fen") | in_entries(owner, "value_on < %s", first) == by_account(
        rows, "opening_fen"
    )
    assert by_account(rows, "closing_fen") == in_entries(owner, "value_on <= %s", last)
    assert sum(row["debits_fen"] for row in rows) == report["totals"]["credits_fen"] > 0
    assert {row["product"] for row in rows if row["account"] in ("1301", "2241", "9001")} == {None}
    assert {row["product"] for row in rows if row["account"] == "6011"} == {"weilidai"}
    assert [row["name_zh"] for row in rows if row["account"] == "1301"] == ["贷款本金"]


def test_the_table_shows_both_languages_and_says_that_it_proves(run):
    shown = run("trial-balance")
    assert shown.exit_code == 0
    for words in ("贷款本金", "Loan principal", "weilidai", "合计", "Debits equal credits."):
        assert words in shown.output


def test_a_book_that_does_not_balance_ends_with_1(run, owner):
    alter = "update ledger.entries set amount_fen = amount_fen + %s where entry_no = 1"
    owner.execute(alter, (1,))
    try:
        result = run("trial-balance")
        assert result.exit_code == 1
        assert "Debits do not equal credits." in result.output
        assert run("trial-balance", "--json").exit_code == 1
    finally:
        owner.execute(alter, (-1,))


def test_income_is_what_the_accounts_of_income_and_expense_moved(run, owner, lived_in):
    first, last = date(lived_in, 12, 1), date(lived_in, 12, 31)
    [row] = told(run("income", "--from", f"{first}", "--to", f"{last}", "--json"))["products"]
    moved = in_entries(owner, "value_on between %s and %s and e.account like '6%%'", first, last)
    assert row == {
        "product": "weilidai",
        "interest_fen": -moved["6011"],
        "penalty_fen": -moved["6012"],
        "fees_fen": 0,
        "discounts_fen": 0,
        "waivers_fen": -100,
        "recoveries_fen": 25_000,
        "credit_losses_fen": -moved["6702"],
        "result_fen": -sum(moved.values()),
    }
    assert row["credit_losses_fen"] < -1_000_000 < 0 < row["penalty_fen"] < row["interest_fen"]
    november = told(run("income", "--to", f"{lived_in}-11-30", "--json"))["products"][0]
    assert (november["fees_fen"], november["discounts_fen"], november["credit_losses_fen"]) == (5_000, -2_000, 0)
    assert "利息收入" in run("income").output


def test_control_accounts_agree_with_loans_and_closed_days(run):
    rows = told(run("controls", "--json"))
    found = {row["account"]: row for row in rows if row["product"] == "weilidai"}
    assert set(found) >= {"1301", "1302", "2241", "9001", "1305", "1306"}
    assert [row["difference_fen"] for row in rows] == [0] * len(rows)
    assert all(found[account]["ledger_fen"] for account in ("1301", "1305", "9001"))
    assert found["2241"]["ledger_fen"] < 0


@pytest.mark.parametrize(
    ("account", "damage"),
    [
        ("1301", "update ledger.balances set balance_fen = balance_fen {} 7 where account = '1301'"),
        ("9001", "update ledger.balances set balance_fen = balance_fen {} 7 where account = '9001'"),
        ("1305", "update ledger.entries set amount_fen = amount_fen {} 7 where entry_no ="
                 " (select max(entry_no) from ledger.entries where account = '1305' and member_id = 0)"),
        ("1305", "update loans.closed_days d set accrued_fen = accrued_fen {} 7 where product = 'weilidai'"
                 " and day = (select max(day) from loans.closed_days)"),
    ],
)  # fmt: skip
def test_a_control_account_that_differs_is_shown_and_ends_with_1(run, owner, account, damage):
    owner.execute(damage.format("+"))
    try:
        result = run("controls", "--json")
    finally:
        owner.execute(damage.format("-"))
    assert result.exit_code == 1
    assert {row["account"] for row in json.loads(result.stdout) if row["difference_fen"]} == {account}
    assert "difference" in run("controls").output


@pytest.mark.parametrize("words", [(), ("--from", "{year}-12-01"), ("--from", "{year}-11-25", "--to", "{year}-12-31")])
def test_beancount_proves_an_export(run, lived_in, tmp_path, words):
    file = tmp_path / "ledger.beancount"
    words = [word.format(year=lived_in) for word in words]
    result = run("export", "--out", str(file), *words)
    assert result.exit_code == 0, result.output
    checked = subprocess.run([str(BEAN_CHECK), str(file)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    text = file.read_text(encoding="utf-8")
    assert text.count(" balance ") == text.count(" open ") > 10
    assert ('* "opening"' in text) is bool(words)
    printed = run("export", *words)
    assert printed.stdout == text  # the same book, the same file


def _another(digit):
    return str((int(digit[1]) + 1) % 10)


@pytest.mark.parametrize("place", ["entry", "balance"])
def test_beancount_would_have_seen_a_fen(run, tmp_path, place):
    """Without this, a check that checks nothing would pass."""
    lines = run("export").stdout.splitlines()
    wanted = " balance Assets:1301-Loan-principal " if place == "balance" else "  Assets:1301-Loan-principal  "
    [*_, number] = [number for number, line in enumerate(lines) if wanted in line]
    lines[number] = re.sub(r"(\d)(?= (~ 0 )?CNY$)", _another, lines[number], count=1)
    (tmp_path / "altered.beancount").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = [str(BEAN_CHECK), str(tmp_path / "altered.beancount")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1


def test_each_journal_is_a_transaction_that_knows_its_key(run, owner):
    text = run("export").stdout
    [(count,)] = owner.execute("select count(*) from ledger.journals").fetchall()
    assert text.count("\n  journal: ") == text.count("\n  key: ") == count
    [(key, kind)] = owner.execute(
        "select idempotency_key, kind from ledger.journals where kind = 'write_off'"
    ).fetchall()
    assert f'* "{kind}"\n  key: "{key}"\n  kind: "{kind}"\n' in text
    for name in ("Assets:1002-Rail-clearing:Weilidai", "Equity:Memo:9001-Written-off-claims", "Income:6011-"):
        assert name in text


def test_csv_has_one_line_an_entry(run, owner):
    rows = list(csv.DictReader(run("export", "--format", "csv").stdout.splitlines()))
    entries = owner.execute(
        "select account, sub::text, amount_fen from ledger.entries join ledger.journals using (member_id, journal_no)"
        " order by value_on, journal_no, account, sub"
    ).fetchall()
    amounts = [Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0) for row in rows]
    assert [(row["account"], row["sub"], int(fen * 100)) for row, fen in zip(rows, amounts, strict=True)] == entries
    assert {row["product"] for row in rows if row["sub"] == str(product_sub("weilidai"))} == {"weilidai"}
    assert {row["name_zh"] for row in rows if row["account"] == "1301"} == {"贷款本金"}


@pytest.mark.parametrize(
    "words",
    [
        ("trial-balance", "--as-of", "tomorrow"),
        ("trial-balance", "--to", "2999-01-01"),
        ("income", "--from", "2026-13-01"),
        ("income", "--from", "2026-02-02", "--to", "2026-02-01"),
        ("export", "--format", "xml"),
        ("export", "--to", "2999-01-01"),
        ("export", "--out", "/nowhere/at/all"),
        ("close", "november"),
        ("close", "2026-02-30"),
        ("close", "2999-12-31"),
        ("close", ""),
    ],
)
def test_what_makes_no_sense_ends_with_2_and_says_why(run, words):
    result = run(*words)
    assert result.exit_code == 2
    assert result.stderr.startswith("grainline books: ")
    assert result.stdout == ""


def test_periods_close_in_order_and_once(run, lived_in, owner, open_again, databases):
    def refused(day, words):
        result = run("close", f"{day}")
        assert (result.exit_code, words in result.stderr) == (2, True), result.output

    november, december, january = date(lived_in, 11, 30), date(lived_in, 12, 31), date(lived_in + 1, 1, 31)
    refused(date(lived_in, 11, 29), f"a period ends like {november}")
    refused(january, "not over yet")
    refused(december, f"the next one ends on {november}")
    refused(date(lived_in, 10, 31), f"the next one ends on {november}")
    closed = run("close", f"{november}")
    assert (closed.exit_code, "is closed." in closed.output) == (0, True), closed.output
    again = run("close", f"{november}", "--by", "somebody else")
    assert (again.exit_code, "closed already" in again.output) == (0, True)
    refused(date(lived_in, 10, 31), f"the next one ends on {december}")
    assert told(run("close", f"{december}", "--json")) == {"ends_on": f"{december}", "closed": True, "now": True}
    assert owner.execute("select ends_on, closed_by from ledger.closed_periods order by 1").fetchall() == [
        (november, "operator"),
        (december, "operator"),
    ]
    refused(january, "not over yet")


def test_a_year_ends_in_retained_earnings(run, lived_in, owner, open_again):
    span = ("--from", f"{lived_in}-01-01", "--to", f"{lived_in}-12-31", "--json")
    [before] = told(run("income", *span))["products"]
    for day in (f"{lived_in}-11-30", f"{lived_in}-12-31"):
        assert run("close", day).exit_code == 0
    closing = told(run("trial-balance", "--as-of", f"{lived_in}-12-31", "--json"))["accounts"]
    left = {(row["account"], row["product"]): row["closing_fen"] for row in closing if row["account"][0] in "46"}
    assert left.pop(("4104", "weilidai")) == -before["result_fen"] != 0
    assert set(left.values()) == {0}
    assert told(run("income", *span))["products"] == [before]  # the year still earned what it earned
    assert run("controls").exit_code == 0
    january = told(run("income", "--from", f"{lived_in + 1}-01-01", "--json"))["products"]
    assert january[0]["interest_fen"] > 0
    [(lines, total)] = owner.execute(
        "select count(*), sum(amount_fen) from ledger.entries join ledger.journals using (member_id, journal_no)"
        " where kind = 'year_end' and member_id = 0"
    ).fetchall()
    assert (lines, total) == (len(left) + 1, 0)


@pytest.mark.parametrize("hidden", ["day = '{year}-11-25'", "day < '{year}-12-01'"], ids=["a day", "every day"])
def test_a_period_waits_for_its_days(run, lived_in, owner, open_again, hidden):
    hidden = "update loans.closed_days set product = %s where product = %s and " + hidden.format(year=lived_in)
    owner.execute(hidden, ("hidden", "weilidai"))
    try:
        result = run("close", f"{lived_in}-11-30")
    finally:
        owner.execute(hidden, ("weilidai", "hidden"))
    assert result.exit_code == 2
    assert re.search(f"{lived_in}-11-2[05] is not closed for weilidai", result.stderr)


def test_a_period_waits_for_its_draws(run, lived_in, owner, open_again):
    alter = "update loans.draws set state = '{}', ask_at = {} where state = '{}'"
    owner.execute(alter.format("sent", "failed_at", "failed"))
    try:
        result = run("close", f"{lived_in}-11-30")
    finally:
        owner.execute(alter.format("failed", "null", "sent"))
    assert result.exit_code == 2
    assert "whether it paid 1 draws" in result.stderr


def test_the_proof_sees_what_was_slipped_into_a_closed_period(run, lived_in, owner, open_again, databases):
    assert run("close", f"{lived_in}-11-30").exit_code == 0

    def checks():
        report = json.loads(CliRunner().invoke(cli.app, ["verify", "--json"]).stdout)
        return {finding["check"] for finding in report["findings"]}

    assert checks() == set()
    [(number,)] = owner.execute("select max(journal_no) from ledger.journals where kind = 'accrual'").fetchall()
    owner.execute("update ledger.closed_periods set through_journal = %s", (number - 1,))
    owner.execute("update ledger.journals set value_on = value_on - 40 where journal_no = %s", (number,))
    try:
        assert checks() == {"closed_period", "accrual_has_closed_day"}
    finally:
        owner.execute("update ledger.journals set value_on = value_on + 40 where journal_no = %s", (number,))
        owner.execute("update ledger.closed_periods set through_journal = %s", (number + 1,))
    assert checks() == set()
