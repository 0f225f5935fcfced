"""The rail's tables: accounts, moves, orders, callbacks on their way."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from grainline.sandbox.rail_rules import OUTSIDE, Account, Direction, Move, Order, Request, Status
from grainline.sandbox.store import Tx, from_us, to_us

ORDER = (
    "select direction, key, agreement, amount_fen, status, placed_at, settles_at,"
    " reason, settled_at, asks_left from rail_order"
)


@dataclass(frozen=True)
class Delivery:
    """A callback to be posted."""

    callback_id: int
    body: str
    attempts: int


@dataclass(frozen=True)
class Totals:
    """What the rail has done, in fen and in number of orders."""

    payouts: int
    payouts_fen: int
    collections: int
    collections_fen: int
    processing: int
    failed: int


def open_accounts(tx: Tx, openings: Sequence[tuple[str, int]], *, now: datetime) -> None:
    """Open accounts that are not there yet, each with its opening balance in fen from outside."""
    known = {name for (name,) in tx.execute("select name from account")}
    new = [(name, amount_fen) for name, amount_fen in openings if name not in known]
    tx.executemany("insert into account (name, balance_fen) values (?, ?)", new)
    given = [(name, amount_fen) for name, amount_fen in new if amount_fen > 0]
    tx.execute(
        "update account set balance_fen = balance_fen - ? where name = ?",
        (sum(amount_fen for _, amount_fen in given), OUTSIDE),
    )
    tx.executemany(
        "insert into move (source, target, amount_fen, memo, moved_at) values (?, ?, ?, 'opening', ?)",
        [(OUTSIDE, name, amount_fen, to_us(now)) for name, amount_fen in given],
    )


def account(tx: Tx, name: str) -> Account | None:
    """Return an account, or None."""
    row = tx.execute("select name, balance_fen, frozen from account where name = ?", (name,)).fetchone()
    return Account(row[0], row[1], bool(row[2])) if row else None


def set_frozen(tx: Tx, name: str, frozen: bool) -> None:
    """Freeze an account or thaw it."""
    tx.execute("update account set frozen = ? where name = ?", (int(frozen), name))


def apply_moves(tx: Tx, moves: Iterable[Move], *, memo: str, now: datetime) -> None:
    """Carry out moves: both balances and the record of each. A missing account is a broken invariant."""
    for move in moves:
        for name, delta in ((move.source, -move.amount_fen), (move.target, move.amount_fen)):
            changed = tx.execute("update account set balance_fen = balance_fen + ? where name = ?", (delta, name))
            if changed.rowcount != 1:
                raise LookupError(f"the rail has no account {name}")
        tx.execute(
            "insert into move (source, target, amount_fen, memo, moved_at) values (?, ?, ?, ?, ?)",
            (move.source, move.target, move.amount_fen, memo, to_us(now)),
        )


def imbalances(tx: Tx) -> list[str]:
    """Return the accounts whose balance is not the sum of their moves; "total" when money came or went."""
    rows = tx.execute(
        "select a.name from account a left join ("
        " select name, sum(delta) as balance_fen from ("
        "  select target as name, amount_fen as delta from move"
        "  union all select source, -amount_fen from move) group by name"
        " ) m on m.name = a.name where a.balance_fen <> coalesce(m.balance_fen, 0) order by a.name"
    )
    wrong = [name for (name,) in rows]
    total = tx.execute("select coalesce(sum(balance_fen), 0) from account").fetchone()[0]
    return [*wrong, "total"] if total else wrong


def order(tx: Tx, direction: Direction, key: str) -> Order | None:
    """Return the order of this key, or None."""
    row = tx.execute(f"{ORDER} where direction = ? and key = ?", (direction, key)).fetchone()
    return _order(row) if row else None


def orders_of(tx: Tx, agreement: str, *, count: int) -> list[Order]:
    """Return the newest orders under an agreement first."""
    rows = tx.execute(f"{ORDER} where agreement = ? order by placed_at desc, key limit ?", (agreement, count))
    return [_order(row) for row in rows]


def due_orders(tx: Tx, *, now: datetime, count: int) -> list[Order]:
    """Return processing orders that may settle."""
    rows = tx.execute(
        f"{ORDER} where status = 'processing' and asks_left is null and settles_at <= ? order by settles_at limit ?",
        (to_us(now), count),
    )
    return [_order(row) for row in rows]


def held_orders(tx: Tx) -> list[Order]:
    """Return the orders that a fault keeps in processing."""
    return [_order(row) for row in tx.execute(f"{ORDER} where status = 'processing' and asks_left is not null")]


def save_order(tx: Tx, saved: Order) -> None:
    """Write an order as it now is."""
    tx.execute(
        "insert or replace into rail_order (direction, key, agreement, amount_fen, status, placed_at,"
        " settles_at, reason, settled_at, asks_left) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            saved.request.direction,
            saved.request.key,
            saved.request.agreement,
            saved.request.amount_fen,
            saved.status,
            to_us(saved.placed_at),
            to_us(saved.settles_at),
            saved.reason,
            None if saved.settled_at is None else to_us(saved.settled_at),
            saved.asks_left,
        ),
    )


def totals(tx: Tx) -> Totals:
    """Count what the rail has done."""
    row = tx.execute(
        "select"
        " count(*) filter (where status = 'succeeded' and direction = 'payout'),"
        " coalesce(sum(amount_fen) filter (where status = 'succeeded' and direction = 'payout'), 0),"
        " count(*) filter (where status = 'succeeded' and direction = 'collection'),"
        " coalesce(sum(amount_fen) filter (where status = 'succeeded' and direction = 'collection'), 0),"
        " count(*) filter (where status = 'processing'),"
        " count(*) filter (where status = 'failed') from rail_order"
    ).fetchone()
    return Totals(*row)


def queue_callback(tx: Tx, body: str, *, try_at: datetime) -> None:
    """Put a callback in the queue."""
    tx.execute("insert into callback (body, try_at) values (?, ?)", (body, to_us(try_at)))


def due_callbacks(tx: Tx, *, now: datetime, count: int) -> list[Delivery]:
    """Return callbacks that should be posted now."""
    rows = tx.execute(
        "select callback_id, body, attempts from callback where state = 'waiting' and try_at <= ?"
        " order by try_at, callback_id limit ?",
        (to_us(now), count),
    )
    return [Delivery(*row) for row in rows]


def callback_states(tx: Tx) -> dict[str, int]:
    """Count callbacks by state."""
    return dict(tx.execute("select state, count(*) from callback group by state").fetchall())


def mark_delivered(tx: Tx, delivery: Delivery) -> None:
    """Note that a callback was taken."""
    tx.execute(
        "update callback set state = 'delivered', attempts = attempts + 1 where callback_id = ?",
        (delivery.callback_id,),
    )


def put_off(tx: Tx, delivery: Delivery, *, try_at: datetime | None) -> None:
    """Note a failed attempt: again at an instant, or given up when there is none."""
    tx.execute(
        "update callback set attempts = attempts + 1, try_at = coalesce(?, try_at), state = ? where callback_id = ?",
        (
            None if try_at is None else to_us(try_at),
            "given_up" if try_at is None else "waiting",
            delivery.callback_id,
        ),
    )


def _order(row: tuple[Direction, str, str, int, Status, int, int, str | None, int | None, int | None]) -> Order:
    direction, key, agreement, amount_fen, status, placed, settles, reason, settled, asks_left = row
    return Order(
        Request(direction, key, agreement, amount_fen),
        status,
        from_us(placed),
        from_us(settles),
        reason=reason,
        settled_at=None if settled is None else from_us(settled),
        asks_left=asks_left,
    )
