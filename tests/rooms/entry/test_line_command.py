"""`grainline line …`: what an officer sees of a line and may do to it, by phone or number, with a name and a reason."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from grainline.entry import cli
from stage import open_stage

SIGNED = ("--by", "li", "--reason", "a test", "--json")


@pytest.fixture
def run(environment, monkeypatch):
    """Run `grainline line …` on the module's database and sandbox; return code, stdout, and stderr as one line."""
    monkeypatch.setenv("COLUMNS", "300")

    def call(*words):
        result = CliRunner().invoke(cli.app, ["line", *map(str, words)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, " ".join(result.stderr.replace("│", " ").split())

    return call


@pytest.fixture
def person(databases, town):
    """Number and phone of somebody with a line of 50,000."""

    async def borrow():
        async with open_stage(databases, town) as stage:
            found = await stage.borrower()
            return found.member_id, found.papers.phone

    return asyncio.run(borrow())


def test_an_officer_freezes_thaws_and_closes_and_each_is_in_the_history(run, person):
    member, phone = person
    for command, state in (("freeze", "frozen"), ("freeze", "frozen"), ("thaw", "open"), ("close", "closed")):
        code, out, _ = run(command, phone, *SIGNED)
        assert code == 0
        assert json.loads(out)["state"] == state
    code, out, _ = run("history", member, "--json")
    assert [one["kind"] for one in reversed(json.loads(out))] == ["opened", "frozen", "thawed", "closed"]
    assert json.loads(out)[0]["made_by"] == "li: a test"
    assert run("history", member)[0] == run("show", member)[0] == 0


def test_a_review_is_asked_for_and_the_worker_does_it(run, person, databases):
    member, _ = person
    assert run("review", member, "--json")[0] == 0
    code, out, _ = run("show", member, "--json")
    assert (code, json.loads(out)["limit_fen"]) == (0, 5_000_000)


@pytest.mark.parametrize("who", ["999999", "10099999999", "ming", "-1"])
def test_nobody_elses_line_is_touched(run, person, who):
    code, _, said = run("freeze", *SIGNED, "--", who)
    assert code == 2
    assert said


def test_who_does_it_and_why_must_be_said(run, person):
    assert run("freeze", person[0], "--by", " ", "--reason", "x")[0] == 2
    assert run("freeze", person[0], "--by", "li")[0] == 2
    assert json.loads(run("show", person[0], "--json")[1])["state"] == "open"
