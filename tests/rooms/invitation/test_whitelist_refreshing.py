"""The monthly refresh on a real database: capacity, again, broken off, two at once, and three months in a row."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from people_judged import POLICY, near, people, person, with_features, worst

from grainline.invitation import outcomes_of, refresh, refreshing
from grainline.invitation.outcomes import Way, judge
from grainline.invitation.whitelist_store import funnel, refresh_of
from grainline.kit.calendar import add_months
from grainline.kit.db import make_pool, transaction

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 12, 1, 1, tzinfo=UTC)
THRESHOLD, NEAR = POLICY.threshold_e2, POLICY.threshold_e2 - POLICY.delayed.margin_e2
KEPT = (
    "member_id, policy, way, invited, total_e2, social_e2, consumption_e2, assets_e2, credit_e2, supplement_e2,"
    " points_e2, feature_values, features_hash, reasons, expires_on"
)
_months = count(1)


@pytest.fixture(scope="module")
async def pool(databases):
    async with make_pool(databases[1], size_max=6) as opened:
        yield opened


@pytest.fixture
def month():
    """A month that no other test has met, nor one near it."""
    return add_months(date(2027, 1, 1), 30 * next(_months))


class BrokenOffError(Exception):
    """The process dies, as it were."""


def told(*chunks, dies_after=None):
    """The parties, telling of these people chunk by chunk."""

    async def ask(_):
        for place, rows in enumerate(chunks):
            if place == dies_after:
                raise BrokenOffError
            yield people(*rows).drop("supplement_e2")

    return ask


async def untold(_):
    raise AssertionError("nobody has to be asked again")
    yield


async def run(pool, asked, month, *, capacity=None, as_of=NOW, now=NOW):
    return await refresh(pool, asked, month=month, capacity=capacity, as_of=as_of, now=now)


async def rows_of(pool, month, columns=KEPT):
    async with transaction(pool) as tx:
        found = await tx.execute(
            f"select {columns} from invitation.outcomes where month = %s order by member_id", (month,)
        )
        return await found.fetchall()


async def invited_in(pool, month):
    return [member for member, invited in await rows_of(pool, month, "member_id, invited") if invited]


def of_enquiries(number, member_id):
    """A sound person with so many enquiries of other lenders: 25 points of credit, from nought (none) to eight (0)."""
    return with_features({"enquiry.consumer_loan.count.180d": number}, member_id)


async def test_capacity_goes_by_total_and_then_by_the_lower_number(pool, month):
    """10 000, 9 875 (twice), 9 750 … of which three may come: the best, and of two equals the lower number."""
    chunks = (
        [of_enquiries(0, 40)],
        [of_enquiries(4, 7), of_enquiries(1, 30)],
        [of_enquiries(1, 20), of_enquiries(1, 10)],
    )
    await run(pool, told(*chunks), month, capacity=3)
    found = await rows_of(pool, month, "member_id, way, invited, reasons, expires_on")
    assert [(member, invited) for member, _, invited, _, _ in found] == [
        *((7, False), (10, True), (20, True), (30, False), (40, True))
    ]
    for _, way, invited, reasons, expires_on in found:
        assert way == "directed"
        assert reasons == ([] if invited else ["capacity_reached"])
        assert expires_on == (date(2026, 12, 1) + timedelta(days=POLICY.valid_days) if invited else None)


async def test_nobody_is_invited_where_there_is_no_room_and_everybody_where_there_is_no_end(pool, month):
    rows = [person(number) for number in (1, 2)] + [person(3, student=True)]
    await run(pool, told(rows), month, capacity=0)
    found = await rows_of(pool, month, "reasons")
    assert found == [(["capacity_reached"],), (["capacity_reached"],), (["student"],)]
    later = add_months(month, 1)
    await run(pool, told(rows), later)
    assert await invited_in(pool, later) == [1, 2]


async def test_again_changes_nothing_and_asks_nobody(pool, month):
    rows = [of_enquiries(number, number + 1) for number in range(6)]
    first = await run(pool, told(rows), month, capacity=2)
    before = await rows_of(pool, month, "*")
    again = await run(pool, untold, month, capacity=2, as_of=NOW + timedelta(days=3), now=NOW + timedelta(days=3))
    assert again == first
    assert again.finished_at == NOW
    assert await rows_of(pool, month, "*") == before


async def test_broken_off_and_begun_again_comes_to_the_same_as_at_once(pool, month):
    chunks = [[of_enquiries(number, 10 * chunk + number) for number in range(8)] for chunk in (1, 2, 3)]
    whole = add_months(month, 12)
    await run(pool, told(*chunks), whole, capacity=11)
    for dies_after in (0, 1, 2):
        with pytest.raises(BrokenOffError):
            await run(pool, told(*chunks, dies_after=dies_after), month, capacity=11)
        assert len(await rows_of(pool, month)) == 8 * dies_after
        assert await invited_in(pool, month) == [], "nobody is invited before all are judged"
        async with transaction(pool) as tx:
            begun = await refresh_of(tx, month)
            assert begun is not None
            assert begun.finished_at is None
    later = NOW + timedelta(days=4)
    done = await run(pool, told(*chunks), month, capacity=11, as_of=later, now=later)
    assert (done.as_of, done.started_at, done.finished_at) == (NOW, NOW, later)
    assert await rows_of(pool, month) == await rows_of(pool, whole)
    assert len(await invited_in(pool, month)) == 11


async def test_parties_are_asked_as_of_the_moment_with_which_the_month_began(pool, month):
    moments = []

    async def ask(begun):
        moments.append(begun.as_of)
        yield people(person(1)).drop("supplement_e2")
        if len(moments) == 1:
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        await run(pool, ask, month)
    later = NOW + timedelta(days=9)
    await run(pool, ask, month, as_of=later, now=later)
    assert moments == [NOW, NOW]


async def test_who_is_judged_keeps_what_was_found_before_it_broke_off(pool, month):
    """The parties tell something else the second time; who was judged stays as judged."""
    with pytest.raises(BrokenOffError):
        await run(pool, told([person(1)], [person(2)], dies_after=1), month)
    await run(pool, told([person(1, student=True)], [person(2, student=True)]), month)
    assert await rows_of(pool, month, "member_id, invited") == [(1, True), (2, False)]


@pytest.mark.parametrize("turned", [False, True], ids=["in one order", "in two orders"])
async def test_two_at_once_come_to_the_same_as_one(pool, month, turned):
    chunks = [[of_enquiries(number, 10 * chunk + number) for number in range(8)] for chunk in (1, 2, 3, 4)]
    together = asyncio.Barrier(2)

    def in_step(chunks):
        async def ask(_):
            for rows in chunks:
                await together.wait()
                yield people(*rows).drop("supplement_e2")

        return ask

    other = chunks[::-1] if turned else chunks
    both = await asyncio.gather(
        run(pool, in_step(chunks), month, capacity=13), run(pool, in_step(other), month, capacity=13)
    )
    assert both[0] == both[1]
    whole = add_months(month, 12)
    await run(pool, told(*chunks), whole, capacity=13)
    assert await rows_of(pool, month) == await rows_of(pool, whole)


async def test_who_comes_late_changes_nothing_of_a_finished_month(pool, month):
    """One has asked the parties and goes slowly; meanwhile another finishes the month."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(_):
        asked.set()
        await go_on.wait()
        yield people(person(1), person(2)).drop("supplement_e2")

    slow = asyncio.create_task(run(pool, slowly, month))
    await asked.wait()
    done = await run(pool, told([person(1)]), month)
    before = await rows_of(pool, month, "*")
    go_on.set()
    assert await slow == done
    assert await rows_of(pool, month, "*") == before


@pytest.mark.parametrize(("first", "second"), [(None, 5), (5, None), (5, 6), (0, None)])
@pytest.mark.parametrize("broken", [False, True], ids=["finished", "begun"])
async def test_another_capacity_is_refused(pool, month, first, second, broken):
    asked = told([person(1)], [person(2)], dies_after=1 if broken else None)
    try:
        await run(pool, asked, month, capacity=first)
    except BrokenOffError:
        assert broken
    before = await rows_of(pool, month, "*")
    with pytest.raises(refreshing.RefreshedOtherwise) as refused:
        await run(pool, untold, month, capacity=second)
    assert refused.value.params["capacity"] == first
    assert await rows_of(pool, month, "*") == before


async def test_another_policy_is_refused(pool, month, monkeypatch):
    await run(pool, told([person(1)]), month)
    monkeypatch.setattr(refreshing, "policy_for", lambda _: POLICY.model_copy(update={"version": "another"}))
    with pytest.raises(refreshing.RefreshedOtherwise):
        await run(pool, untold, month)


LEVELS = {
    1: (NEAR, NEAR, NEAR),  # level
    2: (NEAR, NEAR + 100, NEAR + 200),  # rising
    3: (NEAR, NEAR + 200, NEAR + 100),  # falling in the third
    4: (NEAR, None, NEAR),  # not there in the second
    5: (NEAR - 1, NEAR, NEAR),  # too far away in the first
    6: (NEAR, NEAR, THRESHOLD),  # there
    7: (None, NEAR, NEAR),  # new in the second
}


async def test_near_the_threshold_for_three_refreshed_months_is_invited_later(pool, month):
    for place in range(3):
        now = add_months(month, place)
        given = {member: totals[place] for member, totals in LEVELS.items() if totals[place] is not None}
        await run(pool, told([near(total, member) for member, total in given.items()]), now)
        assert dict(await rows_of(pool, now, "member_id, total_e2")) == given
        ways = {member: way for member, way in await rows_of(pool, now, "member_id, way") if way}
        assert ways == ({} if place < 2 else {1: "delayed", 2: "delayed", 6: "directed"})
    assert await invited_in(pool, add_months(month, 2)) == [1, 2, 6]


async def test_month_that_was_not_refreshed_is_a_gap(pool, month):
    for place, invited in ((0, []), (1, []), (3, []), (4, []), (5, [1])):
        await run(pool, told([near(NEAR, 1)]), add_months(month, place))
        assert await invited_in(pool, add_months(month, place)) == invited


async def test_delayed_come_after_all_directed_and_share_the_capacity(pool, month):
    """A later invitation has a total below the threshold, so that capacity goes to it last."""
    for place in range(3):
        rows = [near(NEAR + place, 1), near(THRESHOLD if place == 2 else NEAR, 2)]
        await run(pool, told(rows), add_months(month, place), capacity=1)
    assert await rows_of(pool, add_months(month, 2), "member_id, way, invited, reasons") == [
        (1, "delayed", False, ["capacity_reached"]),
        (2, "directed", True, []),
    ]


async def test_what_was_judged_is_stored_with_its_hash(pool, month):
    rows = [with_features({"bill_paid.late_share.180d": None}, 1), person(2, consent_social=False)]
    await run(pool, told(rows), month)
    expected = judge(POLICY, people(*rows), month, {})
    for one in expected:
        async with transaction(pool) as tx:
            found, *_ = await outcomes_of(tx, member_id=one.member_id)
        assert (found.month, found.policy, found.way, found.invited) == (month, POLICY.version, Way.DIRECTED, True)
        assert (found.total_e2, found.dimensions_e2) == (one.total_e2, one.dimensions_e2)
        assert (found.points_e2, found.feature_values, found.reasons) == (one.points_e2, one.values, [])
        assert found.features_hash == one.features_hash


async def test_outcomes_of_is_of_the_newest_month_that_is_decided(pool, month):
    """Neither an older month that is refreshed afterwards, nor one that is broken off, takes its place."""
    await run(pool, told([person(77)]), month)
    await run(pool, told([person(77, student=True)]), add_months(month, -1))
    with pytest.raises(BrokenOffError):
        await run(pool, told([person(77, real_name=False)], [], dies_after=1), add_months(month, 1))
    async with transaction(pool) as tx:
        found, *_ = await outcomes_of(tx, member_id=77)
    assert (found.month, found.invited) == (month, True)


async def test_funnel_counts_as_by_hand(pool, month):
    """Nine people: three stopped by preconditions, two by points, four qualify, and three are invited."""
    rows = [
        *(of_enquiries(0, 1), of_enquiries(1, 2), of_enquiries(2, 3), of_enquiries(3, 4)),
        *(person(5, student=True), person(6, student=True, card_bound=False), person(7, card_bound=False)),
        with_features(worst(), 8),
        with_features(worst(), 9, consent_social=False),
    ]
    await run(pool, told(rows), month, capacity=3)
    async with transaction(pool) as tx:
        counted = await funnel(tx, month=month)
    assert (counted.judged, counted.eligible, counted.qualified, counted.invited) == (9, 6, 4, 3)
    assert counted.delayed == 0
    assert counted.stopped_by == {
        "student": 2,
        "capacity_reached": 1,
        "no_card": 1,
        "weak_consumption": 1,
        "weak_social": 1,
    }
    # credit: seven of 10 000 less what enquiries cost (0, 500, 1 000, 1 167 … of 2 500), and two of nothing
    credit = [10_000, 9_500, 9_000, 8_750, 10_000, 10_000, 10_000, 0, 0]
    assert counted.means_e2["credit"] == round(sum(credit) / 9)
    assert counted.means_e2["social"] == 70_000 // 8  # one of nine withholds the consent
    assert counted.means_e2["assets"] == round(70_000 / 9)


async def test_funnel_of_a_month_that_was_never_refreshed_is_empty(pool, month):
    async with transaction(pool) as tx:
        counted = await funnel(tx, month=month)
    assert (counted.judged, counted.invited, counted.stopped_by) == (0, 0, {})
    assert set(counted.means_e2.values()) == {None}
