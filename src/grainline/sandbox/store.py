"""The sandbox's SQLite file: residents, cards, messages, faults. (The rail's tables: `rail_store`.)

One connection, one transaction at a time: a simulator needs to be right after kill -9, not to be parallel.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from grainline.sandbox.fault_rules import Fault, Mode, Name, Partner

Tx = sqlite3.Connection
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Papers:
    """A resident and their card, as the partners know them."""

    number: int
    phone: str
    name: str
    national_id: str
    born_on: str
    bank: str
    card_number: str
    agreement: str
    closed: bool
    signed: bool


@dataclass(frozen=True)
class Message:
    """A text message that arrived."""

    message_id: int
    key: str
    phone: str
    text: str
    received_at: datetime


class Store:
    """Opens the file, making it at the first use, and hands out transactions."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = Lock()
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10)
        self._connection.execute("pragma journal_mode = wal")
        # FULL: a commit is on the disk before the rail says that it took an order.
        self._connection.execute("pragma synchronous = full")
        self._connection.execute("pragma foreign_keys = on")
        self._connection.executescript(Path(__file__).with_name("schema.sql").read_text("utf-8"))

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Open a transaction: committed at the end, rolled back on an exception."""
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def to_us(instant: datetime) -> int:
    """Write an aware instant as microseconds since 1970."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_us(count: int) -> datetime:
    """Read an instant (UTC)."""
    return EPOCH + timedelta(microseconds=count)


PAPERS = (
    "select r.number, r.phone, r.name, r.national_id, r.born_on, r.bank, c.card_number, c.agreement,"
    " c.closed, c.signed_at is not null from resident r join card c on c.resident_number = r.number"
)


def count_residents(tx: Tx) -> int:
    """Return how many people live in the town."""
    return int(tx.execute("select count(*) from resident").fetchone()[0])


def known_numbers(tx: Tx) -> set[int]:
    """Return the numbers of all residents."""
    return {number for (number,) in tx.execute("select number from resident")}


def add_residents(tx: Tx, rows: Sequence[tuple[int, str, str, str, str, str]]) -> None:
    """Add (number, phone, name, national id, birth date, bank) rows."""
    tx.executemany("insert into resident values (?, ?, ?, ?, ?, ?)", rows)


def add_cards(tx: Tx, rows: Sequence[tuple[str, int, str]]) -> None:
    """Add (card number, resident number, agreement) rows."""
    tx.executemany("insert into card (card_number, resident_number, agreement) values (?, ?, ?)", rows)


def name_of(tx: Tx, national_id: str) -> str | None:
    """Return whose id this is, or None."""
    row = tx.execute("select name from resident where national_id = ?", (national_id,)).fetchone()
    return row[0] if row else None


def papers_by_phone(tx: Tx, phone: str) -> Papers | None:
    """Return the resident with this phone, or None."""
    return _papers(tx.execute(f"{PAPERS} where r.phone = ?", (phone,)).fetchone())


def papers_by_card(tx: Tx, card_number: str) -> Papers | None:
    """Return the holder of this card, or None."""
    return _papers(tx.execute(f"{PAPERS} where c.card_number = ?", (card_number,)).fetchone())


def sign_agreement(tx: Tx, card_number: str, *, now: datetime) -> None:
    """Note that the card's agreement is signed; the first time stands."""
    tx.execute("update card set signed_at = ? where card_number = ? and signed_at is null", (to_us(now), card_number))


def set_closed(tx: Tx, card_number: str, closed: bool) -> None:
    """Close a card or open it again."""
    tx.execute("update card set closed = ? where card_number = ?", (int(closed), card_number))


def is_usable(tx: Tx, agreement: str) -> bool:
    """Tell whether the agreement is signed and its card open."""
    row = tx.execute(
        "select 1 from card where agreement = ? and signed_at is not null and closed = 0", (agreement,)
    ).fetchone()
    return row is not None


def message_by_key(tx: Tx, key: str) -> Message | None:
    """Return the message sent under this key, or None."""
    row = tx.execute("select message_id, key, phone, text, received_at from message where key = ?", (key,)).fetchone()
    return _message(row) if row else None


def add_message(tx: Tx, *, key: str, phone: str, text: str, now: datetime) -> None:
    """Put a message in the inbox."""
    tx.execute(
        "insert into message (key, phone, text, received_at) values (?, ?, ?, ?)",
        (key, phone, text, to_us(now)),
    )


def messages(tx: Tx, *, phone: str | None, count: int) -> list[Message]:
    """Return the newest messages first, of one phone or of all."""
    rows = tx.execute(
        "select message_id, key, phone, text, received_at from message"
        " where ?1 is null or phone = ?1 order by message_id desc limit ?2",
        (phone, count),
    )
    return [_message(row) for row in rows]


def fault(tx: Tx, partner: Partner, name: Name) -> Fault:
    """Return a fault's setting; off when it was never set."""
    row = tx.execute(
        "select mode, probability, count, asks, reason, delay_s, draws from fault where partner = ? and name = ?",
        (partner, name),
    ).fetchone()
    return Fault(partner, name, Mode(row[0]), *row[1:]) if row else Fault(partner, name)


def save_fault(tx: Tx, setting: Fault) -> None:
    """Keep a fault's setting."""
    tx.execute(
        "insert or replace into fault (partner, name, mode, probability, count, asks, reason, delay_s, draws)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            setting.partner,
            setting.name,
            setting.mode,
            setting.probability,
            setting.count,
            setting.asks,
            setting.reason,
            setting.delay_s,
            setting.draws,
        ),
    )


def _papers(row: Sequence[str | int] | None) -> Papers | None:
    if row is None:
        return None
    return Papers(
        number=int(row[0]),
        phone=str(row[1]),
        name=str(row[2]),
        national_id=str(row[3]),
        born_on=str(row[4]),
        bank=str(row[5]),
        card_number=str(row[6]),
        agreement=str(row[7]),
        closed=bool(row[8]),
        signed=bool(row[9]),
    )


def _message(row: tuple[int, str, str, str, int]) -> Message:
    return Message(row[0], row[1], row[2], row[3], from_us(row[4]))
