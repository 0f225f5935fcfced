"""The line and the rate with the most expected profit, inside what the tier and the person allow.

For a line L and a daily rate r, with P = L · u(r) drawn over n equal instalments, of which who defaults pays m:

    u(r)    = used · (1 − elasticity · (r − reference) / reference), held in 0 … used
    p(L)    = pd · (1 + pressure · max(0, 2·L / capacity − 1)), at most 1
    profit  = P · [(1 − p) · good(r) + p · bad(r) − funding − p · loss] − operating
    good(r) = r · 365 / 12n · Σ_{k<n}(n − k);  bad(r) the same with m for n under the sum
    chosen  = argmax of profit − loss price · P · p · loss

Trench et al. (2003, *Managing credit lines and prices for Bank One credit cards*, Interfaces 33(5)) choose line and
rate together by expected profit; So & Thomas (2011, *Modelling the profitability of credit cards by Markov decision
processes*, EJOR 212(1)) the line alone. Both follow an account over many months; this weighs one loan, and a review
weighs it anew. The loss price is the Lagrange multiplier of a portfolio's loss budget: one number that makes many
single choices keep it. What is known of each parameter, and what all this is worth, is told in docs/pricing.md.

Every rate of the tier in steps of `RATE_STEP_E8` is tried, at each the best line in closed form. Whole numbers
throughout, so that a choice made again is the same to the bit on any machine; of equal choices the lower rate is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from grainline.invitation.rule import tier_for
from grainline.kit.money import Fen, RateE8
from grainline.products import Pack, Pricing, PricingMethod, Tier
from grainline.underwriting.decide import RATE_STEP_E8, Offer, decide, lines_of_tier

Ints = npt.NDArray[np.int64]

E4, E6, E8 = 10_000, 1_000_000, 100_000_000
FAR = 2**36  # a capacity beyond which nothing is asked for: no product in fen has 64 bits there


@dataclass(frozen=True)
class Means:
    """What a person can carry, in fen.

    `capacity_fen` as `decide.capacity_fen` says; `room_fen` is what the regulatory profile's cap per borrower leaves
    beside what is owed elsewhere; `instalment_fen` what a monthly income leaves for instalments. None: not known, and
    then it bounds nothing.
    """

    capacity_fen: int
    room_fen: int | None = None
    instalment_fen: int | None = None


@dataclass(frozen=True)
class Priced:
    """An offer, with what is expected of it in fen, rounded down."""

    offer: Offer
    expected_profit_fen: int
    expected_loss_fen: int


@dataclass(frozen=True)
class Chosen:
    """The optimised offers to many, as arrays of shape (people,): the places of tiers in the pack, fen, 10⁻⁸ a day.

    `first` is the tier that admits, `place` the one whose lines the person can carry, `top_fen` the largest line in it.
    """

    first: Ints
    place: Ints
    top_fen: Ints
    line_fen: Ints
    rate_e8: Ints
    expected_profit_fen: Ints
    expected_loss_fen: Ints


def price(pack: Pack, *, pd_e6: int, means: Means) -> Offer:
    """Return the offer to a person whom a tier admits, by the pack's method; raise ValueError for who is not."""
    return price_many(pack, [pd_e6], [means])[0]


def price_many(pack: Pack, pds_e6: Sequence[int], means: Sequence[Means]) -> list[Offer]:
    """Return the offer to each of many by the pack's method, the same as to one alone.

    Raises ValueError for who is not admitted.
    """
    people = list(zip(pds_e6, means, strict=True))
    if pack.pricing.method is PricingMethod.FLAT:
        return [decide(pack, pd_e6=pd_e6, capacity_fen=bound_fen(one, pack)) for pd_e6, one in people]
    return [one.offer for one in optimise_many(pack, pds_e6, means)]


def optimise_many(pack: Pack, pds_e6: Sequence[int], means: Sequence[Means]) -> list[Priced]:
    """Return the optimised offer to each of many with what is expected of it, whatever the pack's method.

    Raises ValueError for who is not admitted.
    """
    bounds = np.array([min(bound_fen(one, pack), FAR) for one in means], np.int64)
    capacities = np.array([max(0, min(one.capacity_fen, FAR)) for one in means], np.int64)
    found = choose(pack, np.array(pds_e6, np.int64), bound_fen=bounds, capacity_fen=capacities)
    return [
        _told(pack, *figures) for figures in zip(*(column.tolist() for column in vars(found).values()), strict=True)
    ]


def choose(pack: Pack, pds_e6: Ints, *, bound_fen: Ints, capacity_fen: Ints) -> Chosen:
    """Return what `optimise_many` does as arrays, from each person's largest line and capacity in fen, 0 … `FAR`.

    Raises ValueError for who is not admitted.
    """
    first, place = places(pack, pds_e6, bound_fen)
    columns = np.zeros((5, pds_e6.size), np.int64)
    for at, tier in enumerate(pack.tier):
        people = np.flatnonzero(place == at)
        columns[:, people] = _best(pack, tier, pds_e6[people], bound_fen[people], capacity_fen[people])
    return Chosen(first, place, *columns)


def bound_fen(means: Means, pack: Pack) -> int:
    """Return the largest line a person can carry, in fen, rounded down and at least nought.

    The instalment that an income leaves carries a line by the equal principal of the pack's assumed term and the first
    month's interest at the highest rate, for a line drawn whole.
    """
    most = max(0, means.capacity_fen)
    if means.room_fen is not None:
        most = min(most, max(0, means.room_fen))
    if means.instalment_fen is not None:
        n, yearly = pack.pricing.instalments, pack.yearly_e8(pack.rate.max_e8)
        most = min(most, max(0, means.instalment_fen) * 12 * n * E8 // (12 * E8 + yearly * n))
    return most


def places(pack: Pack, pds_e6: Ints, most_fen: Ints) -> tuple[Ints, Ints]:
    """Return the tier that admits, and the first from it on whose smallest line is within `most_fen`, or the last.

    Raises ValueError for who is not admitted.
    """
    for pd_e6 in (int(pds_e6.min()), int(pds_e6.max())) if pds_e6.size else ():
        if tier_for(pack, pd_e6) is None:  # who is riskier than one not admitted is not either
            raise ValueError(f"nothing can be offered at a probability of {pd_e6} in 10⁻⁶")
    first = np.searchsorted(np.array([tier.pd_max_e6 for tier in pack.tier]), pds_e6)
    least = np.array([lines_of_tier(pack, tier)[0] for tier in pack.tier])
    within = (np.arange(least.size) >= first[:, None]) & (least <= most_fen[:, None])
    return first, np.where(within.any(axis=1), within.argmax(axis=1), least.size - 1)


def _best(pack: Pack, tier: Tier, pds: Ints, most: Ints, capacity: Ints) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Return largest line, line, rate, expected profit and loss: the best line at every rate, then the best rate."""
    least, largest = lines_of_tier(pack, tier)
    top = np.clip(most // pack.line.step_fen * pack.line.step_fen, least, largest)
    rates = np.arange(tier.rate_min_e8, tier.rate_max_e8 + 1, RATE_STEP_E8, dtype=np.int64)
    worth = _Worth(pack, pack.pricing, rates)
    lines = np.clip(worth.best_lines(pds, capacity), least, top[:, None])  # (people, rates), not yet in steps
    rate_at = worth.weigh(lines, pds, capacity).argmax(axis=1)
    line = lines[np.arange(len(pds)), rate_at] // pack.line.step_fen * pack.line.step_fen
    return top, line, rates[rate_at], *worth.expected(line, pds, capacity, rate_at)


def _told(pack: Pack, first: int, place: int, top: int, line: int, rate: int, profit: int, loss: int) -> Priced:
    least, largest = lines_of_tier(pack, pack.tier[place])
    if line == largest:
        reason = "line_at_most"
    elif line == least:
        reason = "line_at_least"
    else:
        reason = "line_by_capacity" if line == top else "line_by_risk"
    reasons = (reason, *(["tier_by_capacity"] if place > first else []), "rate_by_risk")
    return Priced(Offer(pack.tier[place].code, Fen(line), RateE8(rate), reasons), profit, loss)


@dataclass(frozen=True)
class _Worth:
    """What a drawn fen is worth at each of a tier's rates, in 10⁻⁸ fen."""

    pack: Pack
    pricing: Pricing
    rates: Ints

    def best_lines(self, pds: Ints, capacity: Ints) -> Ints:
        """Return at which line the weighed profit is largest: fen, rounded down, unbounded, of shape (people, rates).

        It rises with the line up to half of the capacity where the rate earns what it risks, and is a concave parabola
        from there on: A·L − B·L²/2, with its top at A / B.
        """
        at_risk = pds[:, None] * self._at_risk_e8(weighed=True) // E6
        sure, pressure = self._sure_e8[None, :], self.pricing.pressure_e4
        gain = sure - at_risk * (E4 - pressure) // E4
        fall = np.maximum(1, 4 * at_risk * pressure // E4)
        vertex = np.maximum(capacity[:, None] // 2, capacity[:, None] * gain // fall)
        return np.asarray(np.where(sure > at_risk, vertex, 0))

    def weigh(self, lines: Ints, pds: Ints, capacity: Ints) -> Ints:
        """Return the weighed profit of shape (people, rates) in 10⁻⁸ fen, without the fixed cost of a loan."""
        default_e6 = self._default_e6(lines, pds[:, None], capacity[:, None])
        each = self._sure_e8 - default_e6 * self._at_risk_e8(weighed=True) // E6
        return np.asarray(lines * self._used_e4 // E4 * each)

    def expected(self, line: Ints, pds: Ints, capacity: Ints, rate_at: Ints) -> tuple[Ints, Ints]:
        """Return expected profit and loss in fen of one line and rate a person, the loss unweighed."""
        default_e6 = self._default_e6(line, pds, capacity)
        drawn = line * self._used_e4[rate_at] // E4
        each = self._sure_e8[rate_at] - default_e6 * self._at_risk_e8(weighed=False)[rate_at] // E6
        return drawn * each // E8 - self.pricing.operating_fen, drawn * (default_e6 * self._lost_e8 // E6) // E8

    def _default_e6(self, lines: Ints, pds: Ints, capacity: Ints) -> Ints:
        beyond_e4 = np.clip((2 * lines - capacity) * E4 // np.maximum(capacity, 1), 0, E4)
        return np.asarray(np.minimum(E6, pds * (E4 + self.pricing.pressure_e4 * beyond_e4 // E4) // E4))

    def _earned_e8(self, paid: int) -> Ints:
        n = self.pricing.instalments
        yearly = np.array([self.pack.yearly_e8(int(rate)) for rate in self.rates], np.int64)
        return yearly * sum(n - k for k in range(paid)) // (12 * n)

    @cached_property
    def _sure_e8(self) -> Ints:
        n = self.pricing.instalments
        return self._earned_e8(n) - self.pricing.funding_e4 * E4 * sum(range(1, n + 1)) // (12 * n)

    def _at_risk_e8(self, *, weighed: bool) -> Ints:
        weight_e4 = E4 + self.pricing.loss_price_e4 if weighed else E4
        n, m = self.pricing.instalments, self.pricing.paid_before_default
        return self._earned_e8(n) - self._earned_e8(m) + self._lost_e8 * weight_e4 // E4

    @property
    def _lost_e8(self) -> int:
        n, m = self.pricing.instalments, self.pricing.paid_before_default
        return self.pricing.loss_given_default_e4 * E4 * (n - m) // n

    @cached_property
    def _used_e4(self) -> Ints:
        return np.array([self.pricing.used_at_e4(int(rate)) for rate in self.rates], np.int64)
