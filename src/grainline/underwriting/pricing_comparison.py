"""Optimised line and rate against the flat table, each tuned on one half of the people and judged on the other. Pure.

The portfolio is split in halves, again and again, each time by another seed. What is tuned on the one half, and how
exposure is held equal, is told in `pricing_tuning`; the other half judges. Probabilities are out-of-fold, so honest on
both. Approval is the same on both sides by construction.

What a person would have done at another line or rate nobody observed: demand and loss given default are assumed, the
same for both sides, and swept. A default is the label's. That a larger line is riskier is only assumed where a case's
`pressure_e4` says so: of who did not default, a share then does, so that probabilities rise as in `pricing`.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from grainline.invitation.rule import evaluate
from grainline.products import Pack
from grainline.scoring import LABEL, Portfolio, Scores
from grainline.underwriting.backtest import capacities_fen
from grainline.underwriting.pricing import FAR
from grainline.underwriting.pricing_tuning import Bench, Bools, Budget, Case, Floats, People, Tuned

LOSSES_E4, ELASTICITIES_E4, PRESSURE_E4 = (4_500, 6_000, 7_500), (0, 10_000, 20_000), 5_000
RESAMPLES, CHUNK = 1_000, 50
THREADS = 2  # numpy lets go of the interpreter; more of them hold more candidates in memory at once
PEOPLE = 1_000  # for so many approved people figures are told


@dataclass(frozen=True)
class Compared:
    """A case on the test halves, as means over the splits: money in fen for a thousand approved people.

    `difference` is optimised less flat. Its interval of 95 % is of a bootstrap of people: in each resample the mean
    over all splits is taken, so that a person who is tested in many counts once. The shares are of splits with a
    difference above nought, and with their own whole interval above or below it. Ratios are optimised to flat: what is
    drawn, the split furthest from 1, and the lines.
    """

    case: Case
    splits: int
    approval_rate: float
    exposure_ratio: float
    exposure_ratio_worst: float
    line_ratio: float
    profit_flat_fen: int
    profit_optimised_fen: int
    difference_mean_fen: int
    difference_ci_fen: tuple[int, int]
    positive_share: float
    above_share: float
    below_share: float

    def to_json(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        told = {**vars(self.case), **vars(self), "difference_ci_fen": list(self.difference_ci_fen)}
        return {key: value for key, value in told.items() if key != "case"}


def cases_of(pack: Pack) -> tuple[Case, ...]:
    """Return the sweep for both budgets, and what the pack's own figures are worth where they or the world differ.

    Those are: an optimiser wrong about losses and demand in either direction; lines that make riskier; the loss price
    alone tuned; and both sides as they are shipped.
    """
    swept = [Case(*pair, *pair, budget=budget) for budget in Budget for pair in product(LOSSES_E4, ELASTICITIES_E4)]
    easy, hard = (LOSSES_E4[0], ELASTICITIES_E4[0]), (LOSSES_E4[-1], ELASTICITIES_E4[-1])
    own = (pack.pricing.loss_given_default_e4, pack.pricing.elasticity_e4)
    return (
        *swept,
        *(Case(*true, *assumed, budget=Budget.SHIPPED) for true, assumed in ((hard, easy), (easy, hard))),
        *(Case(*own, *own, pressure_e4=PRESSURE_E4, budget=budget) for budget in Budget),
        *(Case(*own, *own, budget=budget, tuned=Tuned.LOSS_PRICE) for budget in Budget),
        Case(*own, *own, tuned=Tuned.NOTHING),
    )


def compare(
    pack: Pack,
    portfolio: Portfolio,
    scores: Scores,
    *,
    splits: int,
    cases: Sequence[Case] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Compared, ...]:
    """Hold both methods against each other, a row for each case; the same figures for the same arguments.

    Raises ValueError where a half has nobody to lend to.
    """
    asked = cases_of(pack) if cases is None else tuple(cases)
    people, tested, approval_rate = _halves(pack, portfolio, scores, splits)
    if not tested.any(axis=0).all() or tested.all(axis=0).any():
        raise ValueError("too few people are approved to be split in halves")
    judged, seen = [], (~tested).astype(np.float64)
    with ThreadPoolExecutor(THREADS) as threads:
        for one in threads.map(lambda case: _judged(Bench(pack, case, people, seen), tested), asked):
            judged.append(one)
            progress(len(judged), len(asked) + 1)
    drawn = _resampled(np.stack([differences for _, differences in judged], axis=1), tested)
    progress(len(asked) + 1, len(asked) + 1)
    return tuple(
        _row(case, totals, drawn[:, place], tested, approval_rate)
        for place, (case, (totals, _)) in enumerate(zip(asked, judged, strict=True))
    )


def _halves(pack: Pack, portfolio: Portfolio, scores: Scores, splits: int) -> tuple[People, Bools, float]:
    """Return who is approved, of which splits' test half each is (people, splits), and the test halves' approval."""
    approved = np.array([evaluate(pack, pd_e6=pd_e6).invited for pd_e6 in scores.pd_e6], np.bool_)
    tested = np.zeros((portfolio.rows, splits), np.bool_)
    for seed in range(splits):
        tested[np.random.default_rng(seed).permutation(portfolio.rows)[: portfolio.rows // 2], seed] = True
    people = People(
        pd_e6=np.array(scores.pd_e6, np.int64)[approved],
        capacity_fen=np.clip(np.array(capacities_fen(portfolio), np.int64)[approved], 0, FAR),
        defaulted=portfolio.frame[LABEL].to_numpy()[approved],
    )
    return people, tested[approved], float(tested[approved].sum() / tested.sum())


def _judged(bench: Bench, tested: Bools) -> tuple[Floats, Floats]:
    """Return both sides' profit, drawn and line over who is tested, of shape (2, 3, splits), and the differences.

    The latter are each person's profit, optimised less flat, of shape (people, splits), nought for who is not tested.
    """
    totals, differences = np.zeros((2, 3, tested.shape[1])), np.zeros(tested.shape)
    for split, test in enumerate(tested.T.astype(np.float64)):
        sides = bench.choices(split)
        totals[:, :, split] = [[one.profit @ test, one.drawn @ test, one.line @ test] for one in sides]
        differences[:, split] = (sides[1].profit - sides[0].profit) * test
    return totals, differences


def _resampled(differences: Floats, tested: Bools) -> Floats:
    """Return the mean difference of each resample of people, of shape (resamples, cases, splits)."""
    rng, count = np.random.default_rng(0), len(tested)
    flat, counted = differences.reshape(count, -1), tested.astype(np.float64)
    found = []
    for _ in range(0, RESAMPLES, CHUNK):
        picked = rng.integers(count, size=(CHUNK, count)) + np.arange(CHUNK)[:, None] * count
        times = np.bincount(picked.ravel(), minlength=CHUNK * count).reshape(CHUNK, count).astype(np.float64)
        people = np.maximum(times @ counted, 1)[:, None, :]
        found.append((times @ flat).reshape(CHUNK, *differences.shape[1:]) / people)
    return np.concatenate(found)


def _row(case: Case, totals: Floats, drawn: Floats, tested: Bools, approval_rate: float) -> Compared:
    flat, optimised = totals[:, 0] / tested.sum(axis=0) * PEOPLE
    exposures = totals[1, 1] / totals[0, 1]
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)  # of each split
    pooled = np.quantile(drawn.mean(axis=1), (0.025, 0.975)) * PEOPLE
    return Compared(
        case=case,
        splits=tested.shape[1],
        approval_rate=approval_rate,
        exposure_ratio=float(exposures.mean()),
        exposure_ratio_worst=float(exposures[np.abs(exposures - 1).argmax()]),
        line_ratio=float((totals[1, 2] / totals[0, 2]).mean()),
        profit_flat_fen=round(flat.mean()),
        profit_optimised_fen=round(optimised.mean()),
        difference_mean_fen=round((optimised - flat).mean()),
        difference_ci_fen=(round(pooled[0]), round(pooled[1])),
        positive_share=float((optimised > flat).mean()),
        above_share=float((low > 0).mean()),
        below_share=float((high < 0).mean()),
    )
