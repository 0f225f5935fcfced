"""Money on the rail: ordered after the commit, keyed, and asked for when the outcome is unknown.

A transfer is taken with a lease that moves on before anything is sent. The first time it is ordered; ever after it
is asked for, and ordered again under the same key only where the rail has never seen it. A callback only makes us ask
sooner: it is a hint, and the answer to a question is the fact.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import structlog

from grainline.kit import outbox
from grainline.kit.calendar import Clock, business_date
from grainline.kit.db import Pool, Tx, transaction
from grainline.kit.sealing import Vault
from grainline.loans import draws_store, loans_store
from grainline.loans.model import Draw, RepaymentRow
from grainline.loans.repaying import apply_collected
from grainline.loans.terms import Terms
from grainline.members import agreement_of
from grainline.partners.rail import Answer, Callback, Direction, Rail, Status
from grainline.partners.transport import PartnerUnavailable

log = structlog.get_logger()

ASK_AGAIN = timedelta(seconds=5)  # doubled each time, up to 64 × 5 s
BATCH = 50
Item = TypeVar("Item")
NEVER_SEEN = Answer(Status.NOT_FOUND)


def transfer_key(member_id: int, transfer_id: UUID) -> str:
    """Return the key under which the rail knows a transfer; it leads back to its row."""
    return f"{member_id}:{transfer_id}"


async def pay_out_due(pool: Pool, vault: Vault, rail: Rail, clock: Clock) -> int:
    """Send or ask for the payouts that are due, one batch; return how many were taken."""
    async with transaction(pool) as tx:
        draws = await draws_store.take_draws(tx, now=clock(), count=BATCH, ask_again=ASK_AGAIN)
    await _all(draws, lambda draw: _pay_out(pool, vault, rail, clock, draw))
    return len(draws)


async def collect_due(pool: Pool, vault: Vault, rail: Rail, clock: Clock) -> int:
    """Send or ask for the collections that are due, one batch; return how many were taken."""
    async with transaction(pool) as tx:
        repayments = await loans_store.take_repayments(tx, now=clock(), count=BATCH, ask_again=ASK_AGAIN)
    await _all(repayments, lambda repayment: _collect(pool, vault, rail, clock, repayment))
    return len(repayments)


async def hear(tx: Tx, callback: Callback, *, now: datetime) -> None:
    """Take a callback as the hint it is: have the transfer asked for at once. An unknown key is nobody's."""
    member, _, transfer = callback.key.partition(":")
    try:
        member_id, transfer_id = int(member), UUID(transfer)
    except ValueError:
        return
    if callback.direction is Direction.PAYOUT:
        await draws_store.ask_now(tx, member_id=member_id, draw_id=transfer_id, now=now)
    else:
        await loans_store.ask_repayment_now(tx, member_id=member_id, repayment_id=transfer_id, now=now)


async def _pay_out(pool: Pool, vault: Vault, rail: Rail, clock: Clock, draw: Draw) -> None:
    key = transfer_key(draw.member_id, draw.draw_id)
    async with transaction(pool) as tx:
        agreement = await agreement_of(tx, vault, member_id=draw.member_id, card_id=draw.card_id)
    try:
        answer = NEVER_SEEN if draw.attempts == 1 else await rail.payout(key)
        if answer.status is Status.NOT_FOUND:
            answer = await rail.pay_out(key=key, agreement=agreement, amount_fen=draw.amount_fen)
    except PartnerUnavailable as unanswered:
        log.warning("transfer_unanswered", key=key, **unanswered.params)
        return  # the lease brings it back, as a question
    async with transaction(pool) as tx:
        await _heard(tx, draw.member_id, draw.draw_id, "payout", answer, clock)
        await _decide_draw(tx, draw, answer, clock)


async def _decide_draw(tx: Tx, draw: Draw, answer: Answer, clock: Clock) -> None:
    now = clock()
    if answer.status is Status.SUCCEEDED and answer.settled_at is not None:
        started_on = business_date(answer.settled_at)
        first_due_on = Terms(draw.amount_fen, draw.rate_e8, draw.instalments, started_on).due_dates()[0]
        if await draws_store.confirm_payout(
            tx, draw, paid_at=answer.settled_at, started_on=started_on, first_due_on=first_due_on, now=now
        ):
            await _tell(tx, draw, "draw.paid", clock, first_due_on=first_due_on.isoformat())
    elif answer.status is Status.FAILED and await draws_store.fail_payout(
        tx, draw, failed_at=now, failed_on=business_date(now), reason=answer.reason or ""
    ):
        await _tell(tx, draw, "draw.failed", clock, reason=answer.reason)


async def _collect(pool: Pool, vault: Vault, rail: Rail, clock: Clock, repayment: RepaymentRow) -> None:
    key = transfer_key(repayment.member_id, repayment.repayment_id)
    async with transaction(pool) as tx:
        loan = await loans_store.loan(tx, member_id=repayment.member_id, loan_id=repayment.loan_id)
        if loan is None:
            raise RuntimeError(f"repayment {repayment.repayment_id} has lost its loan")
        agreement = await agreement_of(tx, vault, member_id=loan.member_id, card_id=loan.card_id)
    try:
        answer = NEVER_SEEN if repayment.attempts == 1 else await rail.collection(key)
        if answer.status is Status.NOT_FOUND:
            answer = await rail.collect(key=key, agreement=agreement, amount_fen=repayment.amount_fen)
    except PartnerUnavailable as unanswered:
        log.warning("transfer_unanswered", key=key, **unanswered.params)
        return
    async with transaction(pool) as tx:
        await _heard(tx, repayment.member_id, repayment.repayment_id, "collection", answer, clock)
        if answer.status is Status.SUCCEEDED and answer.settled_at is not None:
            await apply_collected(tx, repayment, collected_at=answer.settled_at, now=clock())
        elif answer.status is Status.FAILED and await loans_store.not_collected(
            tx, repayment, reason=answer.reason or ""
        ):
            await outbox.emit(
                tx,
                member_id=repayment.member_id,
                topic="repayment.failed",
                payload={
                    "amount_fen": repayment.amount_fen,
                    "kind": repayment.kind,
                    "reason": answer.reason,
                },
                now=clock(),
            )


async def _heard(tx: Tx, member_id: int, transfer_id: UUID, kind: str, answer: Answer, clock: Clock) -> None:
    await loans_store.add_answer(
        tx,
        member_id=member_id,
        transfer_id=transfer_id,
        kind=kind,
        status=answer.status,
        reason=answer.reason,
        now=clock(),
    )


async def _tell(tx: Tx, draw: Draw, topic: str, clock: Clock, **more: str | None) -> None:
    payload: dict[str, str | int | bool | None] = {"amount_fen": draw.amount_fen, **more}
    await outbox.emit(tx, member_id=draw.member_id, topic=topic, payload=payload, now=clock())


async def _all(items: Sequence[Item], act: Callable[[Item], Awaitable[None]]) -> None:
    """Act on all side by side; one that breaks does not stop the others, and is raised when they are done."""
    broken = [r for r in await asyncio.gather(*map(act, items), return_exceptions=True) if r is not None]
    if broken:
        raise BaseExceptionGroup("transfers", broken)
