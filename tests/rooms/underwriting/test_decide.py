"""Who is invited, and what line and rate follow; for our pack by hand, and for any pack by property."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grainline.invitation.rule import RISK_ABOVE_LIMIT, SCORE_BELOW_MINIMUM, evaluate
from grainline.products import Pack, Tier, load_packs
from grainline.scoring import REASONS
from grainline.underwriting import OFFER_REASONS, capacity_fen, decide

PACKS = load_packs(Path(__file__).resolve().parents[3] / "packs")
PACK = PACKS["weilidai"]
JIEBEI = PACKS["jiebei"]
PROBABILITY = st.integers(0, 1_000_000)


def with_tiers(tiers: list[Tier], *, step_fen: int) -> Pack:
    line = PACK.line.model_copy(
        update={
            "step_fen": step_fen,
            "min_fen": min(t.line_min_fen for t in tiers),
            "max_fen": max(t.line_max_fen for t in tiers),
        }
    )
    rate = PACK.rate.model_copy(
        update={"min_e8": min(t.rate_min_e8 for t in tiers), "max_e8": max(t.rate_max_e8 for t in tiers)}
    )
    return PACK.model_copy(update={"line": line, "rate": rate, "tier": tuple(tiers)})


@st.composite
def packs(draw: st.DrawFn) -> Pack:
    """Return any pack with one to four tiers in order: the best first, lines falling, rates rising."""
    count = draw(st.integers(1, 4))
    step = draw(st.sampled_from([100, 10_000, 30_000]))

    def sequence(low: int, high: int, *, unique: bool = False) -> list[int]:
        return sorted(draw(st.lists(st.integers(low, high), min_size=count, max_size=count, unique=unique)))

    risks = sequence(1, 1_000_000, unique=True)
    least = sequence(1, 900)[::-1]
    most = [low + extra for low, extra in zip(least, sequence(0, 900)[::-1], strict=True)]
    rates = sequence(1, 60_000)
    rates_most = [low + extra for low, extra in zip(rates, sequence(0, 40_000), strict=True)]
    tiers = [
        Tier(
            code=f"tier_{n}",
            name=PACK.tier[0].name,
            pd_max_e6=risks[n],
            line_min_fen=least[n] * step,
            line_max_fen=most[n] * step,
            rate_min_e8=rates[n],
            rate_max_e8=rates_most[n],
        )
        for n in range(count)
    ]
    return with_tiers(tiers, step_fen=step)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Pack, list[int], list[int]]:
    """Return a pack, two admitted probabilities and two capacities, each in order; often right at a boundary."""
    pack = draw(packs())
    last = pack.tier[-1].pd_max_e6
    edges = [min(last, tier.pd_max_e6 + by) for tier in pack.tier for by in (0, 1)]
    risk = st.sampled_from(edges) | st.integers(0, last)
    capacity = st.integers(0, 3 * pack.line.max_fen) | st.just(10**12)
    return pack, sorted(draw(st.tuples(risk, risk))), sorted(draw(st.tuples(capacity, capacity)))


@pytest.mark.parametrize(
    ("pack", "tier"), [pytest.param(p, t, id=f"{p.product.code}-{t.code}") for p in PACKS.values() for t in p.tier]
)
def test_the_last_probability_of_a_tier_is_in_it_and_the_next_is_not(pack: Pack, tier: Tier) -> None:
    assert evaluate(pack, pd_e6=tier.pd_max_e6).tier == tier.code
    assert evaluate(pack, pd_e6=tier.pd_max_e6 + 1).tier != tier.code


def test_a_score_admits_from_its_threshold_on_and_says_so_below_it() -> None:
    """600 points are 9 good to 1 bad, which is 10 %; a shade more risk is 599."""
    enough, short = evaluate(JIEBEI, pd_e6=100_000), evaluate(JIEBEI, pd_e6=100_001, reasons=("recent_delay",))
    assert (enough.invited, enough.tier, enough.reasons) == (True, "fair", ())
    assert (short.invited, short.tier, short.reasons) == (False, None, (SCORE_BELOW_MINIMUM, "recent_delay"))


def test_a_score_stands_above_the_tiers() -> None:
    """Where the threshold is raised, who has a tier and not the points is neither admitted nor offered anything."""
    scale = JIEBEI.admission.score
    assert scale is not None
    admission = JIEBEI.admission.model_copy(update={"score": scale.model_copy(update={"min": 640})})
    strict = JIEBEI.model_copy(update={"admission": admission})
    assert evaluate(strict, pd_e6=52_631).tier == "excellent"  # 18 to 1 is 640
    assert evaluate(strict, pd_e6=52_632).reasons == (SCORE_BELOW_MINIMUM,)
    with pytest.raises(ValueError, match="nothing can be offered"):
        decide(strict, pd_e6=52_632, capacity_fen=10**9)


@pytest.mark.parametrize("pack", PACKS.values(), ids=list(PACKS))
@given(risks=st.tuples(PROBABILITY, PROBABILITY).map(sorted), capacity=st.integers(0, 10**9))
def test_in_every_product_more_risk_never_brings_more(pack: Pack, risks: list[int], capacity: int) -> None:
    better, worse = (evaluate(pack, pd_e6=pd_e6).invited for pd_e6 in risks)
    assert better or not worse
    if worse:
        more, less = (decide(pack, pd_e6=pd_e6, capacity_fen=capacity) for pd_e6 in risks)
        assert less.line_fen <= more.line_fen
        assert pack.rate.min_e8 <= more.rate_e8 <= less.rate_e8 <= pack.rate.max_e8


def test_above_the_last_tier_nobody_is_invited_and_everyone_is_told_why() -> None:
    above = PACK.tier[-1].pd_max_e6 + 1
    silent = evaluate(PACK, pd_e6=above)
    assert (silent.invited, silent.tier, silent.reasons) == (False, None, (RISK_ABOVE_LIMIT,))
    told = evaluate(PACK, pd_e6=above, reasons=("recent_delay",))
    assert (told.invited, told.reasons) == (False, ("recent_delay",))
    assert RISK_ABOVE_LIMIT in REASONS


def test_an_invitation_keeps_the_models_reasons() -> None:
    assert evaluate(PACK, pd_e6=0, reasons=("small_payments",)).reasons == ("small_payments",)


@pytest.mark.parametrize("pd_e6", [-1, 1_000_001])
def test_what_is_no_probability_is_a_fault(pd_e6: int) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        evaluate(PACK, pd_e6=pd_e6)


@given(packs(), PROBABILITY)
def test_invited_exactly_if_a_tier_admits(pack: Pack, pd_e6: int) -> None:
    evaluation = evaluate(pack, pd_e6=pd_e6)
    admitting = [tier.code for tier in pack.tier if pd_e6 <= tier.pd_max_e6]
    assert evaluation.invited is bool(admitting)
    assert evaluation.tier == (admitting[0] if admitting else None)


def test_capacity_by_hand() -> None:
    # Half of 140,000 yuan and six times the middle payment, which is (2,000 + 3,000) / 2.
    paid = [900_000, 200_000, 0, 300_000, 200_000, 400_000]
    assert capacity_fen(14_000_000, paid) == 7_000_000 + 6 * 250_000
    # Who pays a great deal is still not carried beyond the limit another lender gave.
    assert capacity_fen(1_000_000, [5_000_000] * 6) == 1_000_000
    # Who pays nothing has shown nothing: half of the limit.
    assert capacity_fen(1_000_000, [0] * 6) == 500_000
    # One large payment is no habit.
    assert capacity_fen(1_000_000, [0, 0, 0, 0, 0, 90_000_000]) == 500_000
    with pytest.raises(ValueError, match="at least one month"):
        capacity_fen(1_000_000, [])


@given(st.integers(0, 10**10), st.lists(st.integers(0, 10**9), min_size=1, max_size=12), st.integers(0, 10**9))
def test_paying_more_never_lowers_a_capacity(limit: int, paid: list[int], more: int) -> None:
    for month in range(len(paid)):
        raised = [*paid[:month], paid[month] + more, *paid[month + 1 :]]
        assert limit // 2 <= capacity_fen(limit, paid) <= capacity_fen(limit, raised) <= limit


def small_pack() -> Pack:
    """Two tiers with round numbers: up to 10 % and 20 %, in yuan 1,000–10,000 and 100–500."""
    common = {"name": PACK.tier[0].name}
    better = Tier(
        code="better",
        pd_max_e6=100_000,
        line_min_fen=100_000,
        line_max_fen=1_000_000,
        rate_min_e8=20_000,
        rate_max_e8=30_000,
        **common,
    )
    worse = Tier(
        code="worse",
        pd_max_e6=200_000,
        line_min_fen=10_000,
        line_max_fen=50_000,
        rate_min_e8=25_000,
        rate_max_e8=50_000,
        **common,
    )
    return with_tiers([better, worse], step_fen=10_000)


@pytest.mark.parametrize(
    ("pd_e6", "capacity", "tier", "line", "rate", "reason"),
    [
        # 5 % of 20 % leaves three quarters of 8,000 yuan; half-way through the tier's rates.
        (50_000, 800_000, "better", 600_000, 25_000, "line_by_capacity"),
        # Three quarters of 8,001.50 are 6,001.125, rounded down to 100 yuan.
        (50_000, 800_150, "better", 600_000, 25_000, "line_by_capacity"),
        (0, 90_000_000, "better", 1_000_000, 20_000, "line_at_most"),
        # At 10 % half of 1,900 is under the better tier's 1,000: the smaller tier, 37,500 of its rates.
        (100_000, 190_000, "worse", 50_000, 37_500, "line_at_most"),
        # 15 % leaves a quarter of 1,200; three quarters of the way from 0.025 % to 0.05 % is 43,750, up to 44,000.
        (150_000, 120_000, "worse", 30_000, 44_000, "line_by_capacity"),
        # At the last probability nothing is left, and the smallest line of the last tier is given.
        (200_000, 90_000_000, "worse", 10_000, 50_000, "line_at_least"),
        (0, 0, "worse", 10_000, 25_000, "line_at_least"),
    ],
)
def test_offers_by_hand(pd_e6: int, capacity: int, tier: str, line: int, rate: int, reason: str) -> None:
    offer = decide(small_pack(), pd_e6=pd_e6, capacity_fen=capacity)
    assert (offer.tier, offer.line_fen, offer.rate_e8) == (tier, line, rate)
    assert offer.reasons[0] == reason
    assert ("tier_by_capacity" in offer.reasons) is (pd_e6 <= 100_000 and tier == "worse")
    assert set(offer.reasons) <= set(OFFER_REASONS)


@given(cases())
def test_an_offer_lies_inside_its_tier(case: tuple[Pack, list[int], list[int]]) -> None:
    pack, (_, pd_e6), (_, capacity) = case
    offer = decide(pack, pd_e6=pd_e6, capacity_fen=capacity)
    tier = pack.tier_named(offer.tier)
    assert pd_e6 <= tier.pd_max_e6
    assert tier.line_min_fen <= offer.line_fen <= tier.line_max_fen
    assert tier.rate_min_e8 <= offer.rate_e8 <= tier.rate_max_e8
    assert offer.line_fen % pack.line.step_fen == 0
    assert offer.line_fen <= max(capacity, pack.tier[-1].line_min_fen)
    assert type(offer.line_fen) is int
    assert type(offer.rate_e8) is int


@settings(max_examples=400)
@given(cases())
def test_more_risk_never_brings_a_larger_line_or_a_lower_rate(
    case: tuple[Pack, list[int], list[int]],
) -> None:
    pack, risks, (_, capacity) = case
    better, worse = (decide(pack, pd_e6=pd_e6, capacity_fen=capacity) for pd_e6 in risks)
    assert worse.line_fen <= better.line_fen
    assert worse.rate_e8 >= better.rate_e8


@settings(max_examples=400)
@given(cases())
def test_more_capacity_never_brings_a_smaller_line_or_a_higher_rate(
    case: tuple[Pack, list[int], list[int]],
) -> None:
    pack, (pd_e6, _), capacities = case
    small, large = (decide(pack, pd_e6=pd_e6, capacity_fen=capacity) for capacity in capacities)
    assert large.line_fen >= small.line_fen
    assert large.rate_e8 <= small.rate_e8


def test_who_is_not_admitted_cannot_be_offered_anything() -> None:
    with pytest.raises(ValueError, match="nothing can be offered"):
        decide(PACK, pd_e6=PACK.tier[-1].pd_max_e6 + 1, capacity_fen=10**9)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            {"line_min_fen": 110_000, "line_max_fen": 120_000},
            "tier.1.line_min_fen: is above that of tier better",
        ),
        ({"line_max_fen": 1_010_000}, "tier.1.line_max_fen: is above that of tier better"),
        ({"rate_min_e8": 19_999}, "tier.1.rate_min_e8: is below that of tier better"),
        ({"rate_max_e8": 29_999}, "tier.1.rate_max_e8: is below that of tier better"),
        ({"line_min_fen": 9_000, "line_max_fen": 9_999}, "tier.1.line_max_fen: leaves no multiple of line.step_fen"),
    ],
)
def test_tiers_out_of_order_are_refused_by_name(changed: dict[str, int], says: str) -> None:
    better, worse = small_pack().tier
    pack = with_tiers([better, worse.model_copy(update=changed)], step_fen=10_000)
    with pytest.raises(ValidationError, match=says):
        Pack.model_validate(pack.model_dump(by_alias=True))


def test_offers_speak_both_languages() -> None:
    assert all(set(texts) == {"zh", "en"} for texts in OFFER_REASONS.values())
