"""The SQL of what devices say of themselves."""

from datetime import date, datetime

from grainline.guard.environment import Summary
from grainline.kit.db import Tx
from grainline.members import Consent

# what the member withdrew is not read, and goes with the next sweep
STANDS = "members.consent_stands(member_id, 'device', consent_at)"


async def add_environment(
    tx: Tx, summary: Summary, consent: Consent, *, sealed: bytes, now: datetime, forget_on: date
) -> bool:
    """Insert a summary, sealed under the member's key; False where its id is there already."""
    cursor = await tx.execute(
        "insert into guard.environments"
        " (member_id, summary_id, made_at, received_at, consent, consent_at, forget_on, summary_sealed)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (member_id, summary_id) do nothing",
        (
            *(consent.member_id, summary.summary_id, summary.made_at, now),
            *(consent.reference, consent.given_at, forget_on, sealed),
        ),
    )
    return cursor.rowcount == 1


async def lock_consent(tx: Tx, consent: Consent) -> bool:
    """Hold a consent until the transaction ends, one summary at a time; False where it was withdrawn meanwhile."""
    cursor = await tx.execute(
        "select members.hold_consent(%s, %s, %s)", (consent.member_id, consent.source, consent.given_at)
    )
    return await cursor.fetchone() == (True,)


async def received_since(tx: Tx, *, member_id: int, since: datetime) -> int:
    """Count a member's summaries received since."""
    row = await (
        await tx.execute(
            "select count(*) from guard.environments where member_id = %s and received_at >= %s", (member_id, since)
        )
    ).fetchone()
    return int(row[0]) if row else 0


async def newest_sealed(tx: Tx, *, member_id: int) -> tuple[bytes, datetime] | None:
    """Read the newest summary of a member whose consent stands, sealed, and when it was made; or None."""
    row = await (
        await tx.execute(
            f"select summary_sealed, made_at from guard.environments where member_id = %s and {STANDS}"
            " order by received_at desc limit 1",
            (member_id,),
        )
    ).fetchone()
    return (row[0], row[1]) if row else None


async def delete_environments(tx: Tx, *, member_id: int) -> int:
    """Delete all summaries of a member and return how many there were."""
    return (await tx.execute("delete from guard.environments where member_id = %s", (member_id,))).rowcount


async def sweep_environments(tx: Tx, *, today: date) -> int:
    """Delete what has been kept long enough, and what its member withdrew the consent to; return how many."""
    return (
        await tx.execute(f"delete from guard.environments where forget_on <= %s or not {STANDS}", (today,))
    ).rowcount
