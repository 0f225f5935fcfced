"""What a model card shows of how a model does: measures with intervals, and the few numbers its plots are drawn from.

It is made of people whose outcome is known and whom the model, or that fold's copy of it, had not seen. The intervals
are of 95 %, by the spread of a Poisson bootstrap over people (Hanley and MacGibbon 2006) whose draws are always the
same: sampling error only, not what another year would bring.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue, TypeAdapter

from grainline.scoring.arrays import Label, Vector, Whole
from grainline.scoring.fairness import AttributeReport
from grainline.scoring.intervals import Z_95, wilson
from grainline.scoring.measures import calibration_error

DRAWS, SEED = 200, 20_261_127
DECILES, CURVE_POINTS, COLUMNS = 10, 60, 25


@dataclass(frozen=True)
class Measure:
    """A measure, 0 … 1, and its interval; none is given for the calibration error, which chance alone makes large."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Decile:
    """A tenth of the people by probability: mean predicted and observed default rate with its interval."""

    predicted: float
    observed: float
    low: float
    high: float
    people: int


@dataclass(frozen=True)
class Evidence:
    """What is known of how a model does. `told` says on whom and how it was found.

    `roc` are points (share of good refused, share of bad refused), `ks_at` that of the greatest distance. `good` and
    `bad` count people between the `edges` of the logarithm to base 10 of the odds of default.
    """

    told: str
    rows: int
    defaulted: int
    measures: dict[str, Measure]
    roc: tuple[tuple[float, float], ...]
    ks_at: tuple[float, float]
    deciles: tuple[Decile, ...]
    edges: tuple[float, ...]
    good: tuple[int, ...]
    bad: tuple[int, ...]
    fairness: tuple[AttributeReport, ...] = ()

    def to_json(self) -> JsonValue:
        """Return it as it is kept among a model's facts, under "evidence"."""
        made: JsonValue = _EVIDENCE.dump_python(self, mode="json")
        return made


def evidence_from(told: JsonValue) -> Evidence | None:
    """Read evidence from a model's facts; None where there is none, or where it is not such as a card can show."""
    try:
        found = _EVIDENCE.validate_python(told, strict=False)
    except ValueError:
        return None
    fits = len(found.edges) == len(found.good) + 1 == len(found.bad) + 1 > 1 and found.edges[0] < found.edges[-1]
    return found if fits and found.roc and found.deciles and {"auc", "ks"} <= found.measures.keys() else None


def evidence_of(label: Label, pd_e6: Whole, *, told: str, fairness: Sequence[AttributeReport] = ()) -> Evidence:
    """Return the evidence of probabilities in 10⁻⁶ and what happened, both of shape (people,), of both classes."""
    curve = _Curve(label, pd_e6)
    recall, fall_out = curve.shares(np.ones(label.size))
    best = int(np.argmax(recall - fall_out))
    kept = np.unique(np.append(np.linspace(0, recall.size - 1, CURVE_POINTS).astype(np.int64), best))
    odds = np.log10(pd_e6 / (1_000_000 - pd_e6))
    # a model that says the same of everybody still has an axis
    edges = np.linspace(odds.min() - 0.01, odds.max() + 0.01, COLUMNS + 1)
    return Evidence(
        told=told,
        rows=label.size,
        defaulted=int(label.sum()),
        measures=_measures(label, pd_e6 / 1e6, curve),
        roc=tuple((round(float(fall_out[n]), 5), round(float(recall[n]), 5)) for n in kept),
        ks_at=(round(float(fall_out[best]), 5), round(float(recall[best]), 5)),
        deciles=_deciles(label, pd_e6),
        edges=tuple(round(float(edge), 5) for edge in edges),
        good=tuple(np.histogram(odds[~label], edges)[0].tolist()),
        bad=tuple(np.histogram(odds[label], edges)[0].tolist()),
        fairness=tuple(fairness),
    )


_EVIDENCE = TypeAdapter(Evidence)


class _Curve:
    """People by probability, the highest first, those of one probability together; ready to be weighted."""

    def __init__(self, label: Label, pd_e6: Whole) -> None:
        self._order = np.argsort(-pd_e6, kind="stable")
        self._starts = np.flatnonzero(np.diff(-pd_e6[self._order], prepend=np.nan))
        self._bad = label[self._order].astype(np.float64)

    def shares(self, weights: Vector) -> tuple[Vector, Vector]:
        """Return, from 0 to 1, the shares of bad and of good at or above each probability."""
        weight = weights[self._order]
        found = []
        for of in (self._bad, 1 - self._bad):
            summed = np.cumsum(np.add.reduceat(weight * of, self._starts))
            found.append(np.append(0.0, summed / summed[-1]))
        return found[0], found[1]


def _measures(label: Label, probability: Vector, curve: _Curve) -> dict[str, Measure]:
    wrong = (probability - label) ** 2
    draw = np.random.default_rng(SEED)
    drawn = np.array([_weighed(curve, draw.poisson(1.0, label.size).astype(np.float64), wrong) for _ in range(DRAWS)])
    values = _weighed(curve, np.ones(label.size), wrong)
    reaches = (Z_95 * drawn.std(axis=0)).tolist()
    found = {
        name: Measure(value, max(0.0, value - reach), min(1.0, value + reach))
        for name, value, reach in zip(("auc", "ks", "brier"), values, reaches, strict=True)
    }
    return found | {"calibration_error": Measure(calibration_error(label, probability))}


def _weighed(curve: _Curve, weights: Vector, wrong: Vector) -> tuple[float, float, float]:
    """Return AUC, KS and Brier score of people with weights."""
    recall, fall_out = curve.shares(weights)
    area = float(np.sum(np.diff(fall_out) * (recall[1:] + recall[:-1]) / 2))
    return area, float(np.max(recall - fall_out)), float((wrong * weights).sum() / weights.sum())


def _deciles(label: Label, pd_e6: Whole) -> tuple[Decile, ...]:
    edges = np.unique(np.quantile(pd_e6, np.arange(1, DECILES) / DECILES))
    place = np.searchsorted(edges, pd_e6, side="left")
    found = []
    for n in np.unique(place):
        rows = place == n
        bad, people = int(label[rows].sum()), int(rows.sum())
        low, high = wilson(bad, people)
        found.append(Decile(float(pd_e6[rows].mean()) / 1e6, bad / people, low, high, people))
    return tuple(found)
