"""The decision: from a probability of default and a capacity to a line and a daily rate inside a tier.

Pure, integers only. Two promises hold, because a pack's tiers are ordered (`products` refuses others): a higher
probability never brings a larger line or a lower rate, and a higher capacity never a smaller line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from grainline.invitation.rule import tier_for
from grainline.kit.money import Fen, RateE8
from grainline.products import Pack, Tier

# Rates are rounded up to 0.0005 % a day, so that four decimals show them whole.
RATE_STEP_E8 = 500
# How many of the middle monthly payments a person can be trusted to find beside half of the limit they have.
PAYMENTS_COUNTED = 6

OFFER_REASONS: dict[str, dict[str, str]] = {
    "line_by_capacity": {
        "zh": "额度取决于您现有信用卡额度与近六个月的还款金额",
        "en": "The line follows your existing card limit and what you paid over the last six months",
    },
    "line_at_most": {
        "zh": "额度已达到您所在档位的上限",
        "en": "The line is the largest of your tier",
    },
    "line_at_least": {
        "zh": "额度为您所在档位的下限",
        "en": "The line is the smallest of your tier",
    },
    "line_by_risk": {
        "zh": "额度取决于对您的风险评估",
        "en": "The line follows the assessment of your risk",
    },
    "tier_by_capacity": {
        "zh": "按您的还款能力，额度归入较小的档位",
        "en": "What you can carry is less than the smallest line of a higher tier",
    },
    "rate_by_risk": {
        "zh": "日利率取决于对您的风险评估",
        "en": "The daily rate follows the assessment of your risk",
    },
}


@dataclass(frozen=True)
class Offer:
    """What is offered: the tier, the line in fen, the rate in 10⁻⁸ a day, and the reasons as codes."""

    tier: str
    line_fen: Fen
    rate_e8: RateE8
    reasons: tuple[str, ...]


def capacity_fen(card_limit_fen: int, paid_fen: Sequence[int]) -> Fen:
    """Return what a person can carry, in fen, rounded down: half the card limit and six median payments.

    Another lender's limit is trusted by half; the other half must be shown by paying. The median of the
    monthly payments is taken because one large payment is no habit. Never above the limit of the existing
    card. Raises ValueError without a payment month.
    """
    if not paid_fen:
        raise ValueError("a capacity needs at least one month of payments")
    ordered = sorted(paid_fen)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) // 2
    return Fen(min(card_limit_fen, card_limit_fen // 2 + PAYMENTS_COUNTED * middle))


def decide(pack: Pack, *, pd_e6: int, capacity_fen: int) -> Offer:
    """Return the offer to a person whom a tier admits.

    The line a person can be given is the capacity, lessened in proportion to the probability of default
    until nothing is left at the last probability admitted. The tier is the first that admits the
    probability and whose smallest line is within that; where none is, the last tier. The line is then held
    inside the tier and rounded down to the step; the rate rises with the probability from the tier's lowest
    to its highest, rounded up to `RATE_STEP_E8`. Raises ValueError for who is not admitted.
    """
    admitted = tier_for(pack, pd_e6)
    if admitted is None:
        raise ValueError(f"nothing can be offered at a probability of {pd_e6} in 10⁻⁶")
    last = pack.tier[-1].pd_max_e6
    affordable = max(0, capacity_fen) * (last - pd_e6) // last
    first = pack.tier.index(admitted)
    within = (n for n in range(first, len(pack.tier)) if lines_of_tier(pack, pack.tier[n])[0] <= affordable)
    place = next(within, len(pack.tier) - 1)
    least, most = lines_of_tier(pack, pack.tier[place])
    line = max(least, min(most, affordable)) // pack.line.step_fen * pack.line.step_fen
    reasons = (_line_reason(affordable, least, most), *(["tier_by_capacity"] if place > first else []))
    return Offer(
        tier=pack.tier[place].code,
        line_fen=Fen(line),
        rate_e8=_rate(pack.tier[: place + 1], pd_e6),
        reasons=(*reasons, "rate_by_risk"),
    )


def lines_of_tier(pack: Pack, tier: Tier) -> tuple[int, int]:
    """Return the smallest and largest multiples of the step inside the tier's lines, in fen."""
    step = pack.line.step_fen
    return -(-tier.line_min_fen // step) * step, tier.line_max_fen // step * step


def _rate(tiers: Sequence[Tier], pd_e6: int) -> RateE8:
    """Return the most that the person's tier or a better one would ask, so that no boundary lowers it."""
    return RateE8(max(_rate_within(tier, min(pd_e6, tier.pd_max_e6)) for tier in tiers))


def _rate_within(tier: Tier, pd_e6: int) -> int:
    span = tier.rate_max_e8 - tier.rate_min_e8
    exact_up = tier.rate_min_e8 - (-span * pd_e6 // tier.pd_max_e6)
    return min(tier.rate_max_e8, -(-exact_up // RATE_STEP_E8) * RATE_STEP_E8)


def _line_reason(affordable: int, least: int, most: int) -> str:
    if affordable >= most:
        return "line_at_most"
    return "line_at_least" if affordable <= least else "line_by_capacity"
