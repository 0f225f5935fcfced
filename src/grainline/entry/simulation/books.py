"""What a simulation reads of the database: the loans people see, what is to be counted, and the digest of the books.

The digest says the same of two sets of books that say the same of everybody's money. It is the SHA-256 of a canonical
dump: what each loan's journals of one kind and value date put on each account, events, loans, lines, draws, repayments
and balances, by member and loan. In what order and at what instant something was booked, under which key and number,
and how often the rail was asked, is not in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, LiteralString
from uuid import UUID

from grainline.kit.db import Tx

DUMP: dict[str, LiteralString] = {
    "journals": """
        select j.member_id, j.kind, j.value_on, e.account, e.sub, sum(e.amount_fen)
        from ledger.journals j join ledger.entries e using (member_id, journal_no)
        group by 1, 2, 3, 4, 5 having sum(e.amount_fen) <> 0 order by 1, 2, 3, 4, 5""",
    "balances": """
        select member_id, account, sub, balance_fen from ledger.balances where balance_fen <> 0 order by 1, 2, 3""",
    "loans": """
        select member_id, loan_id, product, rules, amount_fen, rate_e8, instalments, started_on, principal_fen, due_fen,
            next_due_on, late_since, charged_off_on, written_off_on, settled_on from loans.loans order by 1, 2""",
    "events": """
        select e.member_id, e.loan_id, e.kind, e.value_on, e.amount_fen, e.component, e.share_e4, e.until_on,
            e.instalments, e.prepayment, r.kind, r.value_on, r.amount_fen
        from loans.events e left join loans.events r
            on r.member_id = e.member_id and r.loan_id = e.loan_id and r.event_no = e.reverses
        order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13""",
    "lines": """
        select member_id, product, state, frozen_for, limit_fen, reserved_fen, used_fen, overdrawn_fen
        from lines.lines order by 1, 2""",
    "draws": """
        select member_id, draw_id, product, state, amount_fen, drawn_on, failure from loans.draws order by 1, 2""",
    "repayments": """
        select member_id, loan_id, kind, value_on, state, amount_fen, failure, count(*)
        from loans.repayments group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2, 3, 4, 5, 6, 7""",
    "days": "select product, day, accrued_fen, penalty_fen, loans from loans.closed_days order by 1, 2",
    "periods": "select ends_on from ledger.closed_periods order by 1",
}
COUNTS: LiteralString = """
    select 'draws', '', count(*) from loans.draws union all
    select 'draws_failed', '', count(*) from loans.draws where state = 'failed' union all
    select 'loans', '', count(*) from loans.loans union all
    select 'settled', '', count(*) from loans.loans where settled_on is not null union all
    select 'overdue', '', count(*) from loans.loans where late_since is not null and written_off_on is null union all
    select 'charged_off', '', count(*) from loans.loans where charged_off_on is not null union all
    select 'written_off', '', count(*) from loans.loans where written_off_on is not null union all
    select 'repayments', state, count(*) from loans.repayments group by state union all
    select 'events', kind, count(*) from loans.events group by kind union all
    select 'journals', '', count(*) from ledger.journals union all
    select 'periods', '', count(*) from ledger.closed_periods union all
    select 'faults_survived', '', (select count(*) from loans.draws where attempts > 1)
        + (select count(*) from loans.repayments where attempts > 1)
"""
LOANS: LiteralString = """
    select l.member_id, l.loan_id, l.product, l.started_on, l.principal_fen, l.late_since, l.charged_off_on,
        l.written_off_on, l.settled_on, coalesce(-b.balance_fen, 0)
    from loans.loans l
    left join ledger.balances b on b.member_id = l.member_id and b.account = '2241' and b.sub = l.loan_id
    order by l.member_id, l.loan_id
"""
RAIL: LiteralString = """
    select count(*) filter (where kind = 'payout'), coalesce(sum(amount_fen) filter (where kind = 'payout'), 0),
        count(*) filter (where kind = 'collection'), coalesce(sum(amount_fen) filter (where kind = 'collection'), 0)
    from (select 'payout' as kind, amount_fen from loans.draws where state = 'paid'
        union all select 'payout', amount_fen from loans.refunds where state = 'paid'
        union all select 'collection', amount_fen from loans.repayments where state = 'collected') as moved
"""


@dataclass(frozen=True)
class LoanSeen:
    """A loan as whoever decides about it sees it, with what is held in suspense, in fen."""

    member_id: int
    loan_id: UUID
    product: str
    started_on: date
    principal_fen: int
    late_since: date | None
    charged_off_on: date | None
    written_off_on: date | None
    settled_on: date | None
    suspense_fen: int


async def digest(tx: Tx) -> str:
    """Return the digest of the books, in hex."""
    found = sha256()
    for name, question in DUMP.items():
        found.update(name.encode())
        async for row in await tx.execute(question):
            found.update(repr(tuple(map(str, row))).encode())
    return found.hexdigest()


async def loans_seen(tx: Tx) -> list[LoanSeen]:
    """List all loans, by member and loan."""
    return [LoanSeen(*row) for row in await (await tx.execute(LOANS)).fetchall()]


async def counts(tx: Tx) -> dict[str, Any]:
    """Count what has happened; repayments and events by state and kind."""
    found: dict[str, Any] = {"repayments": {}, "events": {}}
    for name, part, count in await (await tx.execute(COUNTS)).fetchall():
        if part:
            found[name][part] = count
        else:
            found[name] = count
    return found


async def waiting(tx: Tx) -> set[int]:
    """Return the members with a draw that the rail has not decided yet."""
    cursor = await tx.execute("select distinct member_id from loans.draws where state in ('reserved', 'sent')")
    return {row[0] for row in await cursor.fetchall()}


async def against_rail(tx: Tx, rail: Mapping[str, object]) -> list[str]:
    """Return where the number or sum of what the rail moved is not what we have recorded of it."""
    row = await (await tx.execute(RAIL)).fetchone()
    names = ("payouts", "payouts_fen", "collections", "collections_fen")
    ours = dict(zip(names, map(int, row or ()), strict=True))
    return [f"{name}: {rail[name]} at the rail, {ours[name]} here" for name in names if rail[name] != ours[name]]
