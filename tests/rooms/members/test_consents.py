"""Consents by source: one screen gives many, each has its own switch, and a withdrawn one gates at once."""

import pytest

from grainline.kit.db import transaction
from grainline.members import ConsentNeeded, Source, standing_consent
from stage import Borrower, Stage

pytestmark = pytest.mark.anyio


@pytest.fixture
async def member(stage: Stage) -> Borrower:
    person = await stage.resident(invited=True)
    await person.sign_in()
    return person


def _given(listed: dict) -> set[str]:
    return {one["source"] for one in listed["items"] if one["given_at"]}


async def test_each_source_says_what_for_how_long_and_whether_a_line_needs_it(member: Borrower) -> None:
    listed = await member.get("/consents")
    assert {one["source"] for one in listed["items"]} == set(Source)
    assert all(one["purpose"] and one["retention_days"] > 0 and one["text_version"] for one in listed["items"])
    assert [one["source"] for one in listed["items"] if one["required"]] == ["bureau"]
    assert _given(listed) == set()


async def test_one_call_gives_many_and_giving_again_changes_nothing(member: Borrower, stage: Stage) -> None:
    first = await member.post("/consents", {"sources": ["bureau", "payment"]})
    assert _given(first) == {"bureau", "payment"}
    stage.tick(60)
    again = await member.post("/consents", {"sources": ["bureau", "bureau", "social"]})
    assert _given(again) == {"bureau", "payment", "social"}
    since = {one["source"]: one["given_at"] for one in again["items"]}
    assert since["bureau"] == next(one["given_at"] for one in first["items"] if one["source"] == "bureau")


async def test_withdrawing_gates_at_once_and_giving_anew_is_another_consent(member: Borrower, stage: Stage) -> None:
    await member.post("/consents", {"sources": ["bureau"]})
    async with transaction(stage.platform.pool) as tx:
        before = await standing_consent(tx, member_id=member.member_id, source=Source.BUREAU)
    answer = await member.call("DELETE", "/consents/bureau")
    assert _given(answer.json()) == set()
    async with transaction(stage.platform.pool) as tx:
        with pytest.raises(ConsentNeeded):
            await standing_consent(tx, member_id=member.member_id, source=Source.BUREAU)
    stage.tick(1)
    await member.post("/consents", {"sources": ["bureau"]})
    async with transaction(stage.platform.pool) as tx:
        after = await standing_consent(tx, member_id=member.member_id, source=Source.BUREAU)
    assert after.given_at > before.given_at
    assert after.reference != before.reference


@pytest.mark.parametrize("body", [{}, {"sources": []}, {"sources": ["weather"]}, {"sources": ["bureau"] * 5}])
async def test_what_is_no_list_of_sources_is_refused_and_gives_nothing(member: Borrower, body: dict) -> None:
    problem = await member.refused("/consents", body)
    assert problem["status"] == 422
    assert _given(await member.get("/consents")) == set()


async def test_a_source_that_does_not_exist_cannot_be_withdrawn(member: Borrower) -> None:
    answer = await member.call("DELETE", "/consents/weather")
    assert answer.status_code == 422
