"""Models: from what is known of a person to a calibrated probability of default, with reasons.

Owns what a model is and how it scores, the fitting of scorecards and boosted trees from any table, calibration and
measures, and the portfolio's column contract and features. Probabilities cross to other rooms as integers of 10⁻⁶.
Of the portfolio, sex, marriage and age are never inputs.

The libraries that fit and measure are imported by the functions that use them: they cost two seconds and
200 MB, which a process that only shows reasons must not pay.
"""

from grainline.scoring.boosted import Boosted
from grainline.scoring.calibration import Isotonic, Platt
from grainline.scoring.feature_spec import (
    DIMENSIONS,
    Dimension,
    FeatureMissing,
    FeatureOutOfRange,
    FeatureSpec,
    FeatureUnknownCategory,
    Value,
)
from grainline.scoring.features import FEATURES, features_of, features_of_card
from grainline.scoring.measures import Measures, measure
from grainline.scoring.model import BadModelFile, CreditModel
from grainline.scoring.out_of_fold import STEPS, Scores, score_portfolio, train_portfolio_models
from grainline.scoring.portfolio import COLUMNS, LABEL, BadPortfolio, Portfolio, load_portfolio
from grainline.scoring.reasons import REASONS, reason_text
from grainline.scoring.scorecard import Attribute, Characteristic, Scorecard, Special
from grainline.scoring.scored import Loaded, Scored, ScoredMany, score_many, score_one

__all__ = [
    "COLUMNS",
    "DIMENSIONS",
    "FEATURES",
    "LABEL",
    "REASONS",
    "STEPS",
    "Attribute",
    "BadModelFile",
    "BadPortfolio",
    "Boosted",
    "Characteristic",
    "CreditModel",
    "Dimension",
    "FeatureMissing",
    "FeatureOutOfRange",
    "FeatureSpec",
    "FeatureUnknownCategory",
    "Isotonic",
    "Loaded",
    "Measures",
    "Platt",
    "Portfolio",
    "Scorecard",
    "Scored",
    "ScoredMany",
    "Scores",
    "Special",
    "Value",
    "features_of",
    "features_of_card",
    "load_portfolio",
    "measure",
    "reason_text",
    "score_many",
    "score_one",
    "score_portfolio",
    "train_portfolio_models",
]
