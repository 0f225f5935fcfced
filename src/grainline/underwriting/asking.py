"""Asking the bureau: between two transactions, under a consent, and never taking silence for a good record."""

from datetime import datetime

from grainline.kit.db import Pool, transaction
from grainline.kit.sealing import Vault
from grainline.members import Source, identity_of, member_of, standing_consent
from grainline.partners.bureau import Bureau
from grainline.underwriting.snapshots import Snapshot, of_report
from grainline.underwriting.snapshots_store import add_snapshot


def subject_of(member_id: int) -> str:
    """Return the name by which the bureau hears of a member."""
    return f"m-{member_id}"


def member_of_subject(subject: str) -> int | None:
    """Return the member the bureau speaks of, or None where the name is none of ours."""
    number = subject.removeprefix("m-")
    return int(number) if subject.startswith("m-") and number.isascii() and number.isdigit() else None


async def ask_bureau(pool: Pool, vault: Vault, bureau: Bureau, *, member_id: int, now: datetime) -> Snapshot:
    """Ask for a member's report and keep what was said.

    Raises ConsentNeeded, IdentityNeeded, and PartnerUnavailable, after which nothing is known.
    """
    async with transaction(pool) as tx:
        consent = await standing_consent(tx, member_id=member_id, source=Source.BUREAU)
        name, national_id = identity_of(vault, await member_of(tx, member_id))
    told = await bureau.report(
        name=name, national_id=national_id, subject=subject_of(member_id), consent=consent.reference
    )
    snapshot = of_report(told, consent, now=now)
    async with transaction(pool) as tx:
        # Withdrawn meanwhile: what was said is not kept.
        await standing_consent(tx, member_id=member_id, source=Source.BUREAU)
        await add_snapshot(tx, snapshot)
    return snapshot
