"""Raises that begin and go by themselves, a line closed by its member, and what `verify` finds wrong with a line."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from deciding_stage import cast
from grainline.kit.db import transaction
from grainline.underwriting import line_life
from grainline.underwriting.line_review import policy_on
from line_stage import ask, kinds, results, review, said, with_room
from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def deciding(stage: Stage) -> Stage:
    await cast(stage)
    return stage


async def festival(stage: Stage, code: str) -> int:
    """Begin a festival of a few days; return how many lines it raised."""
    day, [one, *_] = stage.today(), policy_on(stage.today()).festival
    dates = {"from_on": day, "until_on": day + timedelta(days=5)}
    this = one.model_copy(update={"code": code, "on_time_payments": 0} | dates)
    return await line_life.begin_festival(stage.platform.underwriter, stage.platform.pack, this, now=stage.clock())


async def temporary(stage: Stage, person: Borrower) -> int:
    [(fen,)] = await stage.rows("select temporary_fen from lines.lines where member_id = %s", person.member_id)
    return fen


async def test_no_festival_for_who_withdrew_the_consent_or_of_whom_nothing_was_told_lately(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    await person.loan(100)
    await person.call("DELETE", "/consents/bureau")
    await festival(deciding, "withdrawn")
    assert await temporary(deciding, person) == 0
    await person.post("/consents", {"sources": ["bureau"]})
    await festival(deciding, "withdrawn")
    raised = await temporary(deciding, person)
    assert raised > 0
    deciding.tick(36 * 86_400)
    await festival(deciding, "old")
    assert await temporary(deciding, person) == raised
    await ask(deciding, person)
    await review(deciding)
    await festival(deciding, "old")
    assert await temporary(deciding, person) > raised


async def test_raises_begin_and_go_line_by_line_so_that_one_in_use_holds_no_other(deciding: Stage) -> None:
    (first, _), (second, _) = await with_room(deciding), await with_room(deciding)
    for person in (first, second):
        await person.loan(100)

    async def back() -> None:
        await line_life.care_for_lines(
            deciding.platform.underwriter, deciding.platform.packs, now=deciding.clock() + timedelta(days=6)
        )

    for act, raised in ((lambda: festival(deciding, "b"), True), (back, False)):
        before = await temporary(deciding, first)
        async with transaction(deciding.platform.pool) as drawing:
            await drawing.execute("select from lines.lines where member_id = %s for update", (second.member_id,))
            going = asyncio.ensure_future(act())
            while not going.done() and await deciding.rows("select from pg_locks where not granted") == []:
                await asyncio.sleep(0.01)
            assert not going.done()
            found = await temporary(deciding, first)
            assert (found > before) if raised else (found < before)
        await going


async def test_a_raise_for_a_festival_begins_and_goes_by_itself_even_after_days_without_work(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    day = deciding.today()
    first = (await person.get("/line"))["limit_fen"]
    [one, *_] = policy_on(day).festival
    festival = one.model_copy(
        update={"code": "here", "from_on": day, "until_on": day + timedelta(days=5), "on_time_payments": 0}
    )
    await person.loan(100)
    begun = await line_life.begin_festival(
        deciding.platform.underwriter, deciding.platform.pack, festival, now=deciding.clock()
    )
    again = await line_life.begin_festival(
        deciding.platform.underwriter, deciding.platform.pack, festival, now=deciding.clock()
    )
    assert begun >= 1
    assert again == 0
    view = await person.get("/line")
    assert view["limit_fen"] == first + view["temporary_fen"] > first
    await deciding.work()
    assert "临时额度" in said(deciding, person)[-1]
    deciding.tick(9 * 86_400)
    await deciding.pass_days(1)
    view = await person.get("/line")
    assert (view["limit_fen"], view["temporary_fen"]) == (first, 0)
    assert "已到期" in said(deciding, person)[-1]
    assert await deciding.proof() == []


async def test_ones_own_line_is_closed_only_where_nothing_is_drawn(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    loan_id = await person.loan(100)
    refused = await person.call("DELETE", "/line")
    assert (refused.status_code, refused.json()["code"]) == (409, "line_in_use")
    await person.repay(loan_id, (await person.get(f"/loans/{loan_id}"))["payoff_fen"])
    assert (await person.call("DELETE", "/line")).status_code == 204
    assert (await person.call("DELETE", "/line")).status_code == 204
    assert (await person.get("/line"))["state"] == "closed"
    assert (await kinds(person))[-1] == "closed"
    await ask(deciding, person)
    await review(deciding)
    assert [result for _, result, _ in await results(deciding, person)] == ["closed"]


async def test_who_has_no_line_has_no_history(deciding: Stage) -> None:
    person = await deciding.resident(invited=True)
    await person.sign_in()
    for method, path in (("GET", "/line/history"), ("DELETE", "/line")):
        answer = await person.call(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_line")


@pytest.mark.parametrize(
    ("tamper", "mend", "check"),
    [
        (
            "lines.lines set limit_fen = limit_fen + 1",
            "lines.lines set limit_fen = limit_fen - 1",
            "line_equals_its_changes",
        ),
        ("lines.lines set rate_e8 = rate_e8 + 1", "lines.lines set rate_e8 = rate_e8 - 1", "line_equals_its_changes"),
        ("lines.lines set temporary_fen = 1", "lines.lines set temporary_fen = 0", "temporary_raises_add_up"),
    ],
)
async def test_verify_finds_a_line_that_is_not_what_its_history_says(
    deciding: Stage, tamper: str, mend: str, check: str
) -> None:
    person, _ = await with_room(deciding)
    for how in (tamper, mend):
        async with transaction(deciding.platform.pool) as tx:
            await tx.execute(f"update {how} where member_id = %s", (person.member_id,))
        found = {(one.check, one.member_id) for one in await deciding.proof()}
        assert ((check, person.member_id) in found) is (how == tamper)


async def test_verify_finds_a_decision_that_is_not_there_and_a_raise_that_is_over(deciding: Stage) -> None:
    person, _ = await with_room(deciding)
    decision_id = UUID(new_key())
    async with transaction(deciding.platform.pool) as tx:
        frozen = "select lines.freeze(%s, 'weilidai', 'k', 'operator', '[]', null, %s, 'li', %s)"
        await tx.execute(frozen, (person.member_id, decision_id, deciding.clock()))
        raised = (
            "insert into lines.temporary_raises (member_id, product, code, amount_fen, from_on, until_on, begun_at)"
            " values (%s, 'weilidai', 'old', 100, '2026-01-01', '2026-01-02', %s)"
        )
        await tx.execute(raised, (person.member_id, deciding.clock()))
    found = {one.check for one in await deciding.proof() if one.member_id == person.member_id}
    assert {"change_has_its_decision", "temporary_raise_is_over", "temporary_raises_add_up"} <= found
