"""SQL of reviews of lines: what asks for one, taking those that are due, and what they rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import LiteralString
from uuid import UUID

from grainline.kit.calendar import business_date
from grainline.kit.db import Tx, record
from grainline.lines import Cause, ChangeKind, changes_of
from grainline.loans import fold
from grainline.loans.loans_store import events_of, loans_of
from grainline.members import ConsentNeeded, Source, standing_consent
from grainline.underwriting.deciding import Inputs, Occasion
from grainline.underwriting.decisions_store import decisions_of
from grainline.underwriting.line_review import Conduct
from grainline.underwriting.snapshots_store import snapshot_named

AT_ONCE = 500
FIRST_WAIT, LAST_WAIT = timedelta(minutes=10), timedelta(days=1)
EVER = datetime(2000, 1, 1, tzinfo=UTC)

SIX_MONTHS: LiteralString = """
    with due as (
        select member_id, product, next_review_on from lines.lines
        where next_review_on <= %(day)s and state <> 'closed'
        order by next_review_on limit %(count)s for update skip locked
    ), moved as (
        update lines.lines l
        set next_review_on = greatest((d.next_review_on + make_interval(months => %(months)s))::date, %(day)s + 1)
        from due d where l.member_id = d.member_id and l.product = d.product
    )
    select count(lines.ask_review(member_id, product, 'six_months/' || next_review_on, 'six_months', %(now)s)) from due
"""
IDLE: LiteralString = """
    with looked as (
        select l.member_id, l.product, greatest(
            (l.opened_at at time zone 'Asia/Shanghai')::date,
            (select max(d.drawn_on) from loans.draws d where d.member_id = l.member_id and d.product = l.product),
            (select max((r.collected_at at time zone 'Asia/Shanghai')::date) from loans.repayments r
             join loans.loans o on o.member_id = r.member_id and o.loan_id = r.loan_id
             where r.member_id = l.member_id and o.product = l.product and r.state = 'collected')) as used_on
        from lines.lines l where l.idle_look_on <= %(day)s and l.state <> 'closed'
        order by l.idle_look_on limit %(count)s for update of l skip locked
    ), moved as (
        update lines.lines l set idle_look_on = case when k.used_on + %(days)s > %(day)s then k.used_on else %(day)s end
            + %(days)s
        from looked k where l.member_id = k.member_id and l.product = k.product
    )
    select count(*), count(case when used_on + %(days)s <= %(day)s
        then lines.ask_review(member_id, product, 'idle/' || used_on, 'idle', %(now)s) end) from looked
"""
CONSENTED: LiteralString = """
    select count(lines.ask_review(
        l.member_id, l.product, 'consented/' || extract(epoch from l.given_at), 'consented', %(now)s))
    from (
        select h.member_id, h.product, c.given_at from lines.lines h join members.consents c
            on c.member_id = h.member_id and c.source = 'bureau' and c.withdrawn_at is null
        where 'consent' = any (h.holds) and h.state <> 'closed' order by h.member_id, h.product
    ) l
"""
TAKE: LiteralString = """
    with due as (
        select member_id, product, key from lines.reviews where try_at <= %(now)s
        order by try_at limit %(count)s for update skip locked
    )
    update lines.reviews r set attempts = r.attempts + 1, try_at = %(until)s
    from due d where r.member_id = d.member_id and r.product = d.product and r.key = d.key
    returning r.member_id, r.product, r.key, r.cause
"""


@dataclass(frozen=True)
class ReviewRequest:
    """That a line is to be looked at again, and why."""

    member_id: int
    product: str
    key: str
    cause: Cause


async def ask_by_date(tx: Tx, *, day: date, every_months: int, idle_days: int, now: datetime) -> bool:
    """Ask for reviews whose date has come, not all at once; tell whether there may be more."""
    given = {"day": day, "count": AT_ONCE, "months": every_months, "days": idle_days, "now": now}
    counts = []
    for asking in (SIX_MONTHS, IDLE):
        row = await (await tx.execute(asking, given)).fetchone()
        counts.append(row[0] if row else 0)
    await tx.execute(CONSENTED, given)
    return max(counts) == AT_ONCE


async def ask_for_products(tx: Tx, members: Sequence[int], *, key: str, cause: Cause, now: datetime) -> None:
    """Ask for a review of every line that these members have."""
    await tx.execute(
        "select lines.ask_review(member_id, product, %s, %s, %s) from ("
        "   select member_id, product from lines.lines where member_id = any(%s) and state <> 'closed'"
        "   order by member_id, product) l",
        (key, cause, now, list(members)),
    )


async def take(tx: Tx, *, now: datetime, until: datetime, count: int) -> list[ReviewRequest]:
    """Take reviews that are due; taking is a lease until an instant."""
    rows = await (await tx.execute(TAKE, {"now": now, "until": until, "count": count})).fetchall()
    return [record(ReviewRequest, row) for row in rows]


async def open_requests(tx: Tx, *, member_id: int, product: str) -> list[ReviewRequest]:
    """Read what is asked of a line and not answered, the oldest first; held until the transaction ends."""
    rows = await (
        await tx.execute(
            "select member_id, product, key, cause from lines.reviews"
            " where member_id = %s and product = %s and done_at is null order by asked_at, key for update",
            (member_id, product),
        )
    ).fetchall()
    return [record(ReviewRequest, row) for row in rows]


async def settle(
    tx: Tx, requests: Sequence[ReviewRequest], *, result: str, decision_id: UUID | None, now: datetime
) -> None:
    """Note how requests of one line were answered."""
    for one in requests:
        await tx.execute(
            "update lines.reviews set done_at = %s, try_at = null, result = %s, decision_id = %s"
            " where member_id = %s and product = %s and key = %s and done_at is null",
            (now, result, decision_id, one.member_id, one.product, one.key),
        )


async def put_off(tx: Tx, requests: Sequence[ReviewRequest], *, until: datetime) -> None:
    """Have requests tried again at an instant."""
    for one in requests:
        await tx.execute(
            "update lines.reviews set try_at = %s where member_id = %s and product = %s and key = %s"
            " and done_at is null",
            (until, one.member_id, one.product, one.key),
        )


async def put_off_broken(tx: Tx, *, member_id: int, product: str, now: datetime) -> None:
    """Have all that is asked of a line, whose review broke, tried again: the later the oftener it was tried."""
    await tx.execute(
        "update lines.reviews set try_at = %s + least(%s * power(2, least(attempts, 20) - 1), %s)"
        " where member_id = %s and product = %s and done_at is null",
        (now, FIRST_WAIT, LAST_WAIT, member_id, product),
    )


async def last_report(tx: Tx, *, member_id: int, product: str) -> Mapping[str, object] | None:
    """Return what the bureau said when a line was decided on last; None: there is no such decision, or it is forgotten.

    What was said since, and led to no decision, does not count: it may have come before a review that then broke.
    """
    for decision in await decisions_of(tx, member_id=member_id, product=product, limit=1):
        if (source := decision.read_inputs().sources.get(Source.BUREAU)) is not None:
            content_hash = bytes.fromhex(source["sha256"])
            snapshot = await snapshot_named(tx, member_id=member_id, content_hash=content_hash)
            return snapshot.content if snapshot else None
    return None


async def said_student(tx: Tx, *, member_id: int, product: str) -> bool:
    """Return whether a member said they study when they last applied for a product."""
    found = await tx.execute(
        "select inputs from underwriting.decisions where member_id = %s and product = %s and occasion = %s"
        " order by decided_at desc, decision_id limit 1",
        (member_id, product, Occasion.APPLICATION),
    )
    row = await found.fetchone()
    return row is not None and Inputs.read(row[0]).facts.get("student") == "yes"


async def hold_consent(tx: Tx, *, member_id: int, source: Source) -> None:
    """Hold a consent that stands until the transaction ends; raise ConsentNeeded."""
    consent = await standing_consent(tx, member_id=member_id, source=source)
    found = await tx.execute("select members.hold_consent(%s, %s, %s)", (member_id, source, consent.given_at))
    if await found.fetchone() != (True,):
        raise ConsentNeeded(source=str(source))


async def looked_at(tx: Tx, day: date) -> datetime | None:
    """Return from when on news has not been looked at, or None where the day's look is over."""
    found = await tx.execute("select day, looked_at from lines.looked_days order by day desc limit 1")
    row = await found.fetchone()
    if row is None:
        return EVER
    return None if row[0] >= day else row[1]


async def look_is_over(tx: Tx, day: date, *, now: datetime) -> None:
    """Note that a day's look is over."""
    await tx.execute(
        "insert into lines.looked_days (day, looked_at) values (%s, %s) on conflict do nothing", (day, now)
    )


async def paid_since(tx: Tx, since: datetime) -> list[tuple[int, str]]:
    """Return who repaid loans since an instant, with each loan's product."""
    found = await tx.execute(
        "select distinct e.member_id, l.product from loans.events e join loans.loans l using (member_id, loan_id)"
        " where e.booked_at >= %s and e.kind = 'repayment' order by 1, 2",
        (since,),
    )
    return [(row[0], row[1]) for row in await found.fetchall()]


async def conduct_of(tx: Tx, *, member_id: int, product: str, day: date) -> Conduct:
    """Return how a member has used their line of a product until a day."""
    loans = [one for one in await loans_of(tx, member_id) if one.product == product]
    events = await events_of(tx, [one.key for one in loans])
    changes = await changes_of(tx, member_id=member_id, product=product)
    on_time = early = 0
    for loan in loans:
        state = fold(loan.terms, events.get(loan.key, []), max(day, loan.booked_through))
        grace = timedelta(days=loan.terms.rules.grace_days)
        due = [one for one in state.instalments if one.is_due and one.total_fen]
        on_time += sum(one.paid_on is not None and one.paid_on <= one.due_on + grace for one in due)
        middle = state.instalments[len(state.instalments) // 2].due_on
        early += state.settled_on is not None and state.settled_on < middle
    raised_on = next((business_date(one.made_at) for one in changes if one.kind is ChangeKind.RAISED), None)
    return Conduct(on_time, early, raised_on)


async def without_raise(tx: Tx, *, product: str, code: str, after: int, count: int) -> list[int]:
    """Return members with an open line of a product and a loan on it, whom a raise of this code has not reached."""
    found = await tx.execute(
        "select l.member_id from lines.lines l where l.product = %s and l.state = 'open' and l.member_id > %s"
        " and not exists (select from lines.temporary_raises t where t.member_id = l.member_id"
        "   and t.product = l.product and t.code = %s)"
        " and exists (select from loans.loans o where o.member_id = l.member_id and o.product = l.product)"
        " order by l.member_id limit %s",
        (product, after, code, count),
    )
    return [row[0] for row in await found.fetchall()]
