"""One-time codes: asked for, sent by SMS through the outbox, tried, spent."""

from dataclasses import dataclass
from datetime import datetime

from grainline.kit import outbox
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.errors import Kind, Refusal
from grainline.kit.sealing import RandomBytes, Vault
from grainline.members import store
from grainline.members.model import (
    CODE_RESEND_AFTER,
    CODE_TRIES,
    CODE_VALID,
    CODES_A_DAY,
    Member,
    Purpose,
    mask_phone,
)


class CodeRefused(Refusal):
    """A one-time code that is not good, or not any more; a wrong try counts even though the request is refused."""

    kind = Kind.FORBIDDEN
    keep = True


class CodeWrong(CodeRefused):
    """Not the code that was sent."""

    code = "code_wrong"


class CodeLocked(CodeRefused):
    """Five wrong tries: this code is dead, another may be asked for."""

    code = "code_locked"


class CodeExpired(CodeRefused):
    """Older than five minutes."""

    code = "code_expired"


class CodeUsed(CodeRefused):
    """It was good once."""

    code = "code_used"


class CodeNotRequested(CodeRefused):
    """Nothing was sent for this purpose and subject."""

    code = "code_not_requested"


class CodeTooSoon(Refusal):
    """Asked for again within a minute."""

    code = "code_too_soon"
    kind = Kind.THROTTLED


class CodesUsedUp(Refusal):
    """More codes than a day allows."""

    code = "codes_used_up"
    kind = Kind.THROTTLED


CODE_REFUSALS: dict[str, type[CodeRefused]] = {
    refusal.code: refusal for refusal in (CodeWrong, CodeLocked, CodeExpired, CodeUsed, CodeNotRequested)
}


@dataclass(frozen=True)
class CodeSent:
    """What may be told of a code that was sent."""

    sent_to: str
    expires_at: datetime
    resend_at: datetime


async def request_code(
    tx: Tx,
    vault: Vault,
    *,
    member: Member,
    purpose: Purpose,
    subject: str,
    now: datetime,
    random_bytes: RandomBytes,
    about: dict[str, str | int | bool | None],
) -> CodeSent:
    """Make a new code and put its SMS in the outbox; `about` is what the text says it is for.

    Raises CodeTooSoon within a minute of the last for the same subject, CodesUsedUp above a day's number.
    """
    count = await _count_code(tx, member.member_id, purpose, subject, now=now)
    code = f"{int.from_bytes(random_bytes(8)) % 1_000_000:06d}"
    expires_at = now + CODE_VALID
    await store.put_code(
        tx,
        member_id=member.member_id,
        purpose=purpose,
        subject=subject,
        code_hash=vault.code_hash(code, member_id=member.member_id, purpose=purpose, subject=subject),
        sent_at=now,
        expires_at=expires_at,
        tries=CODE_TRIES,
        sent_on=business_date(now),
        sent_count=count,
    )
    await outbox.emit(
        tx,
        member_id=member.member_id,
        topic=f"code.{purpose}",
        payload=about,
        now=now,
        sealed=vault.seal(code, member_id=member.member_id, wrapped_key=member.wrapped_key),
    )
    phone = vault.unseal(member.phone_sealed, member_id=member.member_id, wrapped_key=member.wrapped_key)
    return CodeSent(mask_phone(phone), expires_at, now + CODE_RESEND_AFTER)


async def _count_code(tx: Tx, member_id: int, purpose: Purpose, subject: str, *, now: datetime) -> int:
    """Return how many codes of this purpose the day has with this one; raise where it is one too many or too soon."""
    before = await store.code_sent(tx, member_id=member_id, purpose=purpose)
    if before is None:
        return 1
    known_subject, sent_at, sent_on, sent_count = before
    # for another contract the old code is void: nobody should have to wait for a new one
    if subject == known_subject and now < sent_at + CODE_RESEND_AFTER:
        raise CodeTooSoon(resend_at=(sent_at + CODE_RESEND_AFTER).isoformat())
    count = sent_count + 1 if sent_on == business_date(now) else 1
    if count > CODES_A_DAY:
        raise CodesUsedUp(a_day=CODES_A_DAY)
    return count


async def use_code(
    tx: Tx, vault: Vault, *, member_id: int, purpose: Purpose, subject: str, code: str, now: datetime
) -> None:
    """Spend a right code; raise the CodeRefused that says what is wrong with it."""
    code_hash = vault.code_hash(code, member_id=member_id, purpose=purpose, subject=subject)
    refusal = await store.try_code(
        tx, member_id=member_id, purpose=purpose, subject=subject, code_hash=code_hash, now=now
    )
    if refusal is not None:
        raise CODE_REFUSALS[refusal]
    await store.spend_code(tx, member_id=member_id, purpose=purpose, now=now)
