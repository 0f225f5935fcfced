"""The rail's port on a good day, whatever implements it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from grainline.partners.rail import (
    Answer,
    BadCallbackSignature,
    Direction,
    KeyConflict,
    MalformedCallback,
    NotTaken,
    Status,
)
from grainline.partners.transport import sign_callback
from sandbox_process import sign

pytestmark = pytest.mark.anyio

OPENING_FEN = 2_000_000


async def test_a_payout_moves_money_from_the_house_to_the_card(rail, agreement, hands):
    house_before = hands.account("house").balance_fen
    answer = await rail.pay_out(key="draw-1", agreement=agreement, amount_fen=100_000)
    assert answer.status is Status.SUCCEEDED
    assert answer.settled_at is not None
    assert answer.amount_fen == 100_000
    assert await rail.payout("draw-1") == answer
    assert hands.account(agreement).balance_fen == OPENING_FEN + 100_000
    assert hands.account("house").balance_fen == house_before - 100_000
    assert hands.books().imbalances == []


async def test_a_collection_moves_money_from_the_card_to_the_house(rail, agreement, hands):
    house_before = hands.account("house").balance_fen
    answer = await rail.collect(key="due-1", agreement=agreement, amount_fen=21_250)
    assert answer.status is Status.SUCCEEDED
    assert await rail.collection("due-1") == answer
    assert hands.account(agreement).balance_fen == OPENING_FEN - 21_250
    assert hands.account("house").balance_fen == house_before + 21_250


async def test_the_same_key_is_the_same_order(rail, agreement, hands):
    answers = {await rail.pay_out(key="draw-2", agreement=agreement, amount_fen=50_000) for _ in range(3)}
    assert len(answers) == 1
    assert hands.account(agreement).balance_fen == OPENING_FEN + 50_000
    assert len(hands.orders(agreement)) == 1


async def test_the_same_key_with_other_content_is_a_conflict(rail, agreement, hands):
    await rail.pay_out(key="draw-3", agreement=agreement, amount_fen=50_000)
    with pytest.raises(KeyConflict):
        await rail.pay_out(key="draw-3", agreement=agreement, amount_fen=50_001)
    assert hands.account(agreement).balance_fen == OPENING_FEN + 50_000


@pytest.mark.parametrize("direction", ["payout", "collection"])
async def test_what_is_asked_for_is_answered_with_the_amount_the_rail_has(rail, agreement, direction):
    """Another order under our key: the conflict says that it is another, and asking says which."""
    order, ask = (rail.pay_out, rail.payout) if direction == "payout" else (rail.collect, rail.collection)
    theirs = await order(key=f"taken-{direction}", agreement=agreement, amount_fen=100)
    with pytest.raises(KeyConflict):
        await order(key=f"taken-{direction}", agreement=agreement, amount_fen=1_000_000)
    assert await ask(f"taken-{direction}") == theirs
    assert (theirs.status, theirs.amount_fen) == (Status.SUCCEEDED, 100)


async def test_a_key_taken_for_another_card_is_a_conflict_although_the_amounts_agree(
    rail, agreement, network, sandbox, hands
):
    other = await sign(network, sandbox.someone())
    await rail.pay_out(key="draw-8", agreement=other, amount_fen=50_000)
    with pytest.raises(KeyConflict):
        await rail.pay_out(key="draw-8", agreement=agreement, amount_fen=50_000)
    assert (await rail.payout("draw-8")).amount_fen == 50_000
    assert hands.account(agreement).balance_fen == OPENING_FEN


async def test_a_payout_and_a_collection_do_not_share_keys(rail, agreement):
    await rail.pay_out(key="both", agreement=agreement, amount_fen=100)
    assert (await rail.collection("both")).status is Status.NOT_FOUND


async def test_an_order_never_placed_is_not_found(rail):
    assert await rail.payout("never") == Answer(Status.NOT_FOUND)


async def test_a_card_without_the_money_fails_and_keeps_what_it_has(rail, agreement, hands):
    hands.set_balance(agreement, 9_999)
    answer = await rail.collect(key="due-2", agreement=agreement, amount_fen=10_000)
    assert answer == Answer(Status.FAILED, 10_000, reason="insufficient_funds")
    assert hands.account(agreement).balance_fen == 9_999
    hands.set_balance(agreement, 10_000)
    again = await rail.collect(key="due-2", agreement=agreement, amount_fen=10_000)
    assert again == answer, "failed is final under its key"
    assert (await rail.collect(key="due-2b", agreement=agreement, amount_fen=10_000)).status is Status.SUCCEEDED


async def test_a_frozen_card_fails_both_ways(rail, agreement, hands):
    hands.set_frozen(agreement, True)
    frozen = Answer(Status.FAILED, 100, reason="account_frozen")
    assert await rail.collect(key="due-3", agreement=agreement, amount_fen=100) == frozen
    assert await rail.pay_out(key="draw-4", agreement=agreement, amount_fen=100) == frozen


async def test_an_agreement_nobody_signed_fails(rail, sandbox):
    unsigned = sandbox.someone().agreement
    answer = await rail.pay_out(key="draw-5", agreement=unsigned, amount_fen=100)
    assert answer == Answer(Status.FAILED, 100, reason="unknown_agreement")


@pytest.mark.parametrize("amount_fen", [0, -100])
async def test_an_amount_that_is_none_is_not_taken(rail, agreement, amount_fen):
    with pytest.raises(NotTaken):
        await rail.pay_out(key=f"none{amount_fen}", agreement=agreement, amount_fen=amount_fen)
    assert (await rail.payout("none0")).status is Status.NOT_FOUND


async def test_a_final_order_is_called_back_and_the_callback_can_be_trusted_to_be_the_rails(rail, agreement, sandbox):
    answer = await rail.pay_out(key="draw-6", agreement=agreement, amount_fen=70_000)
    got = sandbox.receiver.next_for("draw-6")
    now = sandbox.clock()()
    callback = rail.verify_callback(got.headers, got.body, now=now)
    assert (callback.direction, callback.key) == (Direction.PAYOUT, "draw-6")
    assert callback.answer == answer
    assert callback.answer.amount_fen == 70_000


async def test_a_callback_that_was_altered_unsigned_or_kept_too_long_is_refused(rail, agreement, sandbox):
    await rail.pay_out(key="draw-7", agreement=agreement, amount_fen=70_000)
    got = sandbox.receiver.next_for("draw-7")
    now = sandbox.clock()()
    altered = got.body.replace(b"70000", b"90000")
    assert altered != got.body
    with pytest.raises(BadCallbackSignature):
        rail.verify_callback(got.headers, altered, now=now)
    with pytest.raises(BadCallbackSignature):
        rail.verify_callback({}, got.body, now=now)
    fresh = {**got.headers, "X-Rail-Timestamp": str(int(now.timestamp()) + 1)}
    with pytest.raises(BadCallbackSignature):
        rail.verify_callback(fresh, got.body, now=now)
    for off in (timedelta(seconds=-302), timedelta(seconds=302)):
        with pytest.raises(BadCallbackSignature):
            rail.verify_callback(got.headers, got.body, now=now + off)
    for off in (timedelta(seconds=-290), timedelta(seconds=290)):
        assert rail.verify_callback(got.headers, got.body, now=now + off).key == "draw-7"


async def test_a_signed_callback_of_another_form_is_malformed(rail, sandbox):
    now = sandbox.clock()()
    body = b'{"direction":"payout","key":"k","status":"succeeded"}'
    timestamp = str(int(now.timestamp()))
    headers = {
        "x-rail-timestamp": timestamp,
        "x-rail-signature": sign_callback(bytes(range(32)), timestamp=timestamp, body=body),
    }
    with pytest.raises(MalformedCallback):
        rail.verify_callback(headers, body, now=now)


async def test_an_answer_cannot_contradict_itself():
    with pytest.raises(ValueError, match="reason"):
        Answer(Status.SUCCEEDED, 100, reason="limit")
    with pytest.raises(ValueError, match="reason"):
        Answer(Status.FAILED, 100)
    with pytest.raises(ValueError, match="settlement"):
        replace(Answer(Status.PROCESSING, 100), status=Status.SUCCEEDED)
    with pytest.raises(ValueError, match="amount"):
        Answer(Status.PROCESSING)
    with pytest.raises(ValueError, match="amount"):
        Answer(Status.NOT_FOUND, 100)
