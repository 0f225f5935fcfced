"""The real name: a wrong check digit, a minor, somebody else's papers, an authority that is silent."""

import asyncio
from datetime import date, timedelta

import pytest
from stdnum.cn import ric

from stage import new_key

pytestmark = pytest.mark.anyio


def id_born_on(day: date, sequence: int = 1) -> str:
    """Return a national id that is right in form, for somebody born on a day."""
    body = f"999999{day:%Y%m%d}{sequence:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


def years_before(day: date, years: int) -> date:
    """Return the same day of an earlier year; 1 March where there was no 29 February."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 3, 1)


async def signed_in(stage):
    """Somebody who has signed in and nothing more."""
    person = await stage.resident(invited=True)
    await person.sign_in()
    return person


async def test_wrong_check_digit_is_told_before_anybody_is_asked(stage):
    person = await signed_in(stage)
    right = person.papers.national_id
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    stage.hands.set_fault("identity-authority", "down", mode="next", count=1)
    problem = await person.refused("/identity", {"name": person.papers.name, "national_id": wrong})
    assert (problem["status"], problem["code"]) == (422, "bad_national_id")
    # the fault is still there: the authority was not asked
    problem = await person.refused("/identity", person.identity())
    assert (problem["status"], problem["code"]) == (503, "partner_not_taken")
    await person.post("/identity", person.identity())


async def test_authority_that_is_down_is_no_pass(stage):
    person = await signed_in(stage)
    stage.hands.set_fault("identity-authority", "down", mode="next", count=2)
    for _ in range(2):
        assert (await person.refused("/identity", person.identity()))["status"] == 503
        assert (await person.get("/wallet"))["real_name"] is False
    masked = person.papers.name[0] + "*" * (len(person.papers.name) - 1)
    assert (await person.post("/identity", person.identity()))["name"] == masked


async def test_who_is_not_eighteen_yet_gets_no_credit(stage):
    person = await signed_in(stage)
    eighteen = years_before(stage.today(), 18)
    minor = {"name": "测试小", "national_id": id_born_on(eighteen + timedelta(days=1))}
    problem = await person.refused("/identity", minor)
    assert (problem["status"], problem["code"], problem["years"]) == (403, "minor", 18)
    assert "18" in problem["detail"]
    # who is eighteen today passes the age and is unknown to the authority
    adult = {"name": "测试小", "national_id": id_born_on(eighteen)}
    assert (await person.refused("/identity", adult))["code"] == "identity_mismatch"


async def test_name_and_id_must_belong_together(stage):
    person, stranger = await signed_in(stage), stage.town.someone()
    mixed = {"name": stranger.name + "甲", "national_id": person.papers.national_id}
    problem = await person.refused("/identity", mixed)
    assert (problem["status"], problem["code"]) == (422, "identity_mismatch")
    assert (await person.get("/wallet"))["real_name"] is False


@pytest.mark.parametrize(
    "national_id",
    [
        "1",
        "99000019900101001",
        "9900001990010100100",
        "99000019901301001X",
        "９９００００19900101001X",
        "99000019900101001\x00",
        id_born_on(date(1899, 12, 31)),
        id_born_on(date(2999, 1, 1)),
        id_born_on(date(1990, 1, 1)).replace("19900101", "19900230"),
    ],
)
async def test_what_is_no_national_id(stage, national_id):
    person = await signed_in(stage)
    problem = await person.refused("/identity", {"name": "测试安", "national_id": national_id})
    assert (problem["status"], problem["code"]) == (422, "bad_national_id")


@pytest.mark.parametrize("name", [" ", "测", "测" * 31, "张3", "<b>安</b>", "安\x00柏", "'; drop table x"])
async def test_what_is_no_name(stage, name):
    person = await signed_in(stage)
    body = {"name": name, "national_id": person.papers.national_id}
    problem = await person.refused("/identity", body)
    assert (problem["status"], problem["code"]) == (422, "bad_name")


async def test_real_name_is_set_once(stage):
    person = await signed_in(stage)
    first = await person.post("/identity", person.identity())
    assert (await person.post("/identity", person.identity()))["name"] == first["name"]
    stranger = stage.town.someone()
    other = {"name": stranger.name, "national_id": stranger.national_id}
    problem = await person.refused("/identity", other)
    assert (problem["status"], problem["code"]) == (409, "identity_verified")


async def test_one_person_cannot_be_two_members(stage):
    ming, hong = await signed_in(stage), await signed_in(stage)
    await ming.post("/identity", ming.identity())
    problem = await hong.refused("/identity", ming.identity())
    assert (problem["status"], problem["code"]) == (409, "identity_taken")
    assert (await hong.get("/wallet"))["real_name"] is False
    await hong.post("/identity", hong.identity())


async def test_one_person_cannot_become_two_members_at_once(stage):
    people = [await signed_in(stage) for _ in range(4)]
    papers = people[0].identity()
    answers = await asyncio.gather(*(person.call("POST", "/identity", papers) for person in people))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]


async def test_card_and_line_wait_for_the_real_name(stage):
    person = await signed_in(stage)
    for path, body in (("/cards", person.card()), ("/applications", {"student": False})):
        problem = await person.refused(path, body, key=new_key())
        assert (problem["status"], problem["code"]) == (409, "identity_needed")
    await person.post("/identity", person.identity())
    problem = await person.refused("/applications", {"student": False}, key=new_key())
    assert (problem["status"], problem["code"]) == (409, "card_needed")
