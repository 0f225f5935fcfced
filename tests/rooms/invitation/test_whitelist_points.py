"""Points by hand; and laws: within bounds, never fewer for more, nobody's depend on who else is there."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people_judged import POLICY

from grainline.invitation.points import NOT_SCORED, score, values_of
from grainline.invitation.policy import Dimension, Policy

NAN = float("nan")

# value, what it is worth: points × share of the curve there, in 10⁻² points
BY_HAND = {
    "conversation.direct.counterparties.90d": (5, 1_036),  # 25 × (3 000 + 2/7 × 4 000 = 4 142.857) = 1 035.71
    "conversation.active_days.90d": (40, 1_875),  # 25 × (5 000 + 1/2 × 5 000)
    "group_activity.active_days.90d": (4, 450),  # 15 × 1/2 × 6 000
    "conversation.top_counterparty_share.90d": (0.75, 375),  # 15 × (5 000 - 1/2 × 5 000)
    "conversation.night_share.90d": (None, 1_000),  # 20 × 5 000, what nothing to tell is worth
    "payment.active_days.90d": (30, 1_000),  # 20 × 5 000
    "payment.scene_variety.90d": (12, 2_000),  # 20 × 10 000, beyond the last knot
    "red_packet.amount_sum_balance.180d": (-0.35, 700),  # 10 × (10 000 - 1/2 × 6 000): a distance of 0.35
    "payment.tool_switch_rate.90d": (0.65, 300),  # 10 × (6 000 - 1/2 × 6 000)
    "payment.lender.count_share.90d": (0.02, 500),  # 15 × (5 000 - 1/3 × 5 000 = 3 333.33)
    "bill_paid.late_share.180d": (0.2, 1_125),  # 25 × (7 000 - 1/2 × 5 000)
    "money_market.balance_mean.180d": (300_000, 1_350),  # 30 × (3 000 + 1/2 × 3 000)
    "money_market.days_kept.180d": (105, 1_300),  # 20 × (3 000 + 1/2 × 7 000)
    "wealth.balance_mean.180d": (0, 0),
    "money_market_out.fast_24h.amount_sum_share.90d": (0.45, 750),  # 25 × (6 000 - 1/2 × 6 000)
    "statement.late_share.360d": (0.04, 2_975),  # 35 × (10 000 - 1/2 × 3 000)
    "statement.late_max.360d": (20, 950),  # 20 × (7 000 - 1/2 × 4 500)
    "account_opened.consumer_loan.count.360d": (2, 933),  # 20 × (7 000 - 1/3 × 7 000 = 4 666.67) = 933.33
    "enquiry.consumer_loan.count.180d": (3, 1_250),  # 25 × (6 000 - 1/6 × 6 000)
}
SOCIAL, CONSUMPTION, ASSETS, CREDIT = 4_736, 5_625, 3_400, 6_108  # the sums of the above
# 0.30 × 4 736 + 0.25 × 5 625 + 0.20 × 3 400 + 0.25 × 6 108 = 1 420.8 + 1 406.25 + 680 + 1 527 = 5 034.05
TOTAL = 5_034
# the social weight goes to the others: (0.25 × 5 625 + 0.20 × 3 400 + 0.25 × 6 108) ÷ 0.70 = 3 613.25 ÷ 0.70 = 5 161.79
TOTAL_WITHOUT_SOCIAL = 5_162


def scored(*rows, social=True, supplement_e2=0):
    values = np.array([[NAN if value is None else value for value in row] for row in rows], dtype=np.float64)
    return score(
        POLICY,
        values,
        social=np.broadcast_to(np.asarray(social), len(rows)),
        supplement_e2=np.broadcast_to(np.asarray(supplement_e2, dtype=np.int64), len(rows)),
    )


@pytest.fixture
def example():
    assert set(BY_HAND) == {item.feature for item in POLICY.item}, "the worked example is of another policy"
    return [BY_HAND[item.feature][0] for item in POLICY.item]


def test_worked_example(example):
    found = scored(example)
    points = dict(zip((item.feature for item in POLICY.item), found.items[0].tolist(), strict=True))
    assert points == {feature: points for feature, (_, points) in BY_HAND.items()}
    assert found.dimensions.tolist() == [[SOCIAL, CONSUMPTION, ASSETS, CREDIT]]
    assert found.total.tolist() == [TOTAL]


def test_refused_consent_weighs_the_others_anew(example):
    found = scored(example, social=False)
    assert found.dimensions.tolist() == [[NOT_SCORED, CONSUMPTION, ASSETS, CREDIT]]
    assert found.total.tolist() == [TOTAL_WITHOUT_SOCIAL]
    kept = {item.dimension for item, points in zip(POLICY.item, found.items[0], strict=True) if points != NOT_SCORED}
    assert kept == set(Dimension) - {Dimension.SOCIAL}


def test_supplements_add_to_the_total_up_to_the_full(example):
    assert scored(example, supplement_e2=700).total.tolist() == [TOTAL + 700]
    assert scored(example, supplement_e2=9_000).total.tolist() == [10_000]
    assert scored(example, supplement_e2=300).dimensions.tolist() == scored(example).dimensions.tolist()


def test_nothing_to_tell_is_worth_what_the_policy_says():
    found = scored([None] * len(POLICY.item))
    assert found.items[0].tolist() == [item.missing * item.points // 100 for item in POLICY.item]


def test_nulls_of_a_frame_are_nothing_to_tell(example):
    frame = pl.DataFrame([dict(zip((item.feature for item in POLICY.item), example, strict=True))])
    nothing = frame.with_columns(pl.lit(None).alias(POLICY.item[0].feature))
    assert scored(*values_of(POLICY, frame)).total.tolist() == [TOTAL]
    assert scored(*values_of(POLICY, nothing)).items[0, 0] == 0


def test_total_is_rounded_once_half_up(example):
    """With half the weight each, 4 736 and 6 108 make 5 422; 4 736 and 6 107 make 5 421.5, told as 5 422."""
    weights = {"social": 5_000, "consumption": 0, "assets": 0, "credit": 5_000}
    halves = Policy.model_validate(POLICY.model_dump(by_alias=True) | {"weights_e4": weights})
    statement = [item.feature for item in halves.item].index("statement.late_share.360d")
    totals = []
    for late_share in (0.04, 0.04 + 0.08 / 1_050, 0.04 + 2 * 0.08 / 1_050):  # 1 050 hundredths within the first 0.08
        values = np.array([[NAN if value is None else value for value in example]])
        values[0, statement] = late_share
        found = score(halves, values, social=np.array([True]), supplement_e2=np.array([0]))
        totals.append((int(found.dimensions[0, 3]), int(found.total[0])))
    assert totals == [(6_108, 5_422), (6_107, 5_422), (6_106, 5_421)]


rows = st.tuples(
    *(
        st.one_of(
            st.just(NAN),
            st.floats(-(2 * item.curve[-1][0]), 2 * item.curve[-1][0], allow_nan=False),
            st.sampled_from([knot for knot, _ in item.curve]),
            st.sampled_from((float("inf"), float("-inf"), 0.0, -0.0)),
        )
        for item in POLICY.item
    )
)


@given(row=rows, social=st.booleans(), supplement_e2=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_points_stay_within_bounds_and_sum_up(row, social, supplement_e2):
    found = scored(row, social=social, supplement_e2=supplement_e2)
    assert 0 <= found.total[0] <= 10_000
    for place, dimension in enumerate(Dimension):
        items = [found.items[0, at] for at, item in enumerate(POLICY.item) if item.dimension is dimension]
        if dimension is Dimension.SOCIAL and not social:
            assert set(items) == {NOT_SCORED} == {found.dimensions[0, place]}
            continue
        assert found.dimensions[0, place] == sum(items)
        assert all(points >= 0 for points in items)
        assert sum(items) <= 10_000


@given(row=rows, place=st.integers(0, len(POLICY.item) - 1), other=st.floats(allow_nan=False), social=st.booleans())
@settings(max_examples=150, deadline=None)
def test_better_value_never_lowers_the_total(row, place, other, social):
    item = POLICY.item[place]
    one, two = sorted((row[place], other), key=(lambda value: abs(value) if item.of == "distance" else value))
    if np.isnan(row[place]):
        return
    better, worse = (two, one) if item.curve[-1][1] > item.curve[0][1] else (one, two)
    changed = [[*row[:place], value, *row[place + 1 :]] for value in (better, worse)]
    found = scored(*changed, social=social)
    assert found.total[0] >= found.total[1]
    assert found.items[0, place] >= found.items[1, place]


def test_whole_range_of_every_curve_is_walked_one_way():
    """From end to end in 2,001 steps, every curve rises or falls all the way and uses its whole range."""
    for place, item in enumerate(POLICY.item):
        first, last = item.curve[0][0], item.curve[-1][0]
        walk = np.linspace(first, last, 2_001)
        values = np.full((len(walk), len(POLICY.item)), NAN)
        values[:, place] = walk
        points = scored(*values).items[:, place].tolist()
        sign = 1 if item.curve[-1][1] > item.curve[0][1] else -1
        assert all(sign * (right - left) >= 0 for left, right in pairwise(points)), item.feature
        assert {points[0], points[-1]} == {
            share * item.points // 100 for share in (item.curve[0][1], item.curve[-1][1])
        }


@given(several=st.lists(st.tuples(rows, st.booleans(), st.integers(0, 900)), min_size=1, max_size=6), data=st.data())
@settings(max_examples=60, deadline=None)
def test_person_scores_the_same_alone_in_a_batch_and_in_any_order(several, data):
    order = data.draw(st.permutations(range(len(several))))
    shuffled = [several[place] for place in order]
    batch = scored(
        *(row for row, _, _ in shuffled),
        social=[social for _, social, _ in shuffled],
        supplement_e2=[e2 for _, _, e2 in shuffled],
    )
    for at, (row, social, e2) in enumerate(shuffled):
        alone = scored(row, social=social, supplement_e2=e2)
        assert alone.total[0] == batch.total[at]
        assert alone.dimensions[0].tolist() == batch.dimensions[at].tolist()
        assert alone.items[0].tolist() == batch.items[at].tolist()


@given(row=rows, others=rows)
@settings(max_examples=60, deadline=None)
def test_nothing_social_tells_without_consent(row, others):
    mixed = [
        other if item.dimension is Dimension.SOCIAL else own
        for item, own, other in zip(POLICY.item, row, others, strict=True)
    ]
    found = scored(row, mixed, social=False)
    assert found.total[0] == found.total[1]
    assert found.items[0].tolist() == found.items[1].tolist()


def test_nobody_is_scored_where_nobody_is():
    found = score(
        POLICY, np.empty((0, len(POLICY.item))), social=np.empty(0, dtype=np.bool_), supplement_e2=np.empty(0, np.int64)
    )
    assert len(found) == 0
    assert found.dimensions.shape == (0, 4)
