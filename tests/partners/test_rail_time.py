"""The rail over time: settling later, calling back late and again, and coming back from kill -9."""

from datetime import timedelta

import pytest

from grainline.partners.card_network import HttpCardNetwork
from grainline.partners.rail import Answer, HttpRail, Status
from grainline.partners.sms import HttpSms
from sandbox_process import sign, until

pytestmark = pytest.mark.anyio

OPENING_FEN = 2_000_000


@pytest.fixture
async def slow_rail(slow_town, http):
    return HttpRail(slow_town.link(http, "rail"))


@pytest.fixture
async def slow_agreement(slow_town, http):
    return await sign(HttpCardNetwork(slow_town.link(http, "card-network")), slow_town.someone())


async def test_an_order_settles_when_its_time_comes_and_calls_back(slow_town, slow_rail, slow_agreement):
    clock = slow_town.clock()
    processing = Answer(Status.PROCESSING, 60_000)
    assert await slow_rail.pay_out(key="t-1", agreement=slow_agreement, amount_fen=60_000) == processing
    clock.advance_to(clock() + timedelta(minutes=59))
    assert await slow_rail.payout("t-1") == processing
    clock.advance_to(clock() + timedelta(minutes=2))
    got = slow_town.receiver.next_for("t-1")
    callback = slow_rail.verify_callback(got.headers, got.body, now=clock())
    assert callback.answer.status is Status.SUCCEEDED
    assert await slow_rail.payout("t-1") == callback.answer


async def test_kill_9_loses_no_order_message_fault_or_callback(slow_town, slow_rail, slow_agreement, http):
    clock, hands = slow_town.clock(), slow_town.hands()
    await slow_rail.pay_out(key="k-1", agreement=slow_agreement, amount_fen=60_000)
    await HttpSms(slow_town.link(http, "sms")).send(key="k-sms", phone="10000000399", text="验证码 246810")
    hands.set_fault("rail", "reject", mode="next", count=3, reason="limit_exceeded")
    assert hands.account("transit").balance_fen == 60_000
    slow_town.kill()
    clock.advance_to(clock() + timedelta(hours=2))
    slow_town.start()

    hands, rail = slow_town.hands(), HttpRail(slow_town.link(http, "rail"))
    got = slow_town.receiver.next_for("k-1")
    callback = rail.verify_callback(got.headers, got.body, now=clock())
    assert callback.answer.status is Status.SUCCEEDED
    assert await rail.payout("k-1") == callback.answer
    again = await rail.pay_out(key="k-1", agreement=slow_agreement, amount_fen=60_000)
    assert again == callback.answer
    assert hands.account(slow_agreement).balance_fen == OPENING_FEN + 60_000
    assert hands.latest_code("10000000399") == "246810"
    rejected = await rail.pay_out(key="k-2", agreement=slow_agreement, amount_fen=60_000)
    assert rejected == Answer(Status.FAILED, 60_000, reason="limit_exceeded")
    assert hands.books().imbalances == []


async def test_a_callback_nobody_takes_is_tried_again_and_survives_kill_9(slow_town, slow_rail, slow_agreement, http):
    clock = slow_town.clock()
    slow_town.receiver.statuses.put(500)
    slow_town.hands().set_fault("rail", "reject", mode="next", count=1)
    await slow_rail.pay_out(key="again-1", agreement=slow_agreement, amount_fen=60_000)
    first = slow_town.receiver.next_for("again-1")
    slow_town.kill()
    clock.advance_to(clock() + timedelta(minutes=30))
    slow_town.start()
    second = slow_town.receiver.next_for("again-1")
    assert second.body == first.body
    # Signed anew: the first signature is half an hour old by now.
    rail = HttpRail(slow_town.link(http, "rail"))
    assert rail.verify_callback(second.headers, second.body, now=clock()).key == "again-1"
    hands = slow_town.hands()
    assert until(lambda: hands.books().callbacks == {"delivered": 1}, what="the note of the delivery")


async def test_a_callback_is_given_up_after_its_attempts(slow_town, slow_rail, slow_agreement):
    clock, hands = slow_town.clock(), slow_town.hands()
    hands.set_fault("rail", "reject", mode="next", count=1)
    for _ in range(3):
        slow_town.receiver.statuses.put(503)
    await slow_rail.pay_out(key="deaf-1", agreement=slow_agreement, amount_fen=60_000)
    for _ in range(3):
        slow_town.receiver.next_for("deaf-1")
        clock.advance_to(clock() + timedelta(minutes=10))
    until(lambda: hands.books().callbacks == {"given_up": 1}, what="giving up")


async def test_a_callback_can_come_late(slow_town, slow_rail, slow_agreement):
    clock, hands = slow_town.clock(), slow_town.hands()
    hands.set_fault("rail", "late_callback", mode="next", count=1, delay_s=86_400)
    hands.set_fault("rail", "reject", mode="next", count=1)
    await slow_rail.pay_out(key="late-1", agreement=slow_agreement, amount_fen=60_000)
    await slow_rail.pay_out(key="late-2", agreement=slow_agreement, amount_fen=60_000)
    clock.advance_to(clock() + timedelta(hours=2))
    # The second order settles after two hours and is told at once; the first has not been told yet.
    assert b"late-2" in slow_town.receiver.received.get(timeout=15).body
    told_and_not = {"delivered": 1, "waiting": 1}
    until(lambda: hands.books().callbacks == told_and_not, what="one callback told and one not")
    clock.advance_to(clock() + timedelta(hours=23))
    assert b"late-1" in slow_town.receiver.received.get(timeout=15).body
