"""The portfolio's features as inputs of a model: their ranges, the sub-score each counts to, the reason it gives.

The ranges follow from the columns' own (`portfolio.COLUMNS`). A reason is given only where it is true of the
person: trees may find an unused card risky, and nobody is to be told that much of it is in use.
"""

from dataclasses import dataclass

from grainline.scoring.feature_spec import Dimension, FeatureSpec
from grainline.scoring.features import FEATURES

_AMOUNT = 1e11
_LATE_MOST = 99.0

# What a scorecard of the portfolio is made of, most telling first; a lender can explain each.
CHARACTERISTICS: tuple[str, ...] = (
    "delay_now",
    "delay_months",
    "delay_before",
    "used_mean",
    "headroom",
    "paid_median",
    "paid_little",
)


@dataclass(frozen=True)
class _Like:
    """What features have in common whose names begin alike."""

    start: str
    low: float
    high: float
    dimension: Dimension | None = None
    reason: str | None = None
    reason_low: float | None = None


# The first that a name begins with counts.
_LIKE = (
    _Like("card_limit", 1, _AMOUNT, "liquidity"),
    _Like("education", 0, 9),
    _Like("status_1", -2, _LATE_MOST, "negative", "recent_delay", 1),
    _Like("status_2", -2, _LATE_MOST, "negative"),
    _Like("status_3", -2, _LATE_MOST, "negative"),
    _Like("status", -2, _LATE_MOST, "negative", "earlier_delays", 1),
    _Like("bill", -_AMOUNT, _AMOUNT, "liquidity"),
    _Like("used_rise", -2 * _AMOUNT, 2 * _AMOUNT, "stability"),
    _Like("used", -_AMOUNT, _AMOUNT, "liquidity", "high_utilisation", 0.3),
    _Like("headroom", -_AMOUNT, 2 * _AMOUNT, "liquidity", "little_headroom"),
    _Like("delay_now", 0, _LATE_MOST, "negative", "recent_delay", 1),
    _Like("delay_before", 0, _LATE_MOST, "negative", "earlier_delays", 1),
    _Like("delay_months", 0, 6, "negative", "repeated_delays", 2),
    _Like("delay_longest", 0, _LATE_MOST, "negative"),
    _Like("delay_total", 0, 6 * _LATE_MOST, "negative"),
    _Like("delay_rise", -_LATE_MOST, _LATE_MOST, "stability"),
    _Like("share_paid", 0, 2, "pay"),
    _Like("paid_nothing", 0, 6, "pay", "missed_payments", 1),
    _Like("paid_little", 0, 6, "pay", "missed_payments", 1),
    _Like("paid_by_limit", 0, _AMOUNT, "pay"),
    _Like("paid", 0, _AMOUNT, "pay", "small_payments"),
)


def _spec(name: str) -> FeatureSpec:
    like = next(like for like in _LIKE if name.startswith(like.start))
    return FeatureSpec(
        name,
        low=like.low,
        high=like.high,
        dimension=like.dimension,
        reason=like.reason,
        reason_low=like.reason_low,
    )


WIDE = tuple(_spec(name) for name in FEATURES)
