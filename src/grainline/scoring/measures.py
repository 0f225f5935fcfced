"""How well probabilities rank and how far they are from what happened."""

from dataclasses import dataclass

import numpy as np

from grainline.scoring.arrays import Label, Vector

CALIBRATION_BINS = 10


@dataclass(frozen=True)
class Measures:
    """AUC and KS (ranking), Brier score and expected calibration error (level); all 0 … 1."""

    auc: float
    ks: float
    brier: float
    calibration_error: float


def measure(label: Label, probability: Vector) -> Measures:
    """Hold probabilities of default against what happened; both of shape (people,)."""
    from sklearn.metrics import brier_score_loss, roc_auc_score, roc_curve  # noqa: PLC0415

    fall_out, recall, _ = roc_curve(label, probability)
    return Measures(
        auc=float(roc_auc_score(label, probability)),
        ks=float(np.max(recall - fall_out)),
        brier=float(brier_score_loss(label, probability)),
        calibration_error=calibration_error(label, probability),
    )


def calibration_error(label: Label, probability: Vector) -> float:
    """Return the expected calibration error over ten bins between the deciles of the probabilities.

    It is the mean over people of |mean predicted − real bad rate| of the bin they are in (Naeini et al. 2015,
    with bins of equal counts instead of equal widths, so that no bin rests on a handful of people). People with
    one probability share one bin, so that the order of rows decides nothing.
    """
    inner_edges = np.quantile(probability, np.arange(1, CALIBRATION_BINS) / CALIBRATION_BINS)
    bin_of = np.searchsorted(inner_edges, probability, side="left")
    parts = [bin_of == number for number in np.unique(bin_of)]
    gaps = [abs(float((probability[part] - label[part]).sum())) for part in parts]
    return sum(gaps) / label.size
