"""Money that is held goes back to the usual card: once, on the rail's word, and nothing else takes it meanwhile."""

import asyncio
import dataclasses
from datetime import timedelta
from uuid import UUID

import pytest
from rail_orders import LATER_S, assert_books_agree, overpaid

from grainline.desk.periods import close_period
from grainline.entry.worker import drain
from grainline.kit.calendar import business_date
from grainline.kit.db import transaction
from grainline.kit.money import Fen
from grainline.ledger.periods import month_end
from grainline.loans import Event, EventKind, record_event
from grainline.loans.model import EventNotPossible
from grainline.partners.rail import Status
from stage import new_key

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
HELD_FEN = 7_000


@pytest.fixture(autouse=True)
def no_faults(stage):
    yield
    stage.hands.clear_faults()
    stage.hands.release()


async def ask(person, loan_id, *, key=None, amount_fen=None):
    """Ask for an amount, or for all that is held."""
    return await person.post(f"/loans/{loan_id}/refunds", {"amount_fen": amount_fen}, key=key or new_key())


async def held(person, loan_id):
    loan = await person.get(f"/loans/{loan_id}")
    return loan["suspense_fen"], loan["payoff_fen"]


async def books(stage, person):
    """What the member's accounts hold, without those that are empty."""
    return await stage.rows(
        "select account, balance_fen from ledger.balances where member_id = %s and balance_fen <> 0 order by 1",
        person.member_id,
    )


async def journals(stage, person):
    """The journals of refunds, with what they move."""
    return await stage.rows(
        "select j.kind, j.value_on, array_agg(e.account || ' ' || e.amount_fen order by e.account)"
        " from ledger.journals j join ledger.entries e using (member_id, journal_no)"
        " where member_id = %s and j.kind like 'refund%%' group by member_id, journal_no, 1, 2 order by journal_no",
        person.member_id,
    )


async def record(stage, person, loan_id, kind, fen=0, **more):
    async with transaction(stage.platform.pool) as tx:
        return await record_event(
            tx,
            stage.platform.pack,
            Event(kind, stage.today(), 0, Fen(fen), **more),
            member_id=person.member_id,
            loan_id=UUID(loan_id),
            made_by="officer",
            reason="test",
            key=new_key(),
            now=stage.clock(),
        )


def balance(stage, person):
    return stage.hands.account(person.papers.agreement).balance_fen


async def on_its_way(stage, fen=HELD_FEN):
    """A refund of all that is held, which the rail has taken and not settled."""
    person, loan_id = await overpaid(stage, fen)
    stage.hands.set_fault("rail", "stays_processing", mode="next", count=1)
    refund = await ask(person, loan_id)
    await stage.work()
    return person, loan_id, refund["refund_id"]


async def test_what_is_held_is_paid_to_the_card_and_told(stage):
    person, loan_id = await overpaid(stage, HELD_FEN)
    assert await held(person, loan_id) == (HELD_FEN, 0)
    before, today = balance(stage, person), stage.today()
    asked = await ask(person, loan_id)
    assert (asked["state"], asked["amount_fen"], asked["value_on"]) == ("requested", HELD_FEN, str(today))
    assert (asked["paid_at"], asked["failure"]) == (None, None)
    assert await held(person, loan_id) == (0, 0)
    assert await books(stage, person) == [("2242", -HELD_FEN)]
    assert balance(stage, person) == before
    await assert_books_agree(stage)
    await stage.work()
    shown = await person.get(f"/loans/{loan_id}/refunds/{asked['refund_id']}")
    assert (shown["state"], shown["amount_fen"]) == ("paid", HELD_FEN)
    assert shown["paid_at"] is not None
    assert (await person.get(f"/loans/{loan_id}/refunds"))["items"] == [shown]
    assert balance(stage, person) == before + HELD_FEN
    assert await books(stage, person) == []
    assert await journals(stage, person) == [
        ("refund", today, [f"2241 {HELD_FEN}", f"2242 -{HELD_FEN}"]),
        ("refund_paid", today, [f"1002 -{HELD_FEN}", f"2242 {HELD_FEN}"]),
    ]
    sms = stage.hands.inbox(person.papers.phone, limit=1)[0].text
    assert sms == f"【Grainline】溢缴款 ¥70.00 已退回您尾号 {person.papers.card_number[-4:]} 的银行卡。"
    await assert_books_agree(stage)


async def test_a_part_is_refunded_and_never_more_than_is_held(stage):
    person, loan_id = await overpaid(stage, HELD_FEN)
    path = f"/loans/{loan_id}/refunds"
    above = await person.refused(path, {"amount_fen": HELD_FEN + 1}, key=new_key())
    assert (above["status"], above["code"], above["suspense_fen"]) == (409, "refund_above_suspense", HELD_FEN)
    await ask(person, loan_id, amount_fen=2_500)
    above = await person.refused(path, {"amount_fen": HELD_FEN - 2_500 + 1}, key=new_key())
    assert above["suspense_fen"] == HELD_FEN - 2_500
    await ask(person, loan_id, amount_fen=4_500)
    nothing = await person.refused(path, {"amount_fen": None}, key=new_key())
    assert (nothing["code"], nothing["suspense_fen"]) == ("refund_above_suspense", 0)
    await stage.work()
    amounts = [(one["state"], one["amount_fen"]) for one in (await person.get(path))["items"]]
    assert amounts == [("paid", 2_500), ("paid", 4_500)]
    await assert_books_agree(stage)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"amount_fen": 0}, "refund_not_positive"),
        ({"amount_fen": -1}, "refund_not_positive"),
        ({"amount_fen": 1.5}, "invalid_request"),
        ({"amount_fen": "100"}, "invalid_request"),
        ({"amount_fen": 2**63}, "invalid_request"),
        ({"amount_fen": 100, "currency": "USD"}, "invalid_request"),
    ],
)
async def test_what_is_no_amount_is_refused_and_holds_nothing(stage, body, code):
    person, loan_id = await overpaid(stage, HELD_FEN)
    problem = await person.refused(f"/loans/{loan_id}/refunds", body, key=new_key())
    assert (problem["status"], problem["code"]) == (422, code)
    assert await held(person, loan_id) == (HELD_FEN, 0)
    unkeyed = await person.refused(f"/loans/{loan_id}/refunds", {"amount_fen": None})
    assert unkeyed["code"] == "invalid_request"


async def test_the_same_key_is_the_same_refund_for_ever(stage):
    person, loan_id = await overpaid(stage, HELD_FEN)
    key = new_key()
    asked = await ask(person, loan_id, key=key)
    assert await ask(person, loan_id, key=key) == asked  # although nothing is held any more
    await stage.work()
    again = await ask(person, loan_id, key=key)
    assert (again["refund_id"], again["state"]) == (asked["refund_id"], "paid")
    other = await person.refused(f"/loans/{loan_id}/refunds", {"amount_fen": 1}, key=key)
    assert (other["status"], other["code"]) == (422, "idempotency_key_reused")
    assert len((await person.get(f"/loans/{loan_id}/refunds"))["items"]) == 1
    await assert_books_agree(stage)


async def test_of_many_that_ask_at_once_one_is_paid(stage):
    person, loan_id = await overpaid(stage, HELD_FEN)
    before = balance(stage, person)
    calls = [
        person.call("POST", f"/loans/{loan_id}/refunds", {"amount_fen": None}, **{"Idempotency-Key": new_key()})
        for _ in range(5)
    ]
    answers = sorted([answer.status_code for answer in await asyncio.gather(*calls)])
    assert answers == [202, 409, 409, 409, 409]
    await stage.work()
    assert balance(stage, person) == before + HELD_FEN
    await assert_books_agree(stage)


@pytest.mark.parametrize("days", [0, 1])
async def test_a_fee_that_comes_meanwhile_does_not_eat_what_is_on_its_way(stage, days):
    person, loan_id, refund_id = await on_its_way(stage)
    before = balance(stage, person)
    stage.tick(1 + days * DAY.total_seconds())
    await record(stage, person, loan_id, EventKind.FEE, 5_000)
    assert await held(person, loan_id) == (0, 5_000)
    await assert_books_agree(stage)
    stage.hands.release()
    stage.tick(LATER_S)
    await stage.work()
    assert (await person.get(f"/loans/{loan_id}/refunds/{refund_id}"))["state"] == "paid"
    assert balance(stage, person) == before + HELD_FEN
    assert await held(person, loan_id) == (0, 5_000)
    await assert_books_agree(stage)


@pytest.mark.parametrize("days", [0, 1])
async def test_where_the_rail_fails_it_is_as_if_nobody_had_asked_and_the_fee_is_paid_of_it(stage, days):
    person, loan_id = await overpaid(stage, HELD_FEN)
    before = balance(stage, person)
    for name, options in (("reject", {"reason": "account_frozen"}), ("lost_answer", {})):
        stage.hands.set_fault("rail", name, mode="next", count=1, **options)
    refund_id = (await ask(person, loan_id))["refund_id"]
    await stage.work()
    stage.tick(1 + days * DAY.total_seconds())
    await record(stage, person, loan_id, EventKind.FEE, 5_000)
    assert await held(person, loan_id) == (0, 5_000)
    stage.tick(LATER_S)
    await stage.work()
    shown = await person.get(f"/loans/{loan_id}/refunds/{refund_id}")
    assert (shown["state"], shown["failure"]["code"]) == ("failed", "account_frozen")
    assert await held(person, loan_id) == (HELD_FEN - 5_000, 0)
    assert await books(stage, person) == [("2241", -(HELD_FEN - 5_000))]
    assert balance(stage, person) == before
    sms = stage.hands.inbox(person.papers.phone, limit=1)[0].text
    assert sms == "【Grainline】溢缴款 ¥70.00 退款未成功：银行卡被冻结或状态异常。款项仍为您保留。"
    events = (await person.get(f"/loans/{loan_id}/events"))["items"]
    assert [(one["kind"], one["reversed"]) for one in events if "re" in one["kind"]][1:] == [
        ("refund", True),
        ("reversal", False),
    ]
    await assert_books_agree(stage)
    await ask(person, loan_id)  # what is left may be asked for again
    await stage.work()
    assert balance(stage, person) == before + HELD_FEN - 5_000
    await assert_books_agree(stage)


async def test_an_officer_does_not_take_back_what_is_on_its_way(stage):
    person, loan_id, _ = await on_its_way(stage)
    with pytest.raises(EventNotPossible, match="refund_under_way"):
        await record(stage, person, loan_id, EventKind.REVERSAL, reverses=2)
    with pytest.raises(EventNotPossible, match="more_than_suspense"):
        await record(stage, person, loan_id, EventKind.REFUND, 1)
    stage.hands.release()
    stage.tick(LATER_S)
    await stage.work()
    await record(stage, person, loan_id, EventKind.REVERSAL, reverses=2)  # the bank sent it back
    assert await held(person, loan_id) == (HELD_FEN, 0)
    await assert_books_agree(stage)


async def test_the_repayment_that_was_too_much_is_taken_back_meanwhile(stage):
    """What is on its way is then owed again, with the debt that the repayment had settled."""
    person, loan_id, _ = await on_its_way(stage)
    await record(stage, person, loan_id, EventKind.REVERSAL, reverses=1)
    assert await held(person, loan_id) == (0, 1_000_000 + HELD_FEN)
    await assert_books_agree(stage)
    stage.hands.release()
    stage.tick(LATER_S)
    await stage.work()
    assert await held(person, loan_id) == (0, 1_000_000 + HELD_FEN)
    await assert_books_agree(stage)


async def test_a_payment_learned_of_after_its_month_was_closed_counts_from_the_next(stage):
    person, loan_id, refund_id = await on_its_way(stage)
    ends_on = month_end(stage.today())
    settled_at = stage.clock()
    await stage.pass_days((ends_on - stage.today()).days + 2)
    await close_books(stage, through=ends_on)

    class Late:
        """The sandbox's rail, which says now that it settled long ago."""

        def __getattr__(self, name):
            return getattr(stage.platform.rail, name)

        async def payout(self, key):
            answer = await stage.platform.rail.payout(key)
            return dataclasses.replace(answer, status=Status.SUCCEEDED, settled_at=settled_at)

    stage.tick(LATER_S)
    await drain(dataclasses.replace(stage.platform, rail=Late()))
    shown = await person.get(f"/loans/{loan_id}/refunds/{refund_id}")
    assert shown["state"] == "paid"
    value_ons = {kind: value_on for kind, value_on, _ in await journals(stage, person)}
    assert value_ons == {"refund": business_date(settled_at), "refund_paid": ends_on + DAY}
    assert await stage.proof() == []


async def close_books(stage, *, through):
    """Close every period from the first journal's month on."""
    [(first,)] = await stage.rows("select min(value_on) from ledger.journals")
    ends_on = month_end(first)
    while ends_on <= through:
        async with transaction(stage.platform.pool) as tx:
            assert await close_period(tx, ends_on=ends_on, now=stage.clock(), closed_by="test")
        ends_on = month_end(ends_on + DAY)
