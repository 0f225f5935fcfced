"""Tuning of the flat table and of the optimised line and rate on the half of the people that is seen. Pure.

Both sides approve the same people, those whom a tier admits, and lend nobody more than they can carry (but for a
tier's smallest line). What is drawn is the exposure that is held equal: candidates of one side are only compared where
all draw what is aimed at. What is chosen among them has the most realised profit on the seen half.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache, cached_property, partial
from itertools import product

import numpy as np
import numpy.typing as npt

from grainline.products import Pack
from grainline.underwriting.backtest import E4, E6, EITHER, drawn_fen, loan_profit_fen
from grainline.underwriting.decide import RATE_STEP_E8, lines_of_tier
from grainline.underwriting.pricing import Ints, choose, places

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Offers = tuple[Ints, Ints]  # lines in fen and rates in 10⁻⁸ a day, both of shape (people,)

NEAR = 0.002  # by how much of the exposure aimed at a candidate may miss it
SCALES_E4 = (5_000, 7_500, 10_000, 12_500, 15_000, 20_000, 30_000)
FINE_SCALES_E4 = tuple(round(400_000 * 0.985**step) for step in range(500))  # from forty times down to a fiftieth
STEEPNESSES, CLIMBS_E4 = (0, 1, 2), (0, 5_000, 10_000, 20_000, 10_000_000)
LOSS_PRICES_E4 = range(-10_000, 100_001, 50)  # from counting no loss at all to counting it elevenfold
EXPOSURE_PRICES_E4 = range(-5_000, 5_001, 5)  # a year, beside what funding costs: from a gift of half to half more
PRESSURES_E4 = (0, 5_000)


class Tuned(StrEnum):
    """What is tuned on the seen half.

    all: the flat table; of the optimised the pressure it assumes, and a price of exposure that holds exposure equal,
    which is the multiplier of that constraint. loss_price: the flat table, and a loss price to the same end. nothing:
    both sides are as the pack ships them, and exposure is as it comes.
    """

    ALL = "all"
    LOSS_PRICE = "loss_price"
    NOTHING = "nothing"


class Budget(StrEnum):
    """How much is drawn: what earns the flat table most, or as much as from the flat table that is shipped."""

    FREE = "free"
    SHIPPED = "shipped"


@dataclass(frozen=True)
class Case:
    """What is true of losses, demand and pressure, and what the optimiser takes for true, in 10⁻⁴."""

    lgd_e4: int
    elasticity_e4: int
    assumed_lgd_e4: int
    assumed_elasticity_e4: int
    pressure_e4: int = 0
    budget: Budget = Budget.FREE
    tuned: Tuned = Tuned.ALL


@dataclass(frozen=True)
class FlatTable:
    """The flat table with three parameters; as it stands here it is what `decide` does.

    Lines are scaled, and lessened by the risk to the power of `steepness`; rates climb so many times as fast with the
    risk from a tier's lowest to its highest.
    """

    line_e4: int = E4
    steepness: int = 1
    climb_e4: int = E4


@dataclass(frozen=True)
class People:
    """Approved people: probability, what they can carry in fen, what happened; arrays of shape (people,)."""

    pd_e6: Ints
    capacity_fen: Ints
    defaulted: Bools


@dataclass(frozen=True)
class Figures:
    """Realised profit, what is drawn, and the line of each person in fen, of shape (people,).

    `profit_seen` and `drawn_seen` are what they come to on the seen half of each split.
    """

    profit: Floats
    drawn: Floats
    line: Floats
    profit_seen: Floats
    drawn_seen: Floats


def flat_offers(pack: Pack, table: FlatTable, pd_e6: Ints, capacity_fen: Ints) -> Offers:
    """Return what `decide` offers each person by a table with these parameters."""
    last = pack.tier[-1].pd_max_e6
    affordable = capacity_fen
    for _ in range(table.steepness):
        affordable = affordable * (last - pd_e6) // last
    affordable = np.minimum(capacity_fen, affordable * table.line_e4 // E4)
    _, place = places(pack, pd_e6, affordable)
    bounds = np.array([lines_of_tier(pack, tier) for tier in pack.tier], np.int64)[place]
    line = np.clip(affordable, bounds[:, 0], bounds[:, 1]) // pack.line.step_fen * pack.line.step_fen
    rates = []
    for tier in pack.tier:
        span, end = tier.rate_max_e8 - tier.rate_min_e8, tier.pd_max_e6 * E4
        exact_up = tier.rate_min_e8 - (-span * np.minimum(pd_e6 * table.climb_e4, end) // end)
        rates.append(np.minimum(tier.rate_max_e8, -(-exact_up // RATE_STEP_E8) * RATE_STEP_E8))
    return line, np.maximum.accumulate(np.array(rates), axis=0)[place, np.arange(place.size)]


@dataclass(frozen=True)
class Bench:
    """A case's people with both sides' candidates, each weighed once however many splits ask for it."""

    pack: Pack
    case: Case
    people: People
    seen: Floats  # (people, splits): 1 for who is in the seen half

    @cached_property
    def flat(self) -> Callable[[FlatTable], Figures]:
        """Weigh a flat table, once."""
        return cache(self._flat)

    @cached_property
    def optimised(self) -> Callable[..., Figures]:
        """Weigh the optimised offers at a price of loss, a price of exposure and an assumed pressure, once."""
        return cache(self._optimised)

    def choices(self, split: int) -> tuple[Figures, Figures]:
        """Return the flat table's and the optimised one's figures for everybody, as tuned on a split's seen half."""
        shipped = self.pack.pricing
        if self.case.tuned is Tuned.NOTHING:
            return self.flat(FlatTable()), self.optimised(shipped.loss_price_e4, 0, shipped.pressure_e4)
        flat = self._tuned_flat(split)
        aim = float(flat.drawn_seen[split])
        if self.case.tuned is Tuned.LOSS_PRICE:
            return flat, _matched(lambda one: self.optimised(one, 0, shipped.pressure_e4), LOSS_PRICES_E4, aim, split)
        candidates = [
            _matched(partial(self.optimised, shipped.loss_price_e4, pressure_e4=one), EXPOSURE_PRICES_E4, aim, split)
            for one in PRESSURES_E4
        ]
        return flat, _best(candidates, aim, split)

    def _tuned_flat(self, split: int) -> Figures:
        if self.case.budget is Budget.FREE:
            tables = (FlatTable(*one) for one in product(SCALES_E4, STEEPNESSES, CLIMBS_E4))
            return max((self.flat(table) for table in tables), key=lambda one: float(one.profit_seen[split]))
        aim = float(self.flat(FlatTable()).drawn_seen[split])
        candidates = (
            _matched(lambda scale, at=at: self.flat(FlatTable(scale, *at)), FINE_SCALES_E4, aim, split)  # type: ignore[misc]
            for at in product(STEEPNESSES, CLIMBS_E4)
        )
        return _best(candidates, aim, split)

    def _flat(self, table: FlatTable) -> Figures:
        return self._figures(flat_offers(self.pack, table, self.people.pd_e6, self.people.capacity_fen))

    def _optimised(self, loss_price_e4: int, exposure_price_e4: int, pressure_e4: int) -> Figures:
        changed = {
            "loss_given_default_e4": self.case.assumed_lgd_e4,
            "elasticity_e4": self.case.assumed_elasticity_e4,
            "loss_price_e4": loss_price_e4,
            "funding_e4": self.pack.pricing.funding_e4 + exposure_price_e4,
            "pressure_e4": pressure_e4,
        }
        carried = self.people.capacity_fen
        found = choose(_with(self.pack, changed), self.people.pd_e6, bound_fen=carried, capacity_fen=carried)
        return self._figures((found.line_fen, found.rate_e8))

    def _figures(self, offers: Offers) -> Figures:
        """Hold offers against what happened, by what the case says is true."""
        line, rate = offers
        case, people = self.case, self.people
        true = _with(self.pack, {"loss_given_default_e4": case.lgd_e4, "elasticity_e4": case.elasticity_e4})
        drawn, _ = drawn_fen(true, line_fen=line, rate_e8=rate)
        good, bad = loan_profit_fen(true, line_fen=line, rate_e8=rate, defaulted=EITHER)
        beyond = np.clip(2 * line / np.maximum(people.capacity_fen, 1) - 1, 0, 1)
        more = people.pd_e6 * case.pressure_e4 / E4 * beyond / np.maximum(E6 - people.pd_e6, 1)
        profit = good + (bad - good) * np.where(people.defaulted, 1.0, np.minimum(more, 1.0))
        return Figures(profit, drawn.astype(np.float64), line.astype(np.float64), profit @ self.seen, drawn @ self.seen)


def _with(pack: Pack, changed: dict[str, int]) -> Pack:
    return pack.model_copy(update={"pricing": pack.pricing.model_copy(update=changed)})


def _matched(weigh: Callable[[int], Figures], grid: Sequence[int], aim: float, split: int) -> Figures:
    """Return figures that draw what is aimed at on a seen half, or the nearest of the grid; it falls along the grid.

    Of the two neighbours around the aim each is given to a share of the people, drawn by lot, so that the aim is met:
    where many have the same limit, a table's lines jump. The figures are those to be expected of the lot.
    """
    low, high = 0, len(grid) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if weigh(grid[middle]).drawn_seen[split] > aim else (low, middle)
    more, less = weigh(grid[low]), weigh(grid[high])
    gap = float(more.drawn_seen[split] - less.drawn_seen[split])
    share = min(1.0, max(0.0, (float(more.drawn_seen[split]) - aim) / gap)) if gap > 0 else 1.0
    return Figures(*((1 - share) * getattr(more, f.name) + share * getattr(less, f.name) for f in fields(Figures)))


def _best(candidates: Iterable[Figures], aim: float, split: int) -> Figures:
    """Return the most profitable of who draw what is aimed at, or the nearest to it where nobody does."""

    def rank(one: Figures) -> tuple[float, float]:
        missed = abs(float(one.drawn_seen[split]) - aim) / max(aim, 1)
        return (0.0, float(one.profit_seen[split])) if missed <= NEAR else (-missed, 0.0)

    return max(candidates, key=rank)
