"""What an outcome does to a member's standing: invited products follow it, scored ones and open lines do not."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from people_judged import MONTH, POLICY, people, person, with_features, worst

from grainline.invitation import MonthlyEvaluation, Outcome, add_evaluations, in_force, refresh, standing
from grainline.invitation.outcomes import Way
from grainline.kit.calendar import add_months
from grainline.kit.db import transaction
from stage import new_key

pytestmark = pytest.mark.anyio

TODAY = date(2026, 12, 9)
LAST = date(2027, 1, 30)
_months = count()
ADMITS = MonthlyEvaluation(
    member_id=1,
    product="weilidai",
    month=MONTH,
    pd_e6=50_000,
    invited=True,
    tier="prime",
    line_fen=5_000_000,
    rate_e8=30_000,
    reasons=("line_by_capacity",),
    model="test",
    evaluated_at=datetime(2026, 12, 1, tzinfo=UTC),
    expires_on=date(2027, 2, 10),
)
REFUSES = replace(
    ADMITS, invited=False, tier=None, line_fen=None, rate_e8=None, expires_on=None, reasons=("recent_delay",)
)
LISTED = Outcome(
    *(1, MONTH, POLICY.version, Way.DIRECTED, True, 8_000, 8_000, 8_000, 8_000, 8_000, 0),
    *([], [], b"", [], LAST),
)
NOT_LISTED = replace(LISTED, way=None, invited=False, reasons=["student", "weak_assets"], expires_on=None)


@pytest.mark.parametrize(
    ("newest", "listed", "today", "reasons", "invited"),
    [
        (ADMITS, None, TODAY, ("line_by_capacity",), True),  # the whitelist has not looked yet
        (ADMITS, LISTED, TODAY, ("line_by_capacity",), True),
        (ADMITS, NOT_LISTED, TODAY, ("student", "weak_assets"), False),
        (REFUSES, LISTED, TODAY, ("recent_delay",), False),  # both must say yes
        (REFUSES, NOT_LISTED, TODAY, ("student", "weak_assets"), False),
        (None, LISTED, TODAY, ("no_activity",), False),
        (None, NOT_LISTED, TODAY, ("student", "weak_assets"), False),
        (ADMITS, LISTED, LAST, ("line_by_capacity",), True),  # the last day is its last
        (ADMITS, LISTED, LAST + timedelta(days=1), ("invitation_expired",), False),
        (ADMITS, replace(LISTED, expires_on=date(2027, 3, 1)), date(2027, 2, 11), ("invitation_expired",), False),
    ],
)
def test_invited_by_the_whitelist_and_admitted_by_the_evaluation(newest, listed, today, reasons, invited):
    found = standing(newest, today, listed)
    assert (found.reasons, found.invited, found.newest) == (reasons, invited, newest)
    assert found.offer == (newest if invited else None)


@pytest.mark.parametrize(
    ("newer", "today", "counts"),
    [
        ([], TODAY, LISTED),
        ([replace(LISTED, way=None, invited=False, reasons=["weak_assets"], expires_on=None)], TODAY, LISTED),
        ([replace(LISTED, invited=False, reasons=["capacity_reached"], expires_on=None)], LAST, LISTED),
        ([replace(LISTED, invited=False, reasons=["capacity_reached"], expires_on=None)], LAST + timedelta(1), None),
        ([NOT_LISTED], TODAY, None),  # a student meanwhile
        ([replace(NOT_LISTED, reasons=["weak_assets"]), NOT_LISTED], TODAY, None),
        ([replace(LISTED, expires_on=LAST + timedelta(30))], TODAY, None),
    ],
)
def test_an_invitation_holds_until_its_day_unless_a_precondition_fails(newer, today, counts):
    """`counts` is None where the newest does."""
    found = in_force([*newer, LISTED], today)
    assert found == (newer[0] if counts is None else counts)


def test_nobody_who_was_never_judged_has_an_outcome():
    assert in_force([], TODAY) is None


async def list_members(stage, *rows, capacity=None):
    """Refresh a month that no other test has met with these people, and nobody else."""

    async def told(_):
        yield people(*rows).drop("supplement_e2")

    month, now = add_months(stage.today().replace(day=1), next(_months)), stage.clock()
    return await refresh(stage.platform.pool, told, month=month, capacity=capacity, as_of=now, now=now)


async def admit_everywhere(stage, member_id):
    """Let a member be admitted by the other products as well, by their evaluations."""
    evaluations = [
        replace(
            ADMITS,
            member_id=member_id,
            product=product,
            month=stage.today().replace(day=1),
            evaluated_at=stage.clock(),
            expires_on=stage.today() + timedelta(days=30),
        )
        for product in stage.platform.packs
    ]
    async with transaction(stage.platform.pool) as tx:
        await add_evaluations(tx, evaluations)


async def test_outcomes_decide_the_invited_product_and_no_scored_one(stage):
    listed, crowded, weak, unseen = [await stage.resident(invited=True) for _ in range(4)]
    for each in (listed, crowded, weak, unseen):
        await admit_everywhere(stage, each.member_id)
        await each.sign_in()
    rows = [
        person(listed.member_id),
        with_features({"enquiry.consumer_loan.count.180d": 4}, crowded.member_id),
        with_features(worst(), weak.member_id),
    ]
    await list_members(stage, *rows, capacity=1)
    for each, invited in ((listed, True), (crowded, False), (weak, False), (unseen, True)):
        wallet = await each.get("/wallet")
        assert wallet["invitation"]["invited"] is invited
        assert {one["product"]: one["invited"] for one in wallet["products"]} == {
            "weilidai": invited,
            "jiebei": True,
            "jintiao": True,
        }
    for each, reasons in ((crowded, ["capacity_reached"]), (weak, ["weak_social", "weak_consumption"])):
        told = (await each.get("/wallet"))["invitation"]["reasons"]
        assert [reason["code"] for reason in told][: len(reasons)] == reasons
        await each.post("/identity", each.identity())
        await each.post("/cards", each.card())
        refused = await each.refused("/applications", {"student": False}, key=new_key())
        assert refused["code"] == "not_invited"
    assert await stage.proof() == []


async def test_open_line_is_not_touched_by_an_outcome_that_does_not_invite(stage):
    """Not even a negative record takes a line away; it can be drawn on as before."""
    holder = await stage.borrower(line_fen=3_000_000)
    wallet, opened = await holder.get("/wallet"), await holder.get("/line")
    lines = await stage.rows("select * from lines.lines where member_id = %s", holder.member_id)
    bad = with_features(worst() | {"default.count.360d": 1.0}, holder.member_id, student=True, real_name=False)
    await list_members(stage, bad)
    after = await holder.get("/wallet")
    assert after["invitation"]["invited"] is False
    assert {key: after[key] for key in ("line", "next_step", "open_loans")} == {
        key: wallet[key] for key in ("line", "next_step", "open_loans")
    }
    assert await holder.get("/line") == opened
    assert await stage.rows("select * from lines.lines where member_id = %s", holder.member_id) == lines
    await holder.loan(1_000)
    assert (await holder.get("/line"))["available_fen"] == 3_000_000 - 100_000
    assert await stage.proof() == []


async def test_invitation_of_the_whitelist_expires_after_its_days(stage):
    """The evaluation would hold longer here than the whitelist does."""
    invited = await stage.resident(invited=True)
    await invited.sign_in()
    await list_members(stage, person(invited.member_id))
    month, year = add_months(stage.today().replace(day=1), 1), timedelta(days=365)
    longer = replace(ADMITS, month=month, evaluated_at=stage.clock(), expires_on=stage.today() + year)
    async with transaction(stage.platform.pool) as tx:
        await add_evaluations(tx, [replace(longer, member_id=invited.member_id)])
    stage.tick(POLICY.valid_days * 24 * 3600)
    assert (await invited.get("/wallet"))["invitation"]["invited"] is True
    stage.tick(24 * 3600)
    told = (await invited.get("/wallet"))["invitation"]
    assert (told["invited"], [reason["code"] for reason in told["reasons"]]) == (False, ["invitation_expired"])
