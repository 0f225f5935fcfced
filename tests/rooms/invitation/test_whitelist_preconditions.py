"""What must hold before points count: each precondition alone, and what is not known."""

from datetime import date

import pytest
from people_judged import MONTH, POLICY, people, person, with_features

from grainline.behaviour import Party
from grainline.invitation.outcomes import judge
from grainline.invitation.preconditions import FACTS


def reasons_of(row):
    found = judge(POLICY, people(row), MONTH, {})[0]
    assert (found.way is None) == bool(found.reasons)
    return found.reasons


def test_sound_person_qualifies():
    assert reasons_of(person()) == []


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"real_name": False}, "no_real_name"),
        ({"real_name": None}, "no_real_name"),
        ({"born_on": date(2008, 12, 2)}, "under_age"),
        ({"born_on": None}, "under_age"),
        ({"student": True}, "student"),
        ({"student": None}, "student"),
        ({"card_bound": False}, "no_card"),
        ({"card_bound": None}, "no_card"),
        ({"card_bound": None, "willingness": None}, "no_card"),
    ],
)
def test_fact_that_is_wanting_or_not_known_stops(told, reason):
    assert reasons_of(person(**told)) == [reason]


@pytest.mark.parametrize("card_bound", [False, None])
def test_willingness_stands_for_a_card(card_bound):
    assert reasons_of(person(card_bound=card_bound, willingness=True)) == []
    assert reasons_of(person(card_bound=True, willingness=None)) == []


def test_eighteenth_birthday_on_the_first_of_the_month_is_in_time():
    assert reasons_of(person(born_on=date(2008, 12, 1))) == []
    assert reasons_of(person(born_on=date(2008, 12, 2))) == ["under_age"]


def test_who_is_born_in_a_leap_february_comes_of_age_in_march():
    row = person(born_on=date(2008, 2, 29))
    ages = {month: judge(POLICY, people(row), month, {})[0].reasons for month in (date(2026, 2, 1), date(2026, 3, 1))}
    assert ages == {date(2026, 2, 1): ["under_age"], date(2026, 3, 1): []}


@pytest.mark.parametrize("entry", POLICY.negative, ids=lambda entry: entry.reason)
def test_negative_record_stops_above_what_is_allowed_and_not_at_it(entry):
    assert reasons_of(with_features({entry.feature: entry.at_most})) == []
    assert reasons_of(with_features({entry.feature: None})) == []
    assert reasons_of(with_features({entry.feature: entry.at_most + 1})) == [entry.reason]


def test_social_record_of_who_withholds_the_consent_is_not_looked_at():
    social = [entry for entry in POLICY.negative if entry.feature in POLICY.asked_of(Party.SOCIAL)]
    assert {entry.reason for entry in social} == {"complaints_received", "abnormal_logins"}
    bad = {entry.feature: 1_000.0 for entry in social}
    assert set(reasons_of(with_features(bad))) == {"complaints_received", "abnormal_logins"}
    for consent in (False, None):
        assert reasons_of(with_features(bad, consent_social=consent)) == []


def test_all_that_is_wanting_is_told_in_a_fixed_order():
    row = with_features({"default.count.360d": 1}, **dict.fromkeys(FACTS))
    assert reasons_of(row) == ["no_real_name", "under_age", "student", "no_card", "default_recorded"]
