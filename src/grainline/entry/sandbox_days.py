"""Moving the sandbox's clock, with every day's work on the way."""

from collections.abc import Callable
from datetime import date, time, timedelta

from grainline.entry.wiring import Platform
from grainline.entry.worker import day_work, drain
from grainline.kit.calendar import at, business_date
from grainline.sandbox.clock import SandboxClock

SETTLED = timedelta(minutes=6)  # later than any lease of a transfer: whatever is unknown has been asked for again


async def advance(platform: Platform, clock: SandboxClock, *, days: int, told: Callable[[date], None]) -> None:
    """Move the clock day by day, each with its charges, debits and answers, to today's hour `days` later.

    The work is the worker's own; it may run beside the worker's, which then finds nothing left to do.
    """
    start = clock()
    for ahead in range(1, days + 1):
        day = business_date(start) + timedelta(days=ahead)
        stops = [time(0, 5), *platform.pack.debit.times, time(23, 30)]
        if ahead == days:
            hour = start + timedelta(days=days)
            moments = [at(day, stop) for stop in stops if at(day, stop) < hour - SETTLED] + [hour - SETTLED]
        else:
            moments = [at(day, stop) for stop in stops]
        for moment in moments:
            for instant in (moment, moment + SETTLED):
                if instant > clock():
                    clock.advance_to(instant)
                await day_work(platform, clock())
                await drain(platform)
        told(day)
