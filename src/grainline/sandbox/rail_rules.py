"""What the simulated rail does with an order: pure. Money only moves between two accounts of its books."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

HOUSE = "house"
TRANSIT = "transit"  # taken from the payer, not yet given to the payee
OUTSIDE = "outside"  # where opening balances come from: the one account that may be negative

Direction = Literal["payout", "collection"]
Status = Literal["processing", "succeeded", "failed"]

UNTIL_RELEASED = -1


@dataclass(frozen=True)
class Account:
    """An account of the rail's books, in fen."""

    name: str
    balance_fen: int
    frozen: bool


@dataclass(frozen=True)
class Move:
    """Money going from one account to another, in positive fen."""

    source: str
    target: str
    amount_fen: int


@dataclass(frozen=True)
class Request:
    """An order as it was asked for."""

    direction: Direction
    key: str
    agreement: str
    amount_fen: int


@dataclass(frozen=True)
class Order:
    """An order and how far it has come.

    `asks_left` is None for an ordinary order, the number of questions still answered "processing" for a held
    one, or UNTIL_RELEASED.
    """

    request: Request
    status: Status
    placed_at: datetime
    settles_at: datetime
    reason: str | None = None
    settled_at: datetime | None = None
    asks_left: int | None = None


@dataclass(frozen=True)
class Circumstances:
    """What an order meets on arrival; `reject` and `asks_left` come from faults."""

    house: Account
    card: Account | None
    now: datetime
    delay_s: int = 0
    reject: str | None = None
    asks_left: int | None = None


def accept(request: Request, met: Circumstances) -> tuple[Order, tuple[Move, ...]]:
    """Take an order: failed at once for a reason, or processing with the payer's money in transit."""
    reason = met.reject or _objection(request, met)
    if reason is not None:
        return Order(request, "failed", met.now, met.now, reason=reason), ()
    order = Order(request, "processing", met.now, met.now + timedelta(seconds=met.delay_s), asks_left=met.asks_left)
    source = HOUSE if request.direction == "payout" else request.agreement
    return order, (Move(source, TRANSIT, request.amount_fen),)


def is_due(order: Order, now: datetime) -> bool:
    """Tell whether a processing order may settle."""
    return order.status == "processing" and order.asks_left is None and order.settles_at <= now


def settle(order: Order, now: datetime) -> tuple[Order, tuple[Move, ...]]:
    """Give the money in transit to the payee; raise ValueError when the order is not due."""
    if not is_due(order, now):
        raise ValueError(f"order {order.request.key} is not due")
    target = order.request.agreement if order.request.direction == "payout" else HOUSE
    # settles_at, not now: when the clock jumps a month the money still arrived when it was due.
    settled = replace(order, status="succeeded", settled_at=order.settles_at)
    return settled, (Move(TRANSIT, target, order.request.amount_fen),)


def ask(order: Order) -> Order:
    """Count a question about a held order; after the last one it may settle."""
    if order.asks_left is None or order.asks_left == UNTIL_RELEASED:
        return order
    return replace(order, asks_left=order.asks_left - 1 if order.asks_left > 0 else None)


def release(order: Order, now: datetime) -> Order:
    """Let a held order go; it settles no earlier than now."""
    return replace(order, asks_left=None, settles_at=max(order.settles_at, now))


def shown(order: Order) -> dict[str, str | int | None]:
    """Show an order as the rail's clients see it, on asking and in callbacks."""
    return {
        "direction": order.request.direction,
        "key": order.request.key,
        "amount_fen": order.request.amount_fen,
        "status": order.status,
        "reason": order.reason,
        "settled_at": order.settled_at.isoformat() if order.settled_at else None,
    }


def not_found(direction: Direction, key: str) -> dict[str, str | int | None]:
    """Show that there is no order of this key."""
    return {
        "direction": direction,
        "key": key,
        "amount_fen": None,
        "status": "not_found",
        "reason": None,
        "settled_at": None,
    }


def callback(order: Order, *, contradictory: bool, now: datetime) -> str:
    """Write the callback for a final order, or one that says the opposite of the truth."""
    told = order
    if contradictory and order.status == "succeeded":
        told = replace(order, status="failed", reason="reversed", settled_at=None)
    elif contradictory:
        told = replace(order, status="succeeded", reason=None, settled_at=now)
    return json.dumps(shown(told), ensure_ascii=False)


def _objection(request: Request, met: Circumstances) -> str | None:
    """Say why the order cannot be carried out, or None."""
    if met.card is None:
        return "unknown_agreement"
    if met.card.frozen:
        return "account_frozen"
    payer = met.house if request.direction == "payout" else met.card
    if payer.balance_fen < request.amount_fen:
        return "house_insufficient_funds" if payer is met.house else "insufficient_funds"
    return None
