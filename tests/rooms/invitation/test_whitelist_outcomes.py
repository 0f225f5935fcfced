"""A month's judgement: at the threshold, near it for months, why not, and what the hash stands for."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people_judged import MONTH, POLICY, SOCIAL, at_best, best, people, person, with_features, worst

from grainline.invitation.outcomes import Way, judge
from grainline.invitation.points import NOT_SCORED
from grainline.invitation.policy import Dimension

THRESHOLD, MARGIN, MONTHS = POLICY.threshold_e2, POLICY.delayed.margin_e2, POLICY.delayed.months
NOT_ASSETS = (Dimension.SOCIAL, Dimension.CONSUMPTION, Dimension.CREDIT)


def judged(row, *earlier, month=MONTH):
    return judge(POLICY, people(row), month, {row["member_id"]: earlier} if earlier else {})[0]


def of_total(total_e2):
    """A person of this total: nothing but supplements."""
    return with_features(worst(), supplement_e2=total_e2)


def test_total_from_the_threshold_on_qualifies():
    at, below = judged(of_total(THRESHOLD)), judged(of_total(THRESHOLD - 1))
    assert (at.total_e2, at.way, at.reasons) == (THRESHOLD, Way.DIRECTED, [])
    assert (below.total_e2, below.way) == (THRESHOLD - 1, None)
    assert below.reasons


NEAR = THRESHOLD - MARGIN


@pytest.mark.parametrize(
    ("total", "earlier", "way"),
    [
        (NEAR, (NEAR, NEAR), Way.DELAYED),  # near enough and level
        (NEAR + 100, (NEAR + 50, NEAR), Way.DELAYED),
        (NEAR + 100, (NEAR + 50, NEAR, 0), Way.DELAYED),  # what was before does not count
        (NEAR + 100, (NEAR + 50, NEAR - 1), None),  # once too far away
        (NEAR - 1, (NEAR - 1, NEAR - 1), None),
        (NEAR + 100, (NEAR + 101, NEAR), None),  # falls now
        (NEAR + 100, (NEAR + 50, NEAR + 51), None),  # fell before
        (NEAR + 100, (NEAR + 50,), None),  # a month too few, or a gap
        (NEAR + 100, (), None),
        (THRESHOLD - 1, (THRESHOLD - 1, THRESHOLD - 1), Way.DELAYED),
        (THRESHOLD - 1, (THRESHOLD, THRESHOLD), None),  # was above, and falls
        (THRESHOLD, (0, 0), Way.DIRECTED),
    ],
)
def test_sustained_activity_near_the_threshold_qualifies_later(total, earlier, way):
    assert MONTHS == 3
    found = judged(of_total(total), *earlier)
    assert found.way is way
    assert bool(found.reasons) == (way is None)


def test_sustained_activity_does_not_outweigh_a_precondition():
    found = judged(of_total(NEAR) | {"student": True}, NEAR, NEAR)
    assert (found.way, found.reasons[0]) == (None, "student")


def test_preconditions_come_first_and_then_what_costs_most():
    """Weights 30, 25, 20, 25: with nothing anywhere social costs most, then consumption and credit in their order."""
    nothing = judged(with_features(worst(), student=True))
    assert nothing.reasons == ["student", "weak_social", "weak_consumption", "weak_credit", "weak_assets"]
    full = judged(person(student=True, card_bound=False))
    assert full.reasons == ["student", "no_card"]


def test_dimension_that_is_good_enough_is_no_reason():
    found = judged(with_features(at_best(Dimension.SOCIAL, Dimension.ASSETS)))
    assert found.dimensions_e2 == (10_000, 0, 10_000, 0)
    assert (found.total_e2, found.reasons) == (5_000, ["weak_consumption", "weak_credit"])


def test_dimension_that_is_not_scored_is_no_reason():
    found = judged(with_features(worst(), consent_social=False))
    assert found.reasons == ["weak_consumption", "weak_credit", "weak_assets"]


def test_weak_dimension_of_who_qualifies_is_no_reason():
    found = judged(with_features(at_best(*NOT_ASSETS)))
    assert (found.total_e2, found.dimensions_e2[2], found.reasons) == (8_000, 0, [])


def test_consent_refused_leaves_nothing_of_the_social_platform():
    """Whatever is in the social columns: points, total, values, reasons and hash are the same, and nothing is kept."""
    seen = judged(person(consent_social=False))
    blind = judged(with_features(dict.fromkeys(SOCIAL), consent_social=False))
    assert seen == blind
    assert seen.total_e2 == 10_000
    kept = dict(zip((item.feature for item in POLICY.item), zip(seen.values, seen.points_e2, strict=True), strict=True))
    for feature, told in kept.items():
        assert (told == (None, NOT_SCORED)) == (feature in SOCIAL), feature


def test_consent_not_known_is_no_consent():
    assert judged(person(consent_social=None)) == judged(person(consent_social=False))


def test_hash_changes_with_each_value_and_with_nothing_else():
    hashes = {judged(person()).features_hash}
    assert judged(person(7, student=True, supplement_e2=100), NEAR, month=date(2027, 4, 1)).features_hash in hashes
    crowd = judge(POLICY, people(person(1), with_features(worst(), 2), person(3)), MONTH, {})
    assert {crowd[0].features_hash, crowd[2].features_hash} == hashes
    for name, value in best().items():
        for other in (value + 1, None):
            found = judged(with_features({name: other})).features_hash
            assert found not in hashes, name
            hashes.add(found)
    assert len(hashes) == 1 + 2 * len(POLICY.features)
    other = POLICY.model_copy(update={"version": "another"})
    assert judge(other, people(person()), MONTH, {})[0].features_hash not in hashes
    assert {len(found) for found in hashes} == {32}


def test_values_are_kept_as_they_came_null_where_nothing_was_told():
    feature = POLICY.item[3].feature
    found = judged(with_features({feature: None}))
    expected = [None if item.feature == feature else best()[item.feature] for item in POLICY.item]
    assert found.values == expected


@given(
    total=st.integers(0, 10_000),
    earlier=st.lists(st.integers(0, 10_000), max_size=4),
    facts=st.fixed_dictionaries({"student": st.booleans(), "card_bound": st.booleans()}),
)
@settings(max_examples=50, deadline=None)
def test_who_qualifies_has_no_reason_and_who_does_not_has_one(total, earlier, facts):
    found = judged(of_total(total) | facts, *earlier)
    assert (found.way is None) == bool(found.reasons)
    if found.way is not None:
        assert not facts["student"]
        assert facts["card_bound"]
        assert found.total_e2 >= (THRESHOLD if found.way is Way.DIRECTED else NEAR)


def test_nobody_is_judged_where_nobody_is():
    assert judge(POLICY, people(), MONTH, {}) == []
