"""The day's work: what falls due is charged and debited, once, however often and however late the day is closed."""

from datetime import time, timedelta

import anyio
import pytest

from grainline.entry.worker import day_work
from grainline.kit.calendar import at

pytestmark = pytest.mark.anyio


async def come_to(stage, day, clock_time):
    """Let time pass with nobody working, then do what the day asks for and what follows from it."""
    stage.clock.advance_to(at(day, clock_time))
    await close_day(stage)


async def close_day(stage):
    await day_work(stage.platform, stage.clock())
    await stage.work()


def wait(stage, days):
    """Let days go by on which nothing is due."""
    stage.clock.advance_to(stage.clock() + timedelta(days=days))


async def drawn(stage):
    """A borrower with 10,000 over 5 months, and the loan's first row."""
    person = await stage.borrower(line_fen=1_500_000)
    loan_id = await person.loan(10_000)
    return person, loan_id, (await person.get(f"/loans/{loan_id}"))["rows"][0]


async def debits(person, loan_id):
    loan = await person.get(f"/loans/{loan_id}")
    return [(row["state"], row["amount_fen"]) for row in loan["repayments"]]


def card(stage, person, fen):
    stage.hands.set_balance(person.papers.agreement, fen)


async def journals(stage, person):
    """Everything in a member's books but the draw: kind, account, amount."""
    return await stage.rows(
        "select j.kind, e.account, e.amount_fen from ledger.entries e"
        " join ledger.journals j using (member_id, journal_no) where member_id = %s"
        " and kind not in ('draw_reserved', 'draw_paid') order by e.entry_no",
        person.member_id,
    )


async def test_an_empty_card_is_tried_again_at_the_next_debit_time_and_the_next_day(stage):
    person, loan_id, first = await drawn(stage)
    card(stage, person, 0)
    started_on = stage.today()
    wait(stage, first["days"] - 1)
    assert await debits(person, loan_id) == []

    due_on = started_on + timedelta(days=first["days"])
    assert str(due_on) == first["due_on"]
    await come_to(stage, due_on, time(8, 59))
    assert await debits(person, loan_id) == []
    due = first["total_fen"]
    assert (await person.get(f"/loans/{loan_id}"))["due_now_fen"] == due
    await come_to(stage, due_on, time(9, 0))
    loan = await person.get(f"/loans/{loan_id}")
    assert [row["failure"] for row in loan["repayments"]] == [{"code": "insufficient_funds", "text": "银行卡余额不足"}]
    await come_to(stage, due_on, time(12, 0))
    assert await debits(person, loan_id) == [("failed", due)]  # one try for each debit time
    await come_to(stage, due_on, time(18, 0))
    assert await debits(person, loan_id) == [("failed", due)] * 2

    card(stage, person, 1_000_000)
    await come_to(stage, due_on + timedelta(days=1), time(9, 0))
    assert await debits(person, loan_id) == [("failed", due)] * 2 + [("collected", due)]
    loan = await person.get(f"/loans/{loan_id}")
    assert (loan["rows"][0]["state"], loan["due_now_fen"], loan["principal_outstanding_fen"]) == ("paid", 0, 800_000)
    assert stage.hands.account(person.papers.agreement).balance_fen == 1_000_000 - due
    await come_to(stage, due_on + timedelta(days=1), time(18, 0))
    assert len(await debits(person, loan_id)) == 3
    assert await stage.proof() == []
    texts = [message.text for message in stage.hands.inbox(person.papers.phone)]
    assert sum("余额不足" in text for text in texts) == 2


async def test_a_debit_that_is_under_way_is_not_asked_for_again(stage):
    person, loan_id, first = await drawn(stage)
    wait(stage, first["days"] - 1)
    stage.hands.set_fault("rail", "stays_processing", mode="probability", probability=1.0)  # others are due today too
    due_on = stage.today() + timedelta(days=1)
    for clock_time in (time(9, 0), time(18, 0)):
        await come_to(stage, due_on, clock_time)
        assert await debits(person, loan_id) == [("sent", first["total_fen"])]
    stage.hands.clear_faults()
    await come_to(stage, due_on, time(19, 0))
    assert await debits(person, loan_id) == [("collected", first["total_fen"])]
    assert await stage.proof() == []


async def test_closing_the_day_twice_is_closing_it_once(stage):
    person, loan_id, first = await drawn(stage)
    wait(stage, first["days"] - 1)
    due_on = stage.today() + timedelta(days=1)
    await come_to(stage, due_on, time(9, 0))
    after_once = await journals(stage, person), await person.get(f"/loans/{loan_id}"), await debits(person, loan_id)
    assert [kind for kind, _, _ in after_once[0]].count("interest_due") == 2  # a journal of two entries
    for _ in range(2):
        await close_day(stage)
    assert await journals(stage, person) == after_once[0]
    assert await person.get(f"/loans/{loan_id}") == after_once[1]
    assert await stage.proof() == []


async def test_four_workers_that_close_one_day_together_charge_and_debit_once(stage):
    person, loan_id, first = await drawn(stage)
    wait(stage, first["days"] - 1)
    stage.clock.advance_to(at(stage.today() + timedelta(days=1), time(9, 0)))
    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(close_day, stage)
    assert await debits(person, loan_id) == [("collected", first["total_fen"])]
    kinds = [kind for kind, _, _ in await journals(stage, person)]
    assert (kinds.count("interest_due"), kinds.count("repayment")) == (2, 3)
    assert await stage.proof() == []


async def test_a_repayment_that_settles_late_counts_from_the_day_it_was_asked_for(stage):
    """Asked for on the 10th day, answered after the due date: interest since is taken back in the books."""
    person, loan_id, first = await drawn(stage)
    card(stage, person, 2_000_000)
    wait(stage, 10)
    stage.hands.set_fault("rail", "stays_processing", mode="next", count=1)
    interest_to_date = 1_000_000 * 5 * 10 // 10_000
    await person.repay(loan_id, 500_000 + interest_to_date)
    wait(stage, first["days"] - 10 + 1)
    await close_day(stage)
    loan = await person.get(f"/loans/{loan_id}")
    assert loan["rows"][0]["interest_fen"] == 1_000_000 * 5 * first["days"] // 10_000  # as if nothing had come
    assert await stage.proof() == []
    stage.hands.clear_faults()
    stage.tick(330)
    await stage.work()
    loan = await person.get(f"/loans/{loan_id}")
    since = 500_000 * 5 * (first["days"] - 10) // 10_000  # on what was left
    assert loan["rows"][0]["interest_fen"] == interest_to_date + since
    assert loan["principal_outstanding_fen"] <= 500_000
    assert (await person.get("/line"))["available_fen"] == 1_500_000 - loan["principal_outstanding_fen"]
    assert await stage.proof() == []
