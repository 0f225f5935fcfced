"""The optimised line and rate: the best there is, inside every bound, and never the wrong way between two people."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.products import Pack, Pricing, PricingMethod, load_pack
from grainline.underwriting.decide import decide
from grainline.underwriting.pricing import Means, optimise_many, price, price_many

WEILIDAI = load_pack(Path(__file__).parents[3] / "packs" / "weilidai.toml")
LAST_E6 = WEILIDAI.tier[-1].pd_max_e6
PDS = st.integers(1, LAST_E6)
CAPACITIES = st.integers(0, 40_000_000)


def _pack(**given_: object) -> Pack:
    return WEILIDAI.model_copy(update={"pricing": WEILIDAI.pricing.model_copy(update=given_)})


PACKS = st.builds(
    _pack,
    elasticity_e4=st.sampled_from([0, 3_000, 10_000, 20_000]),
    pressure_e4=st.sampled_from([0, 2_000, 5_000, 20_000]),
    loss_price_e4=st.sampled_from([0, 5_000, 20_000]),
)


def _exact(pricing: Pricing, pd_e6: int, capacity: int, line: int, rate: int) -> Fraction:
    """The weighed profit as the module's formula says it, in fractions."""
    n, m = pricing.instalments, pricing.paid_before_default
    used: Fraction = Fraction(pricing.used_e4, 10_000) * max(
        Fraction(0),
        min(
            Fraction(1),
            1
            - Fraction(pricing.elasticity_e4, 10_000)
            * Fraction(rate - pricing.reference_rate_e8, pricing.reference_rate_e8),
        ),
    )
    beyond = min(Fraction(1), max(Fraction(0), Fraction(2 * line, max(capacity, 1)) - 1))
    p = min(Fraction(1), Fraction(pd_e6, 10**6) * (1 + Fraction(pricing.pressure_e4, 10_000) * beyond))
    month = Fraction(rate * 365, 12 * n * 10**8)
    good, bad = month * sum(n - k for k in range(n)), month * sum(n - k for k in range(m))
    funding = Fraction(pricing.funding_e4, 10_000) * Fraction(sum(range(1, n + 1)), 12 * n)
    loss = Fraction(pricing.loss_given_default_e4, 10_000) * Fraction(n - m, n)
    weighed: Fraction = (1 - p) * good + p * bad - funding - p * loss * (1 + Fraction(pricing.loss_price_e4, 10_000))
    return line * used * weighed


@given(PACKS, PDS, CAPACITIES)
def test_no_line_and_rate_of_the_tier_is_worth_more(pack: Pack, pd_e6: int, capacity: int) -> None:
    offer = price(pack, pd_e6=pd_e6, means=Means(capacity))
    tier = pack.tier_named(offer.tier)
    carried = max(tier.line_min_fen, min(tier.line_max_fen, capacity))
    tried = range(tier.line_min_fen, carried + 1, max(10_000, (carried - tier.line_min_fen) // 12 // 10_000 * 10_000))
    rates = range(tier.rate_min_e8, tier.rate_max_e8 + 1, 2_500)
    best = max(_exact(pack.pricing, pd_e6, capacity, line, rate) for line in tried for rate in rates)
    got = _exact(pack.pricing, pd_e6, capacity, offer.line_fen, offer.rate_e8)
    # What is lost by whole steps of the line and whole shares of the formula: a yuan, or a thousandth.
    assert got >= best - max(Fraction(100), abs(best) / 1_000)


@given(PACKS, st.lists(PDS, min_size=2, max_size=6), CAPACITIES)
def test_more_risk_never_brings_a_larger_line_or_a_lower_rate(pack: Pack, pds: list[int], capacity: int) -> None:
    offers = price_many(pack, sorted(pds), [Means(capacity)] * len(pds))
    assert [one.line_fen for one in offers] == sorted((one.line_fen for one in offers), reverse=True)
    assert [one.rate_e8 for one in offers] == sorted(one.rate_e8 for one in offers)


@given(PACKS, PDS, st.lists(CAPACITIES, min_size=2, max_size=6))
def test_who_can_carry_more_is_never_offered_less(pack: Pack, pd_e6: int, capacities: list[int]) -> None:
    means = [Means(one) for one in sorted(capacities)]
    lines = [one.line_fen for one in price_many(pack, [pd_e6] * len(means), means)]
    assert lines == sorted(lines)


@given(PACKS, st.lists(st.tuples(PDS, CAPACITIES), min_size=1, max_size=8))
def test_one_alone_is_offered_what_they_are_among_many(pack: Pack, people: list[tuple[int, int]]) -> None:
    many = price_many(pack, [pd for pd, _ in people], [Means(capacity) for _, capacity in people])
    assert many == [price(pack, pd_e6=pd, means=Means(capacity)) for pd, capacity in people]


@given(PDS, CAPACITIES, st.integers(0, 40_000_000), st.integers(0, 2_000_000))
def test_what_is_owed_elsewhere_and_an_income_bound_the_line(
    pd_e6: int, capacity: int, room: int, instalment: int
) -> None:
    offer = price(WEILIDAI, pd_e6=pd_e6, means=Means(capacity, room_fen=room, instalment_fen=instalment))
    tier = WEILIDAI.tier_named(offer.tier)
    term = WEILIDAI.pricing.instalments
    first = offer.line_fen / term + offer.line_fen * WEILIDAI.rate.max_e8 * 365 / 12 / 1e8
    assert offer.line_fen <= max(room, WEILIDAI.tier[-1].line_min_fen)
    assert first <= instalment + 1 or offer.line_fen == tier.line_min_fen == WEILIDAI.tier[-1].line_min_fen


def test_the_price_of_loss_makes_a_portfolio_lose_less() -> None:
    pds, means = list(range(1_000, LAST_E6, 1_000)), [Means(20_000_000)] * (LAST_E6 // 1_000 - 1)
    losses = [
        sum(one.expected_loss_fen for one in optimise_many(_pack(loss_price_e4=weight), pds, means))
        for weight in (0, 5_000, 20_000)
    ]
    assert losses[0] > losses[1] > losses[2] > 0


def test_demand_that_minds_the_rate_lowers_it() -> None:
    rates = [
        price(_pack(elasticity_e4=elasticity), pd_e6=5_000, means=Means(1_000_000)).rate_e8
        for elasticity in (0, 10_000, 20_000)
    ]
    assert rates[0] == WEILIDAI.tier_named("new").rate_max_e8
    assert rates == sorted(rates, reverse=True)
    assert rates[2] < rates[0]


def test_the_flat_table_is_the_fallback() -> None:
    pack = _pack(method=PricingMethod.FLAT)
    for pd_e6 in (1_000, 90_000, 150_000):
        assert price(pack, pd_e6=pd_e6, means=Means(7_000_000)) == decide(pack, pd_e6=pd_e6, capacity_fen=7_000_000)


def test_who_is_not_admitted_has_no_price() -> None:
    with pytest.raises(ValueError, match="nothing can be offered"):
        price(WEILIDAI, pd_e6=LAST_E6 + 1, means=Means(7_000_000))
