"""`grainline decision show|replay`: what is told, and the code that a script goes by."""

import asyncio
import json
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from deciding_stage import applicant, cast
from grainline.entry import cli
from stage import new_key, open_stage

NOBODYS = str(uuid4())


@pytest.fixture(scope="module")
def decided(databases, town):
    """The ids of two decisions; the first is a student's, who is declined."""

    async def decide():
        async with open_stage(databases, town) as stage:
            await cast(stage)
            people = [await applicant(stage), await applicant(stage)]
            made = [
                await person.post("/applications", {"student": person is people[0]}, key=new_key()) for person in people
            ]
            return [one["decision_id"] for one in made]

    return asyncio.run(decide())


@pytest.fixture
def run(environment):
    """Run `grainline decision …` on the module's database; return code, stdout and stderr."""

    def call(*words):
        result = CliRunner().invoke(cli.app, ["decision", *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    return call


def test_a_decision_is_shown_with_what_it_rests_on(run, decided):
    code, out, _ = run("show", decided[0], "--json")
    shown = json.loads(out)
    assert (code, shown["decision_id"], shown["outcome"]["result"]) == (0, decided[0], "declined")
    assert shown["inputs"]["facts"]["student"] == "yes"
    assert shown["inputs"]["rules"] == shown["outcome"]["rules"]["rules"]
    assert {"model", "pack", "sources", "as_of"} <= shown["inputs"].keys()
    code, out, _ = run("show", decided[0])
    assert (code, json.loads(out)) == (0, shown)


@pytest.mark.parametrize("words", [["show", NOBODYS], ["replay", NOBODYS], ["replay", NOBODYS, "--json"]])
def test_an_unknown_decision_ends_with_2_and_a_sentence(run, decided, words):
    code, out, error = run(*words)
    assert (code, out) == (2, "")
    assert error.startswith("grainline decision: ")
    assert "decision" in error.removeprefix("grainline decision: ")


@pytest.mark.parametrize(
    "words",
    [
        ["replay"],
        ["replay", NOBODYS, "--all"],
        ["replay", "no-id"],
        ["show", "7"],
        ["replay", "--all", "--processes", "0"],
    ],
)
def test_what_names_no_decision_ends_with_2(run, words):
    assert run(*words)[:2] == (2, "")


@pytest.mark.parametrize("processes", ["1", "2"])
def test_decisions_come_out_again(run, decided, processes):
    code, out, _ = run("replay", "--all", "--json", "--processes", processes)
    told = json.loads(out)
    assert (code, told["decisions"], told["differences"], told["different"]) == (0, 2, 0, [])
    assert told["by_occasion"] == {"application": 2}
    code, out, _ = run("replay", decided[1])
    assert code == 0
    assert out.startswith("1 decisions taken again in ")


def test_what_was_decided_before_the_day_is_left_out(run, decided):
    code, out, _ = run("replay", "--all", "--since", "2999-01-01", "--json")
    assert (code, json.loads(out)["decisions"]) == (0, 0)


def test_a_difference_ends_with_1_and_is_told_with_both_outcomes(run, decided, databases):
    code, out, _ = run("replay", decided[0], "--json")
    assert (code, json.loads(out)["differences"]) == (0, 0)
    with psycopg.connect(databases[0]) as connection:
        kept = connection.execute(
            "select outcome from underwriting.decisions where decision_id = %s", (decided[0],)
        ).fetchone()[0]
    change(databases, decided[0], kept.replace('"student"', '"studious"'))
    try:
        for words in (["replay", decided[0]], ["replay", "--all"]):
            code, out, _ = run(*words, "--json")
            told = json.loads(out)
            assert (code, told["differences"]) == (1, 1)
            [one] = told["different"]
            assert (one["decision_id"], one["refused"]) == (decided[0], None)
            assert one["again"] == json.loads(kept)
            assert one["recorded"] != one["again"]
        code, out, _ = run("replay", "--all")
        assert code == 1
        assert f"{decided[0]}  another outcome" in out
    finally:
        change(databases, decided[0], kept)


def change(databases, decision_id, outcome):
    with psycopg.connect(databases[0]) as connection:
        connection.execute(
            "update underwriting.decisions set outcome = %s, outcome_hash = sha256(convert_to(%s, 'UTF8'))"
            " where decision_id = %s",
            (outcome, outcome, decision_id),
        )
