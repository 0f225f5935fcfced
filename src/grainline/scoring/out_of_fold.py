"""Probabilities for people the model has never seen: five folds, and calibration inside each training part.

    all people ──5 stratified folds──▶ training 4/5                                        test 1/5
                                       ├─ model fitted on all of it ──────────────────────▶ log-odds
                                       └─ 3 inner folds: log-odds for people unseen by     │
                                          their model ──▶ Platt's two parameters ──────────▶ probability

A test person's outcome takes part in nothing that person's probability is made of.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from threading import Lock

import numpy as np
from pydantic import JsonValue

from grainline.scoring.arrays import Label, Vector
from grainline.scoring.boosted import MANY
from grainline.scoring.calibration import fit_platt
from grainline.scoring.features import DERIVED, features_of
from grainline.scoring.measures import measure
from grainline.scoring.model import CreditModel
from grainline.scoring.portfolio import LABEL, Portfolio
from grainline.scoring.portfolio_specs import CHARACTERISTICS, WIDE
from grainline.scoring.scorecard_fit import COARSE
from grainline.scoring.scored import score_many
from grainline.scoring.training import FOLDS, Recipe, fit_folds, fit_pair, worth_of

# Nothing is left open: one growth, named characteristics, and the calibration that keeps the order of people.
RECIPE = Recipe(seed=20_090_302, growths=(MANY,), characteristics=CHARACTERISTICS, detail=COARSE, calibrate=fit_platt)
STEPS = FOLDS * RECIPE.steps

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Scores:
    """What the models say of each person, in the portfolio's order.

    `boosted` and `scorecard` are calibrated probabilities of default; decisions use the boosted one, and
    reasons come from the scorecard, most points lost first. `model_hash` names the data, the parameters and
    every fitted model, so that a decision can be traced to what made it.
    """

    boosted: Vector
    scorecard: Vector
    pd_e6: tuple[int, ...]
    reasons: tuple[tuple[str, ...], ...]
    model_hash: str


class _Steps:
    """Count fitted models from several threads and tell the caller, one at a time."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = Lock()
        self._done = 0

    def one(self) -> None:
        with self._lock:
            self._done += 1
            self._progress(self._done, STEPS)


def score_portfolio(portfolio: Portfolio, *, progress: Progress = lambda done, total: None) -> Scores:
    """Return out-of-fold, calibrated probabilities and reasons.

    After each fitted model progress(done, total) is called, never twice at once but from more than one thread.
    """
    features = features_of(portfolio)
    label: Label = portfolio.frame[LABEL].to_numpy()
    boosted, carded = np.zeros(label.size), np.zeros(label.size)
    pd_e6 = np.zeros(label.size, dtype=np.int64)
    reasons: dict[int, tuple[str, ...]] = {}
    prints = [_fingerprint(), portfolio.content_hash()]
    for test, pair in fit_folds(features, label, lambda _: WIDE, recipe=RECIPE, step=_Steps(progress).one):
        trees = score_many(pair.challenger, features[test], explain=False)
        card = score_many(pair.champion, features[test])
        boosted[test], pd_e6[test], carded[test] = trees.probability, trees.pd_e6, card.probability
        reasons.update((row, card.reasons(n)) for n, row in enumerate(test.tolist()))
        prints += [pair.challenger.sha256, pair.champion.sha256]
    return Scores(
        boosted=boosted,
        scorecard=carded,
        pd_e6=tuple(pd_e6.tolist()),
        reasons=tuple(reasons[row] for row in range(label.size)),
        model_hash=hashlib.sha256("\n".join(prints).encode()).hexdigest(),
    )


def train_portfolio_models(portfolio: Portfolio, scores: Scores | None = None) -> tuple[CreditModel, CreditModel]:
    """Return the champion scorecard and the boosted challenger, fitted to everyone: for people who are new.

    Where the out-of-fold scores of the same portfolio are given, what they are worth stands in the facts. Both
    models read `features_of` a person's six months; on people of the portfolio itself they say too much.
    """
    features = features_of(portfolio)
    label: Label = portfolio.frame[LABEL].to_numpy()
    pair = fit_pair(features, label, WIDE, recipe=RECIPE, name="card")
    about: dict[str, JsonValue] = {"trained_on": portfolio.content_hash()}
    worth: tuple[dict[str, JsonValue], dict[str, JsonValue]] = ({}, {})
    if scores is not None:
        worth = (
            worth_of(label, scores.scorecard, measure(label, scores.scorecard)),
            worth_of(label, scores.boosted, measure(label, scores.boosted)),
        )
    return pair.champion.with_facts(about | worth[0]), pair.challenger.with_facts(about | worth[1])


def _fingerprint() -> str:
    """Return what the code holds constant and no model says: how trees are grown and what each feature is."""
    constants = {
        "boosted": asdict(MANY),
        "derived": {name: str(expression) for name, expression in DERIVED.items()},
    }
    return json.dumps(constants, sort_keys=True)
