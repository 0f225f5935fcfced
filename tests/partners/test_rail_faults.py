"""The rail on a bad day: what is not known is called unknown, and asking by key settles it."""

import anyio
import pytest

from grainline.partners.rail import Answer, NoAnswer, NotTaken, OutcomeUnknown, Status

pytestmark = pytest.mark.anyio

OPENING_FEN = 2_000_000


async def test_a_lost_request_is_unknown_and_asking_finds_nothing(rail, agreement, hands):
    hands.set_fault("rail", "lost_request", mode="next", count=1)
    with pytest.raises(OutcomeUnknown):
        await rail.pay_out(key="lost-1", agreement=agreement, amount_fen=60_000)
    assert (await rail.payout("lost-1")).status is Status.NOT_FOUND
    assert hands.account(agreement).balance_fen == OPENING_FEN
    assert (await rail.pay_out(key="lost-1", agreement=agreement, amount_fen=60_000)).status is Status.SUCCEEDED
    assert hands.account(agreement).balance_fen == OPENING_FEN + 60_000


async def test_a_lost_answer_is_unknown_and_asking_finds_the_money_paid_once(rail, agreement, hands):
    hands.set_fault("rail", "lost_answer", mode="next", count=2)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await rail.pay_out(key="lost-2", agreement=agreement, amount_fen=60_000)
    assert (await rail.payout("lost-2")).status is Status.SUCCEEDED
    assert hands.account(agreement).balance_fen == OPENING_FEN + 60_000


async def test_an_answer_slower_than_our_patience_is_unknown(impatient_rail, agreement, hands):
    hands.set_fault("rail", "slow", mode="next", count=1, delay_s=3)
    with pytest.raises(OutcomeUnknown) as unknown:
        await impatient_rail.collect(key="slow-1", agreement=agreement, amount_fen=60_000)
    assert unknown.value.params == {"partner": "rail", "reason": "time_out"}
    assert (await impatient_rail.collection("slow-1")).status is Status.SUCCEEDED
    assert hands.account(agreement).balance_fen == OPENING_FEN - 60_000


async def test_a_rail_that_is_down_took_nothing_and_knows_nothing_when_asked(rail, agreement, hands):
    hands.set_fault("rail", "down", mode="next", count=2)
    with pytest.raises(NotTaken):
        await rail.pay_out(key="down-1", agreement=agreement, amount_fen=60_000)
    with pytest.raises(NoAnswer):
        await rail.payout("down-1")
    assert (await rail.payout("down-1")).status is Status.NOT_FOUND


async def test_a_question_that_fails_is_neither_not_taken_nor_unknown(rail, hands):
    """Or a caller could read "the question was not taken" as "the order was not taken"."""
    hands.set_fault("rail", "down", mode="next", count=1)
    with pytest.raises(NoAnswer) as failed:
        await rail.payout("down-2")
    assert not isinstance(failed.value, NotTaken | OutcomeUnknown)


async def test_an_order_stays_processing_for_some_questions(rail, agreement, hands):
    hands.set_fault("rail", "stays_processing", mode="next", count=1, asks=2)
    processing = Answer(Status.PROCESSING, 60_000)
    assert await rail.pay_out(key="held-1", agreement=agreement, amount_fen=60_000) == processing
    assert await rail.payout("held-1") == processing
    assert await rail.payout("held-1") == processing
    assert hands.account(agreement).balance_fen == OPENING_FEN
    assert (await rail.payout("held-1")).status is Status.SUCCEEDED
    assert hands.account(agreement).balance_fen == OPENING_FEN + 60_000


async def test_a_held_order_has_the_money_in_transit_until_released(rail, agreement, hands):
    hands.set_fault("rail", "stays_processing", mode="next", count=1)
    await rail.collect(key="held-2", agreement=agreement, amount_fen=60_000)
    for _ in range(5):
        assert (await rail.collection("held-2")).status is Status.PROCESSING
    assert hands.account(agreement).balance_fen == OPENING_FEN - 60_000
    assert hands.account("transit").balance_fen == 60_000
    assert hands.books().imbalances == []
    hands.release()
    assert (await rail.collection("held-2")).status is Status.SUCCEEDED
    assert hands.account("transit").balance_fen == 0


async def test_a_rejected_order_fails_for_the_reason_given(rail, agreement, hands):
    hands.set_fault("rail", "reject", mode="next", count=1, reason="limit_exceeded")
    rejected = Answer(Status.FAILED, 60_000, reason="limit_exceeded")
    assert await rail.pay_out(key="no-1", agreement=agreement, amount_fen=60_000) == rejected
    assert await rail.payout("no-1") == rejected
    assert hands.account(agreement).balance_fen == OPENING_FEN


async def test_a_callback_can_come_twice(rail, agreement, sandbox, hands):
    hands.set_fault("rail", "duplicate_callback", mode="next", count=1)
    await rail.pay_out(key="twice-1", agreement=agreement, amount_fen=60_000)
    first, second = sandbox.receiver.next_for("twice-1"), sandbox.receiver.next_for("twice-1")
    assert first.body == second.body
    assert len(hands.orders(agreement)) == 1


async def test_a_callback_can_contradict_what_asking_tells(rail, agreement, sandbox, hands):
    hands.set_fault("rail", "contradictory_callback", mode="next", count=2)
    paid = await rail.pay_out(key="lie-1", agreement=agreement, amount_fen=60_000)
    got = sandbox.receiver.next_for("lie-1")
    told = rail.verify_callback(got.headers, got.body, now=sandbox.clock()())
    assert told.answer.status is Status.FAILED
    assert await rail.payout("lie-1") == paid
    hands.set_balance(agreement, 0)
    failed = await rail.collect(key="lie-2", agreement=agreement, amount_fen=60_000)
    got = sandbox.receiver.next_for("lie-2")
    told = rail.verify_callback(got.headers, got.body, now=sandbox.clock()())
    assert told.answer.status is Status.SUCCEEDED
    assert await rail.collection("lie-2") == failed == Answer(Status.FAILED, 60_000, reason="insufficient_funds")


async def test_a_fault_with_a_probability_strikes_some_and_loses_no_money(rail, agreement, hands):
    hands.set_fault("rail", "lost_request", mode="probability", probability=0.3)
    hands.set_fault("rail", "lost_answer", mode="probability", probability=0.3)
    unknown = 0
    for number in range(40):
        try:
            await rail.pay_out(key=f"often-{number}", agreement=agreement, amount_fen=100)
        except OutcomeUnknown:
            unknown += 1
    assert 5 <= unknown <= 35
    hands.clear_faults()
    for number in range(40):
        if (await rail.payout(f"often-{number}")).status is Status.NOT_FOUND:
            await rail.pay_out(key=f"often-{number}", agreement=agreement, amount_fen=100)
    assert hands.account(agreement).balance_fen == OPENING_FEN + 40 * 100
    assert hands.books().imbalances == []


async def test_orders_side_by_side_under_one_key_pay_once(rail, agreement, hands):
    async def place() -> None:
        await rail.pay_out(key="race-1", agreement=agreement, amount_fen=60_000)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(place)
    assert hands.account(agreement).balance_fen == OPENING_FEN + 60_000
    assert [order.key for order in hands.orders(agreement)] == ["race-1"]
