"""Underwriting: from an evaluation to a line and a rate inside a tier, with reasons; and the backtest.

Owns the decision, what a profit estimate assumes, and holding decisions against outcomes. Integers only.
"""

from grainline.underwriting.api import router
from grainline.underwriting.assumptions import Stated, stated
from grainline.underwriting.backtest import (
    BacktestResult,
    Group,
    PortfolioDecision,
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
    "BacktestResult",
    "Group",
    "Offer",
    "PortfolioDecision",
    "Stated",
    "backtest",
    "capacity_fen",
    "decide",
    "decide_portfolio",
    "loan_profit_fen",
    "router",
    "stated",
]
