"""Fitting a scorecard: weights of evidence, and a logistic regression that sees whole numbers only.

The guest knows, of each anonymous bin, its rows and how many of them defaulted; from that come a weight of evidence
WOE = ln(share of the bad / share of the good), with half a row added to either, and each feature's information value.
The log-odds of row i are base + Σ coefficient_f · WOE_f[bin of i], fitted with a penalty of l2/2 · Σ coefficient_f².

In every iteration all parties tell sums of gradient and hessian by bin, from which come the slope and curvature of each
coefficient; slope over curvature is a direction. Each party is sent its share of the direction as whole weights and
tells what they add up to for each row. The score is linear in the coefficients, so the guest now knows the scores of
everything in the span of the base, of where each party stands, of how it got there last, and of the direction, and
finds the best there by Newton's method, alone. The loss is convex and never rises. With a quadratic loss and a single
party this would be the method of conjugate gradients.

A coefficient below nought says that a worse bin is better, which nobody could explain: its feature is dropped, and the
rest fitted anew from where it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum, log
from typing import ClassVar

import numpy as np

from grainline.federated.gradients import SCALE, Floats, Mask, log_loss, logistic
from grainline.federated.scorecard_bins import Ints
from grainline.federated.scorecard_sides import Feature, Sides
from grainline.kit.errors import Kind, Refusal

WOE_SCALE = 2**16
WEIGHT_MAX = 2**20  # of a direction, in one bin
NEWTON_STEPS_MAX = 30
APART = 1e-5  # of the square of a column, what must be left of it beside the others

Coefficients = dict[Feature, float]
Evidence = Mapping[Feature, tuple[int, ...]]  # WOE by bin, in 1/WOE_SCALE


class NothingTells(Refusal):
    """No feature of any party tells the bad from the good, as far as its information value must."""

    code: ClassVar[str] = "federated_nothing_tells"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True)
class FitRules:
    """`tolerance` is the relative fall of the loss below which an iteration was the last; see also `fit`."""

    l2: float = 1.0
    information_min: float = 0.02
    iterations: int = 40
    tolerance: float = 1e-5

    def __post_init__(self) -> None:
        if not (self.l2 > 0 and self.information_min >= 0 and 1 <= self.iterations <= 100 and self.tolerance > 0):
            raise ValueError("l2 and tolerance above 0; iterations 1 to 100")


@dataclass(frozen=True)
class Fitted:
    """What came of it; `scores` are the log-odds of the rows."""

    base: float
    coefficients: Coefficients
    evidence: Evidence
    information: Mapping[Feature, float]
    scores: Floats
    iterations: int


@dataclass(frozen=True)
class _Direction:
    """What a party's coefficients may move by, and by how much that moves the score of every row."""

    party: int
    column: Floats
    step: Coefficients
    taken: float  # how much of it
    is_move: bool  # made of the last directions; else where the party stands


@dataclass
class _Span:
    """All scores that are looked at together: `base` and any combination of some directions."""

    base: float
    directions: list[_Direction]

    def scores(self, rows: int) -> Floats:
        found = np.full(rows, self.base)
        for one in self.directions:
            found += one.taken * one.column
        return found

    def coefficients(self, features: Sequence[Feature]) -> Coefficients:
        steps = self.directions
        return {one: fsum(way.taken * way.step.get(one, 0.0) for way in steps) for one in features}

    def narrowed(self) -> "_Span":
        """Return the same scores as a span of where each party stands and how it got there last."""
        found = []
        for party in sorted({one.party for one in self.directions}):
            mine = [one for one in self.directions if one.party == party]
            found.append(_combined(mine, 1.0, is_move=False))
            moves = [one for one in mine if one.is_move]
            if moves and len(moves) < len(mine):
                found.append(_combined(moves, 0.0, is_move=True))
        return _Span(self.base, found)


def _combined(ways: Sequence[_Direction], taken: float, *, is_move: bool) -> _Direction:
    column = np.zeros_like(ways[0].column)
    for one in ways:
        column += one.taken * one.column
    features = sorted({feature for one in ways for feature in one.step})
    step = {feature: fsum(one.taken * one.step.get(feature, 0.0) for one in ways) for feature in features}
    return _Direction(ways[0].party, column, step, taken, is_move)


async def fit(sides: Sides, label: Mask, rules: FitRules) -> Fitted:
    """Fit; `label` has both classes. Raises NothingTells, and what sides raise."""
    events = await sides.events(label)
    bad, good = int(label.sum()), int((~label).sum())
    evidence: dict[Feature, tuple[int, ...]] = {}
    information: dict[Feature, float] = {}
    for one, rows in sides.counts.items():
        evidence[one], information[one] = weights_of_evidence(rows, events[one], bad, good)
    features = sorted(one for one, value in information.items() if value >= rules.information_min)
    span = _Span(log(bad / good), [])
    left = rules.iterations
    while True:
        if not features:
            raise NothingTells(least=rules.information_min)
        span, left = await _improve(sides, label, rules, span, evidence, features, left)
        coefficients = span.coefficients(features)
        kept = [one for one in features if coefficients[one] > 0]
        if len(kept) == len(features):
            break
        features, coefficients = kept, {one: coefficients[one] for one in kept}
        stands = await _directions(sides, evidence, coefficients, is_move=False)
        span = _Span(span.base, stands)
        if left == 0:
            break
    scores = span.scores(len(label))
    return Fitted(span.base, coefficients, evidence, information, scores, rules.iterations - left)


def weights_of_evidence(rows: Ints, events: Ints, bad: int, good: int) -> tuple[tuple[int, ...], float]:
    """Return the WOE of each bin in 1/WOE_SCALE, and the feature's information value."""
    woe, parts = [], []
    for count, of_bad in zip(rows.tolist(), events.tolist(), strict=True):
        of_good = count - of_bad
        share_bad = (of_bad + 0.5) / (bad + 0.5 * len(rows))
        share_good = (of_good + 0.5) / (good + 0.5 * len(rows))
        woe.append(round(log(share_bad / share_good) * WOE_SCALE))
        parts.append((share_bad - share_good) * log(share_bad / share_good))
    return tuple(woe), fsum(parts)


async def _improve(
    sides: Sides,
    label: Mask,
    rules: FitRules,
    span: _Span,
    evidence: Evidence,
    features: Sequence[Feature],
    left: int,
) -> tuple[_Span, int]:
    """Follow directions until the loss hardly falls any more; return where that is, and how many iterations are left.

    Of one that makes nothing better nothing is taken.
    """
    span, loss = _newton(span, label, rules.l2)
    while left > 0:
        sums = await sides.sums(*logistic(span.scores(len(label)), label), features)
        before = span.coefficients(features)
        steps = {one: _step(evidence[one], sums[one], before[one], rules.l2) for one in features}
        ways = await _directions(sides, evidence, steps, is_move=True)
        left -= 1
        wider = _Span(span.base, [*span.narrowed().directions, *(replace(one, taken=0.0) for one in ways)])
        last = loss
        span, loss = _newton(wider, label, rules.l2)
        if last - loss < rules.tolerance * last:
            break
    return span, left


def _step(woe: Sequence[int], sums: tuple[Ints, Ints], coefficient: float, l2: float) -> float:
    """Return minus the slope over the curvature; both sums are exact, so that the order of bins does not matter."""
    gradient, hessian = (one.tolist() for one in sums)
    slope = sum(one * value for one, value in zip(woe, gradient, strict=True)) / WOE_SCALE
    curvature = sum(one * one * value for one, value in zip(woe, hessian, strict=True)) / WOE_SCALE**2
    return float(-(slope / SCALE + l2 * coefficient) / (curvature / SCALE + l2))


async def _directions(sides: Sides, evidence: Evidence, steps: Coefficients, *, is_move: bool) -> list[_Direction]:
    """Have each party add up its share of a direction, in whole weights of WEIGHT_MAX at most; all of it is taken."""
    largest: dict[int, float] = {}
    for (party, number), step in steps.items():
        size = abs(step) * max(abs(one) for one in evidence[party, number])
        largest[party] = max(largest.get(party, 0.0), size)
    factor = {party: WEIGHT_MAX / size for party, size in largest.items() if size > 0}
    moving = {one: step for one, step in steps.items() if one[0] in factor}
    weights = {one: tuple(round(step * woe * factor[one[0]]) for woe in evidence[one]) for one, step in moving.items()}
    scores = await sides.scores(weights)
    found = []
    for party in sorted(factor):
        unit = factor[party] * WOE_SCALE / WEIGHT_MAX
        own = {one: step * unit for one, step in moving.items() if one[0] == party}
        found.append(_Direction(party, scores[party] / WEIGHT_MAX, own, 1.0 / unit, is_move))
    return found


def _newton(span: _Span, label: Mask, l2: float) -> tuple[_Span, float]:
    """Find the best in the span, in steps that are halved until the loss falls; return it and its loss."""
    columns = np.array([np.ones(len(label)), *(one.column for one in span.directions)])
    taken = np.array([span.base, *(one.taken for one in span.directions)])
    moves: list[Coefficients] = [{}, *(one.step for one in span.directions)]
    free = _apart(columns, [one.is_move for one in span.directions])
    penalty = l2 * np.array([[_product(one, other) for other in moves] for one in moves])

    def loss_of(taken: Floats) -> float:
        return log_loss(taken @ columns, label) * len(label) + float(taken @ penalty @ taken) / 2

    loss = loss_of(taken)
    for _ in range(NEWTON_STEPS_MAX):
        chance = 1.0 / (1.0 + np.exp(-(taken @ columns)))
        slope = (columns @ (chance - label) + penalty @ taken)[free]
        hessian = (columns[free] * (chance * (1.0 - chance))) @ columns[free].T + penalty[np.ix_(free, free)]
        unit = 1.0 / np.sqrt(np.diag(hessian))
        step = np.zeros(len(taken))
        step[free] = -np.linalg.solve(hessian * unit * unit[:, None], slope * unit) * unit
        expected, size = -float(slope @ step[free]), 1.0
        if not expected > 1e-9 * loss:
            break
        while (trial := loss_of(taken + size * step)) > loss - 1e-4 * size * expected and size > 1e-6:
            size /= 2
        if trial >= loss:
            break
        taken, loss = taken + size * step, trial
    pairs = zip(span.directions, taken[1:].tolist(), strict=True)
    return _Span(float(taken[0]), [replace(one, taken=much) for one, much in pairs]), loss


def _apart(columns: Floats, is_move: Sequence[bool]) -> list[int]:
    """Return which columns are no combination of others: the base, where parties stand, then the newest directions.

    Of two that nearly repeat each other the difference is how their weights were rounded, and a fit would make
    something of that. The rest stay at what is taken of them.
    """
    stands = [place for place, moves in enumerate(is_move, start=1) if not moves]
    newest = [place for place, moves in enumerate(is_move, start=1) if moves][::-1]
    found, basis = [0], [columns[0] / np.sqrt(columns.shape[1])]
    for place in (*stands, *newest):
        left = columns[place].copy()
        for one in basis:
            left -= (one @ left) * one
        if left @ left > APART * (columns[place] @ columns[place]):
            found.append(place)
            basis.append(left / np.sqrt(left @ left))
    return sorted(found)


def _product(one: Coefficients, other: Coefficients) -> float:
    return fsum(value * other[feature] for feature, value in one.items() if feature in other)
