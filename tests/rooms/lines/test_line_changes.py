"""A line's limit, rate and state change once under a key, are kept, and are told; what is in use is never lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

LIMIT, RATE = 5_000_000, 50_000
PRODUCT = "weilidai"
NOW = "2026-11-02T04:00Z"
numbers = count(1)


@pytest.fixture(scope="module")
def app(databases):
    with psycopg.connect(databases[1], autocommit=True) as connection:
        yield connection


def ask(connection, call, *given):
    marks = ", ".join(["%s"] * (len(given) + 2))
    whose = given[0]
    return connection.execute(f"select lines.{call}({marks})", (whose, PRODUCT, *given[1:], NOW)).fetchone()[0]


def open_line(connection, *, limit=LIMIT):
    member = next(numbers)
    assert ask(connection, "open", member, "prime", limit, RATE, '["x"]', "2027-05-02", "2026-12-02", None, "platform")
    return member


def set_terms(connection, member, key, limit, *, rate=RATE, tier="prime"):
    return ask(connection, "set_terms", member, key, limit, rate, tier, '["why"]', "words", None, "platform")


def freeze(connection, member, key, hold):
    return ask(connection, "freeze", member, key, hold, '["why"]', None, None, "platform")


def thaw(connection, member, key, *holds):
    return ask(connection, "thaw", member, key, list(holds), '["why"]', None, None, "platform")


def move(connection, how, member, fen):
    return connection.execute(f"select lines.{how}(%s, %s, %s)", (member, PRODUCT, fen)).fetchone()[0]


def row(connection, member, columns="limit_fen, used_fen, available_fen, overdrawn_fen"):
    return connection.execute(f"select {columns} from lines.lines where member_id = %s", (member,)).fetchone()


def history(connection, member):
    return connection.execute(
        "select kind, from_fen, to_fen, to_rate_e8, state from lines.changes where member_id = %s order by change_no",
        (member,),
    ).fetchall()


def told(connection, member):
    rows = connection.execute("select topic from kit.outbox where member_id = %s order by message_id", (member,))
    return [topic for (topic,) in rows]


def test_a_line_begins_its_history_when_it_is_opened_once(app):
    member = open_line(app)
    again = ask(app, "open", member, "new", 1, 1, "[]", "2027-05-02", "2026-12-02", None, "platform")
    assert again is False
    assert history(app, member) == [("opened", None, LIMIT, RATE, "open")]
    assert told(app, member) == []  # whoever opens it tells


def test_a_limit_rises_and_falls_once_under_a_key_and_is_told(app):
    member = open_line(app)
    assert set_terms(app, member, "a", 6_000_000)
    assert not set_terms(app, member, "a", 6_000_000)
    assert not set_terms(app, member, "a", 7_000_000)  # the key is known, whatever comes with it
    assert set_terms(app, member, "b", 4_000_000, rate=40_000)
    assert history(app, member)[1:] == [
        ("raised", LIMIT, 6_000_000, RATE, "open"),
        ("lowered", 6_000_000, 4_000_000, RATE, "open"),
        ("repriced", 4_000_000, 4_000_000, 40_000, "open"),
    ]
    assert told(app, member) == ["line.raised", "line.lowered", "line.repriced"]


def test_below_what_is_in_use_nothing_is_available_and_a_draw_keeps_what_it_reserved(app):
    member = open_line(app)
    move(app, "reserve", member, 2_000_000)
    move(app, "confirm", member, 2_000_000)
    move(app, "reserve", member, 1_000_000)
    assert set_terms(app, member, "a", 2_500_000)
    assert row(app, member) == (2_500_000, 2_000_000, -500_000, 500_000)
    assert move(app, "reserve", member, 100) == "line_exceeded"
    move(app, "release", member, 1_000_000)  # the draw failed
    assert row(app, member) == (2_500_000, 2_000_000, 500_000, 0)
    move(app, "restore", member, 2_000_000)
    assert row(app, member) == (2_500_000, 0, 2_500_000, 0)


def test_what_holds_a_line_is_let_go_of_one_by_one(app):
    member = open_line(app)
    assert freeze(app, member, "a", "review")
    assert not freeze(app, member, "b", "review")
    app.execute("select lines.set_overdue(%s, %s, true, %s)", (member, PRODUCT, NOW))
    assert row(app, member, "state, frozen_for, holds") == ("frozen", "overdue", ["review", "overdue"])
    app.execute("select lines.set_overdue(%s, %s, false, %s)", (member, PRODUCT, NOW))
    assert row(app, member, "state, frozen_for, holds") == ("frozen", "review", ["review"])
    assert thaw(app, member, "c", "review", "consent")
    assert row(app, member, "state, frozen_for, holds") == ("open", None, [])
    assert told(app, member) == ["line.frozen", "line.thawed"]  # an overdue loan is told as such
    asked = app.execute("select cause from lines.reviews where member_id = %s order by cause", (member,)).fetchall()
    assert asked == [("cured",), ("overdue",)]


def test_a_closed_line_changes_no_more_and_ones_own_is_closed_only_unused(app):
    member = open_line(app)
    move(app, "reserve", member, 100)
    assert ask(app, "close", member, "closed", True, '["member"]', "member") == "line_in_use"
    move(app, "release", member, 100)
    assert ask(app, "close", member, "closed", True, '["member"]', "member") is None
    assert ask(app, "close", member, "closed", True, '["member"]', "member") is None
    assert not set_terms(app, member, "a", 1)
    assert not freeze(app, member, "b", "operator")
    assert not thaw(app, member, "c", "operator")
    assert [kind for kind, *_ in history(app, member)] == ["opened", "closed"]


def test_a_temporary_raise_comes_on_top_and_goes_even_where_it_is_used(app):
    member = open_line(app)
    given = ("spring", 1_000_000, "2027-01-25", "2027-02-22", '["festival"]', "platform")
    assert ask(app, "raise_until", member, *given)
    assert not ask(app, "raise_until", member, *given)
    assert set_terms(app, member, "a", 5_500_000)  # the line's own limit moves beneath it
    assert row(app, member, "limit_fen, temporary_fen") == (6_500_000, 1_000_000)
    move(app, "reserve", member, 6_000_000)
    assert app.execute("select lines.return_due('2027-02-21', 10, %s)", (NOW,)).fetchone()[0] == 0
    assert app.execute("select lines.return_due('2027-02-22', 10, %s)", (NOW,)).fetchone()[0] == 1
    assert app.execute("select lines.return_due('2027-02-23', 10, %s)", (NOW,)).fetchone()[0] == 0
    assert row(app, member, "limit_fen, temporary_fen, available_fen, overdrawn_fen") == (
        5_500_000,
        0,
        -500_000,
        500_000,
    )
    assert told(app, member) == ["line.temporary", "line.raised", "line.returned"]


def test_a_change_waits_for_a_draw_in_flight_and_sees_what_it_took(app, databases):
    member = open_line(app)
    with psycopg.connect(databases[1]) as drawing, ThreadPoolExecutor(1) as other:
        assert move(drawing, "reserve", member, 4_000_000) is None  # not committed yet
        with psycopg.connect(databases[1], autocommit=True) as reviewing:
            lowering = other.submit(set_terms, reviewing, member, "a", 3_000_000)
            assert not threading.Event().wait(0.2)
            assert not lowering.done()
            drawing.commit()
            assert lowering.result(10)
    assert row(app, member, "limit_fen, reserved_fen, available_fen, overdrawn_fen") == (
        3_000_000,
        4_000_000,
        -1_000_000,
        1_000_000,
    )


def test_of_two_changes_at_once_under_one_key_one_is_made(app, databases):
    with ThreadPoolExecutor(2) as pool, psycopg.connect(databases[1]) as one, psycopg.connect(databases[1]) as other:
        for _ in range(10):
            member = open_line(app)
            start = threading.Barrier(2)

            def change(connection, member=member, start=start):
                start.wait(10)
                with connection.transaction():
                    return set_terms(connection, member, "review", 6_000_000)

            assert sorted(pool.map(change, (one, other))) == [False, True]
            assert [kind for kind, *_ in history(app, member)] == ["opened", "raised"]


def test_a_change_that_is_rolled_back_leaves_nothing(app, databases):
    member = open_line(app)
    with psycopg.connect(databases[1]) as connection:
        assert set_terms(connection, member, "a", 6_000_000)
        connection.rollback()
    assert history(app, member) == [("opened", None, LIMIT, RATE, "open")]
    assert told(app, member) == []
    assert set_terms(app, member, "a", 6_000_000)


def requests(connection, member):
    rows = connection.execute(
        "select key, done_at is null from lines.reviews where member_id = %s order by key", (member,)
    )
    return rows.fetchall()


def test_what_is_asked_again_while_it_is_open_takes_the_new_key(app):
    member = open_line(app)
    assert ask(app, "ask_review", member, "bureau/1", "bureau")
    assert not ask(app, "ask_review", member, "bureau/1", "bureau")
    assert ask(app, "ask_review", member, "bureau/2", "bureau")
    assert ask(app, "ask_review", member, "idle/1", "idle")
    assert requests(app, member) == [("bureau/2", True), ("idle/1", True)]


def test_what_is_asked_while_it_is_being_answered_stays_asked(app, databases):
    member = open_line(app)
    ask(app, "ask_review", member, "bureau/1", "bureau")
    with psycopg.connect(databases[1]) as answering, ThreadPoolExecutor(1) as other:
        answering.execute("select from lines.reviews where member_id = %s for update", (member,))
        with psycopg.connect(databases[1], autocommit=True) as again:
            asking = other.submit(ask, again, "ask_review", member, "bureau/2", "bureau")
            while not asking.done() and not app.execute("select 1 from pg_locks where not granted").fetchone():
                threading.Event().wait(0.01)
            answering.execute(
                "update lines.reviews set done_at = %s, try_at = null, result = 'kept' where member_id = %s",
                (NOW, member),
            )
            answering.commit()
            assert asking.result(10)
    assert requests(app, member) == [("bureau/1", False), ("bureau/2", True)]


def test_history_is_only_added_to(app):
    member = open_line(app)
    for change in ("update lines.changes set to_fen = 1", "delete from lines.changes"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute(f"{change} where member_id = %s", (member,))


def test_whatever_happens_a_line_is_what_its_history_and_its_use_say(app):
    class Life(RuleBasedStateMachine):
        @initialize(limit=st.integers(1, 2_000))
        def opens(self, limit):
            self.member = open_line(app, limit=limit)
            self.own, self.raises, self.reserved, self.used, self.holds = limit, {}, 0, 0, set()

        @rule(limit=st.integers(1, 2_000), key=st.integers())
        def is_set(self, limit, key):
            if set_terms(app, self.member, f"set/{key}", limit):
                self.own = limit

        @rule(code=st.sampled_from("abc"), fen=st.integers(1, 500))
        def is_raised(self, code, fen):
            given = (code, fen, "2027-01-01", "2027-02-01", "[]", "platform")
            new = not self.holds and code not in self.raises
            assert ask(app, "raise_until", self.member, *given) is new
            if new:
                self.raises[code] = fen

        @rule()
        def raises_end(self):
            app.execute("select lines.return_due('2027-02-01', 10000, %s)", (NOW,))
            self.raises = dict.fromkeys(self.raises, 0)

        @rule(hold=st.sampled_from(["review", "operator", "consent"]), on=st.booleans(), key=st.integers())
        def is_held(self, hold, on, key):
            done = (freeze if on else thaw)(app, self.member, f"hold/{key}", hold)
            if done:
                (self.holds.add if on else self.holds.discard)(hold)

        @rule(fen=st.integers(1, 1_500))
        def draws(self, fen):
            if move(app, "reserve", self.member, fen) is None:
                assert not self.holds
                assert fen <= self.own + sum(self.raises.values()) - self.reserved - self.used
                self.reserved += fen

        @rule(how=st.sampled_from(["confirm", "release", "restore"]), share=st.integers(1, 4))
        def moves_on(self, how, share):
            fen = (self.used if how == "restore" else self.reserved) // share
            if fen:
                move(app, how, self.member, fen)
                self.reserved -= fen if how != "restore" else 0
                self.used += {"confirm": fen, "release": 0, "restore": -fen}[how]

        @invariant()
        def adds_up(self):
            limit = self.own + sum(self.raises.values())
            over = max(0, self.used + self.reserved - limit)
            columns = "limit_fen, used_fen, reserved_fen, overdrawn_fen, state"
            state = "frozen" if self.holds else "open"
            assert row(app, self.member, columns) == (limit, self.used, self.reserved, over, state)
            assert history(app, self.member)[-1][2] == limit

    run_state_machine_as_test(Life, settings=settings(max_examples=20, stateful_step_count=25, deadline=None))
