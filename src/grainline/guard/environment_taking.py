"""Taking in what a device says of itself, reading it, and forgetting it."""

import json
from datetime import date, datetime, timedelta
from uuid import UUID

from grainline.guard import environment_store as store
from grainline.guard.environment import Moment, Summary, check_fresh, read_summary, version
from grainline.guard.environment_keys import LenderKeys
from grainline.kit.calendar import business_date
from grainline.kit.db import Pool, Tx, transaction
from grainline.kit.errors import Kind, Refusal
from grainline.kit.sealing import Vault
from grainline.members import ConsentNeeded, Source, member_of, standing_consent
from grainline.members.consents_store import withdraw

SEALED_BYTES_MAX = 2_048
DAY_MAX = 40
DAY = timedelta(days=1)


class EnvironmentTooLarge(Refusal):
    """No summary is as large as this."""

    code = "environment_too_large"
    kind = Kind.TOO_LARGE


class EnvironmentReplayed(Refusal):
    """This very summary was taken in before."""

    code = "environment_replayed"
    kind = Kind.CONFLICT


class EnvironmentTooOften(Refusal):
    """More summaries within a day than anybody's use of the pages makes."""

    code = "environment_too_often"
    kind = Kind.THROTTLED


async def take_environment(
    tx: Tx,
    vault: Vault,
    keys: LenderKeys,
    *,
    sealed: bytes,
    key_id: str,
    member_id: int,
    token_hash: bytes,
    now: datetime,
) -> Summary:
    """Open, check and keep a summary under the member's consent to it, and return it.

    Raises ConsentNeeded, EnvironmentTooLarge, EnvironmentKeyUnknown, EnvironmentNotOpened, EnvironmentMalformed,
    EnvironmentStale, EnvironmentReplayed, EnvironmentTooOften.
    """
    consent = await standing_consent(tx, member_id=member_id, source=Source.DEVICE)
    if not await store.lock_consent(tx, consent):
        raise ConsentNeeded(source=str(Source.DEVICE))
    if len(sealed) > SEALED_BYTES_MAX:
        raise EnvironmentTooLarge(bytes_max=SEALED_BYTES_MAX)
    opened = keys.open(sealed, key_id=key_id, version=version(), token_hash=token_hash)
    summary = read_summary(opened)
    check_fresh(summary, consent_at=consent.given_at, now=now)
    forget_on = business_date(now) + timedelta(days=consent.retention_days)
    member = await member_of(tx, member_id)
    kept = vault.seal(summary.to_json(), member_id=member_id, wrapped_key=member.wrapped_key)
    if not await store.add_environment(tx, summary, consent, sealed=kept, now=now, forget_on=forget_on):
        raise EnvironmentReplayed
    if await store.received_since(tx, member_id=member_id, since=now - DAY) > DAY_MAX:
        raise EnvironmentTooOften(day_max=DAY_MAX)
    return summary


async def newest_environment(tx: Tx, vault: Vault, *, member_id: int) -> Summary | None:
    """Return the newest summary of a member who consents to it, or None: what a decision would read."""
    found = await store.newest_sealed(tx, member_id=member_id)
    if found is None:
        return None
    member = await member_of(tx, member_id)
    kept = json.loads(vault.unseal(found[0], member_id=member_id, wrapped_key=member.wrapped_key))
    return Summary(UUID(kept["id"]), found[1], Moment(kept["moment"]), kept["values"])


async def withdraw_environments(tx: Tx, *, member_id: int, now: datetime) -> None:
    """End the consent to the device's summaries and delete those there are, at once."""
    await withdraw(tx, member_id=member_id, source=Source.DEVICE, now=now)
    await store.delete_environments(tx, member_id=member_id)


async def forget_environments(pool: Pool, *, today: date) -> int:
    """Delete what has been kept long enough or lost its consent, as part of the day's work; return how many."""
    async with transaction(pool) as tx:
        return await store.sweep_environments(tx, today=today)
