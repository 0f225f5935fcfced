"""`grainline invite supplements list|accept|refuse`: what officers see of a proof, and what they answer."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from grainline.entry.supplements_command import supplements
from holiday_years import holiday_table, only
from stage import open_stage

STATEMENT = "在本市一家公司任职，月入约一万二千元"


@pytest.fixture(autouse=True)
def plain_weeks():
    """Days are worked by the week only, in every year a test may run in."""
    with only(holiday_table("test", range(2000, 2100))):
        yield


@pytest.fixture
def run(environment):
    """Run `grainline invite supplements …` on the module's database; return code, stdout, and stderr as one line."""

    def call(*words):
        result = CliRunner().invoke(supplements, [*map(str, words)])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, " ".join(result.stderr.split())

    return call


@pytest.fixture
def member(databases, town):
    """The number of a member who has just handed in a proof of income."""

    async def hand_in():
        async with open_stage(databases, town) as stage:
            person = await stage.resident(invited=True)
            await person.sign_in()
            await person.post("/invitation/supplements", {"kind": "income", "statement": STATEMENT})
            return person.member_id

    return asyncio.run(hand_in())


def listed(run, member, state="submitted"):
    """This member's proofs as the list tells them."""
    code, out, _ = run("list", "--state", state, "--limit", 1000, "--json")
    assert code == 0
    return [row for row in json.loads(out) if row["member_id"] == member]


def test_what_waits_is_listed_with_what_the_member_states(run, member):
    [row] = listed(run, member)
    assert (row["kind"], row["state"], row["statement"], row["late"]) == ("income", "submitted", STATEMENT, False)
    code, out, _ = run("list")
    assert code == 0
    assert STATEMENT in out
    assert row["answer_by"] in out


def test_an_accepted_proof_leaves_the_list_and_is_not_decided_again(run, member):
    code, out, _ = run("accept", member, "income", "--by", "li", "--json")
    assert code == 0
    assert json.loads(out)["state"] == "accepted"
    assert listed(run, member) == []
    [row] = listed(run, member, "accepted")
    assert row["decided_by"] == "li"
    code, _, told = run("refuse", member, "income", "--by", "wang", "--reason", "second thoughts")
    assert code == 2
    assert told == "grainline invite supplements: This was decided already (accepted) and cannot be decided again"


def test_a_refusal_keeps_its_reason(run, member):
    code, out, _ = run("refuse", member, "income", "--by", "li", "--reason", "看不清金额")
    assert code == 0
    assert out.strip() == f"income of member {member} is refused."
    [row] = listed(run, member, "refused")
    assert row["reason"] == "看不清金额"


def test_what_nobody_handed_in_cannot_be_answered(run, member):
    assert run("accept", member, "education", "--by", "li")[0] == 2
    code, _, told = run("accept", 999_999, "income", "--by", "li")
    assert (code, told) == (2, "grainline invite supplements: There is no such supplement")
    code, _, told = run("refuse", member, "income", "--by", "li", "--reason", " ")
    assert (code, told) == (2, "grainline invite supplements: A refusal needs a reason, which the member reads")


def test_what_is_late_is_said_to_be(run, member, databases, town):
    async def pass_time():
        async with open_stage(databases, town) as stage:
            stage.tick(12 * 24 * 3600)

    asyncio.run(pass_time())  # nine days hold seven working days, and one weekend, or two
    [row] = listed(run, member)
    assert row["late"] is True
