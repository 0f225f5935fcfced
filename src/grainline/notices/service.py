"""Sending what the outbox holds."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from grainline.kit import outbox
from grainline.kit.calendar import Clock
from grainline.kit.db import Pool, transaction
from grainline.kit.outbox import Message
from grainline.kit.sealing import Vault
from grainline.members import member_of
from grainline.notices.texts import text_of
from grainline.partners.sms import Sms
from grainline.partners.transport import PartnerUnavailable

log = structlog.get_logger()

BATCH = 50
SEND_AGAIN = timedelta(seconds=10)  # doubled each time, up to 64 × 10 s


async def send_due(pool: Pool, vault: Vault, sms: Sms, clock: Clock) -> int:
    """Send one batch of news that is due; return how many were taken."""
    async with transaction(pool) as tx:
        messages = await outbox.take(tx, now=clock(), count=BATCH, again=SEND_AGAIN)
    of_member: dict[int, list[Message]] = {}
    for message in sorted(messages, key=lambda message: message.message_id):
        of_member.setdefault(message.member_id, []).append(message)
    broken = await asyncio.gather(*(_send_in_order(pool, vault, sms, clock, theirs) for theirs in of_member.values()))
    if any(broken):
        raise ExceptionGroup("notices", [error for errors in broken for error in errors])
    return len(messages)


async def _send_in_order(
    pool: Pool, vault: Vault, sms: Sms, clock: Clock, messages: Sequence[Message]
) -> list[Exception]:
    """Send one member's messages, the newest last: of two codes, the one on top of the phone must be the good one."""
    broken = []
    for message in messages:
        try:
            await _send(pool, vault, sms, clock, message)
        except Exception as error:
            broken.append(error)
    return broken


async def _send(pool: Pool, vault: Vault, sms: Sms, clock: Clock, message: Message) -> None:
    async with transaction(pool) as tx:
        member = await member_of(tx, message.member_id)
    phone = vault.unseal(member.phone_sealed, member_id=member.member_id, wrapped_key=member.wrapped_key)
    code = None
    if message.sealed is not None:
        code = vault.unseal(message.sealed, member_id=member.member_id, wrapped_key=member.wrapped_key)
    key = f"{message.member_id}:{message.message_id}"
    try:
        await sms.send(key=key, phone=phone, text=text_of(message.topic, message.payload, code))
    except PartnerUnavailable as unanswered:
        log.warning("sms_unanswered", key=key, **unanswered.params)
        return  # the lease brings it back, under the same key
    async with transaction(pool) as tx:
        await outbox.handled(tx, message, now=clock())
