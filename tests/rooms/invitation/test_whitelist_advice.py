"""Advice keeps its word: with the change made, the judgement gives exactly the points that were told."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from people_judged import MONTH, POLICY, best, people, with_features, worst

from grainline.invitation.advice import ADVICE, MOST, advise
from grainline.invitation.outcomes import judge
from grainline.invitation.policy import Dimension

ITEMS = {item.feature: item for item in POLICY.item}
ALL = len(POLICY.item)


def in_order(features):
    return [features[item.feature] for item in POLICY.item]


def advised(features, *, social=True, supplement_e2=0, most=MOST):
    return advise(POLICY, in_order(features), social=social, supplement_e2=supplement_e2, most=most)


def total_of(features, *, social=True, supplement_e2=0):
    row = with_features(features, consent_social=social, supplement_e2=supplement_e2)
    return judge(POLICY, people(row), MONTH, {})[0].total_e2


lives = st.fixed_dictionaries(
    {
        item.feature: st.one_of(
            st.none(),
            st.sampled_from([knot for knot, _ in item.curve]),
            st.floats(0, 2 * item.curve[-1][0]),
            *([st.floats(-1, 0)] if item.of == "distance" else []),
        )
        for item in POLICY.item
    }
)


@given(features=lives, social=st.booleans(), supplement_e2=st.sampled_from((0, 100, 800)))
@settings(max_examples=80, deadline=None)
def test_each_change_brings_exactly_what_is_told(features, social, supplement_e2):
    before = total_of(features, social=social, supplement_e2=supplement_e2)
    offered = advised(features, social=social, supplement_e2=supplement_e2, most=ALL)
    for change in offered:
        after = total_of(features | {change.feature: change.wanted}, social=social, supplement_e2=supplement_e2)
        assert after - before == change.gain_e2 > 0
        assert change.value == features[change.feature]
        assert change.advice == ITEMS[change.feature].advice
        assert social or ITEMS[change.feature].dimension is not Dimension.SOCIAL
    assert all(left.gain_e2 >= right.gain_e2 for left, right in pairwise(offered))
    assert len({change.advice for change in offered}) == len(offered)


@given(features=lives, social=st.booleans())
@settings(max_examples=40, deadline=None)
def test_few_are_the_greatest_of_all(features, social):
    every, few = advised(features, social=social, most=ALL), advised(features, social=social)
    assert few == every[:MOST]
    for change in every:  # and each advice is given with the feature by which it brings most
        for item in POLICY.item:
            if item.advice != change.advice or item.feature == change.feature:
                continue
            for knot, _ in item.curve:
                if _is_next(item, features[item.feature], knot):
                    gain = total_of(features | {item.feature: knot}, social=social) - total_of(features, social=social)
                    assert gain <= change.gain_e2


def _is_next(item, value, knot):
    """Whether this knot is the nearest of those worth more, for a value that is known and not below nought."""
    if value is None or value < 0:
        return False
    rises = item.curve[-1][1] > item.curve[0][1]
    beyond = [at for at, _ in item.curve if (at > value if rises else at < value)]
    return bool(beyond) and knot == (min(beyond) if rises else max(beyond))


def test_nothing_is_offered_at_full_points():
    assert advised(best(), most=ALL) == []
    assert advised(best(), social=False, most=ALL) == []


def test_nothing_is_offered_where_supplements_fill_the_total():
    assert advised(worst(), supplement_e2=10_000, most=ALL) == []
    assert advised(worst(), supplement_e2=9_000, most=ALL) != []


def test_worst_case_is_told_the_greatest_changes():
    """Points × share of the next knot × weight: 25 × 50 % × 0.30, 25 × 60 % × 0.25, 20 × 60 % × 0.30."""
    found = [(change.feature, change.wanted, change.gain_e2) for change in advised(worst())]
    assert found == [
        ("conversation.active_days.90d", 20.0, 375),
        ("enquiry.consumer_loan.count.180d", 2.0, 375),
        ("conversation.night_share.90d", 0.1, 360),
    ]


def test_change_goes_to_the_next_knot_that_is_worth_more():
    feature = "statement.late_max.360d"
    for value, wanted in ((60, 30), (30, 10), (20, 10), (10, 0), (3, 0)):
        change = advised(best() | {feature: value})[0]
        assert (change.advice, change.value, change.wanted) == ("pay_cards_on_time", value, wanted)


def test_distance_is_shortened_on_its_own_side():
    feature = "red_packet.amount_sum_balance.180d"
    for value, wanted in ((0.7, 0.6), (-0.7, -0.6), (-0.6, -0.1), (0.3, 0.1), (-0.3, -0.1)):
        change = advised(best() | {feature: value})[0]
        assert (change.advice, change.wanted) == ("balance_red_packets", wanted)


def test_what_is_not_known_can_be_made_known():
    unknown = dict.fromkeys(best())
    before = total_of(unknown)
    offered = advised(unknown, most=ALL)
    assert offered
    for change in offered:
        assert change.value is None
        assert total_of(unknown | {change.feature: change.wanted}) == before + change.gain_e2


def test_every_advice_has_both_texts_and_somebody_who_gets_it():
    for code, text in ADVICE.items():
        assert "\u4e00" <= text["zh"][0] <= "\u9fff", code
        assert text["en"].isascii(), code
        features = [item.feature for item in POLICY.item if item.advice == code]
        offered = {change.advice for name in features for change in advised(best() | {name: worst()[name]})}
        assert offered == {code}
