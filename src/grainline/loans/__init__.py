"""The loan: quoted, disclosed, contracted, drawn, paid out, repaid.

A loan is `fold(terms, events, as_of)`. Owns disclosures, contracts, draws, loans, repayments and their money on the
rail; reserves on the line and posts to the ledger through their own functions.
"""

from grainline.loans.api import ThePack
from grainline.loans.api import router as draws_router
from grainline.loans.day import charge_due, request_debits
from grainline.loans.fast_path import DrawFastPath
from grainline.loans.fold import Instalment, LoanState, Overpaid, fold, forecast
from grainline.loans.loans_api import callbacks, next_due_of, router
from grainline.loans.terms import Repayment, Terms
from grainline.loans.transfers import collect_due, pay_out_due

__all__ = [
    "DrawFastPath",
    "Instalment",
    "LoanState",
    "Overpaid",
    "Repayment",
    "Terms",
    "ThePack",
    "callbacks",
    "charge_due",
    "collect_due",
    "draws_router",
    "fold",
    "forecast",
    "next_due_of",
    "pay_out_due",
    "request_debits",
    "router",
]
