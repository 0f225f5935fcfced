"""A transfer that breaks in a way nobody thought of is an incident: it is raised, and everybody else is paid."""

import dataclasses

import pytest
from rail_orders import READY, assert_done_once

from grainline.entry.worker import drain

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("direction", ["payout", "refund", "collection"])
async def test_one_broken_transfer_does_not_stop_the_others(stage, direction):
    ready = [await READY[direction](stage) for _ in range(3)]
    before, broken, after = [await begin() for begin in ready]

    class Breaking:
        """The sandbox's rail, with a bug in the way to it."""

        payout, collection = stage.platform.rail.payout, stage.platform.rail.collection

        async def pay_out(self, **order):
            assert order["key"] != broken.key, "a bug"
            return await stage.platform.rail.pay_out(**order)

        async def collect(self, **order):
            assert order["key"] != broken.key, "a bug"
            return await stage.platform.rail.collect(**order)

    with pytest.raises(ExceptionGroup) as raised:
        await drain(dataclasses.replace(stage.platform, rail=Breaking()))
    assert [type(error) for error in raised.value.exceptions] == [AssertionError]
    for transfer in (before, after):
        await assert_done_once(transfer)
    assert await broken.state() == "sent"
    assert await stage.proof() == []  # what is held for it stays held
    await broken.wait_and_work()
    await assert_done_once(broken)
