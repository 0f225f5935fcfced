"""From a model's log-odds to a probability one may price with: Platt's logistic calibration.

Platt (1999) has two parameters and keeps the order of people. Isotonic regression was tried beside it on
the shipped portfolio. Its calibration error is lower (0.005 against 0.008 for the trees), but it ranks and
scores worse (AUC 0.7873 against 0.7882, Brier 0.13307 against 0.13292): it makes steps, so that many people
share one probability, and at either end it may say 0 or 1, which nobody can be priced at. Order decides
here, because a line and a rate must never fall the wrong way between two people whom the model tells apart.
"""

from dataclasses import dataclass

import numpy as np

from grainline.scoring.boosted import Label, Vector


@dataclass(frozen=True)
class Platt:
    """probability = 1 / (1 + exp(-(slope × log-odds + shift)))."""

    slope: float
    shift: float

    def probability(self, log_odds: Vector) -> Vector:
        """Return calibrated probabilities of default, shape as given."""
        return np.asarray(1.0 / (1.0 + np.exp(-(self.slope * log_odds + self.shift))), dtype=np.float64)


def fit_platt(log_odds: Vector, label: Label) -> Platt:
    """Fit on log-odds a model gave to people it had not seen, and whether they defaulted."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    # So weak a penalty that it is none; it only keeps a perfectly separable sample from running off.
    fitted = LogisticRegression(C=1e6, max_iter=200).fit(log_odds.reshape(-1, 1), label)
    return Platt(float(fitted.coef_[0][0]), float(fitted.intercept_[0]))
