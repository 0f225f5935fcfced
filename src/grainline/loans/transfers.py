"""Money on the rail: ordered after the commit, keyed, and asked for when the outcome is unknown.

A transfer is taken with a lease that moves on before anything is sent. The first time it is ordered; ever after it
is asked for, and ordered again under the same key only where the rail has never seen it. A callback only makes us ask
sooner: it is a hint, and the answer to a question is the fact.

A rail that has another order under our key (another amount, or a conflict on ordering) has not answered about ours.
What it said is kept, alarmed at each question, and never booked, not even when it later says what we expect: the
transfer stays undecided, what it holds stays held, and a person must find out what moved.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import structlog

from grainline.kit import outbox
from grainline.kit.calendar import Clock, business_date
from grainline.kit.db import Pool, Tx, transaction
from grainline.kit.money import Fen
from grainline.kit.sealing import Vault
from grainline.loans import draws_store, loans_store, refunds_store, repayments_store
from grainline.loans.beginning import keep_promise
from grainline.loans.campaigns import campaign_of
from grainline.loans.fold import fold
from grainline.loans.model import Draw, RepaymentRow
from grainline.loans.refunding import apply_not_refunded, apply_refunded
from grainline.loans.refunds import RefundRow
from grainline.loans.repaying import apply_collected
from grainline.loans.terms import Terms
from grainline.members import agreement_of
from grainline.partners.rail import Answer, Callback, Direction, KeyConflict, PartnerUnavailable, Rail, Status

log = structlog.get_logger()

ASK_AGAIN = timedelta(seconds=5)  # doubled each time, up to 64 × 5 s
BATCH = 50
Item = TypeVar("Item")
NEVER_SEEN = Answer(Status.NOT_FOUND)


def transfer_key(member_id: int, transfer_id: UUID) -> str:
    """Return the key under which the rail knows a transfer; it leads back to its row."""
    return f"{member_id}:{transfer_id}"


@dataclass(frozen=True)
class _Transfer:
    """What a draw, a refund and a repayment have in common on the rail."""

    direction: Direction
    member_id: int
    transfer_id: UUID
    amount_fen: Fen
    attempts: int

    @property
    def key(self) -> str:
        return transfer_key(self.member_id, self.transfer_id)


async def pay_out_due(pool: Pool, vault: Vault, rail: Rail, clock: Clock) -> int:
    """Send or ask for the payouts that are due, one batch; return how many were taken."""
    async with transaction(pool) as tx:
        draws = await draws_store.take_draws(tx, now=clock(), count=BATCH, ask_again=ASK_AGAIN)
    await _all(draws, lambda draw: _pay_out(pool, vault, rail, clock, draw))
    return len(draws)


async def refund_due(pool: Pool, vault: Vault, rail: Rail, clock: Clock) -> int:
    """Send or ask for the refunds that are due, one batch; return how many were taken."""
    async with transaction(pool) as tx:
        refunds = await refunds_store.take_refunds(tx, now=clock(), count=BATCH, ask_again=ASK_AGAIN)
    await _all(refunds, lambda refund: _refund(pool, vault, rail, clock, refund))
    return len(refunds)


async def collect_due(pool: Pool, vault: Vault, rail: Rail, clock: Clock) -> int:
    """Send or ask for the collections that are due, one batch; return how many were taken.

    The answers of a batch are applied in one transaction; where that breaks, each in its own.
    """
    async with transaction(pool) as tx:
        repayments = await repayments_store.take_repayments(tx, now=clock(), count=BATCH, ask_again=ASK_AGAIN)
    answers: list[tuple[RepaymentRow, Answer | KeyConflict]] = []

    async def ask(repayment: RepaymentRow) -> None:
        said = await _collect(pool, vault, rail, repayment)
        if said is not None:  # otherwise the lease brings it back, as a question
            answers.append((repayment, said))

    try:
        await _all(repayments, ask)
    finally:
        await _decide_all(pool, answers, clock)
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
        await refunds_store.ask_refund_now(tx, member_id=member_id, refund_id=transfer_id, now=now)
    else:
        await repayments_store.ask_repayment_now(tx, member_id=member_id, repayment_id=transfer_id, now=now)


async def _ask_or_order(rail: Rail, transfer: _Transfer, agreement: str) -> Answer | KeyConflict | None:
    """Return what the rail says of a transfer, or None where no answer came."""
    payout = transfer.direction is Direction.PAYOUT
    ask, order = (rail.payout, rail.pay_out) if payout else (rail.collection, rail.collect)
    try:
        answer = NEVER_SEEN if transfer.attempts == 1 else await ask(transfer.key)
        if answer.status is Status.NOT_FOUND:
            answer = await order(key=transfer.key, agreement=agreement, amount_fen=transfer.amount_fen)
    except KeyConflict as conflict:
        return conflict
    except PartnerUnavailable as unanswered:
        log.warning("transfer_unanswered", key=transfer.key, **unanswered.params)
        return None
    return answer


async def _believed(tx: Tx, transfer: _Transfer, said: Answer | KeyConflict, *, now: datetime) -> Answer | None:
    """Keep what the rail said; return it only where the rail has never had another order under the key."""
    answer = said if isinstance(said, Answer) else None
    status = answer.status if answer else repayments_store.KEY_CONFLICT
    rail_fen = answer.amount_fen if answer else None
    consistent = await repayments_store.add_answer(
        tx,
        member_id=transfer.member_id,
        transfer_id=transfer.transfer_id,
        kind=transfer.direction,
        status=status,
        ordered_fen=transfer.amount_fen,
        amount_fen=rail_fen,
        reason=answer.reason if answer else None,
        now=now,
    )
    if consistent:
        return answer
    log.error(
        "transfer_contradicted",
        key=transfer.key,
        direction=transfer.direction,
        amount_fen=transfer.amount_fen,
        rail_amount_fen=rail_fen,
        rail_status=status,
    )
    return None


async def _ask_of_card(
    pool: Pool, vault: Vault, rail: Rail, transfer: _Transfer, card_id: UUID
) -> Answer | KeyConflict | None:
    async with transaction(pool) as tx:
        agreement = await agreement_of(tx, vault, member_id=transfer.member_id, card_id=card_id)
    return await _ask_or_order(rail, transfer, agreement)


async def _pay_out(pool: Pool, vault: Vault, rail: Rail, clock: Clock, draw: Draw) -> None:
    transfer = _Transfer(Direction.PAYOUT, draw.member_id, draw.draw_id, draw.amount_fen, draw.attempts)
    said = await _ask_of_card(pool, vault, rail, transfer, draw.card_id)
    if said is None:
        return  # the lease brings it back, as a question
    async with transaction(pool) as tx:
        answer = await _believed(tx, transfer, said, now=clock())
        if answer is not None:
            await _decide_draw(tx, draw, answer, clock)


async def _decide_draw(tx: Tx, draw: Draw, answer: Answer, clock: Clock) -> None:
    now = clock()
    if answer.status is Status.SUCCEEDED and answer.settled_at is not None:
        started_on = business_date(answer.settled_at)
        rules = await loans_store.rules_named(tx, draw.rules)
        state = fold(Terms(draw.amount_fen, draw.rate_e8, draw.instalments, started_on, rules), (), started_on)
        if await draws_store.confirm_payout(tx, draw, paid_at=answer.settled_at, state=state, now=now):
            if draw.campaign is not None:
                await keep_promise(tx, draw, campaign_of(draw.campaign), now=now)
            await _tell(tx, draw, "draw.paid", clock, first_due_on=state.instalments[0].due_on.isoformat())
    elif answer.status is Status.FAILED and await draws_store.fail_payout(
        tx, draw, failed_at=now, failed_on=business_date(now), reason=answer.reason or ""
    ):
        await _tell(tx, draw, "draw.failed", clock, reason=answer.reason)


async def _refund(pool: Pool, vault: Vault, rail: Rail, clock: Clock, refund: RefundRow) -> None:
    transfer = _Transfer(Direction.PAYOUT, refund.member_id, refund.refund_id, refund.amount_fen, refund.attempts)
    said = await _ask_of_card(pool, vault, rail, transfer, refund.card_id)
    if said is None:
        return  # the lease brings it back, as a question
    now = clock()
    async with transaction(pool) as tx:
        answer = await _believed(tx, transfer, said, now=now)
        if answer is not None and answer.status is Status.SUCCEEDED and answer.settled_at is not None:
            await apply_refunded(tx, refund, paid_at=answer.settled_at, now=now)
        elif answer is not None and answer.status is Status.FAILED:
            await apply_not_refunded(tx, refund, reason=answer.reason or "", now=now)


def _collection(repayment: RepaymentRow) -> _Transfer:
    return _Transfer(
        Direction.COLLECTION,
        repayment.member_id,
        repayment.repayment_id,
        repayment.amount_fen,
        repayment.attempts,
    )


async def _collect(pool: Pool, vault: Vault, rail: Rail, repayment: RepaymentRow) -> Answer | KeyConflict | None:
    async with transaction(pool) as tx:
        loan = await loans_store.loan(tx, member_id=repayment.member_id, loan_id=repayment.loan_id)
        if loan is None:
            raise RuntimeError(f"repayment {repayment.repayment_id} has lost its loan")
        agreement = await agreement_of(tx, vault, member_id=loan.member_id, card_id=loan.card_id)
    return await _ask_or_order(rail, _collection(repayment), agreement)


async def _decide_all(pool: Pool, answers: list[tuple[RepaymentRow, Answer | KeyConflict]], clock: Clock) -> None:
    try:
        await _decide_repayments(pool, answers, clock)
    except Exception as error:
        if len(answers) == 1:
            raise
        log.error("answers_broken", count=len(answers), error=type(error).__name__)
        await _all(answers, lambda answer: _decide_repayments(pool, [answer], clock))


async def _decide_repayments(
    pool: Pool, answers: list[tuple[RepaymentRow, Answer | KeyConflict]], clock: Clock
) -> None:
    now = clock()
    async with transaction(pool) as tx:
        collected = []
        for repayment, said in answers:
            answer = await _believed(tx, _collection(repayment), said, now=now)
            if answer is not None and answer.status is Status.SUCCEEDED and answer.settled_at is not None:
                collected.append((repayment, answer.settled_at))
            elif answer is not None and answer.status is Status.FAILED:
                await _not_collected(tx, repayment, answer, now=now)
        if collected:
            await apply_collected(tx, collected, now=now)


async def _not_collected(tx: Tx, repayment: RepaymentRow, answer: Answer, *, now: datetime) -> None:
    if await repayments_store.not_collected(tx, repayment, reason=answer.reason or ""):
        payload: dict[str, str | int | bool | None] = {
            "amount_fen": repayment.amount_fen,
            "kind": repayment.kind,
            "reason": answer.reason,
        }
        await outbox.emit(tx, member_id=repayment.member_id, topic="repayment.failed", payload=payload, now=now)


async def _tell(tx: Tx, draw: Draw, topic: str, clock: Clock, **more: str | None) -> None:
    payload: dict[str, str | int | bool | None] = {"amount_fen": draw.amount_fen, **more}
    await outbox.emit(tx, member_id=draw.member_id, topic=topic, payload=payload, now=clock())


async def _all(items: Sequence[Item], act: Callable[[Item], Awaitable[None]]) -> None:
    """Act on all side by side; one that breaks does not stop the others, and is raised when they are done."""
    broken = [r for r in await asyncio.gather(*map(act, items), return_exceptions=True) if r is not None]
    if broken:
        raise BaseExceptionGroup("transfers", broken)
