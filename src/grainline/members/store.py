"""The members' SQL."""

from datetime import date, datetime
from uuid import UUID

from grainline.kit.db import Tx
from grainline.members.model import Card, CardChecks, Member, Purpose


async def holder_of(tx: Tx, *, kind: str, handle: bytes) -> int | None:
    """Return the member a handle leads to, or None."""
    row = await (
        await tx.execute("select holder from members.directory where kind = %s and handle = %s", (kind, handle))
    ).fetchone()
    return int(row[0]) if row else None


async def holders_of(tx: Tx, *, kind: str, handles: list[bytes]) -> dict[bytes, int]:
    """Return the members that many handles lead to; unknown handles are left out."""
    cursor = await tx.execute(
        "select handle, holder from members.directory where kind = %s and handle = any(%s)", (kind, handles)
    )
    return {bytes(row[0]): int(row[1]) for row in await cursor.fetchall()}


async def claim(tx: Tx, *, kind: str, handle: bytes, member_id: int) -> int:
    """Enter a handle in the directory and return its holder, who may be somebody else."""
    await tx.execute(
        "insert into members.directory (kind, handle, holder) values (%s, %s, %s) on conflict do nothing",
        (kind, handle, member_id),
    )
    holder = await holder_of(tx, kind=kind, handle=handle)
    if holder is None:
        raise RuntimeError("a directory row vanished")
    return holder


async def next_member_ids(tx: Tx, count: int) -> list[int]:
    """Draw new member ids."""
    cursor = await tx.execute("select nextval('members.member_ids') from generate_series(1, %s)", (count,))
    return [int(row[0]) for row in await cursor.fetchall()]


async def add_members(tx: Tx, rows: list[tuple[int, bytes, bytes]], *, now: datetime) -> None:
    """Insert members as (id, wrapped key, sealed phone)."""
    async with tx.cursor() as cursor:
        await cursor.executemany(
            "insert into members.members (member_id, wrapped_key, phone_sealed, created_at) values (%s, %s, %s, %s)",
            [(*row, now) for row in rows],
        )


async def add_handles(tx: Tx, *, kind: str, rows: list[tuple[bytes, int]]) -> dict[bytes, int]:
    """Enter handles in the directory and return each one's holder, who may be somebody else.

    A handle that is being entered elsewhere is waited for. They go in sorted, so that no two of us wait for each other.
    """
    ordered = sorted(rows)
    await tx.execute(
        "insert into members.directory (kind, handle, holder) select %s, h, m"
        " from unnest(%s::bytea[], %s::bigint[]) as u (h, m) on conflict do nothing",
        (kind, [handle for handle, _ in ordered], [member_id for _, member_id in ordered]),
    )
    return await holders_of(tx, kind=kind, handles=[handle for handle, _ in ordered])


async def member(tx: Tx, member_id: int) -> Member:
    """Read a member; raise LookupError where there is none."""
    row = await (
        await tx.execute(
            "select member_id, wrapped_key, phone_sealed, name_sealed, national_id_sealed, verified_at"
            " from members.members where member_id = %s",
            (member_id,),
        )
    ).fetchone()
    if row is None:
        raise LookupError(f"no member {member_id}")
    return Member(*row)


async def set_identity(tx: Tx, *, member_id: int, name: bytes, national_id: bytes, now: datetime) -> None:
    """Record a verified identity; a member's identity is set once."""
    await tx.execute(
        "update members.members set name_sealed = %s, national_id_sealed = %s, verified_at = %s"
        " where member_id = %s and verified_at is null",
        (name, national_id, now, member_id),
    )


async def code_sent(tx: Tx, *, member_id: int, purpose: Purpose) -> tuple[str, datetime, date, int] | None:
    """Lock a member's code of this purpose: for which subject, when it was sent, and how many that day.

    The member is locked before it, because a first code has no row yet that two requests could meet at.
    """
    await tx.execute("select 1 from members.members where member_id = %s for update", (member_id,))
    return await (
        await tx.execute(
            "select subject, sent_at, sent_on, sent_count from members.one_time_codes"
            " where member_id = %s and purpose = %s for update",
            (member_id, purpose),
        )
    ).fetchone()


async def put_code(
    tx: Tx,
    *,
    member_id: int,
    purpose: Purpose,
    subject: str,
    code_hash: bytes,
    sent_at: datetime,
    expires_at: datetime,
    tries: int,
    sent_on: date,
    sent_count: int,
) -> None:
    """Replace a member's code of this purpose by a new one."""
    await tx.execute(
        "insert into members.one_time_codes (member_id, purpose, subject, code_hash, sent_at, expires_at, tries_left,"
        " sent_on, sent_count) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " on conflict (member_id, purpose) do update set subject = excluded.subject, code_hash = excluded.code_hash,"
        " sent_at = excluded.sent_at, expires_at = excluded.expires_at, tries_left = excluded.tries_left,"
        " used_at = null, sent_on = excluded.sent_on, sent_count = excluded.sent_count",
        (member_id, purpose, subject, code_hash, sent_at, expires_at, tries, sent_on, sent_count),
    )


async def try_code(
    tx: Tx, *, member_id: int, purpose: Purpose, subject: str, code_hash: bytes, now: datetime
) -> str | None:
    """Look at a code; None when it is right (the row stays locked), the refusal's code otherwise."""
    row = await (
        await tx.execute("select members.try_code(%s, %s, %s, %s, %s)", (member_id, purpose, subject, code_hash, now))
    ).fetchone()
    return row[0] if row else None


async def spend_code(tx: Tx, *, member_id: int, purpose: Purpose, now: datetime) -> None:
    """Mark a code used."""
    await tx.execute("select members.spend_code(%s, %s, %s)", (member_id, purpose, now))


async def add_session(tx: Tx, *, member_id: int, token_hash: bytes, now: datetime, expires_at: datetime) -> None:
    """Record a session by its token's hash."""
    await tx.execute(
        "insert into members.sessions (member_id, token_hash, created_at, expires_at) values (%s, %s, %s, %s)",
        (member_id, token_hash, now, expires_at),
    )


async def session_lives(tx: Tx, *, member_id: int, token_hash: bytes, now: datetime) -> bool:
    """Say whether a session is there, not revoked and not expired."""
    row = await (await tx.execute("select members.session_lives(%s, %s, %s)", (member_id, token_hash, now))).fetchone()
    return bool(row and row[0])


async def revoke_session(tx: Tx, *, member_id: int, token_hash: bytes, now: datetime) -> None:
    """End a session."""
    await tx.execute(
        "update members.sessions set revoked_at = %s where member_id = %s and token_hash = %s",
        (now, member_id, token_hash),
    )


async def card_checks(tx: Tx, member_id: int) -> CardChecks | None:
    """Lock and read a member's count of card checks."""
    await tx.execute("select 1 from members.members where member_id = %s for update", (member_id,))
    row = await (
        await tx.execute(
            "select checked_on, checks_today, wrong_in_row, locked_until from members.card_checks where member_id = %s",
            (member_id,),
        )
    ).fetchone()
    return CardChecks(*row) if row else None


async def put_card_checks(tx: Tx, member_id: int, checks: CardChecks) -> None:
    """Write a member's count of card checks."""
    await tx.execute(
        "insert into members.card_checks (member_id, checked_on, checks_today, wrong_in_row, locked_until)"
        " values (%s, %s, %s, %s, %s) on conflict (member_id) do update set checked_on = excluded.checked_on,"
        " checks_today = excluded.checks_today, wrong_in_row = excluded.wrong_in_row,"
        " locked_until = excluded.locked_until",
        (member_id, checks.checked_on, checks.checks_today, checks.wrong_in_row, checks.locked_until),
    )


async def add_card(tx: Tx, *, member_id: int, card: Card, fingerprint: bytes, now: datetime) -> UUID:
    """Bind a card and return its id; a card bound before keeps its id and gets the new agreement."""
    row = await (
        await tx.execute(
            "insert into members.cards (member_id, card_id, agreement_sealed, bank, last4, fingerprint, usual,"
            " added_at) values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (member_id, fingerprint)"
            " do update set agreement_sealed = excluded.agreement_sealed returning card_id",
            (
                member_id,
                card.card_id,
                card.agreement_sealed,
                card.bank,
                card.last4,
                fingerprint,
                card.usual,
                now,
            ),
        )
    ).fetchone()
    if row is None:
        raise RuntimeError("a bound card vanished")
    return UUID(str(row[0]))


async def cards(tx: Tx, member_id: int, *, after: tuple[UUID] | None = None, limit: int = 100) -> list[Card]:
    """List a member's cards by id."""
    (last,) = after or (None,)
    cursor = await tx.execute(
        "select card_id, agreement_sealed, bank, last4, usual from members.cards"
        " where member_id = %s and (%s::uuid is null or card_id > %s::uuid) order by card_id limit %s",
        (member_id, last, last, limit),
    )
    return [Card(*row) for row in await cursor.fetchall()]


async def card(tx: Tx, *, member_id: int, card_id: UUID) -> Card | None:
    """Read one card of a member, or None."""
    row = await (
        await tx.execute(
            "select card_id, agreement_sealed, bank, last4, usual from members.cards"
            " where member_id = %s and card_id = %s",
            (member_id, card_id),
        )
    ).fetchone()
    return Card(*row) if row else None
