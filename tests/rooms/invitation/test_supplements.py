"""Supplements (A4): handed in, answered by an officer in seven working days, and what they do to the next whitelist."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whitelist_people import somebody, whitelist

from grainline.invitation import policy_for
from grainline.invitation.policy import Dimension, Supplement
from grainline.invitation.supplementing import accept_supplement, refuse_supplement
from grainline.invitation.supplements import (
    SupplementDecided,
    SupplementNotFound,
    SupplementReasonMissing,
    answer_day,
)
from grainline.kit.db import transaction
from grainline.kit.holidays import HolidayTable, HolidayYear, holiday_versions, is_working_day
from holiday_years import holiday_table, only

pytestmark = pytest.mark.anyio

POLICY = policy_for(date(2020, 1, 1))
INCOME = {"kind": "income", "statement": "在本市一家公司任职，月入约一万二千元"}
SOCIAL, CONSUMPTION, ASSETS, CREDIT = Dimension


@pytest.fixture(autouse=True)
def plain_weeks():
    """Days are worked by the week only, in every year a test may run in."""
    with only(holiday_table("test", range(2000, 2100))):
        yield


@pytest.fixture
async def person(stage):
    """Somebody signed in who has handed in nothing."""
    found = await stage.resident(invited=True)
    await found.sign_in()
    return found


async def shown(person, kind="income"):
    """What the member sees of a kind of proof."""
    told = await person.get("/invitation")
    return next(one for one in told["supplements"] if one["kind"] == kind)


async def decide(stage, person, how, kind=Supplement.INCOME, reason="looked at"):
    async with transaction(stage.platform.pool) as tx:
        now = stage.clock()
        return await how(tx, member_id=person.member_id, kind=kind, decided_by="li", reason=reason, now=now)


def test_seven_working_days_over_the_national_holiday_of_2026():
    """29, 30 September, 8, 9, Saturday 10, 12, 13 October: the 1st to the 7th is off, and the 10th is worked for it."""
    off = frozenset(date(2026, 10, day) for day in (1, 2, 5, 6, 7))
    year = HolidayYear(off, days_worked=frozenset({date(2026, 10, 10)}))
    with only(HolidayTable("test", "a test", {2026: year})):
        assert answer_day(date(2026, 9, 28), 7) == date(2026, 10, 13)
        assert answer_day(date(2026, 9, 28), 1) == date(2026, 9, 29)


@given(day=st.dates(date(2001, 1, 1), date(2090, 1, 1)), working_days=st.integers(1, 30))
def test_an_answer_day_has_so_many_working_days_before_it(day, working_days):
    answer, version = answer_day(day, working_days), holiday_versions()[-1]
    between = [day + timedelta(days=n) for n in range(1, (answer - day).days + 1)]
    assert sum(is_working_day(each, version) for each in between) == working_days
    assert is_working_day(answer, version)


@given(day=st.dates(date(2008, 12, 1), date(2008, 12, 31)), working_days=st.integers(1, 30))
def test_what_is_promised_in_a_year_that_nobody_knows_yet_is_not_too_early(day, working_days):
    known = answer_day(day, working_days)
    with only(holiday_table("test", [2008])):
        promised = answer_day(day, working_days)
    assert promised >= known or known.year == 2008
    assert promised <= day + timedelta(days=2 * working_days + 12)


async def test_a_proof_waits_for_its_answer(stage, person):
    made = await person.post("/invitation/supplements", INCOME)
    assert made == await shown(person)
    assert (made["kind"], made["state"], made["adds_e2"]) == ("income", "submitted", 300)
    assert made["answer_by"] == str(answer_day(stage.today(), 7))
    assert (made["decided_at"], made["reason"]) == (None, None)
    assert (await shown(person, "education"))["state"] is None


async def test_the_same_again_is_the_same_and_another_is_refused_while_one_waits(stage, person):
    made = await person.post("/invitation/supplements", INCOME)
    stage.tick(60)
    assert await person.post("/invitation/supplements", INCOME) == made
    problem = await person.refused("/invitation/supplements", INCOME | {"statement": "月入约两万元"})
    assert (problem["status"], problem["code"]) == (409, "supplement_waiting")
    assert problem["answer_by"] == made["answer_by"]
    assert made["answer_by"] in problem["detail"]
    assert await shown(person) == made


async def test_a_refused_proof_may_be_handed_in_again(stage, person):
    await person.post("/invitation/supplements", INCOME)
    await decide(stage, person, refuse_supplement, reason="  看不清金额 ")
    refused = await shown(person)
    assert (refused["state"], refused["reason"]) == ("refused", "看不清金额")
    stage.tick(60)
    again = await person.post("/invitation/supplements", INCOME | {"statement": "月入约两万元，附流水"})
    assert (again["state"], again["reason"], again["decided_at"]) == ("submitted", None, None)
    assert again["submitted_at"] > refused["submitted_at"]


async def test_an_accepted_proof_is_not_handed_in_again(stage, person):
    await person.post("/invitation/supplements", INCOME)
    await decide(stage, person, accept_supplement)
    problem = await person.refused("/invitation/supplements", INCOME)
    assert (problem["status"], problem["code"]) == (409, "supplement_accepted")
    assert (await shown(person))["state"] == "accepted"
    education = await person.post("/invitation/supplements", {"kind": "education", "statement": "某大学本科毕业"})
    assert education["state"] == "submitted"


@pytest.mark.parametrize(
    "body",
    [
        INCOME | {"kind": "lottery"},
        INCOME | {"statement": "短"},
        INCOME | {"statement": "  a  \n "},
        INCOME | {"statement": "长" * 501},
        INCOME | {"statement": "一万元\u0000二千"},
        INCOME | {"statement": "一万元\ud800二千"},
        INCOME | {"points_e2": 9_000},
        {"kind": "income"},
    ],
)
async def test_what_is_no_proof_is_refused(person, body):
    answer = await person.stage.api.post(
        "/invitation/supplements",
        content=json.dumps(body),
        headers=person.headers | {"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert (await shown(person))["state"] is None


async def test_a_year_without_a_holiday_table_is_no_reason_to_refuse(stage, person):
    with only(holiday_table("test", [2004])):
        made = await person.post("/invitation/supplements", INCOME)
    assert date.fromisoformat(made["answer_by"]) == stage.today() + timedelta(days=1 + 14 + 10)


async def test_a_statement_is_sealed_and_seen_by_nobody_else(stage, person):
    await person.post("/invitation/supplements", INCOME)
    [(sealed, text)] = await stage.rows(
        "select statement_sealed, s::text from invitation.supplements s where member_id = %s", person.member_id
    )
    assert INCOME["statement"].encode() not in sealed
    assert INCOME["statement"] not in text
    other = await stage.resident(invited=True)
    await other.sign_in()
    assert (await shown(other))["state"] is None


async def test_what_is_accepted_counts_from_the_next_refresh_on(stage, person):
    row = somebody(POLICY, person.member_id, weak={SOCIAL, CONSUMPTION})
    await person.post("/invitation/supplements", INCOME)
    await person.post("/invitation/supplements", {"kind": "education", "statement": "某大学本科毕业"})
    await person.post("/invitation/supplements", {"kind": "property", "statement": "名下住房一套"})
    await whitelist(stage, row)
    before = (await person.get("/invitation"))["score"]
    assert (before["total_e2"], before["supplement_e2"]) == (4500, 0)  # handed in is not accepted
    await decide(stage, person, accept_supplement)
    await decide(stage, person, accept_supplement, Supplement.EDUCATION)
    await decide(stage, person, refuse_supplement, Supplement.PROPERTY)
    assert (await person.get("/invitation"))["score"] == before
    await whitelist(stage, row, as_of=stage.clock() - timedelta(days=1))
    assert (await person.get("/invitation"))["score"] == before  # accepted after what the month looks at
    stage.tick(1)
    await whitelist(stage, row)
    after = (await person.get("/invitation"))["score"]
    assert (after["total_e2"], after["supplement_e2"]) == (4500 + 300 + 100, 400)


async def test_an_officer_decides_once_and_the_member_is_told(stage, person):
    with pytest.raises(SupplementNotFound):
        await decide(stage, person, accept_supplement)
    await person.post("/invitation/supplements", INCOME)
    with pytest.raises(SupplementReasonMissing):
        await decide(stage, person, refuse_supplement, reason=" ")
    await decide(stage, person, accept_supplement)
    for how in (refuse_supplement, accept_supplement):
        with pytest.raises(SupplementDecided) as again:
            await decide(stage, person, how)
        assert again.value.params == {"state": "accepted"}
    await stage.work()
    texts = [message.text for message in stage.hands.inbox(person.papers.phone)]
    assert sum("收入证明" in text for text in texts) == 1
    assert any("收入证明已通过审核" in text for text in texts)
