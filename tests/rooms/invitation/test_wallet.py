"""What the wallet tells: invited until when, or why not, what helps, and when the next evaluation is (A1)."""

from datetime import date, timedelta

import pytest

from grainline.kit.calendar import SHANGHAI
from stage import Borrower, new_key

pytestmark = pytest.mark.anyio

ENGLISH = {"Accept-Language": "en"}
DAY = 24 * 3600


def first_of_next_month(day: date) -> date:
    """The first day after this one that is a first, by counting."""
    day += timedelta(days=1)
    while day.day != 1:
        day += timedelta(days=1)
    return day


async def test_invited_person_sees_until_when_and_what_comes_first(stage):
    person = await stage.resident(invited=True)
    await person.sign_in()
    wallet = await person.get("/wallet")
    assert wallet["invitation"]["invited"] is True
    assert wallet["invitation"]["expires_on"] == str(stage.today() + timedelta(days=60))
    assert wallet["invitation"]["advice"] == []
    assert (wallet["next_step"], wallet["line"], wallet["open_loans"]) == ("real_name", None, 0)
    assert wallet["phone"] == f"{person.papers.phone[:3]}****{person.papers.phone[-4:]}"
    assert (wallet["name"], wallet["real_name"], wallet["card"]) == (None, False, False)


async def test_not_invited_person_sees_why_not_what_helps_and_when_next(stage):
    person = await stage.resident(invited=False)
    await person.sign_in()
    wallet = await person.get("/wallet")
    invitation = wallet["invitation"]
    assert (invitation["invited"], invitation["expires_on"], wallet["next_step"]) == (False, None, None)
    assert [reason["code"] for reason in invitation["reasons"]] == ["recent_delay"]
    assert [advice["code"] for advice in invitation["advice"]] == ["pay_on_time"]
    assert invitation["next_evaluation_on"] == str(first_of_next_month(stage.today()))
    chinese = [one["text"] for one in invitation["reasons"] + invitation["advice"]]
    english = (await person.call("GET", "/wallet", **ENGLISH)).json()["invitation"]
    assert all("\u4e00" <= text[0] <= "\u9fff" for text in chinese)
    assert all(one["text"].isascii() for one in english["reasons"] + english["advice"])


async def test_unknown_phone_is_a_resident_without_a_record(stage):
    body = {"phone": "19911112222"}
    await stage.api.post("/sign-in/otp", json=body)
    await stage.work()
    code = stage.hands.latest_code("19911112222")
    session = (await stage.api.post("/sign-in", json=body | {"code": code})).json()
    person = Borrower(stage, None, 0, {"Authorization": f"Bearer {session['token']}"})
    wallet = await person.get("/wallet")
    assert wallet["phone"] == "199****2222"
    assert wallet["next_step"] is None
    assert [reason["code"] for reason in wallet["invitation"]["reasons"]] == ["no_activity"]
    assert [advice["code"] for advice in wallet["invitation"]["advice"]] == ["be_active"]


async def test_not_invited_person_gets_no_line(stage):
    person = await stage.resident(invited=False)
    await person.sign_in()
    await person.post("/identity", person.identity())
    await person.post("/cards", person.card())
    problem = await person.refused("/applications", {"student": False}, key=new_key())
    assert (problem["status"], problem["code"]) == (403, "not_invited")
    upcoming = str(first_of_next_month(stage.today()))
    assert problem["next_evaluation_on"] == upcoming
    assert upcoming in problem["detail"]
    for method, path in (("GET", "/line"), ("POST", "/quotes")):
        answer = await person.call(method, path, {"amount_fen": 100_000, "instalments": 5})
        assert (answer.status_code, answer.json()["code"]) == (404, "no_line")


async def test_invitation_holds_through_its_last_day_and_not_longer(stage):
    person = await stage.resident(invited=True)
    last_day = stage.today() + timedelta(days=60)
    await person.sign_in()
    await person.post("/identity", person.identity())
    await person.post("/cards", person.card())
    stage.tick(60 * DAY)
    assert stage.today() == last_day
    assert (await person.get("/wallet"))["next_step"] == "consents"
    stage.tick(DAY)
    wallet = await person.get("/wallet")
    assert (wallet["invitation"]["invited"], wallet["next_step"]) == (False, None)
    assert [reason["code"] for reason in wallet["invitation"]["reasons"]] == ["invitation_expired"]
    refused = await person.refused("/applications", {"student": False}, key=new_key())
    assert refused["code"] == "not_invited"


async def test_line_once_opened_outlives_the_invitation(stage):
    person = await stage.borrower(line_fen=300_000)
    opened = await person.get("/line")
    stage.tick(61 * DAY)
    assert (await person.get("/wallet"))["next_step"] == "borrow"
    assert await person.get("/line") == opened


async def test_next_evaluation_goes_by_the_day_in_shanghai(stage):
    """An hour before midnight in Shanghai it is still this month; an hour after, the month after the next."""
    person = await stage.resident(invited=False)
    await person.sign_in()
    upcoming = first_of_next_month(stage.today())
    now = stage.clock().astimezone(SHANGHAI)
    midnight = now.replace(year=upcoming.year, month=upcoming.month, day=1, hour=0, minute=0, second=0)
    stage.tick((midnight - now).total_seconds() - 3600)
    assert (await person.get("/wallet"))["invitation"]["next_evaluation_on"] == str(upcoming)
    stage.tick(7200)
    assert stage.today() == upcoming
    shown = (await person.get("/wallet"))["invitation"]["next_evaluation_on"]
    assert shown == str(first_of_next_month(upcoming))


async def test_meta_tells_the_day_in_shanghai_to_anybody(stage):
    chinese = (await stage.api.get("/meta")).json()
    english = (await stage.api.get("/meta", headers=ENGLISH)).json()
    assert (chinese["sandbox"], chinese["today"]) == (True, str(stage.today()))
    assert (chinese["product_name"], english["product_name"]) == ("微粒贷", "Weilidai")
