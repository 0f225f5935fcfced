"""Products for whom a score admits: what they promise, and how a probability becomes points."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.products import BadPack, Prepayment, ScoreScale, Shape, Text, load_pack

PACKS = Path(__file__).parents[3] / "packs"
JIEBEI, JINTIAO = (load_pack(PACKS / f"{code}.toml") for code in ("jiebei", "jintiao"))
BOTH = pytest.mark.parametrize("pack", [JIEBEI, JINTIAO], ids=lambda pack: pack.product.code)
PROBABILITY = st.integers(0, 1_000_000)


def test_jiebei_is_what_the_comparison_says():
    assert (JIEBEI.line.max_fen, JIEBEI.rate.min_e8, JIEBEI.rate.max_e8) == (20_000_000, 15_000, 60_000)
    assert (JIEBEI.schedule.shapes, JIEBEI.schedule.instalments) == ((Shape.EQUAL_PRINCIPAL,), (3, 6, 12))
    assert (JIEBEI.admission.score.min, JIEBEI.draw.funded_within_minutes) == (600, 1)
    assert JIEBEI.repayment.prepayment is Prepayment.REDUCE_INSTALMENT


def test_jintiao_is_what_the_comparison_says():
    assert (JINTIAO.line.max_fen, JINTIAO.rate.min_e8, JINTIAO.rate.max_e8) == (20_000_000, 30_000, 60_000)
    assert JINTIAO.schedule.shapes == (Shape.EQUAL_PRINCIPAL, Shape.EQUAL_INSTALMENT, Shape.INTEREST_FIRST)
    assert JINTIAO.schedule.instalments == (1, 3, 6, 12)
    assert (JINTIAO.admission.score.min, JINTIAO.draw.funded_within_minutes) == (80, 15)
    assert JINTIAO.repayment.prepayment is Prepayment.REDUCE_TERM


@pytest.mark.parametrize(
    ("pd_e6", "points"),
    [
        (100_000, 600),  # 9 to 1, which is what 600 stands for
        (100_001, 599),  # a shade less is rounded down
        (52_631, 640),  # 18.0002 to 1: twice the odds are 40 points more
        (52_632, 639),  # 17.9998 to 1
        (181_819, 559),  # half the odds, and a shade less
        (500_000, 473),  # 600 − 40 × log₂ 9 = 600 − 126.797
        (1, 950),  # 600 + 40 × log₂ 111,111 = 1,270 is more than the scale has
        (0, 950),
        (999_999, 350),
        (1_000_000, 350),
    ],
)
def test_points_by_hand(pd_e6, points):
    assert JIEBEI.admission.score.points_of(pd_e6) == points


@pytest.mark.parametrize("pd_e6", [-1, 1_000_001])
def test_what_is_no_probability_has_no_points(pd_e6):
    with pytest.raises(ValueError, match="cannot be"):
        JIEBEI.admission.score.points_of(pd_e6)


@BOTH
@given(PROBABILITY, PROBABILITY)
def test_more_risk_is_never_more_points(pack, one, other):
    scale = pack.admission.score
    assert scale.low <= scale.points_of(max(one, other)) <= scale.points_of(min(one, other)) <= scale.high


@pytest.mark.parametrize("pdo", [1, 7, 20, 40])
@pytest.mark.parametrize(
    ("odds", "pd_e6", "doublings"),
    [(1, 500_000, 0), (1, 200_000, 2), (3, 40_000, 3), (31, 8_000, 2), (39, 1_600, 4), (4, 500_000, -2)],
)
def test_each_doubling_of_the_odds_is_exactly_its_points(odds, pd_e6, doublings, pdo):
    """4 % is 24 to 1, three doublings of 3 to 1; nothing is lost to a logarithm that is a hair below a whole number."""
    name = Text(zh="分", en="Score")
    scale = ScoreScale(name=name, low=0, high=10_000, points=5_000, odds=odds, pdo=pdo, min=5_000)
    assert scale.points_of(pd_e6) == 5_000 + pdo * doublings


@BOTH
def test_the_threshold_of_the_score_is_the_last_probability_of_the_last_tier(pack):
    last = pack.tier[-1].pd_max_e6
    assert pack.admission.admits(last)
    assert not pack.admission.admits(last + 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("low = 350", "low = 950", "admission.score.low: is not below high"),
        ("points = 600", "points = 951", "admission.score.points: leaves low … high"),
        ("min = 600", "min = 349", "admission.score.min: leaves low … high"),
        ("min = 600", "min = 599", "tier.2.pd_max_e6: leaves out people whom admission.score.min admits"),
        ("pd_max_e6 = 100_000", "pd_max_e6 = 99_999",
         "tier.2.pd_max_e6: leaves out people whom admission.score.min admits"),
        ("odds = 9", "odds = 0", "admission.score.odds: Input should be greater than 0"),
        ("odds = 9", "odds = 9.0", "admission.score.odds: Input should be a valid integer"),
        ("pdo = 40", "pdo = true", "admission.score.pdo: Input should be a valid integer"),
        ("pdo = 40", "pdo = 40\ncurve = 2", "admission.score.curve: Extra inputs are not permitted"),
        ('kind = "score"', 'kind = "invitation"',
         "admission.score: must be there where kind is score, and nowhere else"),
    ],
)  # fmt: skip
def test_a_scale_that_does_not_hold_together_is_refused_by_key(tmp_path, old, new, said):
    text = (PACKS / "jiebei.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "jiebei.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadPack) as refused:
        load_pack(path)
    assert str(refused.value) == f"{path}: {said}"
