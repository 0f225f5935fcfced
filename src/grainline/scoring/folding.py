"""Folds of people, and log-odds for people a model has not seen."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np

from grainline.scoring.arrays import Label, Matrix, Vector, Whole


class Body(Protocol):
    """What a fitted model of any kind says of encoded rows, shape (people,)."""

    def log_odds(self, rows: Matrix, /) -> Vector:
        """Return the log-odds of default, uncalibrated."""


SomeBody = TypeVar("SomeBody", bound=Body)
Fit = Callable[[Matrix, Label], SomeBody]


def stratified_folds(label: Label, count: int, seed: int) -> list[tuple[Whole, Whole]]:
    """Return pairs of (training rows, test rows); the same ones for the same label and seed."""
    from sklearn.model_selection import StratifiedKFold  # noqa: PLC0415

    splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros((label.size, 1)), label))


def unseen_log_odds(
    fit: Fit[SomeBody],
    rows: Matrix,
    label: Label,
    *,
    folds: int,
    seed: int,
    each: Callable[[], None] = lambda: None,
) -> Vector:
    """Return for each person the log-odds of a model fitted without them; `each` is called after each fit."""
    unseen = np.zeros(label.size)
    for inner, held_out in stratified_folds(label, folds, seed):
        unseen[held_out] = fit(rows[inner], label[inner]).log_odds(rows[held_out])
        each()
    return unseen
