"""The rail's rules: whatever is ordered, in whatever order, no fen comes or goes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.sandbox.rail_rules import (
    HOUSE,
    OUTSIDE,
    TRANSIT,
    UNTIL_RELEASED,
    Account,
    Circumstances,
    Request,
    accept,
    ask,
    callback,
    is_due,
    release,
    settle,
    shown,
)

NOW = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)
CARDS = ("AG1", "AG2", "AG3")

placing = st.tuples(
    st.just("place"),
    st.sampled_from(("payout", "collection")),
    st.sampled_from((*CARDS, "nobody")),
    st.integers(1, 5_000),
    st.sampled_from((None, "rejected")),
    st.sampled_from((None, 1, 2, UNTIL_RELEASED)),
)
passing = st.tuples(st.just("pass"), st.integers(0, 4_000))
asking = st.tuples(st.just("ask"), st.integers(0, 30))
releasing = st.tuples(st.just("release"), st.integers(0, 30))


class Town:
    """A tiny rail in memory: what the store does, with a dictionary."""

    def __init__(self) -> None:
        self.now = NOW
        self.balances = {HOUSE: 20_000, TRANSIT: 0, OUTSIDE: -20_000 - 3 * 3_000} | dict.fromkeys(CARDS, 3_000)
        self.frozen = {"AG3"}
        self.orders = []

    def account(self, name):
        if name not in self.balances:
            return None
        return Account(name, self.balances[name], name in self.frozen)

    def carry_out(self, moves) -> None:
        for move in moves:
            assert move.amount_fen > 0
            self.balances[move.source] -= move.amount_fen
            self.balances[move.target] += move.amount_fen

    def place(self, direction, agreement, amount_fen, reject, asks_left) -> None:
        met = Circumstances(
            house=self.account(HOUSE),
            card=self.account(agreement),
            now=self.now,
            delay_s=1_000,
            reject=reject,
            asks_left=asks_left,
        )
        order, moves = accept(Request(direction, f"k{len(self.orders)}", agreement, amount_fen), met)
        assert (order.status == "failed") == (not moves)
        self.carry_out(moves)
        self.orders.append(order)

    def settle_all(self) -> None:
        for index, order in enumerate(self.orders):
            if is_due(order, self.now):
                self.orders[index], moves = settle(order, self.now)
                self.carry_out(moves)

    def change(self, index, step) -> None:
        if self.orders:
            self.orders[index % len(self.orders)] = step(self.orders[index % len(self.orders)])

    def check(self) -> None:
        assert sum(self.balances.values()) == 0
        assert all(balance >= 0 for name, balance in self.balances.items() if name != OUTSIDE)
        on_the_way = sum(order.request.amount_fen for order in self.orders if order.status == "processing")
        assert self.balances[TRANSIT] == on_the_way
        done = [order.request for order in self.orders if order.status == "succeeded"]
        for card in CARDS:
            placed = [
                order.request for order in self.orders if order.request.agreement == card and order.status != "failed"
            ]
            came = sum(r.amount_fen for r in done if r.agreement == card and r.direction == "payout")
            went = sum(r.amount_fen for r in placed if r.direction == "collection")
            assert self.balances[card] == 3_000 + came - went


@given(st.lists(st.one_of(placing, passing, asking, releasing), max_size=40))
def test_money_is_conserved_and_no_balance_falls_below_zero(steps):
    town = Town()
    for kind, *rest in steps:
        match kind:
            case "place":
                town.place(*rest)
            case "pass":
                town.now += timedelta(seconds=rest[0])
                town.settle_all()
            case "ask":
                town.change(rest[0], ask)
            case "release":
                town.change(rest[0], lambda order: release(order, town.now))
        town.check()
    for index, order in enumerate(town.orders):
        town.orders[index] = release(order, town.now)
    town.now += timedelta(seconds=1_000)
    town.settle_all()
    town.check()
    assert town.balances[TRANSIT] == 0


def an_order(*, asks_left=None, delay_s=0, reject=None):
    met = Circumstances(
        house=Account(HOUSE, 1_000, False),
        card=Account("AG1", 1_000, False),
        now=NOW,
        delay_s=delay_s,
        reject=reject,
        asks_left=asks_left,
    )
    return accept(Request("payout", "k", "AG1", 400), met)[0]


def test_an_order_settles_at_its_time_even_when_looked_at_much_later():
    order = an_order(delay_s=60)
    assert not is_due(order, NOW + timedelta(seconds=59))
    settled, _ = settle(order, NOW + timedelta(days=31))
    assert settled.settled_at == NOW + timedelta(seconds=60)


def test_an_order_settles_once():
    settled, _ = settle(an_order(), NOW)
    with pytest.raises(ValueError, match="not due"):
        settle(settled, NOW)


def test_a_held_order_counts_questions_and_then_may_settle():
    order = an_order(asks_left=2)
    for expected in (1, 0, None):
        assert not is_due(order, NOW)
        order = ask(order)
        assert order.asks_left == expected
    assert is_due(order, NOW)
    assert ask(order) == order


def test_an_order_held_until_released_does_not_mind_questions():
    order = an_order(asks_left=UNTIL_RELEASED)
    for _ in range(100):
        order = ask(order)
    assert not is_due(order, NOW + timedelta(days=99))
    assert is_due(release(order, NOW), NOW)


def test_a_released_order_settles_no_earlier_than_it_was_released():
    hour = timedelta(hours=1)
    held = an_order(asks_left=UNTIL_RELEASED)
    assert settle(release(held, NOW + hour), NOW + 2 * hour)[0].settled_at == NOW + hour
    early = an_order(asks_left=UNTIL_RELEASED, delay_s=7200)
    assert not is_due(release(early, NOW + hour), NOW + hour)


def test_a_contradictory_callback_says_the_opposite_of_what_is_shown():
    settled, _ = settle(an_order(), NOW)
    failed = an_order(reject="limit_exceeded")
    for order, lie in ((settled, "failed"), (failed, "succeeded")):
        assert json.loads(callback(order, contradictory=False, now=NOW)) == shown(order)
        told = json.loads(callback(order, contradictory=True, now=NOW))
        assert told["status"] == lie
        assert (told["reason"] is None) == (lie == "succeeded")
        assert (told["settled_at"] is None) == (lie == "failed")
