"""The worker: sends news, moves money, does the day's work. Everything it does is a row somebody wrote.

Each job drains rows in batches and may run beside itself: rows are taken under SKIP LOCKED with a lease. A job that
breaks is logged and comes again; it never stops the others.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from traceback import format_exception

import structlog

from grainline.entry.settings import Settings
from grainline.entry.whitelist import refresh_this_month
from grainline.entry.wiring import Platform, wire
from grainline.guard import forget_environments
from grainline.kit.calendar import at, business_date
from grainline.kit.db import Pool, transaction
from grainline.ledger import roll_up_house
from grainline.loans import close_through, collect_due, pay_out_due, refund_due, request_debits, roll_day
from grainline.notices import send_due
from grainline.products import Pack
from grainline.underwriting.line_life import care_for_lines
from grainline.underwriting.model_watch import watch_models
from grainline.underwriting.snapshots_store import forget

log = structlog.get_logger()

LOOK_EVERY_S = 0.1
DAY_WORK_EVERY = timedelta(seconds=20)


@dataclass(frozen=True)
class Job:
    """A queue in rows, and the call that takes a batch of it and says how many."""

    name: str
    take: Callable[[], Awaitable[int]]


def queues(platform: Platform) -> tuple[Job, ...]:
    """Return the queues, in the order of who waits: codes and news, payouts, refunds, collections."""
    pool, vault, clock = platform.pool, platform.vault, platform.clock
    return (
        Job("notices", lambda: send_due(pool, vault, platform.sms, clock)),
        Job("payouts", lambda: pay_out_due(pool, vault, platform.rail, clock)),
        Job("refunds", lambda: refund_due(pool, vault, platform.rail, clock)),
        Job("collections", lambda: collect_due(pool, vault, platform.rail, clock)),
    )


async def day_work(platform: Platform, now: datetime) -> None:
    """Close the days that are over, then do what today asks for: what fell due, debits, reviews of lines, roll up.

    With the first day of a month comes its whitelist, and how the models did in the one before. The steps that move
    money come one after the other, and each needs the one before. The rest do not, and each is done though another
    broke; raises ExceptionGroup of what broke among them.
    """
    today = business_date(now)
    await close_through(platform.pool, platform.packs, day=today - timedelta(days=1), now=now)
    await roll_day(platform.pool, platform.packs, day=today, now=now)
    for product, pack in sorted(platform.packs.items()):
        for slot in due_slots(pack, today, now):
            await request_debits(platform.pool, product=product, day=today, slot=slot, now=now, new_id=platform.new_id)
    pool, models = platform.pool, platform.underwriter.shelf.models
    await _each(
        lambda: care_for_lines(platform.underwriter, platform.packs, now=now),
        lambda: roll_up_house(pool),
        lambda: forget_environments(pool, today=today),
        lambda: _forget_snapshots(pool, today),
        lambda: refresh_this_month(platform, now=now),
        lambda: watch_models(pool, models, products=sorted(platform.packs), now=now),
    )


async def _each(*steps: Callable[[], Awaitable[object]]) -> None:
    broken = []
    for step in steps:
        try:
            await step()
        except Exception as error:
            broken.append(error)
    if broken:
        raise ExceptionGroup("the day's work", broken)


async def _forget_snapshots(pool: Pool, today: date) -> None:
    async with transaction(pool) as tx:
        await forget(tx, today=today)


def due_slots(pack: Pack, today: date, now: datetime) -> list[str]:
    """Return the debit times of today that have come, as the names their requests are keyed by."""
    return [f"{today}T{slot:%H:%M}" for slot in pack.debit.times if at(today, slot) <= now]


async def drain(platform: Platform) -> None:
    """Empty the queues of what is due now; raise what broke."""
    while any([await job.take() for job in queues(platform)]):
        pass


async def run(settings: Settings, database_url: str) -> None:
    """Work until asked to stop."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with wire(settings, database_url, pool_size=12) as platform:
        log.info("worker_ready")
        await asyncio.gather(*(_serve(job, stop) for job in queues(platform)), _days(platform, stop))


async def _serve(job: Job, stop: asyncio.Event) -> None:
    while not stop.is_set():
        if not await _attempt(job.name, job.take):
            await _pause(stop, LOOK_EVERY_S)


async def _days(platform: Platform, stop: asyncio.Event) -> None:
    async def work() -> int:
        await day_work(platform, platform.clock())
        return 0

    while not stop.is_set():
        await _attempt("day", work)
        await _pause(stop, DAY_WORK_EVERY.total_seconds())


async def _attempt(name: str, act: Callable[[], Awaitable[int]]) -> int:
    try:
        return await act()
    except Exception as error:
        # the rows it took come back with their lease; what broke is for whoever reads the log
        # a plain traceback: the default shows every local variable, and with them people's names and codes
        log.error("job_broken", job=name, exception="".join(format_exception(error)))
        return 0


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), timeout=seconds)
    except TimeoutError:
        return
