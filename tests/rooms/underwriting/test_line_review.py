"""What a review makes of a line: in bounds, by steps, and nothing for a little."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.kit.money import Fen, RateE8
from grainline.lines import Line, LineState
from grainline.products import load_pack
from grainline.underwriting.deciding import Outcome, Verdict
from grainline.underwriting.line_review import Conduct, changed_enough, festival_fen, policies, policy_on, terms_after

PACK = load_pack(Path(__file__).parents[3] / "packs" / "weilidai.toml")
DAY = date(2027, 5, 2)
POLICY = policy_on(DAY)
GOOD = Conduct(on_time=6, early=0)
LINE = Line(
    1,
    "weilidai",
    LineState.OPEN,
    "new",
    Fen(1_000_000),
    Fen(0),
    Fen(0),
    Fen(1_000_000),
    RateE8(40_000),
    (),
    datetime(2026, 11, 2, tzinfo=UTC),
)


def approved(line_fen: int, rate_e8: int = 40_000, tier: str = "new") -> Outcome:
    return Outcome(
        Verdict.APPROVED, tier, line_fen, rate_e8, 90_000, 500, {}, ("small_payments",), ("line_by_risk",), {}, None, {}
    )


def after(outcome: Outcome, conduct: Conduct = GOOD, line: Line = LINE):
    return terms_after(POLICY, PACK, line, outcome, conduct, day=DAY)


def test_a_raise_goes_a_fifth_of_the_way_at_a_time_and_not_beyond_what_is_decided():
    assert after(approved(1_500_000)).own_fen == 1_200_000
    assert after(approved(1_100_000)).own_fen == 1_100_000
    assert after(approved(1_500_000)).reasons[0] == "paid_on_time"


@pytest.mark.parametrize(
    ("conduct", "why"),
    [
        (Conduct(2, 0), "too_few_payments"),
        (Conduct(6, 0, DAY - timedelta(days=59)), "raised_lately"),
    ],
)
def test_who_has_not_paid_often_enough_or_was_raised_lately_is_not_raised(conduct, why):
    found = after(approved(1_500_000), conduct)
    assert (found.own_fen, found.held_back) == (1_000_000, why)
    assert (
        after(approved(1_500_000), replace(conduct, on_time=6, raised_on=DAY - timedelta(days=60))).own_fen > 1_000_000
    )


def test_early_repayments_weigh_only_where_the_policy_says_so():
    early = Conduct(6, early=9)
    assert after(approved(1_500_000), early).own_fen == 1_200_000
    weighing = POLICY.model_copy(update={"early_repayments_weigh": True})
    found = terms_after(weighing, PACK, LINE, approved(1_500_000), early, day=DAY)
    assert (found.own_fen, found.held_back) == (1_000_000, "early_repayments")


@pytest.mark.parametrize(("decided", "then"), [(960_000, 1_000_000), (950_000, 950_000), (1_040_000, 1_000_000)])
def test_a_little_is_no_change(decided, then):
    assert after(approved(decided)).own_fen == then


def test_five_hundred_yuan_is_the_least_where_five_percent_are_less():
    small = replace(LINE, limit_fen=Fen(300_000))
    assert after(approved(260_000), line=small).own_fen == 300_000
    assert after(approved(250_000), line=small).own_fen == 250_000


@pytest.mark.parametrize(("decided", "then"), [(40_500, 40_000), (41_000, 41_000), (30_000, 30_000)])
def test_a_rate_floats_by_a_thousandth_of_a_percent_or_stays(decided, then):
    assert after(approved(1_000_000, decided)).rate_e8 == then


def test_a_rate_that_stays_stays_inside_the_new_tier():
    held = replace(LINE, rate_e8=RateE8(35_500))
    assert after(approved(5_000_000, 35_000, "prime"), line=held).rate_e8 == 35_000


@given(
    st.integers(5, 3_000).map(lambda steps: steps * 10_000),
    st.integers(5, 3_000).map(lambda steps: steps * 10_000),
    st.builds(Conduct, st.integers(0, 9), st.integers(0, 9), st.none() | st.dates(DAY - timedelta(99), DAY)),
    st.sampled_from(PACK.tier),
)
def test_whatever_is_decided_the_line_stays_in_bounds(own, decided, conduct, tier):
    rate = (tier.rate_min_e8 + tier.rate_max_e8) // 2
    line = replace(LINE, limit_fen=Fen(own), rate_e8=RateE8(60_000))
    found = after(approved(decided, rate, tier.code), conduct, line)
    assert min(own, decided) <= found.own_fen <= max(own, decided)
    assert found.own_fen * 10_000 <= own * (10_000 + POLICY.raise_max_e4)
    assert tier.rate_min_e8 <= found.rate_e8 <= tier.rate_max_e8
    assert found.own_fen == own or abs(found.own_fen - own) >= 50_000
    assert found.own_fen % PACK.line.step_fen == 0 or found.own_fen == own
    assert found.own_fen <= own or conduct.on_time >= POLICY.on_time_payments


def test_a_line_stays_within_the_products_and_the_borrowers_cap_with_what_raises_it_for_a_time():
    held = replace(LINE, limit_fen=Fen(28_000_000), temporary_fen=5_000_000)
    assert after(approved(30_000_000, 30_000, "prime"), line=held).own_fen == 25_000_000
    found = terms_after(POLICY, PACK, held, approved(30_000_000, 30_000, "prime"), GOOD, day=DAY, room_fen=20_005_000)
    assert (found.own_fen, found.reasons[-1]) == (15_000_000, "small_payments")
    none = terms_after(POLICY, PACK, held, approved(30_000_000, 30_000, "prime"), GOOD, day=DAY, room_fen=0)
    assert none.own_fen == PACK.line.min_fen


@pytest.mark.parametrize(("room", "then"), [(1_000_000, 1_000_000), (999_999, 990_000)])
def test_what_is_above_the_cap_is_lowered_however_little_it_is(room, then):
    assert terms_after(POLICY, PACK, LINE, approved(990_000), GOOD, day=DAY, room_fen=room).own_fen == then


def test_a_review_that_did_not_approve_has_no_terms():
    declined = replace(approved(0), result=Verdict.DECLINED, tier=None)
    with pytest.raises(ValueError, match="nothing was approved"):
        after(declined)


SAID = {"record": True, "overdue_days": 0, "owed_elsewhere_fen": 500_000, "card": {"paid_1": 3}}


@pytest.mark.parametrize(
    ("told", "enough"),
    [
        ({}, False),
        ({"owed_elsewhere_fen": 599_999}, False),
        ({"owed_elsewhere_fen": 400_000}, True),
        ({"overdue_days": 1}, True),
        ({"card": {"paid_1": 4}}, True),
    ],
)
def test_a_little_at_the_bureau_is_no_reason_to_decide_anew(told, enough):
    assert changed_enough(POLICY, SAID, SAID | told) is enough


def test_what_was_never_told_or_is_told_no_more_is_a_change():
    assert changed_enough(POLICY, None, SAID)
    assert changed_enough(POLICY, SAID, {"record": False})
    assert not changed_enough(POLICY, {"record": False}, {"record": False})


def test_a_festival_raises_by_its_share_within_its_most_the_products_and_the_borrowers_cap():
    [spring, *_] = POLICY.festival
    assert festival_fen(spring, PACK, LINE, GOOD, room_fen=10**9) == 200_000
    large = replace(LINE, limit_fen=Fen(20_000_000), available_fen=Fen(20_000_000))
    assert festival_fen(spring, PACK, large, GOOD, room_fen=10**9) == spring.max_fen
    assert festival_fen(spring, PACK, large, GOOD, room_fen=20_555_555) == 550_000
    assert festival_fen(spring, PACK, large, GOOD, room_fen=0) == 0
    full = replace(LINE, limit_fen=Fen(30_000_000))
    assert festival_fen(spring, PACK, full, GOOD, room_fen=10**9) == 0
    assert festival_fen(spring, PACK, LINE, Conduct(2, 0), room_fen=10**9) == 0


def test_a_festival_runs_from_its_first_day_until_the_day_that_is_no_longer_in_it():
    [spring, *_] = POLICY.festival
    assert not spring.runs_on(spring.from_on - timedelta(days=1))
    assert spring.runs_on(spring.from_on)
    assert spring.runs_on(spring.until_on - timedelta(days=1))
    assert not spring.runs_on(spring.until_on)


def test_policies_are_read_oldest_first():
    assert [one.since for one in policies()] == sorted(one.since for one in policies())
