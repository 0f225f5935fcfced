"""The close of a day: the accrual is what all loans have accrued, however the days before were closed or broken off."""

from collections import Counter
from contextlib import asynccontextmanager, contextmanager
from datetime import time, timedelta

import anyio
import psycopg
import pytest

from grainline.kit.calendar import at
from grainline.kit.db import transaction
from grainline.ledger import product_sub
from grainline.loans import Event, EventKind, close_day, close_through, closing, day, fold, loans_store, servicing
from grainline.loans.interest import E4, rounded, unit_of
from grainline.loans.model import DayNotOver
from grainline.loans.officers import record_event
from grainline.products import Component, Rounding
from sandbox_process import run_sandbox
from stage import new_key, open_stage

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
PRODUCT = "weilidai"
FORGET = "update loans.loans set then_due_fen = null, then_charged_fen = null, then_accrued = null"


class Snapped(Exception):
    """What a machine says that stops in the middle."""


async def four_loans(stage):
    """Four loans that begin on one day and go different ways: nothing paid, a coupon, a discount, a part prepaid."""
    people = [await stage.borrower(line_fen=1_500_000) for _ in range(4)]
    loans = [await person.loan(yuan) for person, yuan in zip(people, (10_000, 7_300, 5_100, 12_700), strict=True)]
    for person in people:
        stage.hands.set_balance(person.papers.agreement, 0)
    today = stage.today()
    what = (
        (1, EventKind.COUPON, {"amount_fen": 4_321}),
        (2, EventKind.DISCOUNT, {"share_e4": 3_333, "until": today + 45 * DAY}),
        (3, EventKind.REPAYMENT, {"amount_fen": 123_457}),
    )
    for place, kind, more in what:
        await record(stage, people[place], loans[place], Event(kind, today, 1, **more))
    return people, loans


async def record(stage, person, loan_id, event):
    async with transaction(stage.platform.pool) as tx:
        [(found,)] = await stage.rows("select loan_id from loans.loans where loan_id = %s", loan_id)
        await record_event(
            tx,
            stage.platform.pack,
            event,
            member_id=person.member_id,
            loan_id=found,
            made_by="officer",
            reason="test",
            key=new_key(),
            now=stage.clock(),
        )


async def by_folding(stage, last):
    """Return interest and penalty interest that all loans have accrued and not charged by the end of a day."""
    sums = Counter()
    async with transaction(stage.platform.pool) as tx:
        members = {row[0] for row in await stage.rows("select member_id from loans.loans")}
        loans = [loan for member_id in sorted(members) for loan in await loans_store.loans_of(tx, member_id)]
        events = await loans_store.events_of(tx, [loan.key for loan in loans])
    for loan in loans:
        accrual = fold(loan.terms, events.get(loan.key, []), last).accrual
        sums["interest"] += accrual.interest + accrual.interest_slope
        sums["penalty"] += accrual.penalty + accrual.penalty_slope
    unit = unit_of(1)  # the rate is a day's
    return (
        rounded(sums["interest"], unit, Rounding.HALF_UP),
        rounded(sums["penalty"], unit * E4, Rounding.HALF_UP),
    )


async def in_the_books(stage):
    sub = product_sub(PRODUCT)
    [held] = await stage.rows("select ledger.house_balance('1305', %s), ledger.house_balance('1306', %s)", sub, sub)
    return held


async def accruals(stage):
    """Everything in the books by account and product, and how days were closed."""
    days = await stage.rows(
        "select day, accrued_fen, penalty_fen, loans from loans.closed_days where product = %s order by 1", PRODUCT
    )
    income = await stage.rows(
        "select a.code, ledger.house_balance(a.code) from ledger.accounts a where a.holder = 'house' order by 1"
    )
    members = await stage.rows(
        "select account, sum(balance_fen)::bigint from ledger.balances where balance_fen <> 0 group by 1 order by 1"
    )
    return days, income, members


async def stand_still(stage, days):
    """Let days go by with nobody working; it is noon then."""
    stage.clock.advance_to(at(stage.today() + days * DAY, time(12, 0)))


async def close_to_yesterday(stage):
    await close_through(stage.platform.pool, stage.platform.packs, day=stage.today() - DAY, now=stage.clock())


async def test_the_accrual_is_the_sum_over_all_loans_on_every_day_of_their_lives(stage):
    """Through falling due, the end of the grace, penalties, a charge-off and a payment that counts from days before."""
    people, loans = await four_loans(stage)
    for ahead in range(1, 130):
        await stand_still(stage, 1)
        await close_to_yesterday(stage)
        if ahead == 40:
            back = Event(EventKind.REPAYMENT, stage.today() - 12 * DAY, 1, amount_fen=345_678)
            await record(stage, people[0], loans[0], back)
        if ahead == 60:
            owed = Event(EventKind.WAIVER, stage.today(), 1, amount_fen=55, component=Component.PENALTY)
            await record(stage, people[1], loans[1], owed)
        if ahead in (40, 60):  # what was corrected is in the books with the next close
            await stand_still(stage, 1)
            await close_to_yesterday(stage)
        assert await in_the_books(stage) == await by_folding(stage, stage.today() - DAY), stage.today()
    assert any(await stage.rows("select 1 from loans.loans where charged_off_on is not null"))
    penalties = await stage.rows("select max(penalty_fen) from loans.closed_days")
    assert penalties[0][0] > 0
    assert await stage.proof() == []


async def test_a_loan_that_somebody_holds_is_waited_for_before_a_day_is_closed(lone):
    """Its penalty begins on the day that is closed: without it the day would be closed at the ordinary rate."""
    await four_loans(lone)
    [(due_on,)] = await lone.rows("select distinct next_due_on from loans.loans")
    edge = due_on + DAY  # the day of grace is over
    await stand_still(lone, (edge - lone.today()).days)
    await close_to_yesterday(lone)
    await stand_still(lone, 1)
    async with await psycopg.AsyncConnection.connect(lone.owner_url) as other, anyio.create_task_group() as group:
        await other.execute("select 1 from loans.loans where change_on <= %s limit 1 for update", (edge,))
        group.start_soon(close_to_yesterday, lone)
        waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        with anyio.fail_after(30):
            while not await (await other.execute(waiting)).fetchall():
                await anyio.sleep(0.02)
        assert await lone.rows("select 1 from loans.closed_days where day = %s", edge) == []
        await other.commit()
    assert await in_the_books(lone) == await by_folding(lone, edge)
    assert (await in_the_books(lone))[1] > 0
    assert await lone.proof() == []


async def test_a_day_is_closed_once_and_when_it_is_over(stage):
    await stand_still(stage, 1)
    await close_to_yesterday(stage)
    before = await accruals(stage)
    pool, packs, now = stage.platform.pool, stage.platform.packs, stage.clock()
    await close_day(pool, packs, day=stage.today() - DAY, now=now)
    assert await close_through(pool, packs, day=stage.today() - DAY, now=now) == []
    assert await accruals(stage) == before
    for ahead in (0, 1, 40):
        for close in (close_day, close_through):
            with pytest.raises(DayNotOver) as refused:
                await close(pool, packs, day=stage.today() + ahead * DAY, now=now)
            assert refused.value.params == {"day": str(stage.today() + ahead * DAY)}
    assert await accruals(stage) == before
    assert await stage.proof() == []


@asynccontextmanager
async def lender(postgres, folder, name):
    """A lender of their own: another database, another town, another clock."""
    with psycopg.connect(postgres.owner_url.replace("/grainline?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"create database {name} template grainline")
    urls = tuple(url.replace("/grainline?", f"/{name}?") for url in (postgres.owner_url, postgres.app_url))
    with contextmanager(run_sandbox)(folder / name) as town:
        async with open_stage(urls, town) as opened:
            yield opened


@pytest.fixture
async def lone(postgres, tmp_path):
    """A lender whose accruals are of no other test's loans."""
    async with lender(postgres, tmp_path, "closing_lone") as opened:
        yield opened


@pytest.fixture
async def twin(postgres, tmp_path):
    """A second one, to be held against the first."""
    async with lender(postgres, tmp_path, "closing_twin") as opened:
        yield opened


async def same_start(stage, twin):
    """Bring both lenders, who have had nothing to do with each other, to the same day with the same four loans."""
    day = max(stage.today(), twin.today()) + DAY
    began = []
    for lender in (stage, twin):
        lender.clock.advance_to(at(day, time(12, 0)))
        began.append(await four_loans(lender))
    return began


async def books_of(stage, loans):
    """Return what each account holds of these loans, and what accrued income there was with each day's close."""
    held = await stage.rows(
        "select account, balance_fen from ledger.balances where balance_fen <> 0 and sub = any(%s::uuid[])", loans
    )
    states = await stage.rows(
        "select amount_fen, principal_fen, next_due_on, late_since, charged_off_on from loans.loans"
        " where loan_id = any(%s::uuid[])",
        loans,
    )
    classes = await stage.rows(
        "select l.amount_fen, c.from_on, c.bucket, c.category, c.stage from loans.classifications c"
        " join loans.loans l using (member_id, loan_id) where loan_id = any(%s::uuid[])",
        loans,
    )
    return sorted(held), sorted(states, key=str), sorted(classes)


async def accrued_since(stage, day):
    """Return what each day from one on was closed with, and the accruals booked for it."""
    closed = await stage.rows(
        "select day, accrued_fen, penalty_fen from loans.closed_days where product = %s and day >= %s order by 1",
        *(PRODUCT, day),
    )
    booked = await stage.rows(
        "select j.value_on, e.account, e.amount_fen from ledger.journals j"
        " join ledger.entries e using (member_id, journal_no)"
        " where j.kind = 'accrual' and e.sub = %s and j.value_on >= %s order by 1, 2",
        *(product_sub(PRODUCT), day),
    )
    return closed, booked


async def test_days_that_are_caught_up_are_days_closed_one_by_one(lone, twin):
    (_, daily), (_, at_once) = await same_start(lone, twin)
    started = lone.today()
    for _ in range(125):
        await stand_still(lone, 1)
        await close_to_yesterday(lone)
    await stand_still(twin, 125)
    await close_to_yesterday(twin)
    assert len((await accrued_since(twin, started))[0]) == 125
    assert await accrued_since(lone, started) == await accrued_since(twin, started)
    assert await books_of(lone, daily) == await books_of(twin, at_once)
    assert any(row[-1] is not None for row in (await books_of(twin, at_once))[1]), "nothing was charged off"
    assert await lone.proof() == await twin.proof() == []


@pytest.mark.parametrize("chunks", [0, 2])
async def test_a_close_broken_off_at_any_chunk_goes_on_to_the_same_books(lone, twin, monkeypatch, chunks):
    """Loans go in one by one, and after so many the machine stops in the middle of the next, again and again."""
    (_, whole), (_, broken) = await same_start(lone, twin)
    started = lone.today()
    for lender in (lone, twin):
        await stand_still(lender, 40)
    await close_to_yesterday(lone)

    take, left = servicing.take, chunks
    breaks = 0

    async def take_and_break(tx, steps, *, now):
        nonlocal left, breaks
        await take(tx, steps, now=now)
        if steps and left == 0:
            left, breaks = chunks + breaks + 1, breaks + 1  # a little further each time
            raise Snapped
        left -= bool(steps)

    monkeypatch.setattr(day, "BATCH", 1)
    monkeypatch.setattr(day, "LANES", 1)
    monkeypatch.setattr(servicing, "take", take_and_break)
    while True:
        try:
            await close_to_yesterday(twin)
            break
        except Snapped:
            pass
    assert breaks >= 2
    assert await accrued_since(twin, started) == await accrued_since(lone, started)
    assert await books_of(twin, broken) == await books_of(lone, whole)
    assert await twin.proof() == []


async def test_what_the_rows_know_beforehand_makes_the_same_books_as_computing_it_on_the_day(lone, twin):
    (_, known), (_, computed) = await same_start(lone, twin)
    assert await lone.rows("select from loans.loans where then_due_fen > 0 and loan_id = any(%s::uuid[])", known)
    for lender in (lone, twin):
        for _ in range(70):
            await stand_still(lender, 1)
            if lender is twin:
                async with transaction(twin.platform.pool) as tx:
                    await tx.execute(FORGET)
            await close_to_yesterday(lender)
    assert await books_of(twin, computed) == await books_of(lone, known)
    assert await lone.proof() == []


@pytest.mark.parametrize("step", ["post", "closed"])
async def test_an_accrual_broken_off_is_not_booked_by_half(lone, twin, monkeypatch, step):
    (_, _), (_, _) = await same_start(lone, twin)
    started = lone.today()
    for lender in (lone, twin):
        await stand_still(lender, 3)
    await close_to_yesterday(lone)
    place = closing if step == "post" else closing.closing_store
    real = getattr(place, step)

    async def break_after(*given, **named):
        await real(*given, **named)
        raise Snapped

    monkeypatch.setattr(place, step, break_after)
    with pytest.raises(Snapped):
        await close_to_yesterday(twin)
    assert await accrued_since(twin, started) == ([], [])
    monkeypatch.undo()
    await close_to_yesterday(twin)
    assert await accrued_since(twin, started) == await accrued_since(lone, started)
    assert await twin.proof() == []
