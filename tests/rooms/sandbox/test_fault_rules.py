"""Faults strike as set, and the same way for the same seed."""

from hypothesis import given
from hypothesis import strategies as st

from grainline.sandbox.fault_rules import Fault, Mode, Name, Partner, draw


def strikes(fault: Fault, *, times: int, seed: int = 1) -> list[bool]:
    struck = []
    for _ in range(times):
        hit, fault = draw(fault, seed=seed)
        struck.append(hit)
    return struck


def test_off_never_strikes():
    assert not any(strikes(Fault(Partner.RAIL, Name.DOWN), times=100))


@given(st.integers(1, 20))
def test_the_next_n_strike_and_then_no_more(count):
    fault = Fault(Partner.RAIL, Name.SLOW, mode=Mode.NEXT, count=count)
    assert strikes(fault, times=count + 5) == [True] * count + [False] * 5


@given(st.floats(0.05, 0.95), st.integers(0, 2**32))
def test_a_probability_strikes_about_as_often_as_it_says_and_repeats_for_a_seed(probability, seed):
    fault = Fault(Partner.RAIL, Name.REJECT, mode=Mode.PROBABILITY, probability=probability)
    struck = strikes(fault, times=1000, seed=seed)
    # Six standard deviations of a binomial over 1,000 are at most 95.
    assert abs(sum(struck) - 1000 * probability) < 95
    assert struck == strikes(fault, times=1000, seed=seed)


def test_one_is_always_and_another_fault_is_another_sequence():
    always = Fault(Partner.RAIL, Name.DOWN, mode=Mode.PROBABILITY, probability=1.0)
    assert all(strikes(always, times=200))
    half = Fault(Partner.RAIL, Name.SLOW, mode=Mode.PROBABILITY, probability=0.5)
    other = Fault(Partner.RAIL, Name.REJECT, mode=Mode.PROBABILITY, probability=0.5)
    assert strikes(half, times=64) != strikes(other, times=64)
    assert strikes(half, times=64) != strikes(half, times=64, seed=2)
