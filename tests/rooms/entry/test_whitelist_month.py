"""The running month's whitelist comes with the day's work: once, with the capacity with which it began."""

from datetime import time

import pytest

from grainline.entry.whitelist import refresh_this_month
from grainline.entry.worker import day_work
from grainline.invitation import Refresh, outcomes_of, policy_for
from grainline.invitation.whitelist_store import begin, refresh_of
from grainline.kit.calendar import add_months, at, first_of_next_month
from grainline.kit.db import transaction
from grainline.members import create_members
from grainline.sandbox.lives import generate
from grainline.sandbox.town import phone_of

pytestmark = pytest.mark.anyio
PEOPLE = 120


@pytest.fixture(scope="module")
def lives(stage):
    """Write the parties' files into the data folder when a test asks, a year ahead as the sandbox does."""
    folder = stage.platform.parties.folder

    def write():
        generate(folder, residents=PEOPLE, seed=4, until=add_months(stage.today(), 3), months=12)

    return write


async def counted(stage, month):
    return await stage.rows(
        "select count(*), count(*) filter (where invited), count(distinct member_id), max(judged_at)"
        " from invitation.outcomes where month = %s",
        month,
    )


async def test_months_come_one_after_another(stage, lives):
    month, platform = stage.today().replace(day=1), stage.platform

    # without files there is nothing to do, and nothing to settle
    await day_work(platform, stage.clock())
    async with transaction(platform.pool) as tx:
        assert await refresh_of(tx, month) is None

    # somebody began the month with a capacity and was broken off: the worker ends it with that one
    lives()
    began = stage.clock()
    async with transaction(platform.pool) as tx:
        await begin(tx, Refresh(month, policy_for(month).version, 5, at(month, time(0)), began, None))
    stage.tick(60)
    await refresh_this_month(platform, now=stage.clock())
    async with transaction(platform.pool) as tx:
        done = await refresh_of(tx, month)
    assert done is not None
    assert (done.capacity, done.as_of, done.started_at) == (5, at(month, time(0)), began)
    assert done.finished_at is not None
    [first] = await counted(stage, month)
    assert first[:3] == (PEOPLE, 5, PEOPLE)

    # the day's work comes again every few seconds, and changes nothing
    stage.tick(20)
    await day_work(platform, stage.clock())
    assert await counted(stage, month) == [first]

    # on the first day of the next month it is the next month's turn, for all who qualify
    upcoming = first_of_next_month(month)
    stage.clock.advance_to(at(upcoming, time(0, 5)))
    await day_work(platform, stage.clock())
    async with transaction(platform.pool) as tx:
        done = await refresh_of(tx, upcoming)
    assert done is not None
    assert (done.capacity, done.as_of) == (None, at(upcoming, time(0)))
    [second] = await counted(stage, upcoming)
    assert (second[0], second[2]) == (PEOPLE, PEOPLE)
    assert 5 < second[1] < PEOPLE
    assert await counted(stage, month) == [first]

    # residents are members by their phones, the same every month
    async with transaction(platform.pool) as tx:
        members = await create_members(tx, platform.vault, [phone_of(7)], now=stage.clock())
        found, *_ = await outcomes_of(tx, member_id=members[phone_of(7)])
    assert found.month == upcoming
    assert await stage.proof() == []
