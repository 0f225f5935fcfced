"""A book as the application's role holds it: connections, members with fresh accounts, the posting calls."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import count
from uuid import UUID

import psycopg

NOW = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
DAY = date(2026, 11, 2)
SUBS = [UUID(int=number) for number in range(1, 4)]

CLEARING, PRINCIPAL, INTEREST, HELD, PAYABLE, INCOME = "1002", "1301", "1302", "1303", "2202", "6011"

_members = count(1)


@dataclass(frozen=True)
class Posting:
    """A journal as it is asked for: lines are (account, sub, signed fen)."""

    member_id: int
    key: str
    lines: tuple[tuple[str, UUID, int], ...]
    kind: str = "test"


def lent(member_id: int, fen: int, *, key: str = "lend", sub: UUID = SUBS[0]) -> Posting:
    """The plainest journal: principal against clearing."""
    return Posting(member_id, key, ((PRINCIPAL, sub, fen), (CLEARING, sub, -fen)))


def post(connection: psycopg.Connection, posting: Posting) -> int:
    accounts, subs, amounts = ([line[place] for line in posting.lines] for place in range(3))
    return connection.execute(
        "select ledger.post(%s, %s, %s, %s, %s, %s::text[], %s::uuid[], %s::bigint[])",
        (posting.member_id, posting.key, posting.kind, DAY, NOW, accounts, subs, amounts),
    ).fetchone()[0]


def post_batch(connection: psycopg.Connection, postings: list[Posting]) -> int:
    lines = [(number, *line) for number, posting in enumerate(postings, 1) for line in posting.lines]
    journals, accounts, subs, amounts = ([line[place] for line in lines] for place in range(4))
    return connection.execute(
        "select ledger.post_batch(%s::bigint[], %s::text[], %s::text[], %s::date[], %s, %s::int[], %s::text[],"
        " %s::uuid[], %s::bigint[])",
        (
            [posting.member_id for posting in postings],
            [posting.key for posting in postings],
            [posting.kind for posting in postings],
            [DAY] * len(postings),
            NOW,
            journals,
            accounts,
            subs,
            amounts,
        ),
    ).fetchone()[0]


@dataclass
class Book:
    """One connection of the app's role and what it can read of the book."""

    connection: psycopg.Connection
    app_url: str
    owner_url: str

    def member(self) -> int:
        """A member nobody has posted under."""
        return next(_members)

    def post(self, posting: Posting) -> int:
        return post(self.connection, posting)

    def post_batch(self, postings: list[Posting]) -> int:
        return post_batch(self.connection, postings)

    def rows(self, sql: str, *params: object) -> list[tuple]:
        return self.connection.execute(sql, params).fetchall()

    def value(self, sql: str, *params: object):
        return self.connection.execute(sql, params).fetchone()[0]

    def balances(self, member_id: int) -> dict[tuple[str, UUID], int]:
        found = self.rows("select account, sub, balance_fen from ledger.balances where member_id = %s", member_id)
        return {(account, sub): fen for account, sub, fen in found}

    def statement(self, member_id: int) -> dict[tuple[str, UUID], list[tuple[str, int, int | None]]]:
        """Every account of a member: its entries in order, as (journal's key, amount, balance after)."""
        found: dict = {}
        for account, sub, *entry in self.rows(
            "select e.account, e.sub, j.idempotency_key, e.amount_fen, e.balance_after_fen from ledger.entries e"
            " join ledger.journals j using (member_id, journal_no) where member_id = %s order by e.entry_no",
            member_id,
        ):
            found.setdefault((account, sub), []).append(tuple(entry))
        return found

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.app_url, autocommit=True)
