"""The accounts by name; chart.sql gives the database their titles and kinds."""

from enum import StrEnum


class Account(StrEnum):
    """An account of the chart: 1 assets, 2 liabilities, 6 income and expense."""

    RAIL_CLEARING = "1002"
    LOAN_PRINCIPAL = "1301"
    INTEREST_RECEIVABLE = "1302"
    BEING_PAID_OUT = "1303"
    PAYOUTS_PAYABLE = "2202"
    INTEREST_INCOME = "6011"
