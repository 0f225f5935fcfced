"""The boosted trees: LightGBM, deterministic, plain parameters that were not tuned to any portfolio."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from grainline.scoring.arrays import Label, Matrix, Vector
from grainline.scoring.reject_inference import Inferred

if TYPE_CHECKING:
    from lightgbm import Booster

# One, because whoever has more cores fits several models at once instead (`out_of_fold.py`).
THREADS = 1
_ALWAYS: dict[str, object] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 63,
    # The same input must give the same bits: fixed seed, fixed threads, fixed order of sums.
    "seed": 20_090_301,
    "num_threads": THREADS,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


@dataclass(frozen=True)
class Growth:
    """How trees are grown: LightGBM's parameters and how many trees."""

    name: str
    parameters: dict[str, object]
    rounds: int


# For tens of thousands of people, and for a thousand: there trees that bend little, of few features each.
MANY = Growth(
    "many", _ALWAYS | {"num_leaves": 15, "min_data_in_leaf": 100, "feature_fraction": 0.5, "lambda_l2": 10.0}, 180
)
FEW = Growth(
    "few",
    _ALWAYS
    | {"num_leaves": 4, "min_data_in_leaf": 10, "feature_fraction": 0.3, "lambda_l2": 5.0}
    | {"min_data_per_group": 10, "cat_smooth": 10.0},
    300,
)


@dataclass(frozen=True)
class Boosted:
    """Fitted trees, kept as LightGBM's own text."""

    text: str

    @cached_property
    def booster(self) -> "Booster":
        """Return the trees as LightGBM runs them; raise what LightGBM raises where the text is none of its own."""
        import lightgbm  # noqa: PLC0415

        return lightgbm.Booster(model_str=self.text)

    def log_odds(self, rows: Matrix) -> Vector:
        """Return the log-odds of default, uncalibrated, shape (people,), float64."""
        return np.asarray(self.booster.predict(rows, raw_score=True, num_threads=THREADS), dtype=np.float64)

    def contributions(self, rows: Matrix) -> Matrix:
        """Return what each feature adds to the log-odds beyond the average, shape (people, features), float64.

        They are SHAP values as TreeSHAP works them out exactly for trees (Lundberg et al. 2020).
        """
        found = self.booster.predict(rows, pred_contrib=True, num_threads=THREADS)
        return np.asarray(found, dtype=np.float64)[:, :-1]


def fit_boosted(
    rows: Matrix,
    label: Label,
    *,
    growth: Growth = MANY,
    categories: Sequence[int] = (),
    inferred: Inferred | None = None,
) -> Boosted:
    """Fit on encoded rows and whether each defaulted; `categories` are the columns whose numbers are codes.

    What is inferred of others is added by its weights.
    """
    import lightgbm  # noqa: PLC0415

    weight = None
    if inferred is not None:
        rows, label, weight = inferred.added(rows, label)
    data = lightgbm.Dataset(rows, label.astype(np.int8), weight=weight, categorical_feature=list(categories))
    return Boosted(lightgbm.train(growth.parameters, data, growth.rounds).model_to_string())
