"""How well points tell who defaults, on a handful of people counted by hand."""

from dataclasses import replace
from itertools import repeat

import numpy as np
import pytest
from people_judged import MONTH, POLICY, people, person

from grainline.invitation.judging import hold_against
from grainline.invitation.outcomes import Way, judge

ONE = judge(POLICY, people(person()), MONTH, {})[0]


def of(total_e2, *, invited, dimensions=(5_000, 5_000, 5_000, 5_000)):
    return replace(ONE, total_e2=total_e2, way=Way.DIRECTED if invited else None, dimensions_e2=dimensions)


def test_auc_and_rates_by_hand():
    """Of six pairs of a good and a bad one, four are in order, one is level, one is the wrong way round: 4.5 / 6."""
    judged = [of(9_000, invited=True), of(7_000, invited=True), of(4_000, invited=False)]
    judged += [of(7_000, invited=True), of(3_000, invited=False)]
    bad = np.array([False, False, False, True, True])
    found = hold_against(judged, bad)
    assert (found.people, found.invited) == (5, 3)
    assert found.auc == 0.75
    assert (found.bad_rate_invited, found.bad_rate_rest, found.bad_rate_all) == (0.3333, 0.5, 0.4)
    assert found.gini_by_dimension == dict(
        zip(("social", "consumption", "assets", "credit"), repeat(0.0), strict=False)
    )


def test_gini_of_a_dimension_is_of_those_who_are_scored_on_it():
    judged = [of(9_000, invited=True, dimensions=(social, 1, 9, 5)) for social in (9, None, 1, None)]
    found = hold_against(judged, np.array([False, False, True, True]))
    assert found.gini_by_dimension["social"] == 1.0
    assert found.gini_by_dimension["assets"] == 0.0


def test_what_nothing_can_be_told_of_is_none():
    judged = [of(5_000, invited=True, dimensions=(None, 1, 2, 3))] * 2
    found = hold_against(judged, np.array([True, False]))
    assert (found.bad_rate_rest, found.gini_by_dimension["social"]) == (None, None)
    found = hold_against([replace(one, way=None) for one in judged], np.array([True, False]))
    assert (found.bad_rate_invited, found.bad_rate_rest) == (None, 0.5)


@pytest.mark.parametrize("bad", [[True, True], [False, False], []])
def test_nobody_or_everybody_defaulted_tells_nothing(bad):
    with pytest.raises(ValueError, match="nothing to hold the points against"):
        hold_against([of(5_000, invited=True)] * len(bad), np.array(bad, dtype=np.bool_))
