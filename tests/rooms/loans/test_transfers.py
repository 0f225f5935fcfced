"""Money on a rail that loses, delays, doubles and contradicts: never moved twice, never lost, always told."""

import dataclasses

import httpx
import pytest
from rail_orders import (
    BEGIN,
    DONE,
    LATER_S,
    assert_books_agree,
    assert_done_once,
    assert_undone,
    begin_collection,
    begin_payout,
    ready_collection,
    ready_payout,
)

from grainline.entry.worker import drain
from grainline.partners.rail import HttpRail
from stage import new_key

pytestmark = pytest.mark.anyio

each = pytest.mark.parametrize("direction", ["payout", "refund", "collection"])
NEXT = {"mode": "next", "count": 1}


@pytest.fixture(autouse=True)
def no_faults(stage):
    yield
    stage.hands.clear_faults()


def fault(stage, name, **options):
    stage.hands.set_fault("rail", name, **(NEXT | options))


@each
async def test_on_a_good_day_it_is_done_at_once(stage, direction):
    transfer = await BEGIN[direction](stage)
    assert transfer.card_moved_fen() == 0
    await stage.work()
    await assert_done_once(transfer)
    await transfer.tell()
    assert await transfer.wait_and_work() == DONE[direction]
    await assert_done_once(transfer)


@each
async def test_an_order_the_rail_never_got_is_ordered_again(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "lost_request")
    await stage.work()
    assert (await transfer.state(), transfer.orders()) == ("sent", [])
    assert await transfer.wait_and_work() == DONE[direction]
    await assert_done_once(transfer)


@each
async def test_an_order_whose_answer_was_lost_is_asked_for_not_ordered_again(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "lost_answer")
    await stage.work()
    assert await transfer.state() == "sent"  # we do not know, and say so; the money has moved
    assert abs(transfer.card_moved_fen()) == transfer.amount_fen
    assert await transfer.wait_and_work() == DONE[direction]
    await assert_done_once(transfer)


@each
async def test_an_answer_slower_than_our_patience_is_asked_for(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "slow", delay_s=1)
    async with httpx.AsyncClient(trust_env=False) as client:
        impatient = HttpRail(stage.town.link(client, "rail", timeout_s=0.3))
        await drain(dataclasses.replace(stage.platform, rail=impatient))
    assert await transfer.state() == "sent"
    assert await transfer.wait_and_work() == DONE[direction]
    await assert_done_once(transfer)


@each
async def test_an_order_in_processing_is_waited_for(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "stays_processing", asks=2)
    await stage.work()
    said = [await transfer.state()] + [await transfer.wait_and_work() for _ in range(3)]
    assert said == ["sent", "sent", "sent", DONE[direction]]
    await assert_done_once(transfer)


@each
async def test_an_order_held_for_long_keeps_its_money_held_until_it_is_released(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "stays_processing")
    await stage.work()
    for _ in range(6):
        assert await transfer.wait_and_work() == "sent"
    await assert_books_agree(stage)
    line = await transfer.person.get("/line")
    # the draw is held, or the repaid principal not yet given back; a refund is nothing to the line
    assert line["available_fen"] == (1_500_000 if direction == "refund" else 500_000)
    stage.hands.release()
    assert await transfer.wait_and_work() == DONE[direction]
    await assert_done_once(transfer)


@each
async def test_a_rail_that_is_down_is_asked_until_it_is_up(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "down", count=3)
    await stage.work()
    said = [await transfer.state()] + [await transfer.wait_and_work() for _ in range(3)]
    assert said == ["sent", "sent", "sent", DONE[direction]]
    await assert_done_once(transfer)


@each
async def test_between_questions_the_rail_is_left_in_peace(stage, direction):
    """A lease has to run out first; working again and again asks nothing and orders nothing."""
    transfer = await BEGIN[direction](stage)
    fault(stage, "lost_request")
    await stage.work()
    for _ in range(3):
        await stage.work()
    assert (await transfer.state(), transfer.orders()) == ("sent", [])
    assert await transfer.wait_and_work() == DONE[direction]


@each
async def test_a_callback_brings_the_answer_sooner(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "lost_answer")
    await stage.work()
    assert await transfer.state() == "sent"
    await transfer.tell()
    assert await transfer.state() == "sent"  # a callback is a hint: nothing is booked on its word
    await stage.work()
    await assert_done_once(transfer)


@each
async def test_a_callback_that_comes_twice_changes_nothing(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "lost_answer")
    fault(stage, "duplicate_callback")
    await stage.work()
    await transfer.tell()
    await stage.work()
    await transfer.tell()
    await stage.work()
    await assert_done_once(transfer)


@each
async def test_a_late_callback_finds_everything_done(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "late_callback", delay_s=2 * LATER_S)
    fault(stage, "lost_answer")
    await stage.work()
    assert await transfer.wait_and_work() == DONE[direction]
    stage.tick(2 * LATER_S)
    await transfer.tell()
    await stage.work()
    await assert_done_once(transfer)


@each
async def test_a_callback_that_says_failed_of_what_succeeded_is_not_believed(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "contradictory_callback")
    fault(stage, "lost_answer")
    await stage.work()
    await transfer.tell()
    await stage.work()
    await assert_done_once(transfer)


@each
async def test_a_callback_that_says_paid_of_what_failed_is_not_believed(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "reject", reason="limit_exceeded")
    fault(stage, "contradictory_callback")
    fault(stage, "lost_answer")
    await stage.work()
    await transfer.tell()
    await stage.work()
    await assert_undone(transfer, reason="limit_exceeded")


@each
async def test_a_callback_that_nobody_signed_is_refused(stage, direction):
    transfer = await BEGIN[direction](stage)
    fault(stage, "lost_answer")
    await stage.work()
    heard = stage.town.receiver.next_for(transfer.key)
    headers = {name: value for name, value in heard.headers.items() if name.lower().startswith("x-rail")}
    forged = heard.body.replace(b'"succeeded"', b'"failed"')
    answer = await stage.api.post("/partners/rail/callbacks", content=forged, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_callback_signature")
    await stage.work()
    assert await transfer.state() == "sent"
    await transfer.wait_and_work()
    await assert_done_once(transfer)


async def test_a_failed_payout_gives_everything_back_and_the_borrower_may_try_again(stage):
    transfer = await begin_payout(stage)
    person = transfer.person
    held = await person.get("/line")
    assert (held["available_fen"], held["day_left_fen"]) == (500_000, 9_000_000)
    fault(stage, "reject", reason="account_frozen")
    await stage.work()
    await assert_undone(transfer, reason="account_frozen")
    shown = await person.get(f"/draws/{transfer.transfer_id}")
    assert shown["failure"]["text"] == "银行卡被冻结或状态异常"
    assert shown["loan_id"] is None
    assert [step["code"] for step in shown["steps"]][-1] == "failed"
    english = await person.call("GET", f"/draws/{transfer.transfer_id}", **{"Accept-Language": "en"})
    assert english.json()["failure"]["text"] == "The card is frozen or otherwise unusable"
    assert (await person.get("/line"))["day_left_fen"] == 10_000_000
    assert (await person.get("/loans"))["items"] == []
    held = await stage.rows(
        "select account, balance_fen from ledger.balances where member_id = %s order by 1", person.member_id
    )
    assert held == [("1303", 0), ("2202", 0)]
    assert await person.loan(15_000)  # the whole line is free again
    await assert_books_agree(stage)


async def test_a_failed_collection_leaves_the_debt_and_may_be_tried_again(stage):
    transfer = await begin_collection(stage)
    fault(stage, "reject", reason="limit_exceeded")
    await stage.work()
    await assert_undone(transfer, reason="limit_exceeded")
    assert (await transfer.shown())["failure"]["text"] == "超出银行单笔或当日限额"
    loan = await transfer.person.get(f"/loans/{transfer.loan_id}")
    assert (loan["principal_outstanding_fen"], loan["payoff_fen"]) == (1_000_000, 1_000_000)
    await transfer.person.repay(transfer.loan_id, transfer.amount_fen)
    loan = await transfer.person.get(f"/loans/{transfer.loan_id}")
    assert loan["principal_outstanding_fen"] == 800_000
    assert [row["state"] for row in loan["repayments"]] == ["failed", "collected"]
    await assert_books_agree(stage)


async def test_what_is_being_collected_cannot_be_asked_for_twice(stage):
    """Half is on its way with an unknown outcome: only the other half may still be asked for."""
    transfer = await begin_collection(stage, yuan=5_000)
    fault(stage, "stays_processing")
    await stage.work()
    path = f"/loans/{transfer.loan_id}/repayments"
    [listed] = (await transfer.person.get("/loans"))["items"]
    shown = await transfer.person.get(f"/loans/{transfer.loan_id}")
    assert listed["payoff_fen"] == shown["payoff_fen"] == 500_000
    above = await transfer.person.refused(path, {"amount_fen": 500_001}, key=new_key())
    assert (above["code"], above["payoff_fen"]) == ("repayment_above_debt", 500_000)
    await transfer.person.post(path, {"amount_fen": 500_000}, key=new_key())
    [listed] = (await transfer.person.get("/loans"))["items"]
    assert (listed["payoff_fen"], listed["principal_outstanding_fen"]) == (0, 1_000_000)
    await stage.work()
    stage.hands.release()
    assert await transfer.wait_and_work() == "collected"
    loan = await transfer.person.get(f"/loans/{transfer.loan_id}")
    assert (loan["state"], loan["payoff_fen"]) == ("settled", 0)
    await assert_books_agree(stage)


async def test_a_bad_month_on_the_rail_with_many_borrowers(stage):
    """Every fault at once, by chance, over many transfers begun together: all are done in the end, each once."""
    ready = [await ready_collection(stage) for _ in range(10)] + [await ready_payout(stage) for _ in range(4)]
    transfers = [await begin() for begin in ready]
    for name in ("lost_request", "lost_answer", "down", "stays_processing", "duplicate_callback"):
        options = {"asks": 1} if name == "stays_processing" else {}
        stage.hands.set_fault("rail", name, mode="probability", probability=0.35, **options)
    await stage.work()
    assert "sent" in [await transfer.state() for transfer in transfers]
    for _ in range(4):
        stage.tick(LATER_S)
        await stage.work()
        await assert_books_agree(stage)
    stage.hands.clear_faults()
    for _ in range(2):
        stage.tick(LATER_S)
        await stage.work()
    for transfer in transfers:
        await assert_done_once(transfer)
