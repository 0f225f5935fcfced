"""The proof that everything agrees: run at any time, on a running platform, from one snapshot.

Each check is a question whose right answer is no rows. Sums are compared in the database; loans are folded here.
"""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from grainline.desk import store
from grainline.kit.db import Pool, transaction
from grainline.ledger import HOUSE, MEMBER_ACCOUNTS, Account, product_sub
from grainline.loans import LoanState, fold, position, project, with_refunds
from grainline.loans.booking import Position


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
        refunding = await store.refunds_under_way(tx)
        house: Counter[tuple[UUID, str]] = Counter()
        async for loan in store.loans(tx):
            key = (loan.member_id, loan.loan_id)
            state = fold(loan.terms, events.get(key, ()), loan.booked_through)
            held = with_refunds(position(state), refunding.get(key, 0))
            findings += _check_loan(loan, state, held, booked.get(key, {}))
            house.update(_house_of(loan, held))
        findings += _check_house(house, await store.house_of_loans(tx))
    return counts, findings


def _house_of(loan: store.Loan, held: Position) -> dict[tuple[UUID, str], int]:
    """Return what a loan has put on the house's accounts, by product and account, in fen."""
    held = held | {Account.RAIL_CLEARING: held[Account.RAIL_CLEARING] - loan.terms.amount_fen}
    sub = product_sub(loan.product)
    return {(sub, account.value): fen for account, fen in held.items() if account not in MEMBER_ACCOUNTS}


def _check_house(by_loans: Counter[tuple[UUID, str]], by_ledger: dict[tuple[UUID, str], int]) -> list[Finding]:
    return [
        Finding(
            "house_equals_loans",
            HOUSE,
            f"account {key[1]}/{key[0]} is {by_loans[key]} by the loans, {by_ledger.get(key, 0)} by the ledger",
        )
        for key in sorted({*by_loans, *by_ledger})
        if by_loans[key] != by_ledger.get(key, 0)
    ]


def _check_loan(loan: store.Loan, state: LoanState, held: Position, booked: dict[str, int]) -> list[Finding]:
    owed = {account.value: held[account] for account in sorted(MEMBER_ACCOUNTS & held.keys()) if held[account]}
    findings = []
    if owed != booked:
        what = f"loan {loan.loan_id} is {owed} by its events and refunds, {booked} by the ledger"
        findings.append(Finding("loan_equals_ledger", loan.member_id, what))
    if sum(held.values()) != loan.terms.amount_fen:
        what = f"loan {loan.loan_id} has a position that sums to {sum(held.values())}, not to what was paid out"
        findings.append(Finding("position_balances", loan.member_id, what))
    if project(state) != loan.projection:
        what = f"loan {loan.loan_id} is projected as {loan.projection}, and is {project(state)}"
        findings.append(Finding("loan_equals_projection", loan.member_id, what))
    return findings
