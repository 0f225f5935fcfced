"""Models: from what a portfolio shows of a person to a calibrated probability of default, with reasons.

Owns the portfolio's column contract, the features, the boosted trees, the scorecard, calibration and
measures. Probabilities cross to other rooms as integers of 10⁻⁶. Sex, marriage and age are never inputs.

The libraries that fit and measure are imported by the functions that use them: they cost two seconds and
200 MB, which a process that only shows reasons must not pay.
"""

from grainline.scoring.measures import Measures, measure
from grainline.scoring.out_of_fold import STEPS, Scores, score_portfolio
from grainline.scoring.portfolio import COLUMNS, LABEL, BadPortfolio, Portfolio, load_portfolio
from grainline.scoring.reasons import REASONS, reason_text

__all__ = [
    "COLUMNS",
    "LABEL",
    "REASONS",
    "STEPS",
    "BadPortfolio",
    "Measures",
    "Portfolio",
    "Scores",
    "load_portfolio",
    "measure",
    "reason_text",
    "score_portfolio",
]
