"""Underwriting: from an evaluation to a line and a rate inside a tier, with reasons; and the backtest.

Owns the decision, what a profit estimate assumes, and holding decisions against outcomes. Integers only.
"""

from grainline.underwriting.api import router
from grainline.underwriting.assumptions import Assumptions, Stated, assumptions_for, stated
from grainline.underwriting.backtest import (
    BacktestResult,
    Decision,
    Group,
    backtest,
    decide_portfolio,
    loan_profit_fen,
)
from grainline.underwriting.decide import (
    OFFER_REASONS,
    Offer,
    capacity_fen,
    decide,
)

__all__ = [
    "OFFER_REASONS",
    "Assumptions",
    "BacktestResult",
    "Decision",
    "Group",
    "Offer",
    "Stated",
    "assumptions_for",
    "backtest",
    "capacity_fen",
    "decide",
    "decide_portfolio",
    "loan_profit_fen",
    "router",
    "stated",
]
