"""The day's work on loans: what time alone changes goes into the books, and what is due is asked for.

It looks only at what a day touches, in batches that commit one by one; done twice, or broken off and done again, it
comes to the same.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from grainline.kit import outbox
from grainline.kit.db import Pool, Tx, transaction
from grainline.ledger import open_from
from grainline.loans import loans_store, repayments_store, servicing
from grainline.loans.events import Event, EventKind, next_number
from grainline.loans.loans_store import NewEvent
from grainline.loans.model import Loan, RepaymentKind
from grainline.loans.repaying import state_with_open
from grainline.loans.repayments_store import RepaymentRequest
from grainline.products import Pack

BATCH = 500
DUE_BATCH = 2_000
LANES = 2  # while the database writes one batch, the next is computed


async def roll_day(pool: Pool, packs: Mapping[str, Pack], *, day: date, now: datetime) -> int:
    """Bring every loan that a day changes into the books as of that day; return how many it touched.

    Instalments fall due, penalties begin, classes change, lines freeze and thaw; a loan that is late for longer than
    its pack says is charged off. Where a row knows what the day brings, the database lets it happen; the rest is
    computed. A loan that somebody else holds is waited for at the end, so that none is left.
    """
    touched = sum(await asyncio.gather(*(_fall_due(pool, day, now=now) for _ in range(LANES))))
    touched += sum(await asyncio.gather(*(_roll(pool, packs, day, now=now) for _ in range(LANES))))
    return touched + await _roll(pool, packs, day, now=now, wait=True)


async def _fall_due(pool: Pool, day: date, *, now: datetime) -> int:
    touched = 0
    while True:
        async with transaction(pool) as tx:
            value_on = max(day, await open_from(tx))
            found = await loans_store.fall_due(tx, day=day, count=DUE_BATCH, value_on=value_on, now=now)
        touched += found
        if found < DUE_BATCH:
            return touched


async def _roll(pool: Pool, packs: Mapping[str, Pack], day: date, *, now: datetime, wait: bool = False) -> int:
    touched = 0
    while True:
        async with transaction(pool) as tx:
            loans = await loans_store.loans_to_change(tx, day=day, count=BATCH, wait=wait)
            events = await loans_store.events_of(tx, [loan.key for loan in loans])
            steps = [_rolled(loan, events.get(loan.key, []), packs[loan.product], day) for loan in loans]
            await servicing.take(tx, steps, now=now)
            for one in steps:
                if one.after.late_since is not None and one.loan.late_since is None:
                    await _tell_overdue(tx, one, now=now)
        touched += len(loans)
        if len(loans) < BATCH:
            return touched


def _rolled(loan: Loan, events: Sequence[Event], pack: Pack, day: date) -> servicing.Step:
    key = f"due/{loan.loan_id}/{max(day, loan.booked_through)}"
    one = servicing.step(loan, events, (), through=day, key=key, kind="interest_due", value_on=day)
    state = one.after
    if state.late_since is None or state.charged_off_on is not None or state.written_off_on is not None:
        return one
    off_on = state.late_since + timedelta(days=pack.arrears.charge_off_after_days + 1)
    if off_on > day or any(e.kind is EventKind.CHARGE_OFF and e.value_on >= state.late_since for e in events):
        return one  # not yet, or decided otherwise by a person
    event = Event(EventKind.CHARGE_OFF, off_on, next_number(events))
    new = NewEvent(*loan.key, event, "day", f"charge_off/{loan.loan_id}/{state.late_since}")
    return servicing.step(loan, events, [new], through=day, key=key, kind="charge_off", value_on=day)


async def _tell_overdue(tx: Tx, one: servicing.Step, *, now: datetime) -> None:
    payload: dict[str, str | int | bool | None] = {"due_fen": one.after.due_fen, "days": one.after.days_late}
    await outbox.emit(tx, member_id=one.loan.member_id, topic="loan.overdue", payload=payload, now=now)


async def request_debits(
    pool: Pool, *, product: str, day: date, slot: str, now: datetime, new_id: Callable[[], UUID]
) -> int:
    """Ask for what is due of a product on a day the books have reached; a slot asks once a loan. Return how many.

    What is being collected already is not asked for again.
    """
    async with transaction(pool) as tx:
        asked = await repayments_store.request_due(tx, product=product, day=day, slot=slot, now=now, seed=new_id())
    after: UUID | None = None
    while True:
        async with transaction(pool) as tx:
            keys = await repayments_store.loans_late(tx, product=product, slot=slot, after=after, count=BATCH)
            requests = await _late_requests(tx, keys, day=day, slot=slot, new_id=new_id)
            await repayments_store.add_repayments(tx, requests, now=now)
        asked += len(requests)
        if len(keys) < BATCH:
            return asked
        after = keys[-1][1]


async def _late_requests(
    tx: Tx, keys: Sequence[loans_store.Key], *, day: date, slot: str, new_id: Callable[[], UUID]
) -> list[RepaymentRequest]:
    loans = await loans_store.lock_loans(tx, keys)
    events = await loans_store.events_of(tx, keys)
    collecting = await repayments_store.open_repayments(tx, keys)
    requests = []
    for key in keys:
        due = state_with_open(loans[key], events.get(key, []), collecting.get(key, []), day).due_fen
        if due > 0:
            name = f"auto/{key[1]}/{slot}"
            request = RepaymentRequest(key[0], new_id(), key[1], RepaymentKind.AUTOMATIC, due, day, name, b"")
            requests.append(request)
    return requests
