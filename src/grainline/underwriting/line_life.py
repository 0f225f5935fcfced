"""The day's work on lines: what asks for a review, the reviews, and raises that begin and go with their dates.

Every step may be done twice, by two workers, or after days in which nobody worked: requests, raises and changes are
once under their keys.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import structlog

from grainline.kit.calendar import business_date
from grainline.kit.db import Tx, transaction
from grainline.kit.errors import Refusal
from grainline.lines import Cause, ask_review, line, lines_of, raise_until, return_due
from grainline.members import ConsentNeeded, Source
from grainline.products import Pack
from grainline.underwriting import line_review_store
from grainline.underwriting.applying import Underwriter
from grainline.underwriting.asking import member_of_subject
from grainline.underwriting.line_following import BY
from grainline.underwriting.line_review import Festival, ReviewPolicy, festival_fen, policy_on
from grainline.underwriting.line_reviewing import review_due
from grainline.underwriting.snapshots_store import any_snapshot, cursor, move_cursor, newest

log = structlog.get_logger()

AT_ONCE = 200
LOOK_BACK = timedelta(days=1)


async def care_for_lines(by: Underwriter, packs: Mapping[str, Pack], *, now: datetime) -> int:
    """Do what the day asks for on lines; return how many requests for a review were taken."""
    today = business_date(now)
    policy = policy_on(today)
    await _return_raises(by, today, now=now)
    await ask_for_reviews(by, policy, now=now)
    taken = await review_due(by, packs, now=now)
    await _once_a_day(by, packs, policy, today, now=now)
    return taken


async def ask_for_reviews(by: Underwriter, policy: ReviewPolicy, *, now: datetime) -> None:
    """Ask for what dates and the bureau ask for."""
    more = True
    while more:
        async with transaction(by.pool) as tx:
            more = await line_review_store.ask_by_date(
                tx,
                day=business_date(now),
                every_months=policy.every_months,
                idle_days=policy.idle_days,
                now=now,
            )
    try:
        while await _read_changes(by, now=now):
            pass
    except Refusal as unanswered:
        log.warning("bureau_changes_unread", code=unanswered.code)


async def _read_changes(by: Underwriter, *, now: datetime) -> bool:
    """Read whose record changed at the bureau, once past the cursor; tell whether there may be more."""
    async with transaction(by.pool) as tx:
        if not await any_snapshot(tx):
            return False  # nobody was ever asked about
        after = await cursor(tx)
    found = await by.bureau.changes(after=after)
    members = [number for subject in found.subjects if (number := member_of_subject(subject)) is not None]
    async with transaction(by.pool) as tx:
        key = f"bureau/{found.cursor}"
        await line_review_store.ask_for_products(tx, members, key=key, cause=Cause.BUREAU, now=now)
        await move_cursor(tx, found.cursor)
    return found.cursor > after


async def _return_raises(by: Underwriter, today: date, *, now: datetime) -> None:
    found = 1
    while found:
        async with transaction(by.pool) as tx:  # one line each: who draws on it does not wait for others
            found = await return_due(tx, day=today, now=now)


async def _once_a_day(
    by: Underwriter, packs: Mapping[str, Pack], policy: ReviewPolicy, today: date, *, now: datetime
) -> None:
    """Look who has paid on time often enough, and begin the raises of the season."""
    async with transaction(by.pool) as tx:
        since = await line_review_store.looked_at(tx, today)
        paid = [] if since is None else await line_review_store.paid_since(tx, since - LOOK_BACK)
    if since is None:
        return
    for start in range(0, len(paid), AT_ONCE):
        async with transaction(by.pool) as tx:
            for member_id, product in paid[start : start + AT_ONCE]:
                await _ask_if_on_time(tx, policy, member_id, product, today, now=now)
    for festival in policy.festival:
        if festival.runs_on(today):
            for product in sorted(packs):
                await begin_festival(by, packs[product], festival, now=now)
    async with transaction(by.pool) as tx:
        await line_review_store.look_is_over(tx, today, now=now)


async def _ask_if_on_time(
    tx: Tx, policy: ReviewPolicy, member_id: int, product: str, today: date, *, now: datetime
) -> None:
    conduct = await line_review_store.conduct_of(tx, member_id=member_id, product=product, day=today)
    times = conduct.on_time // policy.on_time_payments
    held = await line(tx, member_id=member_id, product=product)
    if times and held is not None and not held.holds:
        key = f"on_time/{times}"
        await ask_review(tx, member_id=member_id, product=product, key=key, cause=Cause.ON_TIME, now=now)


async def begin_festival(by: Underwriter, pack: Pack, festival: Festival, *, now: datetime) -> int:
    """Raise the lines that a festival raises and has not raised yet; return how many."""
    product, after, begun = pack.product.code, 0, 0
    while True:
        async with transaction(by.pool) as tx:
            members = await line_review_store.without_raise(
                tx, product=product, code=festival.code, after=after, count=AT_ONCE
            )
        for member_id in members:
            async with transaction(by.pool) as tx:  # one line each: who draws on it does not wait for others
                begun += await _raise_for(tx, by, pack, festival, member_id, now=now)
        if len(members) < AT_ONCE:
            return begun
        after = members[-1]


async def _raise_for(tx: Tx, by: Underwriter, pack: Pack, festival: Festival, member_id: int, *, now: datetime) -> bool:
    """Raise one line; who owes too much, or of whom the bureau may not tell or told nothing lately, is left as is."""
    product, today = pack.product.code, business_date(now)
    held = await line(tx, member_id=member_id, product=product, lock=True)
    snapshot = (await newest(tx, member_id=member_id)).get(Source.BUREAU)
    if held is None or snapshot is None or not snapshot.content["record"] or snapshot.content["overdue_days"]:
        return False
    if (today - business_date(snapshot.as_of)).days > policy_on(today).festival_report_days:
        return False
    try:
        await line_review_store.hold_consent(tx, member_id=member_id, source=Source.BUREAU)
    except ConsentNeeded:
        return False
    lines = (await lines_of(tx, member_id=member_id)).values()
    elsewhere = snapshot.content["owed_elsewhere_fen"]
    assert isinstance(elsewhere, int)  # noqa: S101  # as `of_report` writes it
    owed = sum(one.used_fen + one.reserved_fen for one in lines) + elsewhere
    conduct = await line_review_store.conduct_of(tx, member_id=member_id, product=product, day=today)
    room = by.profiles[pack.regulation.profile].room_fen(owed)
    amount = festival_fen(festival, pack, held, conduct, room_fen=room)
    return amount > 0 and await raise_until(
        tx,
        member_id=member_id,
        product=product,
        code=festival.code,
        amount_fen=amount,
        from_on=festival.from_on,
        until_on=festival.until_on,
        reasons=("festival",),
        by=BY,
        now=now,
    )
