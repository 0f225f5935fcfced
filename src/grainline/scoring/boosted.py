"""The boosted trees: LightGBM, deterministic, plain parameters that were not tuned to this portfolio."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grainline.scoring.features import Matrix

Vector = npt.NDArray[np.float64]
Label = npt.NDArray[np.bool_]

ROUNDS = 180
# One, because whoever has more cores fits several models at once instead (`out_of_fold.py`).
THREADS = 1
PARAMETERS: dict[str, object] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "max_bin": 63,
    # The same input must give the same bits: fixed seed, fixed threads, fixed order of sums.
    "seed": 20_090_301,
    "num_threads": THREADS,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


@dataclass(frozen=True)
class Boosted:
    """Fitted trees, kept as LightGBM's own text."""

    text: str

    def log_odds(self, rows: Matrix) -> Vector:
        """Return the log-odds of default, uncalibrated, shape (rows,), float64."""
        import lightgbm  # noqa: PLC0415

        model = lightgbm.Booster(model_str=self.text)
        return np.asarray(model.predict(rows, raw_score=True, num_threads=THREADS), dtype=np.float64)


def fit_boosted(rows: Matrix, label: Label) -> Boosted:
    """Fit on rows of shape (people, features) and whether each defaulted."""
    import lightgbm  # noqa: PLC0415

    data = lightgbm.Dataset(rows, label.astype(np.int8))
    return Boosted(lightgbm.train(PARAMETERS, data, ROUNDS).model_to_string())
