"""A key that the rail knows for something else is an incident: it is raised, and everybody else is paid."""

import pytest
from rail_orders import READY, assert_done_once

from grainline.partners.rail import KeyConflict

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("direction", ["payout", "collection"])
async def test_one_broken_transfer_does_not_stop_the_others(stage, direction):
    ready = [await READY[direction](stage) for _ in range(3)]
    before, broken, after = [await begin() for begin in ready]
    rail, agreement = stage.platform.rail, broken.person.papers.agreement
    foreign = rail.pay_out if direction == "payout" else rail.collect
    await foreign(key=broken.key, agreement=agreement, amount_fen=100)  # somebody used our key for 1.00 yuan
    with pytest.raises(ExceptionGroup) as raised:
        await stage.work()
    assert [type(error) for error in raised.value.exceptions] == [KeyConflict]
    for transfer in (before, after):
        await assert_done_once(transfer)
    assert await broken.state() == "sent"
    assert await stage.proof() == []  # what is held for it stays held
