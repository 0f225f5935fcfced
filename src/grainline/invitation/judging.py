"""How well the whitelist chooses: held against what is known to have happened afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grainline.invitation.outcomes import Judged
from grainline.invitation.policy import Dimension


@dataclass(frozen=True)
class Verdict:
    """The total's AUC; default rates of who qualifies, of the rest, of all; Gini (2 × AUC − 1) of each dimension.

    A rate of nobody, and a Gini over people who all defaulted or all did not, is None.
    """

    people: int
    invited: int
    auc: float
    bad_rate_invited: float | None
    bad_rate_rest: float | None
    bad_rate_all: float
    gini_by_dimension: dict[str, float | None]


def hold_against(judged: Sequence[Judged], bad: NDArray[np.bool_]) -> Verdict:
    """Hold a month's judgement of people against who of them defaulted afterwards.

    A dimension's Gini is over those who were scored on it. Raises ValueError where nobody or everybody defaulted.
    """
    if bad.all() or not bad.any():
        raise ValueError(f"of {len(bad)} people {int(bad.sum())} defaulted: nothing to hold the points against")
    invited = np.array([one.way is not None for one in judged])
    dimensions = np.array([[-1 if e2 is None else e2 for e2 in one.dimensions_e2] for one in judged])
    ginis: dict[str, float | None] = {}
    for place, dimension in enumerate(Dimension):
        scored = dimensions[:, place] >= 0
        both = 0 < bad[scored].sum() < scored.sum()
        ginis[str(dimension)] = round(2 * _auc(bad[scored], dimensions[scored, place]) - 1, 4) if both else None
    return Verdict(
        people=len(judged),
        invited=int(invited.sum()),
        auc=round(_auc(bad, np.array([one.total_e2 for one in judged])), 4),
        bad_rate_invited=_rate(bad[invited]),
        bad_rate_rest=_rate(bad[~invited]),
        bad_rate_all=round(float(bad.mean()), 4),
        gini_by_dimension=ginis,
    )


def _rate(bad: NDArray[np.bool_]) -> float | None:
    return round(float(bad.mean()), 4) if len(bad) else None


def _auc(bad: NDArray[np.bool_], points: NDArray[np.int64]) -> float:
    """Return the probability that somebody who did not default has more points than one who did."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    return float(roc_auc_score(~bad, points))
