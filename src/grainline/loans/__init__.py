"""The loan: quoted, disclosed, contracted, drawn, paid out, repaid.

A loan is `fold(terms, events, as_of)`. Owns disclosures, contracts, draws, loans, repayments, refunds and their money
on the rail; reserves on the line and posts to the ledger through their own functions.
"""

from grainline.loans.api import router as draws_router
from grainline.loans.arrears import classify
from grainline.loans.booking import position, with_refunds
from grainline.loans.closing import close_day, close_through
from grainline.loans.day import request_debits, roll_day
from grainline.loans.documents_api import router as documents_router
from grainline.loans.events import Event, EventKind
from grainline.loans.fast_path import DrawFastPath
from grainline.loans.fold import fold, forecast
from grainline.loans.loans_api import callbacks, next_due_of, router
from grainline.loans.loans_store import EVENT, event_of, terms_of
from grainline.loans.officers import record_event
from grainline.loans.outcomes_store import Lent, Span, lent_in
from grainline.loans.projection import Projection, project
from grainline.loans.refunding import request_refund
from grainline.loans.state import Instalment, LoanState
from grainline.loans.terms import Terms
from grainline.loans.transfers import collect_due, pay_out_due, refund_due

__all__ = [
    "EVENT",
    "DrawFastPath",
    "Event",
    "EventKind",
    "Instalment",
    "Lent",
    "LoanState",
    "Projection",
    "Span",
    "Terms",
    "callbacks",
    "classify",
    "close_day",
    "close_through",
    "collect_due",
    "documents_router",
    "draws_router",
    "event_of",
    "fold",
    "forecast",
    "lent_in",
    "next_due_of",
    "pay_out_due",
    "position",
    "project",
    "record_event",
    "refund_due",
    "request_debits",
    "request_refund",
    "roll_day",
    "router",
    "terms_of",
    "with_refunds",
]
