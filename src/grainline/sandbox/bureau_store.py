"""The bureau's tables: a record of each person, who asked about whom, and what changed since."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from grainline.sandbox.store import Tx, to_us


@dataclass(frozen=True)
class Record:
    """A person's record: six months of a card, and what is owed elsewhere in fen."""

    card: Mapping[str, int]
    open_loans: int
    owed_elsewhere_fen: int
    overdue_days: int


def add_records(tx: Tx, records: Sequence[tuple[int, Record]]) -> None:
    """Add the records of residents by number; one that is there stays."""
    tx.executemany(
        "insert or ignore into credit_record (resident_number, card, open_loans, owed_elsewhere_fen, overdue_days)"
        " values (?, ?, ?, ?, ?)",
        [
            (number, json.dumps(one.card, sort_keys=True), one.open_loans, one.owed_elsewhere_fen, one.overdue_days)
            for number, one in records
        ],
    )


def record_of(tx: Tx, *, name: str, national_id: str) -> tuple[int, Record] | None:
    """Return the number and record of the person with this name and id, or None."""
    row = tx.execute(
        "select r.number, c.card, c.open_loans, c.owed_elsewhere_fen, c.overdue_days from resident r"
        " join credit_record c on c.resident_number = r.number where r.national_id = ? and r.name = ?",
        (national_id, name),
    ).fetchone()
    return (int(row[0]), Record(json.loads(row[1]), *row[2:])) if row else None


def note_inquiry(tx: Tx, *, number: int, subject: str, consent: str, now: datetime) -> None:
    """Keep who was asked about, by which name, under which consent."""
    tx.execute(
        "insert into credit_inquiry (resident_number, subject, consent, asked_at) values (?, ?, ?, ?)",
        (number, subject, consent, to_us(now)),
    )


def change(tx: Tx, number: int, *, open_loans: int, owed_elsewhere_fen: int, overdue_days: int) -> bool:
    """Change what a person owes elsewhere, and note the change; tell whether there is such a record."""
    changed = tx.execute(
        "update credit_record set open_loans = ?, owed_elsewhere_fen = ?, overdue_days = ? where resident_number = ?",
        (open_loans, owed_elsewhere_fen, overdue_days, number),
    ).rowcount
    if changed:
        tx.execute("insert into credit_change (resident_number) values (?)", (number,))
    return bool(changed)


def changed_after(tx: Tx, after: int, *, count: int) -> tuple[list[str], int]:
    """Return the subjects whose record changed after a cursor, of those ever asked about, and the next cursor."""
    rows = tx.execute(
        "select change_id, resident_number from credit_change where change_id > ? order by change_id limit ?",
        (after, count),
    ).fetchall()
    numbers = sorted({int(number) for _, number in rows})
    subjects: set[str] = set()
    for number in numbers:
        found = tx.execute("select distinct subject from credit_inquiry where resident_number = ?", (number,))
        subjects |= {str(subject) for (subject,) in found}
    return sorted(subjects), int(rows[-1][0]) if rows else after
