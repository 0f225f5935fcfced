"""The accounts by name; chart.sql gives the database their titles and kinds."""

from enum import StrEnum
from hashlib import md5
from uuid import UUID


class Account(StrEnum):
    """An account of the chart: 1 assets, 2 liabilities, 4 equity, 6 income and expense, 9 beside the balance sheet."""

    RAIL_CLEARING = "1002"
    LOAN_PRINCIPAL = "1301"
    INTEREST_RECEIVABLE = "1302"
    BEING_PAID_OUT = "1303"
    ACCRUED_INTEREST = "1305"
    ACCRUED_PENALTY = "1306"
    PAYOUTS_PAYABLE = "2202"
    SUSPENSE = "2241"
    REFUNDS_PAYABLE = "2242"
    RETAINED_EARNINGS = "4104"
    INTEREST_INCOME = "6011"
    PENALTY_INCOME = "6012"
    INTEREST_DISCOUNTS = "6013"
    FEE_INCOME = "6021"
    RECOVERIES = "6301"
    CREDIT_LOSS = "6702"
    WAIVERS = "6711"
    WRITTEN_OFF_CLAIMS = "9001"
    WRITTEN_OFF_CONTRA = "9002"
    MEMO_INTEREST = "9003"
    MEMO_INTEREST_CONTRA = "9004"


MEMBER_ACCOUNTS = frozenset(
    {
        Account.LOAN_PRINCIPAL,
        Account.INTEREST_RECEIVABLE,
        Account.BEING_PAID_OUT,
        Account.PAYOUTS_PAYABLE,
        Account.SUSPENSE,
        Account.REFUNDS_PAYABLE,
        Account.WRITTEN_OFF_CLAIMS,
        Account.MEMO_INTEREST,
    }
)
HOUSE = 0  # the member under whom the house posts what is nobody's: a product's accrual, a period's close


def product_sub(product: str) -> UUID:
    """Return the sub-account of a product in the house's accounts; SQL says md5(product)::uuid."""
    return UUID(hex=md5(product.encode(), usedforsecurity=False).hexdigest())
