"""A worker that will be killed: does what a moment of the day asks for, and tells every sign of work on its way.

Whoever started it reads the signs and kills it -9 after one of them, wherever it then is.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TextIO

from grainline.entry.logs import set_up
from grainline.entry.processes import die_with_parent
from grainline.entry.simulation.wiring import Place, wire
from grainline.entry.worker import day_work, drain
from grainline.kit.money import Fen
from grainline.partners.rail import Answer, Callback, Rail


class TellingRail:
    """A rail that tells a sign once it has been asked anything, whether it answered or not."""

    def __init__(self, rail: Rail, tell: Callable[[str], None]) -> None:
        self._rail, self._tell = rail, tell

    async def pay_out(self, *, key: str, agreement: str, amount_fen: Fen) -> Answer:
        """Order a payout."""
        return await self._told(self._rail.pay_out(key=key, agreement=agreement, amount_fen=amount_fen))

    async def payout(self, key: str) -> Answer:
        """Ask what became of a payout."""
        return await self._told(self._rail.payout(key))

    async def collect(self, *, key: str, agreement: str, amount_fen: Fen) -> Answer:
        """Order a collection."""
        return await self._told(self._rail.collect(key=key, agreement=agreement, amount_fen=amount_fen))

    async def collection(self, key: str) -> Answer:
        """Ask what became of a collection."""
        return await self._told(self._rail.collection(key))

    def verify_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """Read a callback."""
        return self._rail.verify_callback(headers, body, now=now)

    async def _told(self, asked: Awaitable[Answer]) -> Answer:
        try:
            return await asked
        finally:
            self._tell("order")


async def work(place: Place, out: TextIO) -> None:
    """Do a moment's work, as the worker does it."""

    def tell(sign: str) -> None:
        print(sign, file=out, flush=True)

    async with wire(place, name="killed") as platform:
        told = replace(platform, rail=TellingRail(platform.rail, tell))
        tell("day")
        await day_work(told, told.clock())
        await drain(told)


if __name__ == "__main__":
    die_with_parent()
    set_up("warning")
    asyncio.run(work(Place.read(json.loads(sys.argv[1])), sys.stdout))
