"""One draw is at most 40,000 and a Shanghai day's draws at most 100,000: the database says so, whoever asks."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import count

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.entry.wiring import read_pack
from grainline.guard import DrawAboveMaximum, DrawBelowMinimum, DrawNotAMultiple, check_amount
from grainline.kit.errors import Refusal

MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)
PACK = read_pack()
YUAN = 100
members = count(1)


@pytest.fixture(scope="module")
def app(databases):
    with psycopg.connect(databases[1], autocommit=True) as connection:
        yield connection


def count_draw(connection, member_id, yuan, *, day=MONDAY):
    return connection.execute(
        "select guard.count_draw(%s, 'weilidai', %s, %s)", (member_id, day, int(yuan * YUAN))
    ).fetchone()[0]


def drawn(connection, member_id, *, day=MONDAY):
    row = connection.execute(
        "select amount_fen from guard.day_draws where member_id = %s and drawn_on = %s", (member_id, day)
    ).fetchone()
    return row[0] // YUAN if row else 0


@pytest.mark.parametrize(
    ("yuan", "refusal"),
    [
        (0, DrawBelowMinimum),
        (-100, DrawBelowMinimum),
        (99.99, DrawBelowMinimum),
        (150, DrawNotAMultiple),
        (39_999, DrawNotAMultiple),
        (40_100, DrawAboveMaximum),
        (10_000_000, DrawAboveMaximum),
    ],
)
def test_an_amount_no_draw_may_have_is_refused_early_and_by_the_database(app, yuan, refusal):
    with pytest.raises(refusal):
        check_amount(PACK, int(yuan * YUAN))
    member_id = next(members)
    assert count_draw(app, member_id, yuan) == refusal.code
    assert drawn(app, member_id) == 0


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.integers(-(10**6), 10**7), st.integers(-5, 405).map(lambda hundreds: hundreds * 10_000)))
def test_the_early_check_and_the_database_agree_on_every_amount(app, fen):
    try:
        check_amount(PACK, fen)
        early = None
    except Refusal as refused:
        early = refused.code
    assert count_draw(app, next(members), fen / YUAN) == early


def test_a_days_draws_fill_up_to_the_limit_and_not_beyond(app):
    member_id = next(members)
    assert [count_draw(app, member_id, yuan) for yuan in (40_000, 40_000, 40_000, 20_000, 100)] == [
        None,
        None,
        "day_limit_reached",  # 120,000
        None,  # 100,000 to the yuan
        "day_limit_reached",
    ]
    assert drawn(app, member_id) == 100_000


def test_the_next_day_is_a_new_day_and_every_member_has_their_own(app):
    member_id = next(members)
    for yuan in (40_000, 40_000, 20_000):
        count_draw(app, member_id, yuan)
    assert count_draw(app, member_id, 100) == "day_limit_reached"
    assert count_draw(app, member_id, 40_000, day=TUESDAY) is None
    assert count_draw(app, next(members), 40_000) is None
    assert (drawn(app, member_id), drawn(app, member_id, day=TUESDAY)) == (100_000, 40_000)


def test_a_failed_draw_is_given_back_to_the_day_it_was_drawn_on(app):
    member_id = next(members)
    for day in (MONDAY, TUESDAY):
        count_draw(app, member_id, 40_000, day=day)
    app.execute("select guard.uncount_draw(%s, 'weilidai', %s, %s)", (member_id, MONDAY, 4_000_000))
    assert (drawn(app, member_id), drawn(app, member_id, day=TUESDAY)) == (0, 40_000)


def test_more_cannot_be_given_back_than_was_drawn(app):
    member_id = next(members)
    count_draw(app, member_id, 100)
    with pytest.raises(psycopg.errors.CheckViolation):
        app.execute("select guard.uncount_draw(%s, 'weilidai', %s, %s)", (member_id, MONDAY, 20_000))


def test_eight_draws_at_once_never_pass_the_days_limit(app, databases):
    """Eight times 40,000 at one moment: two are counted. With 10,000 each, five times from each hand: ten are."""
    for yuan, times, counted in ((40_000, 1, 2), (10_000, 5, 10)):
        member_id = next(members)
        start = threading.Barrier(8)

        def draw(_, member_id=member_id, start=start, yuan=yuan, times=times):
            with psycopg.connect(databases[1], autocommit=True) as connection:
                start.wait(10)
                return [count_draw(connection, member_id, yuan) for _ in range(times)]

        with ThreadPoolExecutor(8) as pool:
            said = [word for words in pool.map(draw, range(8)) for word in words]
        assert said.count(None) == counted
        assert said.count("day_limit_reached") == 8 * times - counted
        assert drawn(app, member_id) == counted * yuan


def test_the_table_itself_refuses_more_than_its_day_allows(app):
    member_id = next(members)
    count_draw(app, member_id, 40_000)
    with pytest.raises(psycopg.errors.CheckViolation):
        app.execute("update guard.day_draws set amount_fen = 10000001 where member_id = %s", (member_id,))


@pytest.mark.parametrize(
    "attempt",
    [
        "update guard.limits set draw_max_fen = 1000000000",
        "insert into guard.limits values ('mine', 1, 1, 1000000000, 1000000000)",
        "delete from guard.limits",
        "delete from guard.day_draws",
    ],
)
def test_the_application_cannot_change_the_limits_or_forget_a_draw(app, attempt):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute(attempt)


def test_the_database_holds_what_the_pack_says(app):
    assert app.execute("select * from guard.limits where product = 'weilidai'").fetchone() == (
        "weilidai",
        PACK.draw.min_fen,
        PACK.draw.step_fen,
        PACK.draw.max_fen,
        PACK.draw.day_max_fen,
    )


def test_a_draw_with_a_product_that_has_no_limits_is_an_error_not_a_pass(app):
    with pytest.raises(psycopg.errors.NoDataFound):
        app.execute("select guard.count_draw(1, 'unknown', %s, 10000)", (MONDAY,))
