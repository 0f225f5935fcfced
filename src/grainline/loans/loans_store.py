"""SQL of loans: rows with their frozen terms, their events, and the projection the day's work looks at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, LiteralString
from uuid import UUID

from grainline.kit.db import Tx, record
from grainline.kit.money import Fen
from grainline.loans.arrears import classify
from grainline.loans.events import Event, EventKind
from grainline.loans.model import Loan
from grainline.loans.projection import project
from grainline.loans.state import LoanState
from grainline.loans.terms import Terms
from grainline.products import Component, Prepayment, Rules

Key = tuple[int, UUID]

LOAN: LiteralString = (
    "l.member_id, l.loan_id, l.product, l.card_id, l.purpose, l.amount_fen, l.rate_e8, l.instalments, l.started_on,"
    " r.content::text, l.principal_fen, l.booked_through, l.late_since, l.settled_on"
)
FROM: LiteralString = "from loans.loans l join loans.rule_sets r on r.name = l.rules"
EVENT: LiteralString = (
    "kind, value_on, event_no, amount_fen, component, share_e4, until_on, instalments, reverses, prepayment"
)


async def loan(tx: Tx, *, member_id: int, loan_id: UUID, lock: bool = False) -> Loan | None:
    """Read one loan of a member, or None; locked, nobody else books on it meanwhile."""
    cursor = await tx.execute(
        f"select {LOAN} {FROM} where l.member_id = %s and l.loan_id = %s" + (" for update of l" if lock else ""),
        (member_id, loan_id),
    )
    row = await cursor.fetchone()
    return _loan(row) if row else None


async def loans_of(tx: Tx, member_id: int, *, before: tuple[date, UUID] | None = None, limit: int = 1000) -> list[Loan]:
    """List a member's loans, newest first."""
    started_on, loan_id = before or (None, None)
    cursor = await tx.execute(
        f"select {LOAN} {FROM} where l.member_id = %(member)s and (%(loan)s::uuid is null or"
        " (l.started_on, l.loan_id) < (%(on)s::date, %(loan)s::uuid))"
        " order by l.started_on desc, l.loan_id desc limit %(limit)s",
        {"member": member_id, "on": started_on, "loan": loan_id, "limit": limit},
    )
    return [_loan(row) for row in await cursor.fetchall()]


async def lock_loans(tx: Tx, keys: Sequence[Key]) -> dict[Key, Loan]:
    """Lock and read loans by their keys, in order of the keys."""
    cursor = await tx.execute(
        f"select {LOAN} {FROM} where (l.member_id, l.loan_id) in (select * from unnest(%s::bigint[], %s::uuid[]))"
        " order by l.member_id, l.loan_id for update of l",
        ([member_id for member_id, _ in keys], [loan_id for _, loan_id in keys]),
    )
    return {(found.member_id, found.loan_id): found for found in map(_loan, await cursor.fetchall())}


async def loans_to_change(tx: Tx, *, day: date, count: int, wait: bool = False) -> list[Loan]:
    """Lock loans on which a day brings something that is not in the books yet: an instalment due, a class reached.

    What somebody else holds is left out, or waited for, in the order in which everybody locks loans.
    """
    # `+ 0`: found by date and then sorted; the planner would rather walk all loans in the order of their key
    order, others = ("l.member_id + 0, l.loan_id", "") if wait else ("l.change_on", " skip locked")
    cursor = await tx.execute(
        f"select {LOAN} {FROM} where l.change_on <= %s order by {order} limit %s for update of l{others}", (day, count)
    )
    return [_loan(row) for row in await cursor.fetchall()]


async def fall_due(tx: Tx, *, day: date, count: int, value_on: date, now: datetime) -> int:
    """Let loans fall due on a day as their rows say they will (`fall_due.sql`), at most so many; return how many."""
    row = await (await tx.execute("select loans.fall_due(%s, %s, %s, %s)", (day, count, value_on, now))).fetchone()
    return int(row[0]) if row else 0


async def events(tx: Tx, *, member_id: int, loan_id: UUID) -> list[Event]:
    """Read a loan's events in the order they were booked."""
    return (await events_of(tx, [(member_id, loan_id)])).get((member_id, loan_id), [])


async def events_of(tx: Tx, keys: Sequence[Key]) -> dict[Key, list[Event]]:
    """Read the events of many loans, each in the order they were booked; a loan without any is left out."""
    cursor = await tx.execute(
        f"select member_id, loan_id, {EVENT} from loans.events"
        " where (member_id, loan_id) in (select * from unnest(%s::bigint[], %s::uuid[]))"
        " order by member_id, loan_id, event_no",
        ([member_id for member_id, _ in keys], [loan_id for _, loan_id in keys]),
    )
    found: dict[Key, list[Event]] = {}
    for row in await cursor.fetchall():
        found.setdefault((row[0], row[1]), []).append(event_of(row[2:]))
    return found


def event_of(row: tuple[Any, ...]) -> Event:
    """Make an event of the columns of EVENT."""
    return Event(
        EventKind(row[0]),
        row[1],
        row[2],
        Fen(row[3]),
        Component(row[4]) if row[4] else None,
        row[5],
        row[6],
        row[7],
        row[8],
        Prepayment(row[9]) if row[9] else None,
    )


@dataclass(frozen=True)
class NewEvent:
    """An event to be kept: whose, who made it and why, and the key under which it is made once."""

    member_id: int
    loan_id: UUID
    event: Event
    made_by: str
    idempotency_key: str
    input_hash: bytes = b""
    reason: str = ""


async def add_events(tx: Tx, new: Sequence[NewEvent], *, now: datetime) -> None:
    """Insert events; a number or key that is there already is an error of the caller."""
    columns = [
        (
            *(item.member_id, item.loan_id, item.event.number, item.event.kind, item.event.value_on),
            *(item.event.amount_fen, item.event.component, item.event.share_e4, item.event.until),
            *(item.event.instalments, item.event.reverses, item.event.prepayment),
            *(item.made_by, item.reason, item.idempotency_key, item.input_hash),
        )
        for item in new
    ]
    await tx.execute(
        "insert into loans.events (member_id, loan_id, event_no, kind, value_on, amount_fen, component, share_e4,"
        " until_on, instalments, reverses, prepayment, made_by, reason, idempotency_key, input_hash, booked_at)"
        " select *, %s from unnest(%s::bigint[], %s::uuid[], %s::int[], %s::text[], %s::date[], %s::bigint[],"
        " %s::text[], %s::int[], %s::date[], %s::smallint[], %s::int[], %s::text[], %s::text[], %s::text[],"
        " %s::text[], %s::bytea[])",
        (now, *map(list, zip(*columns, strict=True))),
    )


async def event_by_key(tx: Tx, *, member_id: int, key: str) -> tuple[UUID, int, bytes] | None:
    """Return loan, number and input hash of the event a key was used for, or None."""
    cursor = await tx.execute(
        "select loan_id, event_no, input_hash from loans.events where member_id = %s and idempotency_key = %s",
        (member_id, key),
    )
    return await cursor.fetchone()


async def write_projections(tx: Tx, steps: Sequence[tuple[Loan, LoanState]]) -> None:
    """Write the projection of states, and how the loans are classified from then on."""
    rows = [(*loan_.key, state.as_of, *project(state).columns()) for loan_, state in steps]
    await tx.execute(
        "update loans.loans l set booked_through = s.through, principal_fen = s.principal, due_fen = s.due,"
        " next_due_on = s.next_due,"
        " change_on = s.change, late_since = s.late, accrued = s.accrued, accrual_slope = s.slope,"
        " penalty = s.penalty, penalty_slope = s.penalty_slope, charged_off_on = s.charged_off,"
        " written_off_on = s.written_off, settled_on = s.settled, then_due_fen = s.then_due,"
        " then_charged_fen = s.then_charged, then_accrued = s.then_accrued"
        " from unnest(%s::bigint[], %s::uuid[], %s::date[], %s::bigint[], %s::bigint[], %s::date[], %s::date[],"
        " %s::date[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[], %s::date[], %s::date[], %s::date[],"
        " %s::bigint[], %s::bigint[], %s::numeric[])"
        " as s (member, loan, through, principal, due, next_due, change, late, accrued, slope, penalty, penalty_slope,"
        " charged_off, written_off, settled, then_due, then_charged, then_accrued)"
        " where l.member_id = s.member and l.loan_id = s.loan",
        tuple(map(list, zip(*rows, strict=True))),
    )
    changed = [step for step in steps if step[1].late_since or step[0].late_since or step[1].written_off_on]
    classes = [_classified(loan_, state) for loan_, state in changed]
    if classes:
        await tx.execute(
            "insert into loans.classifications as c (member_id, loan_id, from_on, bucket, category, stage)"
            " select n.* from unnest(%s::bigint[], %s::uuid[], %s::date[], %s::text[], %s::text[], %s::smallint[])"
            " as n (member_id, loan_id, from_on, bucket, category, stage)"
            " where (n.bucket, n.category, n.stage) is distinct from (select (o.bucket, o.category, o.stage)"
            "   from loans.classifications o where o.member_id = n.member_id and o.loan_id = n.loan_id"
            "   and o.from_on <= n.from_on order by o.from_on desc limit 1)"
            " on conflict (member_id, loan_id, from_on) do update"
            " set bucket = excluded.bucket, category = excluded.category, stage = excluded.stage",
            tuple(map(list, zip(*classes, strict=True))),
        )


def _classified(loan_: Loan, state: LoanState) -> tuple[object, ...]:
    found = classify(state)
    return loan_.member_id, loan_.loan_id, state.as_of, found.bucket, found.category, found.stage


async def rules_named(tx: Tx, name: str) -> Rules:
    """Read the rules kept under a name."""
    row = await (await tx.execute("select content::text from loans.rule_sets where name = %s", (name,))).fetchone()
    if row is None:
        raise RuntimeError(f"the rules {name} are not kept")
    return rules_of(row[0])


@lru_cache(maxsize=1000)
def rules_of(content: str) -> Rules:
    """Read rules as they are kept."""
    return Rules.model_validate_json(content)


def _loan(row: tuple[Any, ...]) -> Loan:
    return record(Loan, (*row[:5], terms_of(row[5:10]), *row[10:]))


def terms_of(row: tuple[Any, ...]) -> Terms:
    """Make terms of amount, rate, instalments, first day, and the rules' content."""
    amount_fen, rate_e8, instalments, started_on, content = row
    return Terms(amount_fen, rate_e8, instalments, started_on, rules_of(content))


async def overdue_of(tx: Tx, holders: Sequence[tuple[int, str]]) -> set[tuple[int, str]]:
    """Return which members have an overdue loan of a product."""
    cursor = await tx.execute(
        "select distinct member_id, product from loans.loans where late_since is not null"
        " and (member_id, product) in (select * from unnest(%s::bigint[], %s::text[]))",
        ([member_id for member_id, _ in holders], [product for _, product in holders]),
    )
    return {(row[0], row[1]) for row in await cursor.fetchall()}
