"""What officers may record on a loan: each refusal, what a key stands for, and what becomes of books and line."""

from datetime import timedelta
from uuid import UUID

import pytest

from grainline.desk.periods import close_period
from grainline.kit.db import transaction
from grainline.kit.web import KeyReused
from grainline.ledger.periods import month_end
from grainline.loans import Event, EventKind
from grainline.loans.model import EventNotPossible, EventOutOfTime, LoanNotFound, NotReversible
from grainline.loans.officers import record_event
from grainline.products import Component
from stage import new_key

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def record(stage, person, loan_id, kind, *, back=0, key=None, on=None, **what):
    """Record an event that counts from some days back, and return the loan's state."""
    event = Event(kind, on or stage.today() - back * DAY, 1, **what)
    async with transaction(stage.platform.pool) as tx:
        return await record_event(
            tx,
            stage.platform.pack,
            event,
            member_id=person.member_id,
            loan_id=UUID(loan_id),
            made_by="officer",
            reason="test",
            key=key or new_key(),
            now=stage.clock(),
        )


async def lent(stage, *, days_ago, yuan=10_000, line_fen=1_500_000):
    """A borrower with a loan at 0.05 % a day that began some days ago and of whom nobody has asked anything since."""
    person = await stage.borrower(line_fen=line_fen)
    loan_id = await person.loan(yuan)
    if days_ago:
        stage.tick(days_ago * DAY.total_seconds())
    return person, loan_id


async def events_of(stage, loan_id):
    return await stage.rows(
        "select event_no, kind, amount_fen from loans.events where loan_id = %s order by 1", loan_id
    )


async def books(stage, person):
    return await stage.rows(
        "select account, balance_fen from ledger.balances where member_id = %s and balance_fen <> 0 order by 1",
        person.member_id,
    )


async def line(stage, person):
    return await stage.rows(
        "select state, frozen_for, used_fen, available_fen, overdrawn_fen from lines.lines where member_id = %s",
        person.member_id,
    )


async def nothing_changed(stage, person, loan_id, before):
    return (await books(stage, person), await events_of(stage, loan_id)) == before and await stage.proof() == []


@pytest.mark.parametrize(
    ("days_ago", "back", "earliest_back"),
    [(10, 11, 10), (40, 31, 30), (10, -1, 10), (5, 400, 5)],
    ids=["before the draw", "too far back", "tomorrow", "long before"],
)
async def test_an_event_out_of_time_is_refused(stage, days_ago, back, earliest_back):
    person, loan_id = await lent(stage, days_ago=days_ago)
    before = await books(stage, person), await events_of(stage, loan_id)
    with pytest.raises(EventOutOfTime) as refused:
        await record(stage, person, loan_id, EventKind.FEE, back=back, amount_fen=1_000)
    today = stage.today()
    assert refused.value.params == {
        "value_on": str(today - back * DAY),
        "earliest": str(today - earliest_back * DAY),
        "latest": str(today),
    }
    assert await nothing_changed(stage, person, loan_id, before)
    # the first day that is allowed is allowed
    await record(stage, person, loan_id, EventKind.FEE, back=earliest_back, amount_fen=1_000)
    assert [row[1:] for row in await events_of(stage, loan_id)] == [("fee", 1_000)]
    assert await stage.proof() == []


async def test_what_is_not_there_is_not_reversed_and_nothing_twice(stage):
    person, loan_id = await lent(stage, days_ago=3)
    at_first = await books(stage, person)
    with pytest.raises(NotReversible):
        await record(stage, person, loan_id, EventKind.REVERSAL, reverses=1)
    await record(stage, person, loan_id, EventKind.FEE, amount_fen=1_000)
    assert await books(stage, person) == [("1301", 1_000_000), ("1302", 1_000)]
    await record(stage, person, loan_id, EventKind.REVERSAL, reverses=1)
    assert await books(stage, person) == at_first == [("1301", 1_000_000)]
    for number in (1, 2, 3):  # reversed already, a reversal, nothing
        with pytest.raises(NotReversible) as refused:
            await record(stage, person, loan_id, EventKind.REVERSAL, reverses=number)
        assert refused.value.params == {"number": number}
    assert await events_of(stage, loan_id) == [(1, "fee", 1_000), (2, "reversal", 0)]
    assert await stage.proof() == []


async def test_no_more_is_refunded_than_is_held(stage):
    person, loan_id = await lent(stage, days_ago=10)
    interest = 1_000_000 * 5 * 10 // 10_000
    with pytest.raises(EventNotPossible, match="more_than_suspense"):
        await record(stage, person, loan_id, EventKind.REFUND, amount_fen=1)
    state = await record(stage, person, loan_id, EventKind.REPAYMENT, amount_fen=1_000_000 + interest + 700)
    assert (state.totals.suspense, state.settled_on) == (700, stage.today())
    assert await books(stage, person) == [("2241", -700)]
    before = await books(stage, person), await events_of(stage, loan_id)
    with pytest.raises(EventNotPossible, match="more_than_suspense"):
        await record(stage, person, loan_id, EventKind.REFUND, amount_fen=701)
    assert await nothing_changed(stage, person, loan_id, before)
    await record(stage, person, loan_id, EventKind.REFUND, amount_fen=300)
    with pytest.raises(EventNotPossible, match="more_than_suspense"):
        await record(stage, person, loan_id, EventKind.REFUND, amount_fen=401)
    assert (await record(stage, person, loan_id, EventKind.REFUND, amount_fen=400)).totals.suspense == 0
    assert await books(stage, person) == []
    assert await stage.proof() == []


async def test_what_was_refunded_later_is_not_held_earlier_once_more(stage):
    """700 came in too much on the 5th day and went out on the 10th: on the 7th they are not there once more."""
    person, loan_id = await lent(stage, days_ago=10)
    interest = 1_000_000 * 5 * 5 // 10_000
    await record(stage, person, loan_id, EventKind.REPAYMENT, back=5, amount_fen=1_000_000 + interest + 700)
    await record(stage, person, loan_id, EventKind.REFUND, amount_fen=700)
    before = await books(stage, person), await events_of(stage, loan_id)
    with pytest.raises(EventNotPossible, match="more_than_suspense"):
        await record(stage, person, loan_id, EventKind.REFUND, back=3, amount_fen=700)
    assert await nothing_changed(stage, person, loan_id, before)


async def test_no_more_is_waived_than_is_owed(stage):
    person, loan_id = await lent(stage, days_ago=10)
    accrued = 1_000_000 * 5 * 10 // 10_000
    await record(stage, person, loan_id, EventKind.FEE, amount_fen=800)
    before = await books(stage, person), await events_of(stage, loan_id)
    for component, fen in ((Component.FEE, 801), (Component.PENALTY, 1), (Component.INTEREST, accrued + 1)):
        with pytest.raises(EventNotPossible, match="more_than_owed"):
            await record(stage, person, loan_id, EventKind.WAIVER, amount_fen=fen, component=component)
    assert await nothing_changed(stage, person, loan_id, before)
    await record(stage, person, loan_id, EventKind.WAIVER, amount_fen=800, component=Component.FEE)
    state = await record(stage, person, loan_id, EventKind.WAIVER, amount_fen=accrued, component=Component.INTEREST)
    assert (state.totals.waived, state.payoff_fen) == (800 + accrued, 1_000_000)
    assert await stage.proof() == []


async def test_a_key_stands_for_one_event(stage):
    person, loan_id = await lent(stage, days_ago=3)
    key = new_key()
    first = await record(stage, person, loan_id, EventKind.FEE, key=key, amount_fen=1_000)
    before = await books(stage, person), await events_of(stage, loan_id)
    assert await record(stage, person, loan_id, EventKind.FEE, key=key, amount_fen=1_000) == first
    for kind, what in (
        (EventKind.FEE, {"amount_fen": 1_001}),
        (EventKind.COUPON, {"amount_fen": 1_000}),
        (EventKind.FEE, {"amount_fen": 1_000, "back": 1}),
    ):
        with pytest.raises(KeyReused):
            await record(stage, person, loan_id, kind, key=key, **what)
    assert await nothing_changed(stage, person, loan_id, before)


async def test_a_key_stands_for_one_loan(stage):
    person, loan_id = await lent(stage, days_ago=0, yuan=5_000)
    other = await person.loan(5_000)
    key = new_key()
    await record(stage, person, loan_id, EventKind.FEE, key=key, amount_fen=1_000)
    with pytest.raises(KeyReused):
        await record(stage, person, other, EventKind.FEE, key=key, amount_fen=1_000)
    assert await stage.proof() == []


async def test_what_can_happen_once_happens_once(stage):
    person, loan_id = await lent(stage, days_ago=3)
    await record(stage, person, loan_id, EventKind.CHARGE_OFF, back=2)
    with pytest.raises(EventNotPossible, match="charged_off_already"):
        await record(stage, person, loan_id, EventKind.CHARGE_OFF)
    state = await record(stage, person, loan_id, EventKind.WRITE_OFF, back=1)
    assert (state.written_off_on, state.principal_outstanding_fen) == (stage.today() - DAY, 0)
    later = stage.today() + 30 * DAY
    for kind, what, why in (
        (EventKind.WRITE_OFF, {}, "nothing_to_write_off"),
        (EventKind.CHARGE_OFF, {}, "charged_off_already"),
        (EventKind.FEE, {"amount_fen": 1}, "written_off"),
        (EventKind.RESCHEDULE, {"until": later, "instalments": 3}, "nothing_to_reschedule"),
    ):
        with pytest.raises(EventNotPossible, match=why):
            await record(stage, person, loan_id, kind, **what)
    await record(stage, person, loan_id, EventKind.REPAYMENT, amount_fen=1_000)
    [(recovered,)] = await stage.rows(
        "select sum(amount_fen) from ledger.entries where account = '6301' and member_id = %s", person.member_id
    )
    assert recovered == -1_000
    assert await stage.proof() == []


async def test_nobody_elses_loan_is_touched(stage):
    _, loan_id = await lent(stage, days_ago=0)
    stranger = await stage.borrower()
    with pytest.raises(LoanNotFound):
        await record(stage, stranger, loan_id, EventKind.FEE, amount_fen=1_000)
    assert await events_of(stage, loan_id) == []


async def test_a_line_is_frozen_while_a_loan_is_overdue_and_no_longer(stage):
    person, loan_id = await lent(stage, days_ago=0)
    stage.hands.set_balance(person.papers.agreement, 0)
    [first, *_] = (await person.get(f"/loans/{loan_id}"))["rows"]
    await stage.pass_days(first["days"] + 1)  # one day of grace
    assert (await line(stage, person))[0][:2] == ("open", None)
    await stage.pass_days(1)
    assert (await line(stage, person))[0][:2] == ("frozen", "overdue")
    cards = (await person.get("/cards"))["items"]
    body = {"amount_fen": 10_000, "instalments": 5, "purpose": "travel", "card_id": cards[0]["card_id"]}
    assert (await person.refused("/disclosures", body))["code"] == "line_not_open"
    due = (await person.get(f"/loans/{loan_id}"))["due_now_fen"]
    await record(stage, person, loan_id, EventKind.REPAYMENT, amount_fen=due - 1)
    assert (await line(stage, person))[0][0] == "frozen"
    await record(stage, person, loan_id, EventKind.REPAYMENT, amount_fen=1)
    assert (await line(stage, person))[0][:2] == ("open", None)
    await record(stage, person, loan_id, EventKind.REVERSAL, reverses=2)  # the one fen is not there after all
    assert (await line(stage, person))[0][:2] == ("frozen", "overdue")
    assert await stage.proof() == []


async def test_a_reversal_may_overdraw_the_line_and_then_no_draw_passes(stage):
    person, loan_id = await lent(stage, days_ago=0, line_fen=1_000_000)  # drawn to the last fen
    await record(stage, person, loan_id, EventKind.REPAYMENT, amount_fen=400_000)
    assert await line(stage, person) == [("open", None, 600_000, 400_000, 0)]
    await person.loan(3_000)
    signed = await person.signature(100)  # signed for while there was room
    await record(stage, person, loan_id, EventKind.REVERSAL, reverses=1)
    assert await line(stage, person) == [("open", None, 1_300_000, -300_000, 300_000)]
    assert (await person.refused("/draws", signed, key=new_key()))["code"] == "line_exceeded"
    assert await stage.proof() == []
    await record(stage, person, loan_id, EventKind.REPAYMENT, amount_fen=310_000)
    assert await line(stage, person) == [("open", None, 990_000, 10_000, 0)]
    assert (await person.post("/draws", signed, key=new_key()))["state"] == "reserved"
    await stage.work()
    assert await stage.proof() == []


async def test_nothing_is_recorded_in_a_closed_period(stage):
    """Last in its file: a period that is closed stays closed for all loans of this database."""
    person, loan_id = await lent(stage, days_ago=0)
    ends_on = month_end(stage.today())
    await stage.pass_days((ends_on - stage.today()).days + 2)
    await close_books(stage, through=ends_on)
    before = await books(stage, person), await events_of(stage, loan_id)
    with pytest.raises(EventOutOfTime) as refused:
        await record(stage, person, loan_id, EventKind.REPAYMENT, on=ends_on, amount_fen=1_000)
    assert refused.value.params["earliest"] == str(ends_on + DAY)
    assert await nothing_changed(stage, person, loan_id, before)
    await record(stage, person, loan_id, EventKind.REPAYMENT, on=ends_on + DAY, amount_fen=1_000)
    [(first_booked,)] = await stage.rows(
        "select min(value_on) from ledger.journals where member_id = %s and kind = 'repayment'", person.member_id
    )
    assert first_booked == ends_on + DAY
    assert await stage.proof() == []


async def close_books(stage, *, through):
    """Close every period from the first journal's month on."""
    [(first,)] = await stage.rows("select min(value_on) from ledger.journals")
    ends_on = month_end(first)
    while ends_on <= through:
        async with transaction(stage.platform.pool) as tx:
            assert await close_period(tx, ends_on=ends_on, now=stage.clock(), closed_by="test")
        ends_on = month_end(ends_on + DAY)
