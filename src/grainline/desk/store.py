"""The questions of `verify`, in SQL: each row of an answer is a disagreement."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import LiteralString
from uuid import UUID

from grainline.kit.db import Tx
from grainline.kit.money import Fen
from grainline.loans import Repayment, Terms

Key = tuple[int, UUID]
Booked = dict[Key, tuple[int, int]]
Events = dict[Key, list[Repayment]]

COUNTS: LiteralString = """
    select 'journals', count(*) from ledger.journals union all
    select 'entries', count(*) from ledger.entries union all
    select 'balances', count(*) from ledger.balances union all
    select 'lines', count(*) from lines.lines union all
    select 'draws', count(*) from loans.draws union all
    select 'loans', count(*) from loans.loans
"""

# check, member, what
DISAGREEMENTS: tuple[LiteralString, ...] = (
    """
    select 'journal_balances', member_id, format('journal %s sums to %s over %s entries', journal_no, sum, lines)
    from (
        select j.member_id, j.journal_no, coalesce(sum(e.amount_fen), 0) as sum, count(e.account) as lines
        from ledger.journals j left join ledger.entries e using (member_id, journal_no)
        group by j.member_id, j.journal_no
    ) as sums where sum <> 0 or lines < 2
    """,
    """
    select 'balance_equals_entries', coalesce(b.member_id, e.member_id),
        format('account %s/%s has balance %s, entries %s', coalesce(b.account, e.account), coalesce(b.sub, e.sub),
            b.balance_fen, e.sum)
    from ledger.balances b full join (
        select e.member_id, e.account, e.sub, sum(e.amount_fen) as sum
        from ledger.entries e join ledger.accounts a on a.code = e.account and a.holder = 'member' group by 1, 2, 3
    ) as e on e.member_id = b.member_id and e.account = b.account and e.sub = b.sub
    where b.balance_fen is distinct from e.sum
    """,
    """
    select 'balance_after_entry', member_id, format('entry %s of %s/%s: balance after is %s, entries up to it %s',
        entry_no, account, sub, balance_after_fen, running)
    from (
        select e.*, sum(amount_fen) over (partition by member_id, account, sub order by entry_no) as running
        from ledger.entries e join ledger.accounts a on a.code = e.account and a.holder = 'member'
    ) as r where balance_after_fen is distinct from running
    """,
    """
    select 'house_equals_entries', 0, format('house account %s is rolled up to %s, entries give %s',
        account, balance_fen, sum)
    from (
        select h.account, h.balance_fen, coalesce((select sum(e.amount_fen) from ledger.entries e
            where e.account = h.account and e.entry_no <= h.through_entry), 0) as sum
        from ledger.house_balances h
    ) as sums where balance_fen <> sum
    """,
    """
    select 'books_balance', 0, format('all entries sum to %s', sum) from (
        select coalesce(sum(amount_fen), 0) as sum from ledger.entries) as total where sum <> 0
    """,
    """
    select 'line_adds_up', member_id, format('limit %s, reserved %s, used %s, available %s',
        limit_fen, reserved_fen, used_fen, available_fen)
    from lines.lines where used_fen + reserved_fen + available_fen <> limit_fen
    """,
    """
    select 'line_equals_ledger', l.member_id, format('line uses %s, ledger %s; reserves %s, draws %s, ledger %s',
        used_fen, principal, reserved_fen, waiting, held)
    from (
        select l.member_id, l.used_fen, l.reserved_fen,
            coalesce(b.principal, 0) as principal, coalesce(b.held, 0) as held, coalesce(d.waiting, 0) as waiting
        from (select member_id, sum(used_fen) as used_fen, sum(reserved_fen) as reserved_fen
              from lines.lines group by 1) as l
        left join (
            select member_id, sum(balance_fen) filter (where account = '1301') as principal,
                sum(balance_fen) filter (where account = '1303') as held
            from ledger.balances group by 1) as b using (member_id)
        left join (select member_id, sum(amount_fen) as waiting from loans.draws
                   where state in ('reserved', 'sent') group by 1) as d using (member_id)
    ) as l where used_fen <> principal or reserved_fen <> waiting or reserved_fen <> held
    """,
    """
    select 'day_limit', d.member_id,
        format('%s on %s: counted %s, drawn %s', d.product, d.drawn_on, d.amount_fen, drawn)
    from (
        select d.*, coalesce((select sum(amount_fen) from loans.draws w where w.member_id = d.member_id
            and w.product = d.product and w.drawn_on = d.drawn_on and w.state <> 'failed'), 0) as drawn
        from guard.day_draws d
    ) as d where amount_fen <> drawn or drawn > day_max_fen
    """,
    """
    select 'paid_draw_has_loan', d.member_id, format('draw %s is %s and has %s loan', d.draw_id, d.state,
        case when l.loan_id is null then 'no' else 'a' end)
    from loans.draws d left join loans.loans l on l.member_id = d.member_id and l.loan_id = d.draw_id
    where (d.state = 'paid') <> (l.loan_id is not null)
    """,
    """
    select 'rail_contradicts_itself', member_id, format('%s %s: %s', kind, transfer_id, statuses) from (
        select member_id, transfer_id, kind, string_agg(distinct status, ', ' order by status) as statuses
        from loans.rail_answers where status in ('succeeded', 'failed')
        group by 1, 2, 3 having count(distinct status) > 1
    ) as answers
    """,
    """
    select 'rail_has_another_order', member_id,
        format('%s %s of %s fen is %s; of its key the rail said: %s', kind, transfer_id, ordered_fen, state, said)
    from (
        select member_id, kind, transfer_id, t.amount_fen as ordered_fen, t.state,
            string_agg(distinct concat_ws(' ', a.status, a.amount_fen), ', ') as said
        from loans.rail_answers a join (
            select member_id, 'payout' as kind, draw_id as transfer_id, amount_fen, state from loans.draws
            union all
            select member_id, 'collection', repayment_id, amount_fen, state from loans.repayments
        ) as t using (member_id, kind, transfer_id)
        where a.status = 'key_conflict' or a.amount_fen <> t.amount_fen
        group by 1, 2, 3, 4, 5
    ) as answers order by member_id, transfer_id
    """,
)


@dataclass(frozen=True)
class Loan:
    """A loan's terms and its projection."""

    member_id: int
    loan_id: UUID
    terms: Terms
    principal_fen: Fen
    next_due_on: date | None
    booked_through: date
    settled_on: date | None


async def counts(tx: Tx) -> dict[str, int]:
    """Count what the checks look at."""
    return {row[0]: int(row[1]) for row in await (await tx.execute(COUNTS)).fetchall()}


async def disagreements(tx: Tx) -> list[tuple[str, int, str]]:
    """Ask every question that SQL can answer alone."""
    found = []
    for question in DISAGREEMENTS:
        found += [(row[0], int(row[1]), row[2]) for row in await (await tx.execute(question)).fetchall()]
    return found


async def booked(tx: Tx) -> Booked:
    """Return principal and interest receivable of every loan by the ledger, in fen."""
    cursor = await tx.execute(
        "select member_id, sub, coalesce(sum(balance_fen) filter (where account = '1301'), 0),"
        " coalesce(sum(balance_fen) filter (where account = '1302'), 0)"
        " from ledger.balances where account in ('1301', '1302') group by 1, 2"
    )
    return {(row[0], row[1]): (int(row[2]), int(row[3])) for row in await cursor.fetchall()}


async def events(tx: Tx) -> Events:
    """Return every loan's events."""
    cursor = await tx.execute(
        "select member_id, loan_id, amount_fen, value_on, event_no from loans.repayments"
        " where state = 'collected' order by member_id, loan_id, event_no"
    )
    found: Events = {}
    for row in await cursor.fetchall():
        found.setdefault((row[0], row[1]), []).append(Repayment(*row[2:]))
    return found


async def loans(tx: Tx) -> AsyncIterator[Loan]:
    """Read every loan."""
    cursor = await tx.execute(
        "select member_id, loan_id, amount_fen, rate_e8, instalments, started_on, principal_fen, next_due_on,"
        " booked_through, settled_on from loans.loans"
    )
    async for row in cursor:
        yield Loan(row[0], row[1], Terms(*row[2:6]), *row[6:])
