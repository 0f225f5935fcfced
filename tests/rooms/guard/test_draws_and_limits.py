"""The limits as a borrower meets them: over the API, around midnight, all at once, and past our own checks."""

import uuid
from collections import Counter
from datetime import time, timedelta

import anyio
import pytest

from grainline.kit.calendar import at
from stage import new_key

pytestmark = pytest.mark.anyio


@pytest.fixture
async def wealthy(stage):
    """A borrower with a line of 300,000, more than a day may bring."""
    return await stage.borrower(line_fen=30_000_000)


async def available(person):
    return (await person.get("/line"))["available_fen"]


async def drawn_today(stage, person):
    rows = await stage.rows(
        "select amount_fen from guard.day_draws where member_id = %s and drawn_on = %s", person.member_id, stage.today()
    )
    return rows[0][0] if rows else 0


async def forged_contract(stage, person, yuan):
    """Put a contract for any amount before a member, past the quote and the disclosure that would have refused it."""
    made = await person.contract(10_000)
    disclosure_id, contract_id = uuid.uuid4(), uuid.uuid4()
    async with stage.platform.pool.connection() as app:
        await app.execute(
            "insert into loans.disclosures select member_id, %s, product, %s, instalments, rate_e8, purpose, card_id,"
            " starts_on, content, content_hash, shown_at, may_sign_at, expires_at, rules, funded_within"
            " from loans.disclosures"
            " where member_id = %s order by shown_at desc limit 1",
            (disclosure_id, int(yuan * 100), person.member_id),
        )
        await app.execute(
            "insert into loans.contracts select member_id, %s, %s, content, content_hash, made_at, signed_at"
            " from loans.contracts where member_id = %s and contract_id = %s",
            (contract_id, disclosure_id, person.member_id, made["contract_id"]),
        )
    stage.tick(61)  # the pause between two codes
    await person.post(f"/contracts/{contract_id}/otp", {})
    return {"contract_id": str(contract_id), "contract_hash": made["hash"], "code": await person.code()}


@pytest.mark.parametrize(
    ("yuan", "code"),
    [
        (40_100, "draw_above_maximum"),
        (300_000, "draw_above_maximum"),
        (150, "draw_not_a_multiple"),
        (99, "draw_below_minimum"),
    ],
)
async def test_a_contract_past_our_own_checks_is_stopped_by_the_database(stage, wealthy, yuan, code):
    signature = await forged_contract(stage, wealthy, yuan)
    problem = await wealthy.refused("/draws", signature, key=new_key())
    assert problem["code"] == code
    assert (await wealthy.get("/draws"))["items"] == []
    assert (await available(wealthy), await drawn_today(stage, wealthy)) == (30_000_000, 0)
    assert await stage.proof() == []


async def test_the_way_of_the_forged_contract_is_open_to_a_right_one(stage, wealthy):
    """Or the test above could pass for another reason."""
    signature = await forged_contract(stage, wealthy, 40_000)
    assert (await wealthy.post("/draws", signature, key=new_key()))["state"] == "reserved"
    assert await available(wealthy) == 26_000_000


async def test_a_days_limit_holds_until_midnight_in_shanghai_and_not_longer(stage, wealthy):
    stage.clock.advance_to(at(stage.today() + timedelta(days=1), time(23, 30)))
    before_midnight = stage.today()
    for yuan in (40_000, 40_000, 20_000):
        await wealthy.draw(yuan)
    assert (await wealthy.get("/line"))["day_left_fen"] == 0
    over = await forged_contract(stage, wealthy, 100)
    assert (await wealthy.refused("/draws", over, key=new_key()))["code"] == "day_limit_reached"
    assert await drawn_today(stage, wealthy) == 10_000_000

    stage.clock.advance_to(at(before_midnight + timedelta(days=1), time(0, 0)))
    assert stage.today() == before_midnight + timedelta(days=1)
    assert (await wealthy.get("/line"))["day_left_fen"] == 10_000_000
    await wealthy.draw(40_000)
    assert await drawn_today(stage, wealthy) == 4_000_000
    await stage.work()
    assert await stage.proof() == []


async def test_what_was_disclosed_yesterday_cannot_be_drawn_today(stage, wealthy):
    stage.clock.advance_to(at(stage.today() + timedelta(days=1), time(23, 57)))
    signature = await wealthy.signature(10_000)
    stage.clock.advance_to(at(stage.today() + timedelta(days=1), time(0, 0)))
    assert (await wealthy.refused("/draws", signature, key=new_key()))["code"] == "disclosure_stale"
    assert await drawn_today(stage, wealthy) == 0


async def test_a_draw_that_fails_after_midnight_is_given_back_to_its_own_day(stage, wealthy):
    stage.clock.advance_to(at(stage.today() + timedelta(days=1), time(23, 50)))
    day = stage.today()
    await wealthy.draw(40_000)
    stage.hands.set_fault("rail", "reject", mode="next", count=1)
    stage.clock.advance_to(at(day + timedelta(days=1), time(0, 5)))
    await stage.work()
    assert [draw["state"] for draw in (await wealthy.get("/draws"))["items"]] == ["failed"]
    counted = await stage.rows(
        "select drawn_on, amount_fen from guard.day_draws where member_id = %s", wealthy.member_id
    )
    assert counted == [(day, 0)]
    assert await stage.proof() == []


async def test_a_contract_drawn_on_eight_times_at_once_is_one_draw(stage, wealthy):
    signature = await wealthy.signature(40_000)
    answers = Counter()

    async def draw():
        answer = await wealthy.call("POST", "/draws", signature, **{"Idempotency-Key": new_key()})
        answers[answer.status_code, answer.json().get("code")] += 1

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(draw)
    assert answers == {(202, None): 1, (409, "contract_signed"): 7}
    assert await available(wealthy) == 26_000_000
    await stage.work()
    assert len(stage.hands.orders(wealthy.papers.agreement)) == 1
    assert await stage.proof() == []


async def test_one_draw_sent_eight_times_at_once_under_its_key_is_answered_eight_times_and_made_once(stage, wealthy):
    signature, key, draws = await wealthy.signature(40_000), new_key(), set()

    async def draw():
        draws.add((await wealthy.post("/draws", signature, key=key))["draw_id"])

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(draw)
    assert len(draws) == 1
    assert await available(wealthy) == 26_000_000
    assert await drawn_today(stage, wealthy) == 4_000_000


async def test_a_frozen_line_refuses_a_signed_draw_and_uses_up_nothing(stage, wealthy):
    signature = await wealthy.signature(10_000)

    async def set_line(state):
        async with stage.platform.pool.connection() as app:
            await app.execute("update lines.lines set state = %s where member_id = %s", (state, wealthy.member_id))

    await set_line("frozen")
    assert (await wealthy.refused("/draws", signature, key=new_key()))["code"] == "line_not_open"
    assert await drawn_today(stage, wealthy) == 0
    await set_line("open")
    assert (await wealthy.post("/draws", signature, key=new_key()))["state"] == "reserved"  # the code is still good


async def test_what_others_draw_in_the_meantime_is_refused_when_it_is_signed(stage):
    """Two contracts within one line of 50,000, each disclosed while nothing was drawn."""
    person = await stage.borrower(line_fen=5_000_000)
    first = await person.contract(30_000)
    code = await person.code()
    stage.tick(61)
    second = await person.contract(30_000)
    signature = {"contract_id": second["contract_id"], "contract_hash": second["hash"], "code": await person.code()}
    old = {"contract_id": first["contract_id"], "contract_hash": first["hash"], "code": code}
    assert (await person.refused("/draws", old, key=new_key()))["code"] == "code_not_requested"
    await person.post("/draws", signature, key=new_key())
    stage.tick(61)
    await person.post(f"/contracts/{first['contract_id']}/otp", {})
    old["code"] = await person.code()
    assert (await person.refused("/draws", old, key=new_key()))["code"] == "line_exceeded"
    assert await drawn_today(stage, person) == 3_000_000
    assert await available(person) == 2_000_000
