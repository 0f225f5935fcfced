"""What happens later, or is learned later, changes nothing that was told before."""

from datetime import timedelta

import pytest
from event_lists import MOMENT, event, frame, lives
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grainline.behaviour import Party, compute

QUIET = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.parametrize("party", Party)
@QUIET
@given(data=st.data())
def test_later_and_late_events_change_nothing(party, data):
    events = data.draw(lives(party))
    known_by = MOMENT + timedelta(hours=50)
    known = [one for one in events if one["at"] < MOMENT and one["ingested_at"] <= known_by]
    whole = compute(frame(events), party=party, as_of=MOMENT, known_by=known_by)
    assert whole.equals(compute(frame(known), party=party, as_of=MOMENT, known_by=known_by))


@pytest.mark.parametrize("party", Party)
@QUIET
@given(data=st.data())
def test_whoever_else_is_there_changes_nothing(party, data):
    events = data.draw(lives(party))
    moment = {"party": party, "as_of": MOMENT, "known_by": MOMENT}
    together = compute(frame(events), **moment)
    for resident in together["resident"]:
        alone = compute(frame(events).filter(resident=resident), **moment)
        assert alone.equals(together.filter(resident=resident))


def test_an_event_that_was_known_does_change_something():
    before = event("ride", MOMENT - timedelta(days=2), scene="bus")
    for more, rides in (("at", 1), ("known", 2)):
        another = event("ride", MOMENT if more == "at" else MOMENT - timedelta(days=1), scene="bus")
        found = compute(frame([before, another]), party=Party.PAYMENT, as_of=MOMENT, known_by=MOMENT)
        assert found["ride.count.30d"].to_list() == [rides]
