"""SQL of the whitelist: a month's refresh, and what it found of each member."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.types.json import Jsonb

from grainline.invitation.outcomes import Judged, Way
from grainline.invitation.policy import Supplement
from grainline.invitation.preconditions import PRECONDITIONS
from grainline.kit.db import Tx, record


@dataclass(frozen=True)
class Refresh:
    """A month's refresh: by which policy, for how many at most, as of when; finished once all are decided."""

    month: date
    policy: str
    capacity: int | None
    as_of: datetime
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class Outcome:
    """What a month's refresh found of a member; points in 10⁻², items in the order of the policy's."""

    member_id: int
    month: date
    policy: str
    way: Way | None
    invited: bool
    total_e2: int
    social_e2: int | None
    consumption_e2: int
    assets_e2: int
    credit_e2: int
    supplement_e2: int
    points_e2: list[int]
    feature_values: list[float | None]
    features_hash: bytes
    reasons: list[str]
    expires_on: date | None

    def holds_on(self, day: date) -> bool:
        """Return whether this outcome invites on a day: an invitation holds until its day, that day included."""
        return self.invited and self.expires_on is not None and day <= self.expires_on

    @property
    def dimensions_e2(self) -> tuple[int | None, int, int, int]:
        """Return the dimensions' points in the order of `Dimension`."""
        return self.social_e2, self.consumption_e2, self.assets_e2, self.credit_e2


@dataclass(frozen=True)
class Funnel:
    """How many people of a month came how far, and why the others did not: by reason, the first of each person."""

    judged: int
    eligible: int
    qualified: int
    delayed: int
    invited: int
    stopped_by: dict[str, int]
    means_e2: dict[str, int | None]


async def begin(tx: Tx, wanted: Refresh) -> Refresh:
    """Return the month's refresh, begun now unless it was before; nobody else works on the month meanwhile."""
    cursor = await tx.execute(
        "insert into invitation.refreshes as r (month, policy, capacity, as_of, started_at) values (%s, %s, %s, %s, %s)"
        " on conflict (month) do update set month = r.month"
        " returning r.month, r.policy, r.capacity, r.as_of, r.started_at, r.finished_at",
        (wanted.month, wanted.policy, wanted.capacity, wanted.as_of, wanted.started_at),
    )
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError(f"the refresh of {wanted.month} was neither made nor found")
    return record(Refresh, row)


async def refresh_of(tx: Tx, month: date) -> Refresh | None:
    """Read a month's refresh, finished or only begun, or None."""
    cursor = await tx.execute(
        "select month, policy, capacity, as_of, started_at, finished_at from invitation.refreshes where month = %s",
        (month,),
    )
    row = await cursor.fetchone()
    return record(Refresh, row) if row else None


async def judged_already(tx: Tx, month: date, members: Sequence[int]) -> set[int]:
    """Return who of these members has an outcome for the month."""
    cursor = await tx.execute(
        "select member_id from invitation.outcomes where month = %s and member_id = any(%s)", (month, list(members))
    )
    return {row[0] for row in await cursor.fetchall()}


async def earlier_totals(tx: Tx, months: Sequence[date], members: Sequence[int]) -> dict[int, list[int]]:
    """Return members' totals in these months, the newest first; who was not judged in one of them has fewer."""
    cursor = await tx.execute(
        "select member_id, array_agg(total_e2 order by month desc) from invitation.outcomes"
        " where month = any(%s) and member_id = any(%s) group by member_id",
        (list(months), list(members)),
    )
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def supplements_accepted(tx: Tx, members: Sequence[int], *, before: datetime) -> list[tuple[int, Supplement]]:
    """Return members with each kind of proof that was accepted before a moment."""
    cursor = await tx.execute(
        "select member_id, kind from invitation.supplements where state = 'accepted' and decided_at < %s"
        " and member_id = any(%s)",
        (before, list(members)),
    )
    return [(row[0], Supplement(row[1])) for row in await cursor.fetchall()]


async def add_judged(tx: Tx, refresh: Refresh, judged: Sequence[Judged], *, now: datetime) -> None:
    """Insert what was found of members, not decided yet."""
    async with (
        tx.cursor() as cursor,
        cursor.copy(
            "copy invitation.outcomes (member_id, month, policy, way, total_e2, social_e2, consumption_e2, assets_e2,"
            " credit_e2, supplement_e2, points_e2, feature_values, features_hash, reasons, judged_at) from stdin"
        ) as copy,
    ):
        for one in judged:
            await copy.write_row(
                (
                    *(one.member_id, refresh.month, refresh.policy, one.way, one.total_e2, *one.dimensions_e2),
                    *(one.supplement_e2, one.points_e2, Jsonb(one.values), one.features_hash, one.reasons, now),
                )
            )


async def decide(tx: Tx, refresh: Refresh, *, expires_on: date, beyond: str, now: datetime) -> None:
    """Share the month's capacity out by total, the lower member number first among equals, and finish the refresh.

    Who qualifies and is beyond it gets one reason more.
    """
    await tx.execute(
        """
        with ranked as (
            select member_id, %(capacity)s::int is null
                or row_number() over (order by total_e2 desc, member_id) <= %(capacity)s::int as within
            from invitation.outcomes where month = %(month)s and way is not null
        )
        update invitation.outcomes o set
            invited = r.within,
            expires_on = case when r.within then %(expires)s::date end,
            reasons = case when r.within then o.reasons else o.reasons || %(beyond)s::text end
        from ranked r where o.month = %(month)s and o.member_id = r.member_id
        """,
        {"month": refresh.month, "capacity": refresh.capacity, "expires": expires_on, "beyond": beyond},
    )
    await tx.execute(
        "update invitation.outcomes set invited = false where month = %s and invited is null", (refresh.month,)
    )
    await tx.execute("update invitation.refreshes set finished_at = %s where month = %s", (now, refresh.month))


async def outcomes_of(tx: Tx, *, member_id: int) -> list[Outcome]:
    """Read a member's outcomes that are decided, the newest first, of a year at most."""
    cursor = await tx.execute(
        "select member_id, month, policy, way, invited, total_e2, social_e2, consumption_e2, assets_e2, credit_e2,"
        " supplement_e2, points_e2, feature_values, features_hash, reasons, expires_on from invitation.outcomes"
        " where member_id = %s and invited is not null order by month desc limit 12",
        (member_id,),
    )
    return [record(Outcome, row) for row in await cursor.fetchall()]


async def funnel(tx: Tx, *, month: date) -> Funnel:
    """Return how far a month's people came; a precondition that is not met stops somebody before any points."""
    cursor = await tx.execute(
        "select count(*), count(*) filter (where not reasons && %(codes)s::text[]),"
        " count(*) filter (where way is not null), count(*) filter (where way = 'delayed'),"
        " count(*) filter (where invited), round(avg(social_e2))::int, round(avg(consumption_e2))::int,"
        " round(avg(assets_e2))::int, round(avg(credit_e2))::int, round(avg(total_e2))::int"
        " from invitation.outcomes where month = %(month)s",
        {"month": month, "codes": list(PRECONDITIONS)},
    )
    judged, eligible, qualified, delayed, invited, *points = await cursor.fetchone() or (0,) * 10
    stopped = await tx.execute(
        "select reasons[1], count(*) from invitation.outcomes where month = %s and invited is not true"
        " and cardinality(reasons) > 0 group by 1 order by 2 desc, 1",
        (month,),
    )
    means = dict(zip(("social", "consumption", "assets", "credit", "total"), points, strict=True))
    return Funnel(
        judged, eligible, qualified, delayed, invited, stopped_by=dict(await stopped.fetchall()), means_e2=means
    )
