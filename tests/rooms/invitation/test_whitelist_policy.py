"""A policy that does not hang together is refused as a whole; the newest that has begun counts for a month."""

import tomllib
from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest

from grainline.behaviour import Party, features
from grainline.invitation import policy as policies_of
from grainline.invitation.advice import ADVICE
from grainline.invitation.policy import Dimension, Policy, policies, policy_for, policy_named
from grainline.invitation.preconditions import PRECONDITIONS

WRITTEN = tomllib.loads(Path(policies_of.__file__).with_name("policy.toml").read_text(encoding="utf-8"))["policy"]


@pytest.fixture
def told():
    """The newest policy as it is written, to spoil."""
    return deepcopy(WRITTEN[-1])


def spoil_weights(told):
    told["weights_e4"]["social"] += 1


def forget_weight(told):
    told["weights_e4"]["credit"] += told["weights_e4"].pop("assets")


def weigh_another_dimension(told):
    told["weights_e4"]["luck"] = 0


def weigh_only_the_social(told):
    told["weights_e4"] = {"social": 10_000, "consumption": 0, "assets": 0, "credit": 0}


def forget_supplement(told):
    del told["supplements"]["points_e2"]["income"]


def add_supplement(told):
    told["supplements"]["points_e2"]["beauty"] = 100


def give_a_dimension_99_points(told):
    told["item"][0]["points"] -= 1


def forget_an_item(told):
    del told["item"][-1]


def ask_for_what_nobody_has(told):
    told["item"][0]["feature"] = "conversation.charm.90d"


def hold_against_what_nobody_has(told):
    told["negative"][0]["feature"] = "sins.count.360d"


def ask_twice(told):
    told["item"][1]["feature"] = told["item"][0]["feature"]


def curve(*knots):
    def spoil(told):
        told["item"][0]["curve"] = [list(knot) for knot in knots]

    return spoil


def be_a_distance_below_nought(told):
    told["item"][0] |= {"of": "distance", "curve": [[-1, 0], [1, 10_000]]}


def ask_for_one_month(told):
    told["delayed"]["months"] = 1


def set_the_threshold_out_of_reach(told):
    told["threshold_e2"] = 10_001


def say_more_than_is_asked(told):
    told["remark"] = "x"


def miss_more_than_all(told):
    told["item"][0]["missing"] = 10_001


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_weights, "sum to 10000"),
        (forget_weight, "the four dimensions"),
        (weigh_another_dimension, "weights_e4"),
        (weigh_only_the_social, "withholds the social consent"),
        (forget_supplement, "all four kinds"),
        (add_supplement, "points_e2"),
        (give_a_dimension_99_points, "items of social must be good for 100 points"),
        (forget_an_item, "items of credit must be good for 100 points"),
        (ask_for_what_nobody_has, r"no such features: conversation\.charm\.90d"),
        (hold_against_what_nobody_has, r"no such features: sins\.count\.360d"),
        (ask_twice, r"more than one item of conversation\.direct\.counterparties\.90d"),
        (curve((0, 0), (3, 5_000), (9, 4_000)), "rise all the way or fall all the way"),
        (curve((0, 5_000), (3, 5_000)), "rise all the way or fall all the way"),
        (curve((0, 0), (3, 5_000), (3, 6_000)), "must rise"),
        (curve((3, 0), (0, 5_000)), "must rise"),
        (curve((0, 0)), "curve"),
        (curve((0, 0), (3, 10_001)), "curve"),
        (curve((0, 0), (3, -1)), "curve"),
        (curve((0, 0), (float("nan"), 5_000)), "finite"),
        (curve((0, 0), (float("inf"), 5_000)), "finite"),
        (be_a_distance_below_nought, "never below nought"),
        (ask_for_one_month, "months"),
        (set_the_threshold_out_of_reach, "threshold_e2"),
        (say_more_than_is_asked, "remark"),
        (miss_more_than_all, "missing"),
    ],
)
def test_policy_that_does_not_hang_together_is_refused(told, spoil, message):
    Policy.model_validate(told)
    spoil(told)
    with pytest.raises(ValueError, match=message):
        Policy.model_validate(told)


def test_curve_may_rest_on_its_way(told):
    told["item"][0]["curve"] = [[0, 0], [3, 5_000], [9, 5_000], [12, 10_000]]
    assert Policy.model_validate(told).item[0].curve[2] == (9, 5_000)


def test_newest_policy_that_has_begun_counts_for_a_month(told, monkeypatch):
    later = deepcopy(told) | {"version": "later", "from": date(2027, 3, 1), "threshold_e2": 7_000}
    latest = deepcopy(told) | {"version": "latest", "from": date(2027, 6, 15)}
    known = tuple(Policy.model_validate(each) for each in (told, later, latest))
    monkeypatch.setattr(policies_of, "policies", lambda: known)
    for month, version in (
        (date(2020, 1, 1), told["version"]),  # nothing had begun: the oldest
        (date(2027, 2, 1), told["version"]),
        (date(2027, 3, 1), "later"),
        (date(2027, 6, 1), "later"),  # the latest begins within the month
        (date(2027, 7, 1), "latest"),
    ):
        assert policy_for(month).version == version, month
    assert policy_named("later").threshold_e2 == 7_000
    with pytest.raises(KeyError):
        policy_named("never")


def test_written_policies_are_dated_apart_and_weigh_as_the_product_says():
    assert len({policy.since for policy in policies()}) == len({policy.version for policy in policies()})
    assert list(policies()) == sorted(policies(), key=lambda policy: policy.since)
    weights = {"social": 3_000, "consumption": 2_500, "assets": 2_000, "credit": 2_500}
    assert {str(name): weight for name, weight in policies()[0].weights_e4.items()} == weights


def test_written_policies_say_only_what_can_be_told():
    """Each negative record has its sentence, each advice its text, and each dimension is of the party it is about."""
    for policy in policies():
        assert {entry.reason for entry in policy.negative} <= set(PRECONDITIONS)
        assert {item.advice for item in policy.item} - {None} <= set(ADVICE)
        social = {feature.name for feature in features(Party.SOCIAL)}
        for item in policy.item:
            assert (item.feature in social) == (item.dimension is Dimension.SOCIAL), item.feature


def test_each_party_is_asked_for_its_own_and_all_is_asked_for():
    policy = policies()[-1]
    asked = {party: policy.asked_of(party) for party in Party}
    for party, names in asked.items():
        assert set(names) <= {feature.name for feature in features(party)}
    assert sorted(name for names in asked.values() for name in names) == sorted(policy.features)
    assert {item.feature for item in policy.item} | {one.feature for one in policy.negative} == set(policy.features)
