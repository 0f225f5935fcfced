"""What a feature says of one person, worked out by hand."""

import polars as pl
import pytest

from grainline.scoring import Portfolio
from grainline.scoring.features import FEATURES, features_of
from grainline.scoring.portfolio import NEVER_INPUTS

# One person on the way down: 10,000 limit, paid in full once, in part twice, then two and one month late.
PERSON = {
    "card_limit": 10_000,
    **{f"status_{month}": status for month, status in enumerate([2, 1, 0, 0, -1, -2], 1)},
    **{f"bill_{month}": bill for month, bill in enumerate([9_000, 8_000, 5_000, 4_000, 2_000, 0], 1)},
    **{f"paid_{month}": paid for month, paid in enumerate([0, 500, 1_000, 2_000, 0, 3_000], 1)},
    "education": 2,
}


@pytest.fixture
def features() -> dict[str, float]:
    return features_of(Portfolio(pl.DataFrame([PERSON]))).row(0, named=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("used_1", 0.9),  # 9,000 / 10,000
        ("used_mean", 0.466_667),  # (9 + 8 + 5 + 4 + 2 + 0) / 60
        ("used_most", 0.9),
        ("used_rise", 0.9),
        ("used_rise_recent", 0.5),  # 0.9 - 0.4
        ("headroom", 1_000),
        ("share_paid_1", 0.0),  # nothing of 8,000
        ("share_paid_2", 0.1),  # 500 of 5,000
        ("share_paid_4", 1.0),  # 2,000 of 2,000
        ("share_paid_5", 0.0),  # nothing of nothing
        ("share_paid_least", 0.0),
        ("delay_now", 2),
        ("delay_before", 0),
        ("delay_longest", 2),
        ("delay_total", 3),
        ("delay_months", 2),
        ("delay_months_2", 1),
        ("delay_rise", 2),
        ("paid_median", 750),  # between 500 and 1,000
        ("paid_nothing", 2),
        ("paid_little", 3),
    ],
)
def test_by_hand(features: dict[str, float], name: str, value: float) -> None:
    assert features[name] == pytest.approx(value, abs=1e-6)


def test_overpaying_a_bill_of_nothing_is_bounded(features: dict[str, float]) -> None:
    assert max(features[f"share_paid_{month}"] for month in range(1, 6)) <= 2


def test_neither_sex_nor_marriage_nor_age_is_among_them(shipped: Portfolio) -> None:
    without = shipped.frame.drop(NEVER_INPUTS)
    assert features_of(Portfolio(without)).equals(features_of(shipped))
    assert not {name for name in FEATURES if name.startswith(NEVER_INPUTS)}


def test_every_person_has_every_feature(shipped: Portfolio) -> None:
    features = features_of(shipped)
    assert features.columns == list(FEATURES)
    assert features.select(pl.all().is_finite().all()).row(0) == (True,) * len(FEATURES)
