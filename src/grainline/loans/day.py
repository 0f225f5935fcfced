"""The day's work on loans: what falls due is charged in the books, and what is due is asked for.

Both look only at what a day touches, in batches that commit one by one; done twice, or broken off and done again, they
come to the same.
"""

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from grainline.kit.db import Pool, transaction
from grainline.ledger import post
from grainline.loans import loans_store
from grainline.loans.booking import journal
from grainline.loans.fold import fold
from grainline.loans.loans_store import RepaymentRequest
from grainline.loans.model import RepaymentKind
from grainline.loans.repaying import state_with_open

BATCH = 200


async def charge_due(pool: Pool, *, day: date, now: datetime) -> int:
    """Charge the interest of every instalment due by a day in the books; return how many loans it touched."""
    touched = 0
    while True:
        async with transaction(pool) as tx:
            loans = await loans_store.loans_to_charge(tx, day=day, count=BATCH)
            for loan in loans:
                events = await loans_store.events(tx, member_id=loan.member_id, loan_id=loan.loan_id)
                after = fold(loan.terms, events, max(day, loan.booked_through))
                lines = journal(loan.loan_id, fold(loan.terms, events, loan.booked_through), after)
                if lines:
                    await post(
                        tx,
                        member_id=loan.member_id,
                        key=f"due/{loan.loan_id}/{after.as_of}",
                        kind="interest_due",
                        value_on=after.as_of,
                        booked_at=now,
                        lines=lines,
                    )
                await loans_store.project(tx, loan, after)
        touched += len(loans)
        if len(loans) < BATCH:
            return touched


async def request_debits(pool: Pool, *, day: date, slot: str, now: datetime, new_id: Callable[[], UUID]) -> int:
    """Ask for what is due on a day and not being collected yet; a slot asks once per loan. Return how many asked."""
    asked = 0
    after: UUID | None = None
    while True:
        async with transaction(pool) as tx:
            loans = await loans_store.loans_due(tx, day=day, slot=slot, after=after, count=BATCH)
            for loan in loans:
                rows = await loans_store.repayments_of(tx, member_id=loan.member_id, loan_id=loan.loan_id)
                due = state_with_open(loan, rows, day).due_fen
                if due <= 0:
                    continue
                request = RepaymentRequest(
                    repayment_id=new_id(),
                    loan_id=loan.loan_id,
                    kind=RepaymentKind.AUTOMATIC,
                    amount_fen=due,
                    value_on=day,
                    idempotency_key=f"auto/{loan.loan_id}/{slot}",
                    input_hash=b"",
                )
                await loans_store.add_repayment(tx, loan.member_id, request, now=now)
                asked += 1
        if len(loans) < BATCH:
            return asked
        after = loans[-1].loan_id
