"""Control accounts: what the ledger holds, held against what loans and closed days say, product by product."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from grainline.desk import reports_store, store
from grainline.kit.db import Tx
from grainline.ledger import Account
from grainline.ledger.books import names_of
from grainline.loans import fold, position, with_refunds

OF_LOANS = (
    Account.LOAN_PRINCIPAL,
    Account.INTEREST_RECEIVABLE,
    Account.SUSPENSE,
    Account.REFUNDS_PAYABLE,
    Account.WRITTEN_OFF_CLAIMS,
    Account.MEMO_INTEREST,
)


@dataclass(frozen=True)
class Control:
    """An account of a product, in fen, debits positive: by the ledger, and by what it must equal."""

    account: Account
    product: str
    ledger_fen: int
    expected_fen: int

    @property
    def difference_fen(self) -> int:
        """What the ledger has above what it should; nought where they agree."""
        return self.ledger_fen - self.expected_fen


async def control_accounts(tx: Tx, products: Iterable[str]) -> list[Control]:
    """Compare the control accounts, by account and product, within one snapshot.

    Principal, interest receivable, suspense, written-off claims and memorandum interest must equal the sum over the
    folds of all loans; refunds payable, that over the refunds under way. Accrued interest and penalties must equal what
    had accrued when the last day was closed and what loans have charged since; they are asked at rest: a journal that
    is written in the very moment of the close may show until the next one.
    """
    await tx.execute("set transaction isolation level repeatable read, read only")
    expected: Counter[tuple[Account, str]] = Counter()
    events = await store.events(tx)
    refunding = await store.refunds_under_way(tx)
    async for loan in store.loans(tx):
        key = (loan.member_id, loan.loan_id)
        state = fold(loan.terms, events.get(key, ()), loan.booked_through)
        held = with_refunds(position(state), refunding.get(key, 0))
        expected.update({(account, loan.product): held.get(account, 0) for account in OF_LOANS})
    booked = await reports_store.loans_in_ledger(tx)
    controls = {control for control in {*expected, *booked} if control[0] in OF_LOANS}
    found = [Control(*control, booked.get(control, 0), expected[control]) for control in controls]
    closes = await reports_store.accrued_by_last_close(tx)
    names = names_of({*products, *closes})
    for place, account in enumerate((Account.ACCRUED_INTEREST, Account.ACCRUED_PENALTY)):
        for sub, balance, since in await reports_store.accrual_in_ledger(tx, account):
            product = names.get(sub, str(sub))
            accrued = closes.get(product, (0, 0))[place]
            found.append(Control(account, product, balance, accrued + since))
    return sorted(found, key=lambda control: (control.account, control.product))
