"""Handing in a supplement, and an officer's answer; what is accepted counts from the next refresh on (A4)."""

from datetime import datetime

from grainline.invitation import supplements_store as store
from grainline.invitation.policy import Supplement, policy_for
from grainline.invitation.supplements import (
    State,
    Submission,
    SupplementAccepted,
    SupplementDecided,
    SupplementNotFound,
    SupplementReasonMissing,
    SupplementWaiting,
    answer_day,
)
from grainline.kit import outbox
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.sealing import Vault
from grainline.members import member_of


async def submit_supplement(
    tx: Tx, vault: Vault, *, member_id: int, kind: Supplement, statement: str, now: datetime
) -> Submission:
    """Hand in a proof and return it with the day it is answered by; the same statement again changes nothing.

    `statement` is clean. Raises SupplementWaiting, SupplementAccepted.
    """
    today = business_date(now)
    answer_by = answer_day(today, policy_for(today).supplements.answered_within_days)
    member = await member_of(tx, member_id)
    sealed = vault.seal(statement, member_id=member_id, wrapped_key=member.wrapped_key)
    wanted = Submission(member_id, kind, State.SUBMITTED, sealed, now, answer_by)
    if await store.submit(tx, wanted):
        return wanted
    held = await _held(tx, member_id, kind)
    if held.state is State.ACCEPTED:
        raise SupplementAccepted
    if await read_statement(tx, vault, held) != statement:
        raise SupplementWaiting(answer_by=held.answer_by.isoformat())
    return held


async def accept_supplement(
    tx: Tx, *, member_id: int, kind: Supplement, decided_by: str, reason: str, now: datetime
) -> Submission:
    """Accept a proof and tell the member; raise SupplementNotFound, SupplementDecided."""
    return await _decide(tx, member_id, kind, State.ACCEPTED, decided_by=decided_by, reason=reason, now=now)


async def refuse_supplement(
    tx: Tx, *, member_id: int, kind: Supplement, decided_by: str, reason: str, now: datetime
) -> Submission:
    """Refuse a proof with a reason that the member reads, and tell them.

    Raises SupplementReasonMissing, SupplementNotFound, SupplementDecided.
    """
    if not reason.strip():
        raise SupplementReasonMissing
    return await _decide(tx, member_id, kind, State.REFUSED, decided_by=decided_by, reason=reason, now=now)


async def read_statement(tx: Tx, vault: Vault, submission: Submission) -> str:
    """Unseal what a member stated."""
    member = await member_of(tx, submission.member_id)
    return vault.unseal(submission.statement_sealed, member_id=submission.member_id, wrapped_key=member.wrapped_key)


async def _decide(
    tx: Tx, member_id: int, kind: Supplement, state: State, *, decided_by: str, reason: str, now: datetime
) -> Submission:
    done = await store.decide(
        tx, member_id=member_id, kind=kind, state=state, decided_by=decided_by, reason=reason.strip(), now=now
    )
    held = await _held(tx, member_id, kind)
    if not done:
        raise SupplementDecided(state=held.state.value)
    topic = f"supplement.{state}"
    await outbox.emit(tx, member_id=member_id, topic=topic, payload={"kind": kind.value}, now=now)
    return held


async def _held(tx: Tx, member_id: int, kind: Supplement) -> Submission:
    held = await store.supplement(tx, member_id=member_id, kind=kind)
    if held is None:
        raise SupplementNotFound
    return held
