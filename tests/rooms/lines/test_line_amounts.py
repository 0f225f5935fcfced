"""A line's money is available, reserved or used, and it is never in two places or in none."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

LIMIT = 5_000_000
PRODUCT = "weilidai"
numbers = count(1)


@pytest.fixture(scope="module")
def app(databases):
    with psycopg.connect(databases[1], autocommit=True) as connection:
        yield connection


def open_line(connection, *, limit_fen=LIMIT):
    member_id = next(numbers)
    connection.execute(
        "insert into lines.lines (member_id, product, state, tier, limit_fen, rate_e8, reasons, opened_at)"
        " values (%s, %s, 'open', 'prime', %s, 50000, '[]', '2026-11-02T04:00Z')",
        (member_id, PRODUCT, limit_fen),
    )
    return member_id


def move(connection, how, member_id, fen):
    """Call lines.reserve, confirm, release or restore; return what it said."""
    return connection.execute(f"select lines.{how}(%s, %s, %s)", (member_id, PRODUCT, fen)).fetchone()[0]


def amounts(connection, member_id):
    """Return limit, reserved, used, available."""
    return connection.execute(
        "select limit_fen, reserved_fen, used_fen, available_fen from lines.lines where member_id = %s", (member_id,)
    ).fetchone()


def set_state(connection, member_id, state):
    connection.execute("update lines.lines set state = %s where member_id = %s", (state, member_id))


def test_a_draw_reserves_uses_and_gives_back(app):
    member_id = open_line(app)
    assert move(app, "reserve", member_id, 1_000_000) is None
    assert amounts(app, member_id) == (LIMIT, 1_000_000, 0, 4_000_000)
    move(app, "confirm", member_id, 1_000_000)
    assert amounts(app, member_id) == (LIMIT, 0, 1_000_000, 4_000_000)
    move(app, "restore", member_id, 200_000)
    assert amounts(app, member_id) == (LIMIT, 0, 800_000, 4_200_000)


def test_a_failed_draw_gives_its_reservation_back(app):
    member_id = open_line(app)
    move(app, "reserve", member_id, 1_000_000)
    move(app, "release", member_id, 1_000_000)
    assert amounts(app, member_id) == (LIMIT, 0, 0, LIMIT)


def test_the_last_fen_may_be_drawn_and_not_one_more(app):
    member_id = open_line(app)
    assert move(app, "reserve", member_id, LIMIT + 1) == "line_exceeded"
    assert move(app, "reserve", member_id, LIMIT) is None
    assert move(app, "reserve", member_id, 1) == "line_exceeded"
    assert amounts(app, member_id) == (LIMIT, LIMIT, 0, 0)


def test_who_has_no_line_can_reserve_nothing(app):
    assert move(app, "reserve", next(numbers), 100) == "no_line"


@pytest.mark.parametrize("state", ["frozen", "closed"])
def test_a_frozen_or_closed_line_takes_no_draw_but_ends_what_was_begun(app, state):
    member_id = open_line(app)
    move(app, "reserve", member_id, 300)
    set_state(app, member_id, state)
    assert move(app, "reserve", member_id, 100) == "line_not_open"
    move(app, "confirm", member_id, 200)
    move(app, "release", member_id, 100)
    move(app, "restore", member_id, 50)
    assert amounts(app, member_id) == (LIMIT, 0, 150, LIMIT - 150)


@pytest.mark.parametrize("how", ["confirm", "release", "restore"])
def test_what_was_not_reserved_or_used_cannot_be_moved(app, how):
    member_id = open_line(app)
    with pytest.raises(psycopg.errors.CheckViolation):
        move(app, how, member_id, 1)
    assert amounts(app, member_id) == (LIMIT, 0, 0, LIMIT)


@pytest.mark.parametrize(
    "change",
    ["used_fen = limit_fen + 1", "reserved_fen = limit_fen + 1", "used_fen = -1", "reserved_fen = -1", "limit_fen = 0"],
)
def test_the_table_itself_refuses_a_line_that_does_not_add_up(app, change):
    member_id = open_line(app)
    with pytest.raises(psycopg.errors.CheckViolation):
        app.execute(f"update lines.lines set {change} where member_id = %s", (member_id,))


def test_a_line_cannot_be_cut_below_what_is_in_use(app):
    member_id = open_line(app)
    move(app, "reserve", member_id, 1_000)
    with pytest.raises(psycopg.errors.CheckViolation):
        app.execute("update lines.lines set limit_fen = 999 where member_id = %s", (member_id,))


def test_what_is_available_cannot_be_written_only_computed(app):
    member_id = open_line(app)
    with pytest.raises(psycopg.errors.GeneratedAlways):
        app.execute("update lines.lines set available_fen = 10 where member_id = %s", (member_id,))


def test_of_two_draws_racing_for_one_line_one_is_refused(app, databases):
    """Each wants 30,000 of 50,000; ten times over, to give the race its chance."""
    with ThreadPoolExecutor(2) as pool, psycopg.connect(databases[1]) as one, psycopg.connect(databases[1]) as other:
        for _ in range(10):
            member_id = open_line(app)
            start = threading.Barrier(2)

            def draw(connection, member_id=member_id, start=start):
                start.wait(10)
                with connection.transaction():
                    return move(connection, "reserve", member_id, 3_000_000)

            assert sorted(pool.map(draw, (one, other)), key=str) == [None, "line_exceeded"]
            assert amounts(app, member_id) == (LIMIT, 3_000_000, 0, 2_000_000)


def test_eight_hands_use_up_a_line_to_the_fen(app, databases):
    member_id = open_line(app, limit_fen=1_000)
    start = threading.Barrier(8)

    def draw(_):
        with psycopg.connect(databases[1], autocommit=True) as connection:
            start.wait(10)
            return [move(connection, "reserve", member_id, 30) for _ in range(10)]

    with ThreadPoolExecutor(8) as pool:
        said = [word for words in pool.map(draw, range(8)) for word in words]
    assert said.count(None) == 33
    assert said.count("line_exceeded") == 80 - 33
    assert amounts(app, member_id) == (1_000, 990, 0, 10)


def test_a_lines_life_equals_three_numbers(app):
    """Whatever is called in whatever order, the line is what three integers and the rules in words are."""

    class Life(RuleBasedStateMachine):
        @initialize(limit=st.integers(1, 2_000))
        def opens(self, limit):
            self.member_id = open_line(app, limit_fen=limit)
            self.limit, self.reserved, self.used, self.state = limit, 0, 0, "open"

        @rule(state=st.sampled_from(["open", "open", "frozen", "closed"]))
        def is_set(self, state):
            set_state(app, self.member_id, state)
            self.state = state

        @rule(fen=st.integers(1, 1_500))
        def reserves(self, fen):
            said = move(app, "reserve", self.member_id, fen)
            if self.state != "open":
                assert said == "line_not_open"
            elif fen > self.limit - self.reserved - self.used:
                assert said == "line_exceeded"
            else:
                assert said is None
                self.reserved += fen

        @rule(how=st.sampled_from(["confirm", "release", "restore"]), fen=st.integers(1, 1_500))
        def moves_on(self, how, fen):
            there = self.used if how == "restore" else self.reserved
            if fen > there:
                with pytest.raises(psycopg.errors.CheckViolation):
                    move(app, how, self.member_id, fen)
                return
            move(app, how, self.member_id, fen)
            self.reserved -= fen if how != "restore" else 0
            self.used += {"confirm": fen, "release": 0, "restore": -fen}[how]

        @invariant()
        def adds_up(self):
            limit, reserved, used, available = amounts(app, self.member_id)
            assert (limit, reserved, used) == (self.limit, self.reserved, self.used)
            assert limit == reserved + used + available
            assert available >= 0

    run_state_machine_as_test(Life, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))
