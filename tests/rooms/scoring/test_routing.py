"""Who is scored by which model: shares, stability, and what held at a moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.scoring.routing import NoChampion, Role, RoleChange, cast_of, route, slot_of

START = datetime(2026, 11, 1, tzinfo=UTC)
OLD, NEW, SHADOW = "a" * 64, "b" * 64, "c" * 64
CHAMPION = RoleChange(1, "weilidai", Role.CHAMPION, OLD, START, 0, True, START, "ann")
CHALLENGER = RoleChange(2, "weilidai", Role.CHALLENGER, NEW, START, 1_000, True, START, "ann")
LISTENER = RoleChange(3, "weilidai", Role.SHADOW, SHADOW, START, 0, True, START, "ann")
ALL = (CHAMPION, CHALLENGER, LISTENER)
PEOPLE = range(1, 40_001)


def chosen(changes: tuple[RoleChange, ...], *, product: str = "weilidai", as_of: datetime = START) -> set[int]:
    """Return whom the challenger decides for."""
    cast = cast_of(changes, product=product, as_of=as_of)
    routed = {person: route(cast, member_id=person, product=product, as_of=as_of) for person in PEOPLE}
    return {person for person, to in routed.items() if to.role is Role.CHALLENGER}


def test_a_challenger_has_its_share_of_members() -> None:
    # 10 % of 40,000 is 4,000; five standard deviations of a draw by lot are 300
    assert abs(len(chosen(ALL)) - 4_000) < 300
    assert not chosen((CHAMPION, LISTENER))
    assert chosen((CHAMPION, replace(CHALLENGER, share_e4=10_000))) == set(PEOPLE)


def test_a_larger_share_keeps_who_was_in_the_smaller() -> None:
    more = (*ALL, replace(CHALLENGER, change_id=4, share_e4=2_500, begins_at=START + timedelta(days=1)))
    assert chosen(ALL) < chosen(more, as_of=START + timedelta(days=2))


def test_products_draw_independently() -> None:
    here = chosen(ALL)
    there = chosen(tuple(replace(change, product="weiyedai") for change in ALL), product="weiyedai")
    # of 4,000 at the one about a tenth are at the other: 400, five standard deviations are 95
    assert abs(len(here & there) - 400) < 95


@given(st.integers(0, 2**63 - 1), st.text(max_size=40))
def test_a_member_stays_where_they_are(member_id: int, product: str) -> None:
    assert slot_of(member_id, product) == slot_of(member_id, product) in range(10_000)


def test_a_place_is_the_same_for_good() -> None:
    assert [slot_of(member, "weilidai") for member in (1, 2, 3)] == [6430, 158, 1480]


def test_shadows_score_beside_and_never_twice() -> None:
    both = (*ALL, replace(LISTENER, change_id=4, sha256=NEW))
    by_champion = next(person for person in PEOPLE if person not in chosen(both))
    by_challenger = min(chosen(both))
    assert route(both, member_id=by_champion, product="weilidai", as_of=START).shadows == (NEW, SHADOW)
    routed = route(both, member_id=by_challenger, product="weilidai", as_of=START)
    assert (routed.sha256, routed.shadows) == (NEW, (SHADOW,))


def test_what_held_at_a_moment_is_found_again() -> None:
    later = START + timedelta(days=30)
    changes = (
        *ALL,
        replace(CHAMPION, change_id=4, sha256=NEW, begins_at=later),
        replace(LISTENER, change_id=5, is_on=False, begins_at=later),
    )
    before = cast_of(changes, product="weilidai", as_of=later - timedelta(microseconds=1))
    assert (before.champion, before.challenger, before.shadows) == (OLD, NEW, (SHADOW,))
    # who became the champion challenges no longer
    after = cast_of(reversed(changes), product="weilidai", as_of=later)
    assert (after.champion, after.challenger, after.share_e4, after.shadows) == (NEW, None, 0, ())


def test_of_two_changes_of_one_moment_the_later_set_holds() -> None:
    again = replace(CHAMPION, change_id=9, sha256=NEW)
    assert cast_of((again, CHAMPION), product="weilidai", as_of=START).champion == NEW


def test_without_a_champion_nobody_is_scored() -> None:
    for changes, as_of in (((CHALLENGER,), START), (ALL, START - timedelta(seconds=1))):
        with pytest.raises(NoChampion):
            route(changes, member_id=1, product="weilidai", as_of=as_of)
    with pytest.raises(NoChampion):
        route(ALL, member_id=1, product="weiyedai", as_of=START)
