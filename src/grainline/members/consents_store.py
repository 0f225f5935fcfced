"""The consents' SQL."""

from collections.abc import Collection
from datetime import datetime

from grainline.kit.db import Tx
from grainline.members.consents import Consent, ConsentNeeded, Source, terms


async def give(tx: Tx, *, member_id: int, sources: Collection[Source], now: datetime) -> None:
    """Let consents to these sources stand, to today's texts; one that stands already stays as it is."""
    version, asked = terms()
    for source in sources:
        await tx.execute(
            "insert into members.consents (member_id, source, given_at, text_version, retention_days)"
            " values (%s, %s, %s, %s, %s) on conflict (member_id, source) where withdrawn_at is null do nothing",
            (member_id, source, now, version, asked[source].retention_days),
        )


async def withdraw(tx: Tx, *, member_id: int, source: Source, now: datetime) -> None:
    """End the consent to a source from now on; none is none."""
    await tx.execute(
        "update members.consents set withdrawn_at = greatest(%s, given_at)"
        " where member_id = %s and source = %s and withdrawn_at is null",
        (now, member_id, source),
    )


async def consents_of(tx: Tx, *, member_id: int) -> dict[Source, Consent]:
    """Read the consents of a member that stand, by source."""
    rows = await (
        await tx.execute(
            "select member_id, source, given_at, text_version, retention_days from members.consents"
            " where member_id = %s and withdrawn_at is null",
            (member_id,),
        )
    ).fetchall()
    return {Source(row[1]): Consent(row[0], Source(row[1]), *row[2:]) for row in rows}


async def standing_consent(tx: Tx, *, member_id: int, source: Source) -> Consent:
    """Return the consent to a source, without which the source is not asked; raise ConsentNeeded."""
    found = (await consents_of(tx, member_id=member_id)).get(source)
    if found is None:
        raise ConsentNeeded(source=str(source))
    return found
