"""A month's whitelist for the parties' residents, who become members here where they are not yet."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, time

import polars as pl
import structlog

from grainline.behaviour import Fault, Party
from grainline.entry.parties import Parties, Told
from grainline.entry.wiring import Platform
from grainline.invitation import Refresh, policy_for, refresh
from grainline.invitation.whitelist_store import refresh_of
from grainline.kit.calendar import at, business_date
from grainline.kit.db import transaction
from grainline.members import create_members
from grainline.sandbox.town import phone_of

log = structlog.get_logger()


async def refresh_month(
    platform: Platform, parties: Parties, *, month: date, capacity: int | None = None, now: datetime, told: Told
) -> Refresh:
    """Refresh the whitelist of a month as of its first instant, or of now where that is still to come.

    `told` hears which events the parties set aside. The month does not begin, and its capacity is not settled, where
    there is nothing to ask.
    """

    async def people(begun: Refresh) -> AsyncIterator[pl.DataFrame]:
        policy = policy_for(month)
        chunks = await asyncio.to_thread(lambda: list(parties.people(policy, as_of=begun.as_of, now=now, told=told)))
        for chunk in chunks:
            phones = [phone_of(resident) for resident in chunk["resident"]]
            async with transaction(platform.pool) as tx:
                members = await create_members(tx, platform.vault, phones, now=now)
            yield chunk.with_columns(member_id=pl.Series([members[phone] for phone in phones], dtype=pl.Int64))

    await asyncio.to_thread(parties.check)
    as_of = min(at(month, time(0)), now)
    return await refresh(platform.pool, people, month=month, capacity=capacity, as_of=as_of, now=now)


async def refresh_this_month(platform: Platform, *, now: datetime) -> None:
    """Refresh the running month where that is not done yet and the parties' files are there.

    The capacity is the policy's, unless somebody began the month with another: then it is finished with that one.
    """
    month = business_date(now).replace(day=1)
    if platform.parties.there:
        async with transaction(platform.pool) as tx:
            begun = await refresh_of(tx, month)
        if begun is None or begun.finished_at is None:
            capacity = begun.capacity if begun else policy_for(month).capacity
            await refresh_month(platform, platform.parties, month=month, capacity=capacity, now=now, told=_log)


def _log(party: Party, faults: Mapping[Fault, int]) -> None:
    if faults:
        log.warning("events_set_aside", party=str(party), **{str(fault): count for fault, count in faults.items()})
