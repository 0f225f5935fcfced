"""The proof that everything agrees: run at any time, on a running platform, from one snapshot.

Each check is a question whose right answer is no rows. Sums are compared in the database; loans are folded here.
"""

from dataclasses import dataclass

from grainline.desk import store
from grainline.kit.db import Pool, transaction
from grainline.loans import Overpaid, fold


@dataclass(frozen=True)
class Finding:
    """Something that does not agree: which check, whose, and what."""

    check: str
    member_id: int
    what: str


async def verify(pool: Pool) -> tuple[dict[str, int], list[Finding]]:
    """Return how many things each check looked at, and what it found; no findings is the proof."""
    async with transaction(pool) as tx:
        await tx.execute("set transaction isolation level repeatable read, read only")
        counts = await store.counts(tx)
        findings = [Finding(*row) for row in await store.disagreements(tx)]
        booked = await store.booked(tx)
        events = await store.events(tx)
        async for loan in store.loans(tx):
            findings += _check_loan(loan, booked, events)
    return counts, findings


def _check_loan(loan: store.Loan, booked: store.Booked, events: store.Events) -> list[Finding]:
    key = (loan.member_id, loan.loan_id)
    principal, interest = booked.get(key, (0, 0))
    try:
        state = fold(loan.terms, events.get(key, ()), loan.booked_through)
    except Overpaid as error:
        return [Finding("loan_equals_ledger", loan.member_id, f"loan {loan.loan_id}: {error}")]
    owed = (state.principal_outstanding_fen, state.interest_charged_fen - state.interest_paid_fen)
    findings = []
    if owed != (principal, interest):
        what = f"loan {loan.loan_id} owes {owed} by its events, {(principal, interest)} by the ledger"
        findings.append(Finding("loan_equals_ledger", loan.member_id, what))
    unpaid = state.next_unpaid
    projected = (state.principal_outstanding_fen, unpaid.due_on if unpaid else None, state.settled_on)
    if projected != (loan.principal_fen, loan.next_due_on, loan.settled_on):
        shown = (loan.principal_fen, loan.next_due_on, loan.settled_on)
        what = f"loan {loan.loan_id} is projected as {shown}, and is {projected}"
        findings.append(Finding("loan_equals_projection", loan.member_id, what))
    return findings
