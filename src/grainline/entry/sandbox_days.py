"""Moving the sandbox's clock, with every day's work on the way."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from grainline.entry.wiring import Platform
from grainline.entry.worker import day_work, drain
from grainline.kit.calendar import at, business_date
from grainline.sandbox.clock import SandboxClock

SETTLED = timedelta(minutes=6)  # later than any lease of a transfer: whatever is unknown has been asked for again


async def advance(platform: Platform, clock: SandboxClock, *, days: int, told: Callable[[date], None]) -> None:
    """Move the clock day by day, each with its charges, debits and answers, to today's hour `days` later.

    What is left of today comes first. The work is the worker's own; it may run beside the worker's, which then finds
    nothing left to do. `told` gets each day that was reached.
    """
    start = clock()
    slots = sorted({slot for pack in platform.packs.values() for slot in pack.debit.times})
    last = start + timedelta(days=days) - SETTLED
    await _work(platform, clock, start)
    for ahead in range(days + 1):
        day = business_date(start) + timedelta(days=ahead)
        stops = [at(day, stop) for stop in (time(0, 5), *slots, time(23, 30))]
        moments = [stop for stop in stops if start < stop < last] + ([last] if ahead == days else [])
        for moment in moments:
            await _work(platform, clock, moment)
            await _work(platform, clock, moment + SETTLED)
        if ahead:
            told(day)


async def _work(platform: Platform, clock: SandboxClock, instant: datetime) -> None:
    if instant > clock():
        clock.advance_to(instant)
    await day_work(platform, clock())
    await drain(platform)
