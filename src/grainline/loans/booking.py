"""From one state of a loan to the next, in the books: what the difference is called in journal lines."""

from uuid import UUID

from grainline.kit.money import Fen
from grainline.ledger import Account, Line
from grainline.loans.fold import LoanState


def journal(loan_id: UUID, before: LoanState, after: LoanState) -> list[Line]:
    """Return the lines that carry the books from one state to a later one; empty where nothing changed.

    Interest charged: debit 1302, credit 6011. Principal and interest paid: debit 1002, credit 1301 and 1302.
    """
    charged = after.interest_charged_fen - before.interest_charged_fen
    interest = after.interest_paid_fen - before.interest_paid_fen
    principal = before.principal_outstanding_fen - after.principal_outstanding_fen
    amounts = {
        Account.RAIL_CLEARING: principal + interest,
        Account.LOAN_PRINCIPAL: -principal,
        Account.INTEREST_RECEIVABLE: charged - interest,
        Account.INTEREST_INCOME: -charged,
    }
    return [Line(account, loan_id, Fen(amount)) for account, amount in amounts.items() if amount]
