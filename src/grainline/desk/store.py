"""The questions of `verify`, in SQL: each row of an answer is a disagreement."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import LiteralString
from uuid import UUID

from grainline.kit.db import Tx
from grainline.ledger import HOUSE
from grainline.loans import EVENT, Event, Projection, Terms, event_of, terms_of

Key = tuple[int, UUID]
Booked = dict[Key, dict[str, int]]
Events = dict[Key, list[Event]]

COUNTS: LiteralString = """
    select 'journals', count(*) from ledger.journals union all
    select 'entries', count(*) from ledger.entries union all
    select 'balances', count(*) from ledger.balances union all
    select 'lines', count(*) from lines.lines union all
    select 'draws', count(*) from loans.draws union all
    select 'refunds', count(*) from loans.refunds union all
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
    select 'house_equals_entries', 0, format('house account %s/%s is rolled up to %s, entries give %s',
        coalesce(h.account, e.account), coalesce(h.sub, e.sub), h.balance_fen, e.sum)
    from ledger.house_balances h full join (
        select e.account, e.sub, sum(e.amount_fen) as sum
        from ledger.entries e join ledger.accounts a on a.code = e.account and a.holder = 'house'
        where e.entry_no <= (select through_entry from ledger.rolled_up) group by 1, 2
    ) as e on e.account = h.account and e.sub = h.sub
    where h.balance_fen is distinct from e.sum
    """,
    """
    select 'books_balance', 0, format('all entries sum to %s', sum) from (
        select coalesce(sum(amount_fen), 0) as sum from ledger.entries) as total where sum <> 0
    """,
    """
    select 'closed_period', j.member_id, format('journal %s counts from %s, in the period closed on %s',
        j.journal_no, j.value_on, c.ends_on)
    from ledger.journals j join ledger.closed_periods c on j.value_on <= c.ends_on and j.journal_no > c.through_journal
    """,
    """
    select 'accrual_has_closed_day', j.member_id, format('journal %s: %s', j.journal_no, j.idempotency_key)
    from ledger.journals j where j.kind = 'accrual' and not exists (
        select 1 from loans.closed_days d
        where 'accrual/' || d.product || '/' || d.day = j.idempotency_key and d.day = j.value_on)
    """,
    """
    select 'line_adds_up', member_id, format('limit %s, reserved %s, used %s, available %s',
        limit_fen, reserved_fen, used_fen, available_fen)
    from lines.lines where used_fen + reserved_fen + available_fen <> limit_fen
    """,
    """
    select 'line_equals_its_changes', l.member_id,
        format('limit %s at rate %s is %s, by the last of %s changes %s at %s, %s', l.limit_fen, l.rate_e8, l.state,
            l.changes, c.to_fen, c.to_rate_e8, c.state)
    from lines.lines l left join lines.changes c
        on c.member_id = l.member_id and c.product = l.product and c.change_no = l.changes
    where (l.limit_fen, l.rate_e8, l.tier, l.state) is distinct from (c.to_fen, c.to_rate_e8, c.to_tier, c.state)
        or l.frozen_for is distinct from c.frozen_for
    """,
    """
    select 'change_follows_the_one_before', member_id, format('change %s is from %s, and the one before was to %s',
        change_no, from_fen, before)
    from (
        select c.*, lag(to_fen) over line as before, lag(change_no) over line as last
        from lines.changes c window line as (partition by member_id, product order by change_no)
    ) as steps where before is distinct from from_fen or change_no <> coalesce(last, 0) + 1
    """,
    """
    select 'temporary_raises_add_up', l.member_id, format('%s of the limit is for a time, raises that run are %s',
        l.temporary_fen, coalesce(r.running, 0))
    from lines.lines l left join (
        select member_id, product, sum(amount_fen) as running from lines.temporary_raises
        where returned_at is null group by 1, 2
    ) as r using (member_id, product) where l.temporary_fen <> coalesce(r.running, 0)
    """,
    """
    select 'temporary_raise_is_over', t.member_id,
        format('raise %s ended on %s and is still counted', t.code, t.until_on)
    from lines.temporary_raises t
    where t.returned_at is null and t.until_on <= (select max(day) from lines.looked_days)
    """,
    """
    select 'change_has_its_decision', c.member_id, format('change %s names decision %s, which is not there',
        c.change_no, c.decision_id)
    from lines.changes c where c.decision_id is not null and not exists (
        select from underwriting.decisions d where d.member_id = c.member_id and d.decision_id = c.decision_id)
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
    select 'repayment_is_an_event', r.member_id,
        format('repayment %s of %s from %s is event %s: %s from %s', r.repayment_id, r.amount_fen, r.value_on,
            e.event_no, e.amount_fen, e.value_on)
    from loans.repayments r left join loans.events e
        on e.member_id = r.member_id and e.loan_id = r.loan_id and e.event_no = r.event_no and e.kind = 'repayment'
    where r.state = 'collected'
        and (e.amount_fen is distinct from r.amount_fen or e.value_on is distinct from r.value_on)
    """,
    """
    select 'refund_is_an_event', r.member_id,
        format('refund %s of %s from %s is %s and event %s: %s from %s, %s', r.refund_id, r.amount_fen, r.value_on,
            r.state, e.event_no, e.amount_fen, e.value_on,
            case when u.event_no is null then 'not reversed' else 'reversed' end)
    from loans.refunds r left join loans.events e
        on e.member_id = r.member_id and e.loan_id = r.loan_id and e.event_no = r.event_no and e.kind = 'refund'
    left join loans.events u on u.member_id = r.member_id and u.loan_id = r.loan_id and u.reverses = r.event_no
    where e.amount_fen is distinct from r.amount_fen or e.value_on is distinct from r.value_on
        or (r.state <> 'paid' and (r.state = 'failed') <> (u.event_no is not null))
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
            select member_id, 'payout', refund_id, amount_fen, state from loans.refunds
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
    product: str
    booked_through: date
    projection: Projection


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
    """Return what the ledger holds of every loan, by account, in fen."""
    cursor = await tx.execute("select member_id, sub, account, balance_fen from ledger.balances where balance_fen <> 0")
    found: Booked = {}
    for member_id, sub, account, balance in await cursor.fetchall():
        found.setdefault((member_id, sub), {})[account] = balance
    return found


async def house_of_loans(tx: Tx) -> dict[tuple[UUID, str], int]:
    """Return what members' journals have put on the house's accounts, by product and account, in fen."""
    cursor = await tx.execute(
        "select e.sub, e.account, sum(e.amount_fen) from ledger.entries e"
        " join ledger.accounts a on a.code = e.account and a.holder = 'house' where e.member_id <> %s group by 1, 2",
        (HOUSE,),
    )
    return {(row[0], row[1]): int(row[2]) for row in await cursor.fetchall() if row[2]}


async def events(tx: Tx) -> Events:
    """Return every loan's events."""
    cursor = await tx.execute(
        f"select member_id, loan_id, {EVENT} from loans.events order by member_id, loan_id, event_no"
    )
    found: Events = {}
    for row in await cursor.fetchall():
        found.setdefault((row[0], row[1]), []).append(event_of(row[2:]))
    return found


async def refunds_under_way(tx: Tx) -> dict[Key, int]:
    """Return what of each loan is being refunded and not paid by the rail yet, in fen."""
    cursor = await tx.execute(
        "select member_id, loan_id, sum(amount_fen) from loans.refunds where state in ('requested', 'sent')"
        " group by 1, 2"
    )
    return {(row[0], row[1]): int(row[2]) for row in await cursor.fetchall()}


async def loans(tx: Tx) -> AsyncIterator[Loan]:
    """Read every loan with its projection."""
    cursor = await tx.execute(
        "select l.member_id, l.loan_id, l.amount_fen, l.rate_e8, l.instalments, l.started_on, r.content::text,"
        " l.product, l.booked_through, l.principal_fen, l.due_fen, l.next_due_on, l.change_on, l.late_since, l.accrued,"
        " l.accrual_slope, l.penalty, l.penalty_slope, l.charged_off_on, l.written_off_on, l.settled_on,"
        " l.then_due_fen, l.then_charged_fen, l.then_accrued"
        " from loans.loans l join loans.rule_sets r on r.name = l.rules"
    )
    async for row in cursor:
        yield Loan(row[0], row[1], terms_of(row[2:7]), row[7], row[8], Projection(*row[9:]))
