"""A lender whose machine stood still for three days comes to the same books as one whose machine did not."""

from contextlib import contextmanager
from datetime import time, timedelta

import psycopg
import pytest

from grainline.entry.worker import day_work
from grainline.kit.calendar import at
from grainline.loans import roll_day
from sandbox_process import run_sandbox
from stage import open_stage

pytestmark = pytest.mark.anyio


@pytest.fixture
async def twin(postgres, tmp_path):
    """A second lender: another database, another town, another clock."""
    with psycopg.connect(postgres.owner_url.replace("/grainline?", "/postgres?"), autocommit=True) as connection:
        connection.execute("create database stage_of_the_twin template grainline")
    urls = tuple(url.replace("/grainline?", "/stage_of_the_twin?") for url in (postgres.owner_url, postgres.app_url))
    with contextmanager(run_sandbox)(tmp_path / "twin") as town:
        async with open_stage(urls, town) as opened:
            yield opened


async def borrow(stage, day):
    """Draw 10,000 at noon of a day, with a card that is empty afterwards."""
    stage.clock.advance_to(at(day, time(12, 0)))
    person = await stage.borrower(line_fen=1_500_000)
    loan_id = await person.loan(10_000)
    stage.hands.set_balance(person.papers.agreement, 0)
    return person, loan_id


async def close(stage, day, clock_time):
    stage.clock.advance_to(at(day, clock_time))
    await day_work(stage.platform, stage.clock())
    await stage.work()


async def books(stage, person, loan_id):
    loan = await person.get(f"/loans/{loan_id}")
    for own in ("repayments", "loan_id", "card_last4", "as_of", "contract_id", "disclosure_id"):
        del loan[own]
    balances = await stage.rows(
        "select account, balance_fen from ledger.balances where member_id = %s and account like '13%%' order by 1",
        person.member_id,
    )
    income = await stage.rows("select ledger.house_balance('6011'), ledger.house_balance('1002')")
    return loan, balances, income


async def test_three_missed_days_caught_up_are_three_days_done(stage, twin):
    day = max(stage.today(), twin.today()) + timedelta(days=1)
    punctual, late = await borrow(stage, day), await borrow(twin, day)
    first = (await punctual[0].get(f"/loans/{punctual[1]}"))["rows"][0]
    eve = day + timedelta(days=first["days"] - 1)
    for ahead in range(1, 4):  # the due date and two days more
        for clock_time in (time(0, 5), time(9, 0), time(18, 0)):
            await close(stage, eve + timedelta(days=ahead), clock_time)
    await close(twin, eve + timedelta(days=3), time(18, 0))
    assert await books(stage, *punctual) == await books(twin, *late)
    assert (await books(twin, *late))[1] == [("1301", 1_000_000), ("1302", first["interest_fen"]), ("1303", 0)]
    for lender, person in ((stage, punctual[0]), (twin, late[0])):
        lender.hands.set_balance(person.papers.agreement, 1_000_000)
        await close(lender, eve + timedelta(days=4), time(9, 0))
    assert await books(stage, *punctual) == await books(twin, *late)

    # and a machine that stood still from here past the loan's end charges what a punctual one did
    for ahead in range(5, 160):
        await roll_day(stage.platform.pool, stage.platform.packs, day=eve + timedelta(days=ahead), now=stage.clock())
    await roll_day(twin.platform.pool, twin.platform.packs, day=eve + timedelta(days=159), now=twin.clock())
    for lender, person in ((stage, punctual[0]), (twin, late[0])):
        lender.clock.advance_to(at(eve + timedelta(days=159), time(12, 0)))
        await person.sign_in()  # a session does not last as long as the loan
    punctual_books, late_books = await books(stage, *punctual), await books(twin, *late)
    assert punctual_books == late_books
    assert punctual_books[0]["state"] == "overdue"
    assert await stage.proof() == await twin.proof() == []
