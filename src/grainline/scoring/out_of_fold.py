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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from threading import Lock
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from grainline.scoring.boosted import PARAMETERS, ROUNDS, Boosted, Label, Vector, fit_boosted
from grainline.scoring.calibration import Platt, fit_platt
from grainline.scoring.features import DERIVED, FEATURES, Matrix, features_of, matrix
from grainline.scoring.portfolio import LABEL, Portfolio
from grainline.scoring.scorecard import CHARACTERISTICS, Scorecard, fit_scorecard

FOLDS, INNER_FOLDS = 5, 3
SEED = 20_090_302
REASONS_MOST = 3
# Fewer points under the average than a tenth of what doubles the odds are no reason worth telling.
POINTS_WORTH_TELLING = 2
FITS_AT_ONCE = 2
STEPS = FOLDS * 2 * (INNER_FOLDS + 1)

Progress = Callable[[int, int], None]
Rows = npt.NDArray[np.int64]
Folds = list[tuple[Rows, Rows]]
Model = TypeVar("Model", Boosted, Scorecard)


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
    folds = stratified_folds(label, FOLDS)
    wide, narrow = matrix(features, FEATURES), matrix(features, CHARACTERISTICS)
    trees, cards = _fit_all(wide, narrow, label=label, folds=folds, steps=_Steps(progress))
    boosted, carded = np.zeros(label.size), np.zeros(label.size)
    reasons: dict[int, tuple[str, ...]] = {}
    prints = [_fingerprint(), portfolio.content_hash()]
    for (_, test), (tree, tree_platt), (card, card_platt) in zip(folds, trees, cards, strict=True):
        boosted[test] = tree_platt.probability(tree.log_odds(wide[test]))
        carded[test] = card_platt.probability(card.log_odds(narrow[test]))
        reasons.update(zip(test.tolist(), _reasons(card, narrow[test]), strict=True))
        parts = [asdict(part) for part in (tree, tree_platt, card, card_platt)]
        prints.append(json.dumps(parts, sort_keys=True))
    return Scores(
        boosted=boosted,
        scorecard=carded,
        pd_e6=tuple(int(value) for value in np.clip(np.rint(boosted * 1e6), 1, 999_999)),
        reasons=tuple(reasons[row] for row in range(label.size)),
        model_hash=hashlib.sha256("\n".join(prints).encode()).hexdigest(),
    )


def _fit_all(
    wide: Matrix, narrow: Matrix, *, label: Label, folds: Folds, steps: _Steps
) -> tuple[list[tuple[Boosted, Platt]], list[tuple[Scorecard, Platt]]]:
    """Fit the trees of all folds in a pool of threads, and the scorecards meanwhile in this one.

    LightGBM leaves the interpreter free while it fits. Two fits of one thread each are as fast as one fit of two,
    and do not stall when another process takes a core: its own threads wait for each other by spinning.
    """
    pool = ThreadPoolExecutor(FITS_AT_ONCE)
    try:
        pending = [
            pool.submit(_calibrated, fit_boosted, wide, label=label, training=training, steps=steps)
            for training, _ in folds
        ]
        cards = [
            _calibrated(fit_scorecard, narrow, label=label, training=training, steps=steps) for training, _ in folds
        ]
        return [one.result() for one in pending], cards
    finally:
        pool.shutdown(cancel_futures=True)


def stratified_folds(label: Label, count: int) -> Folds:
    """Return (training, test) row numbers of each fold, the bad spread evenly; the same for the same label."""
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415

    splitter = StratifiedKFold(count, shuffle=True, random_state=SEED)
    return list(splitter.split(np.zeros((label.size, 1)), label))


def _calibrated(
    fit: Callable[[Matrix, Label], Model], rows: Matrix, *, label: Label, training: Rows, steps: _Steps
) -> tuple[Model, Platt]:
    unseen = np.zeros(training.size)
    for inner, held_out in stratified_folds(label[training], INNER_FOLDS):
        model = fit(rows[training[inner]], label[training[inner]])
        unseen[held_out] = model.log_odds(rows[training[held_out]])
        steps.one()
    model = fit(rows[training], label[training])
    steps.one()
    return model, fit_platt(unseen, label[training])


def _reasons(card: Scorecard, rows: Matrix) -> list[tuple[str, ...]]:
    codes = list(CHARACTERISTICS.values())
    lost = card.lost(rows)
    ranked = np.argsort(-lost, axis=1, kind="stable")[:, :REASONS_MOST]
    return [
        tuple(codes[column] for column in columns if points[column] >= POINTS_WORTH_TELLING)
        for points, columns in zip(lost, ranked.tolist(), strict=True)
    ]


def _fingerprint() -> str:
    """Return what the code holds constant: parameters, folds, seeds and the definition of each feature."""
    constants = {
        "boosted": [PARAMETERS, ROUNDS],
        "folds": [FOLDS, INNER_FOLDS, SEED],
        "features": FEATURES,
        "derived": {name: str(expression) for name, expression in DERIVED.items()},
        "characteristics": CHARACTERISTICS,
    }
    return json.dumps(constants, sort_keys=True)
