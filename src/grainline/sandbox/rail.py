"""The simulated rail's use cases: place, ask, settle, release; each is one transaction on its own books."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from grainline.sandbox import rail_store, store
from grainline.sandbox.context import Answered, Sandbox, strike
from grainline.sandbox.fault_rules import Fault, Name, Partner
from grainline.sandbox.rail_rules import (
    HOUSE,
    OUTSIDE,
    UNTIL_RELEASED,
    Account,
    Circumstances,
    Direction,
    Move,
    Order,
    Request,
    accept,
    ask,
    callback,
    is_due,
    release,
    settle,
)
from grainline.sandbox.settings import SandboxSettings
from grainline.sandbox.store import Tx

SETTLE_AT_ONCE_MAX = 200


@dataclass(frozen=True)
class Placed:
    """An order just placed and how its answer travels; no order when the request was lost."""

    order: Order | None
    answer_lost: bool = False
    wait_s: int = 0


def place(sandbox: Sandbox, request: Request) -> Placed:
    """Take an order, or give the one already taken under its key.

    Raises Answered (409) when the key belongs to an order of other content.
    """
    now, settings = sandbox.clock(), sandbox.settings
    with sandbox.store.transaction() as tx:
        if _struck(tx, Name.LOST_REQUEST, settings):
            return Placed(None)
        order = rail_store.order(tx, request.direction, request.key)
        if order is None:
            order = _accept(tx, request, settings, now)
        elif order.request != request:
            raise Answered(409, "key_conflict", "another order was placed under this key")
        else:
            order = _settle_if_due(tx, order, settings, now)
        lost = _struck(tx, Name.LOST_ANSWER, settings)
        slow = _struck(tx, Name.SLOW, settings)
    return Placed(order, answer_lost=lost is not None, wait_s=slow.delay_s if slow else 0)


def asked(sandbox: Sandbox, direction: Direction, key: str) -> Order | None:
    """Return the order of this key as it now stands, or None when none was ever taken."""
    now = sandbox.clock()
    with sandbox.store.transaction() as tx:
        found = rail_store.order(tx, direction, key)
        if found is None:
            return None
        counted = ask(found)
        if counted != found:
            rail_store.save_order(tx, counted)
        return _settle_if_due(tx, counted, sandbox.settings, now)


def settle_due(sandbox: Sandbox) -> int:
    """Settle orders whose time has come and return how many."""
    now = sandbox.clock()
    with sandbox.store.transaction() as tx:
        due = rail_store.due_orders(tx, now=now, count=SETTLE_AT_ONCE_MAX)
        for order in due:
            _settle_if_due(tx, order, sandbox.settings, now)
    return len(due)


def release_held(sandbox: Sandbox) -> int:
    """Let go every order that a fault keeps in processing, and return how many."""
    now = sandbox.clock()
    with sandbox.store.transaction() as tx:
        held = rail_store.held_orders(tx)
        for order in held:
            let_go = release(order, now)
            rail_store.save_order(tx, let_go)
            _settle_if_due(tx, let_go, sandbox.settings, now)
    return len(held)


def set_account(sandbox: Sandbox, name: str, *, balance_fen: int | None, frozen: bool | None) -> Account | None:
    """Give an account another balance (the difference moves to or from outside), freeze or thaw it.

    Returns the account, or None when there is none.
    """
    now = sandbox.clock()
    with sandbox.store.transaction() as tx:
        before = rail_store.account(tx, name)
        if before is None:
            return None
        if balance_fen is not None and balance_fen != before.balance_fen:
            difference = balance_fen - before.balance_fen
            ends = (OUTSIDE, name) if difference > 0 else (name, OUTSIDE)
            rail_store.apply_moves(tx, [Move(*ends, abs(difference))], memo="set by hand", now=now)
        if frozen is not None:
            rail_store.set_frozen(tx, name, frozen)
        return rail_store.account(tx, name)


def _accept(tx: Tx, request: Request, settings: SandboxSettings, now: datetime) -> Order:
    house = rail_store.account(tx, HOUSE)
    if house is None:
        raise LookupError("the rail has no house account: the town was never seeded")
    reject = _struck(tx, Name.REJECT, settings)
    hold = _struck(tx, Name.STAYS_PROCESSING, settings)
    met = Circumstances(
        house=house,
        card=rail_store.account(tx, request.agreement) if store.is_usable(tx, request.agreement) else None,
        now=now,
        delay_s=settings.settlement_delay_s,
        reject=reject.reason if reject else None,
        asks_left=None if hold is None else UNTIL_RELEASED if hold.asks is None else hold.asks,
    )
    order, moves = accept(request, met)
    rail_store.apply_moves(tx, moves, memo=f"{request.direction} {request.key}", now=now)
    rail_store.save_order(tx, order)
    if order.status == "failed":
        _call_back(tx, order, settings, now)
    return _settle_if_due(tx, order, settings, now)


def _settle_if_due(tx: Tx, order: Order, settings: SandboxSettings, now: datetime) -> Order:
    if not is_due(order, now):
        return order
    settled, moves = settle(order, now)
    rail_store.apply_moves(tx, moves, memo=f"{order.request.direction} {order.request.key}", now=now)
    rail_store.save_order(tx, settled)
    _call_back(tx, settled, settings, now)
    return settled


def _call_back(tx: Tx, order: Order, settings: SandboxSettings, now: datetime) -> None:
    """Queue what the platform will be told of a final order, with the faults that strike the telling."""
    if settings.callback_url is None:
        return
    contradictory = _struck(tx, Name.CONTRADICTORY_CALLBACK, settings)
    late = _struck(tx, Name.LATE_CALLBACK, settings)
    twice = _struck(tx, Name.DUPLICATE_CALLBACK, settings)
    body = callback(order, contradictory=contradictory is not None, now=now)
    try_at = now + timedelta(seconds=late.delay_s if late else 0)
    for _ in range(2 if twice else 1):
        rail_store.queue_callback(tx, body, try_at=try_at)


def _struck(tx: Tx, name: Name, settings: SandboxSettings) -> Fault | None:
    return strike(tx, Partner.RAIL, name, seed=settings.fault_seed)
