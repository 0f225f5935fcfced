"""What the books say of a loan, and how they get from one state of it to the next.

A loan's position is what each account holds for it: a pure function of its state whose lines sum to nought once the
amount paid out is counted. A journal is the difference of two positions, so that an event which counts from an earlier
day than the books have reached corrects what was booked since, and posting in any order ends in the same books.

Interest is income of the day it accrues, by product (`closing.py`: debit 1305 and 1306). What is charged to a loan
moves from there to its receivable: debit 1302, credit 1305 and 1306. Once a loan is charged off, what it still owes in
interest is no asset and no income until it is paid; it stands beside the balance sheet (9003).
"""

from uuid import UUID

from grainline.kit.money import Fen
from grainline.ledger import MEMBER_ACCOUNTS, Account, Line, product_sub
from grainline.loans.state import Glance, LoanState

Position = dict[Account, int]


def position(state: LoanState | Glance) -> Position:
    """Return what each account holds of a loan, in fen, debits positive, without the amount once paid out."""
    total = state.totals
    owed = total.interest_charged + total.penalty_charged + total.fee_charged
    settled = total.discounted + total.waived + total.interest_paid + total.penalty_paid + total.fee_paid
    lost, receivable = total.written_off_other, owed - settled - total.written_off_other
    held = {
        Account.RAIL_CLEARING: total.repaid - total.refunded,
        Account.LOAN_PRINCIPAL: state.principal_outstanding_fen,
        Account.INTEREST_RECEIVABLE: receivable,
        Account.ACCRUED_INTEREST: -total.interest_charged,
        Account.ACCRUED_PENALTY: -total.penalty_charged,
        Account.SUSPENSE: -total.suspense,
        Account.INTEREST_DISCOUNTS: total.discounted,
        Account.FEE_INCOME: -total.fee_charged,
        Account.RECOVERIES: -total.recovered,
        Account.CREDIT_LOSS: total.written_off_principal + lost,
        Account.WAIVERS: total.waived,
    }
    claims = total.written_off_principal + total.written_off_other - total.recovered
    memo = {Account.WRITTEN_OFF_CLAIMS: claims, Account.WRITTEN_OFF_CONTRA: -claims}
    if state.charged_off_on is not None:
        held |= _charged_off(state, held, receivable, lost)
        memo |= {Account.MEMO_INTEREST: receivable, Account.MEMO_INTEREST_CONTRA: -receivable}
    return held | memo


def _charged_off(state: LoanState | Glance, held: Position, receivable: int, lost: int) -> Position:
    """Take interest out of the assets: what was accrued and not paid leaves income, what is paid later comes back."""
    total = state.totals
    interest, penalty = total.interest_charged_accruing, total.penalty_charged_accruing
    unrecognised = total.interest_charged + total.penalty_charged - interest - penalty
    return {
        Account.INTEREST_RECEIVABLE: 0,
        Account.ACCRUED_INTEREST: -interest,
        Account.ACCRUED_PENALTY: -penalty,
        Account.INTEREST_INCOME: receivable + lost - unrecognised,
        Account.CREDIT_LOSS: held[Account.CREDIT_LOSS] - lost,
    }


def with_refunds(held: Position, fen: int) -> Position:
    """Return a position with refunds under way: they have left the loan and are payable, until the rail has paid."""
    payable = held.get(Account.REFUNDS_PAYABLE, 0) - fen
    return held | {Account.RAIL_CLEARING: held[Account.RAIL_CLEARING] + fen, Account.REFUNDS_PAYABLE: payable}


def journal(loan_id: UUID, product: str, before: Position, after: Position) -> list[Line]:
    """Return the lines that carry the books from one position to another; empty where nothing changed."""
    house = product_sub(product)
    moved = {account: after.get(account, 0) - before.get(account, 0) for account in {**before, **after}}
    return [
        Line(account, loan_id if account in MEMBER_ACCOUNTS else house, Fen(amount))
        for account, amount in moved.items()
        if amount
    ]
