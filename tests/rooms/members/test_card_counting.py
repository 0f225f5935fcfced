"""The count of card checks against a plain model: however right, wrong and silent ones follow each other."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from grainline.kit.calendar import business_date
from grainline.members.model import (
    CardChecks,
    CardChecksLocked,
    count_card_check,
    right_card_check,
    uncount_card_check,
)

START = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
checks = st.tuples(st.sampled_from(["right", "wrong", "silent"]), st.integers(0, 30 * 3600))


@given(st.lists(checks, max_size=60))
def test_nobody_is_wrong_four_times_within_a_lock_or_checks_eleven_times_a_day(steps):
    now, state = START, None
    wrong_in_row = 0
    locked_until: datetime | None = None
    answered: dict[object, int] = {}
    for answer, pause_s in steps:
        now += timedelta(seconds=pause_s)
        today = business_date(now)
        try:
            counted = count_card_check(state, now=now, today=today)
        except CardChecksLocked:
            assert locked_until is not None
            assert now < locked_until
            continue
        assert locked_until is None or now >= locked_until
        if locked_until is not None:
            # a day's lock that has ended starts both counts anew
            wrong_in_row, locked_until, answered[today] = 0, None, 0
        if answer == "silent":
            state = uncount_card_check(counted)
            continue
        answered[today] = answered.get(today, 0) + 1
        wrong_in_row = wrong_in_row + 1 if answer == "wrong" else 0
        state = counted if answer == "wrong" else right_card_check(counted)
        if wrong_in_row == 3 or answered[today] == 10:
            locked_until = now + timedelta(hours=24)
        assert (state.checks_today, state.wrong_in_row) == (answered[today], wrong_in_row)
        assert state.locked_until == locked_until


def test_silence_takes_back_its_own_check_only():
    before = CardChecks(business_date(START), 4, 1, None)
    counted = count_card_check(before, now=START, today=business_date(START))
    assert uncount_card_check(counted) == before
