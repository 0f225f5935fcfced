"""Every feature of every party, held against plain Python on whatever lists of events Hypothesis finds."""

import math
from datetime import timedelta

import plain_features
import pytest
from event_lists import MOMENT, frame, lives
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grainline.behaviour import Party, compute, features


def differing(mine: dict[str, float | None], theirs: dict[str, float | None]) -> list[str]:
    """Report features that are not the same to 1e-9, nulls included."""
    return [
        f"{name}: {mine[name]}, by hand {right}"
        for name, right in theirs.items()
        if (mine[name] is None) != (right is None)
        or (right is not None and not math.isclose(mine[name], right, rel_tol=1e-9, abs_tol=1e-9))
    ]


@pytest.mark.parametrize("party", Party)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_features_are_what_plain_python_says(party, data):
    events = data.draw(lives(party))
    known_by = MOMENT + timedelta(hours=data.draw(st.sampled_from((0, 50, 10_000))))
    found = compute(frame(events), party=party, as_of=MOMENT, known_by=known_by)
    for mine in found.iter_rows(named=True):
        own = [one for one in events if one["resident"] == mine["resident"]]
        right = plain_features.tell(own, features(party), as_of=MOMENT, known_by=known_by)
        assert not differing(mine, right)
    seen = {one["resident"] for one in events if one["at"] < MOMENT and one["ingested_at"] <= known_by}
    assert found["resident"].to_list() == sorted(seen)


def test_a_difference_is_found():
    assert (
        differing({"a": 1.0, "b": None, "c": 2.0, "d": 0.0}, {"a": 1.0, "b": None, "c": 2.0 + 1e-6, "d": None})[0][0]
        == "c"
    )
    assert len(differing({"a": None}, {"a": 0.0})) == 1
