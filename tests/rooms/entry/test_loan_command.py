"""`grainline loan show|record|refund`: what a loan owes, what officers make, and what is told of wrong input."""

import asyncio
import json
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from grainline.entry import cli
from stage import new_key, open_stage

MADE = ("--by", "li", "--reason", "a test", "--key")


@pytest.fixture
def run(environment, monkeypatch):
    """Run `grainline loan …` on the module's database and sandbox; return code, stdout, and stderr as one line."""
    monkeypatch.setenv("COLUMNS", "300")

    def call(*words):
        result = CliRunner().invoke(cli.app, ["loan", *map(str, words)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, " ".join(result.stderr.replace("│", " ").split())

    return call


@pytest.fixture
def loan(databases, town):
    """Member and id of a loan of 1,000 that somebody has just been paid."""

    async def borrow():
        async with open_stage(databases, town) as stage:
            person = await stage.borrower()
            return person.member_id, await person.loan(1_000)

    return asyncio.run(borrow())


def work(databases, town):
    """Do what is due, and return what the proof finds."""

    async def look():
        async with open_stage(databases, town) as stage:
            await stage.work()
            return await stage.proof()

    return asyncio.run(look())


def shown(run, loan):
    code, out, _ = run("show", *loan, "--json")
    assert code == 0
    return json.loads(out)


def test_a_loan_is_shown_row_by_row(run, loan):
    found = shown(run, loan)
    assert (found["outstanding_fen"], found["due_fen"], found["payoff_fen"]) == (100_000, 0, 100_000)
    assert (found["suspense_fen"], found["bucket"], found["settled_on"]) == (0, "M0", None)
    assert [row["principal_fen"] for row in found["instalments"]] == [20_000] * 5
    assert found["events"] == []
    code, out, _ = run("show", *loan)
    assert code == 0
    assert "outstanding 1,000.00" in out
    assert out.count("200.00") >= 5


def test_an_event_is_made_once_and_told(run, loan):
    fee = ("record", *loan, "fee", "--amount", "12.5", *MADE, "my-own-key")
    code, out, _ = run(*fee, "--json")
    made = json.loads(out)
    assert (code, made["payoff_fen"]) == (0, 101_250)
    [event] = made["events"]
    assert (event["kind"], event["number"], event["amount_fen"], event["value_on"]) == ("fee", 1, 1_250, made["as_of"])
    assert run(*fee)[0] == 0
    assert shown(run, loan)["events"] == made["events"]
    assert "1. " in run("show", *loan)[1]
    code, _, told = run("record", *loan, "fee", "--amount", "13", *MADE, "my-own-key")
    assert (code, told) == (2, "grainline loan: This Idempotency-Key was used for another request")
    assert run("record", *loan, "reversal", "--reverses", 1, *MADE, new_key())[0] == 0
    assert shown(run, loan)["payoff_fen"] == 100_000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["fee"], "a fee needs an amount above nought"),
        (["waiver", "--amount", "5"], "a waiver needs a component that can be waived: fee, penalty or interest"),
        (["discount", "--share", "100"], "a discount needs a date until when, later than "),
        (["discount", "--until", "2099-01-01"], "a discount needs a share above nought, at most 10000"),
        (["discount", "--share", "10001", "--until", "2099-01-01"], "Invalid value for '--share'"),
        (["reschedule", "--until", "2099-01-01"], "a reschedule needs a number of instalments above nought"),
        (["reschedule", "--until", "2099-01-01", "--instalments", "-3"], "Invalid value for '--instalments'"),
        (["reversal"], "a reversal needs the number of the event that it reverses"),
        (["reversal", "--reverses", "7"], "grainline loan: Event 7 does not exist"),
        (["fee", "--amount", "1.005"], "'1.005' is no amount in yuan with up to two decimals"),
        (["fee", "--amount", "-5"], "'-5' is no amount in yuan"),
        (["fee", "--amount", "1e3"], "'1e3' is no amount in yuan"),
        (["fee", "--amount", "9" * 30], "is no amount in yuan"),
        (["fee", "--amount", "5", "--on", "yesterday"], "'yesterday' is no date; write YYYY-MM-DD"),
        (["fee", "--amount", "5", "--on", "1999-01-01"], "grainline loan: The date of this event must lie between"),
        (["refund", "--amount", "5"], "grainline loan: This loan does not allow that now (more_than_suspense)."),
        (["gift", "--amount", "5"], "'gift' is not one of"),
    ],
)
def test_wrong_input_is_told_in_a_sentence_and_makes_nothing(run, loan, words, told):
    code, out, error = run("record", *loan, *words, *MADE, new_key())
    assert (code, out) == (2, "")
    assert told in error
    assert "Event(" not in error
    assert shown(run, loan)["events"] == []


@pytest.mark.parametrize("command", [["show"], ["record"], ["refund"]])
def test_a_loan_that_is_not_there_or_somebody_elses_is_not_found(run, loan, command):
    more = {"show": [], "record": ["fee", "--amount", "5", *MADE, new_key()], "refund": [*MADE, new_key()]}
    for member, loan_id in ((loan[0] + 1, loan[1]), (loan[0], uuid4())):
        code, out, error = run(*command, member, loan_id, *more[command[0]])
        assert (code, out, error) == (2, "", "grainline loan: There is no such loan")
    assert run(*command, loan[0], "not-an-id", *more[command[0]])[0] == 2


def test_an_officer_has_what_is_held_refunded(run, loan, databases, town):
    assert run("record", *loan, "repayment", "--amount", "1070", *MADE, new_key())[0] == 0
    code, _, error = run("refund", *loan, "--amount", "70.01", *MADE, "refund-1")
    assert (code, error.partition(" that ")[0]) == (2, "grainline loan: 70 yuan are held")
    code, out, _ = run("refund", *loan, "--amount", "20", *MADE, "refund-1", "--json")
    part = json.loads(out)
    assert (code, part["state"], part["amount_fen"]) == (0, "requested", 2_000)
    assert json.loads(run("refund", *loan, "--amount", "20", *MADE, "refund-1", "--json")[1]) == part
    code, out, _ = run("refund", *loan, *MADE, "refund-2")
    assert code == 0
    assert "requested: 50.00" in out
    assert work(databases, town) == []
    assert json.loads(run("refund", *loan, "--amount", "20", *MADE, "refund-1", "--json")[1])["state"] == "paid"
    found = shown(run, loan)
    assert (found["suspense_fen"], [event["kind"] for event in found["events"]]) == (
        0,
        ["repayment", "refund", "refund"],
    )
    assert run("refund", *loan, "--amount", "0", *MADE, new_key())[2] == (
        "grainline loan: A refund must be more than nothing"
    )
