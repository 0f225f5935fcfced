"""Moving the clock by days leaves out nothing of any day: not the rest of the first, not the morning of the last."""

from datetime import time, timedelta

import pytest

from grainline.kit.calendar import SHANGHAI, at

pytestmark = pytest.mark.anyio


async def due_today_at(stage, clock_time):
    """A borrower with an empty card at a time of the first due date; nobody has worked since the draw."""
    person = await stage.borrower(line_fen=1_500_000)
    loan_id = await person.loan(10_000)
    stage.hands.set_balance(person.papers.agreement, 0)
    days = (await person.get(f"/loans/{loan_id}"))["rows"][0]["days"]
    due_on = stage.today() + timedelta(days=days)
    stage.clock.advance_to(at(due_on, clock_time))
    return person, due_on


async def debits(stage, person, due_on):
    """The debits asked for: days after the due date, hour in Shanghai, and the debit time they are for."""
    rows = await stage.rows(
        "select requested_at, right(idempotency_key, 5) from loans.repayments where member_id = %s"
        " order by requested_at",
        person.member_id,
    )
    when = [(asked_at.astimezone(SHANGHAI), slot) for asked_at, slot in rows]
    return [((moment.date() - due_on).days, moment.hour, slot) for moment, slot in when]


async def test_what_is_left_of_the_starting_day_comes_first(stage):
    person, due_on = await due_today_at(stage, time(8, 0))
    await stage.pass_days(1)
    assert await debits(stage, person, due_on) == [(0, 9, "09:00"), (0, 18, "18:00")]
    await stage.pass_days(1)
    assert (await debits(stage, person, due_on))[2:] == [(1, 9, "09:00"), (1, 18, "18:00")]


async def test_a_debit_time_that_nobody_worked_at_is_made_up_for_before_the_next(stage):
    person, due_on = await due_today_at(stage, time(12, 0))
    await stage.pass_days(1)
    assert await debits(stage, person, due_on) == [(0, 12, "09:00"), (0, 18, "18:00"), (1, 9, "09:00")]


async def test_each_debit_has_its_answer_before_the_next_is_asked_for(stage):
    """The card is filled by nobody: what was asked for in the morning has failed when the evening asks again."""
    person, _ = await due_today_at(stage, time(8, 0))
    stage.hands.set_fault("rail", "lost_answer", mode="next", count=1)
    await stage.pass_days(1)
    rows = await stage.rows("select state, amount_fen from loans.repayments where member_id = %s", person.member_id)
    assert [state for state, _ in rows] == ["failed", "failed"]
    assert len({amount_fen for _, amount_fen in rows}) == 1


async def test_the_clock_ends_at_the_same_hour(stage):
    before = stage.clock()
    await stage.pass_days(2)
    assert timedelta(0) <= stage.clock() - before - timedelta(days=2) < timedelta(hours=1)
