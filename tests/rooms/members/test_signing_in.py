"""Signing in by one-time code: what a thief, a slow reader and an impatient finger meet."""

import asyncio
import base64

import pytest

from stage import Borrower, Stage

pytestmark = pytest.mark.anyio

MINUTE = 60
DAY = 24 * 60 * MINUTE


def other(code: str) -> str:
    """Return a code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def asked(stage: Stage) -> tuple[Borrower, str]:
    """Somebody who has asked for a code, and the code on their phone."""
    person = await stage.resident(invited=True)
    await person.post("/sign-in/otp", {"phone": person.papers.phone})
    return person, await person.code()


async def enter(person: Borrower, code: str) -> dict:
    """Try a code that must be refused."""
    return await person.refused("/sign-in", {"phone": person.papers.phone, "code": code})


async def test_five_wrong_tries_kill_a_code_and_another_may_be_asked_for(stage):
    person, code = await asked(stage)
    for left in (4, 3, 2, 1):
        assert (await enter(person, other(code)))["code"] == "code_wrong"
        # counted in the database although the request was refused
        tries = "select tries_left from members.one_time_codes where member_id = %s"
        assert await stage.rows(tries, person.member_id) == [(left,)]
    problem = await enter(person, other(code))
    assert (problem["code"], problem["status"]) == ("code_locked", 403)
    assert (await enter(person, code))["code"] == "code_locked"

    stage.tick(61)
    await person.sign_in()
    assert (await person.get("/wallet"))["next_step"] == "real_name"


async def test_wrong_tries_side_by_side_are_each_counted(stage):
    person, code = await asked(stage)
    answers = await asyncio.gather(*(enter(person, other(code)) for _ in range(12)))
    codes = [answer["code"] for answer in answers]
    assert (codes.count("code_wrong"), codes.count("code_locked")) == (4, 8)
    assert (await enter(person, code))["code"] == "code_locked"


async def test_code_is_good_once_also_side_by_side(stage):
    person, code = await asked(stage)
    body = {"phone": person.papers.phone, "code": code}
    answers = await asyncio.gather(*(person.call("POST", "/sign-in", body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [403] * 5
    assert {answer.json()["code"] for answer in answers if answer.status_code == 403} == {"code_used"}
    assert (await enter(person, code))["code"] == "code_used"


async def test_code_expires_after_five_minutes(stage):
    person, code = await asked(stage)
    stage.tick(5 * MINUTE + 1)
    assert (await enter(person, code))["code"] == "code_expired"


async def test_code_is_good_just_before_it_expires(stage):
    person, code = await asked(stage)
    stage.tick(5 * MINUTE - 10)
    await person.post("/sign-in", {"phone": person.papers.phone, "code": code})


async def test_new_code_replaces_the_old_one(stage):
    person, first = await asked(stage)
    stage.tick(61)
    await person.post("/sign-in/otp", {"phone": person.papers.phone})
    second = await person.code()
    assert (await enter(person, other(second) if first == second else first))["code"] == "code_wrong"
    await person.post("/sign-in", {"phone": person.papers.phone, "code": second})


async def test_another_code_may_be_asked_for_after_a_minute(stage):
    person, _ = await asked(stage)
    problem = await person.refused("/sign-in/otp", {"phone": person.papers.phone})
    assert (problem["code"], problem["status"]) == ("code_too_soon", 429)
    assert problem["resend_at"] > stage.clock().isoformat()
    stage.tick(61)
    await person.post("/sign-in/otp", {"phone": person.papers.phone})


async def test_twenty_codes_a_day_and_more_the_next(stage):
    person = await stage.resident(invited=False)
    for _ in range(20):
        await person.post("/sign-in/otp", {"phone": person.papers.phone})
        stage.tick(61)
    problem = await person.refused("/sign-in/otp", {"phone": person.papers.phone})
    assert (problem["code"], problem["status"], problem["a_day"]) == ("codes_used_up", 429, 20)
    assert "20" in problem["detail"]
    stage.tick(DAY)
    await person.post("/sign-in/otp", {"phone": person.papers.phone})


async def test_first_codes_asked_for_side_by_side_are_one(stage):
    """Neither an unknown phone nor one that never had a code can be flooded by asking in parallel."""
    known = await stage.resident(invited=False)
    for phone in (known.papers.phone, "19900000001"):
        body = {"phone": phone}
        answers = await asyncio.gather(*(stage.api.post("/sign-in/otp", json=body) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [202] + [429] * 5
        await stage.work()
        assert len(stage.hands.inbox(phone)) == 1


async def test_code_is_good_for_its_own_phone_only(stage):
    _, code = await asked(stage)
    other_person, other_code = await asked(stage)
    if code != other_code:
        assert (await enter(other_person, code))["code"] == "code_wrong"
    stranger = await stage.resident(invited=False)
    assert (await enter(stranger, code))["code"] == "code_not_requested"


async def test_phone_nobody_asked_a_code_for_tells_nothing(stage):
    body = {"phone": "19912345678", "code": "123456"}
    answer = await stage.api.post("/sign-in", json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "code_not_requested")


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("", "invalid_request"),
        ("1", "bad_phone"),
        ("29912345678", "bad_phone"),
        ("199123456789", "bad_phone"),
        ("1991234567８", "bad_phone"),
        ("19912345678\n", "bad_phone"),
        ("1991234567\x00", "bad_phone"),
        ("' or 1=1 --", "bad_phone"),
        ("1" * 65, "invalid_request"),
        (19912345678, "invalid_request"),
        (None, "invalid_request"),
        (["19912345678"], "invalid_request"),
    ],
)
async def test_what_is_no_phone(stage, phone, code):
    person = Borrower(stage, None, 0)
    problem = await person.refused("/sign-in/otp", {"phone": phone})
    assert (problem["status"], problem["code"]) == (422, code)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "\x00" * 6, "9" * 64])
async def test_what_is_no_code(stage, code):
    person, _ = await asked(stage)
    problem = await enter(person, code)
    assert (problem["status"], problem["code"]) in [(403, "code_wrong"), (422, "invalid_request")]


async def test_half_a_character_is_no_code_and_no_phone(stage):
    """JSON can write half of a surrogate pair, which no encoding can carry on."""
    person, code = await asked(stage)
    half = r"\ud800"
    bodies = (f'{{"phone": "{person.papers.phone}", "code": "{half}"}}', f'{{"phone": "{half}", "code": "{code}"}}')
    for body in bodies:
        answer = await stage.api.post("/sign-in", content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_session_ends_by_signing_out_and_only_that_one(stage):
    person, code = await asked(stage)
    first = await person.post("/sign-in", {"phone": person.papers.phone, "code": code})
    stage.tick(61)
    await person.sign_in()
    elsewhere = Borrower(stage, person.papers, person.member_id, {"Authorization": f"Bearer {first['token']}"})
    await elsewhere.get("/wallet")
    assert (await elsewhere.call("POST", "/sign-out")).status_code == 204
    assert (await elsewhere.call("GET", "/wallet")).status_code == 401
    assert (await elsewhere.call("POST", "/sign-out")).status_code == 401
    await person.get("/wallet")


async def test_session_ends_after_its_time(stage):
    person, code = await asked(stage)
    session = await person.post("/sign-in", {"phone": person.papers.phone, "code": code})
    person.headers = {"Authorization": f"Bearer {session['token']}"}
    stage.tick(89 * DAY)
    await person.get("/wallet")
    stage.tick(DAY)
    assert (await person.call("GET", "/wallet")).json()["code"] == "not_signed_in"


async def test_token_with_another_members_number_opens_nothing(stage):
    ming, hong = await stage.resident(invited=True), await stage.resident(invited=True)
    await ming.sign_in()
    await hong.sign_in()
    token = ming.headers["Authorization"].removeprefix("Bearer ")
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert int.from_bytes(raw[:8]) == ming.member_id
    forged = base64.urlsafe_b64encode(hong.member_id.to_bytes(8) + raw[8:]).rstrip(b"=").decode()
    hong.headers = {"Authorization": f"Bearer {forged}"}
    problem = await hong.call("GET", "/wallet")
    assert (problem.status_code, problem.json()["code"]) == (401, "not_signed_in")
    assert problem.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer garbage",
        "Bearer " + "A" * 54,
        "Bearer " + "_" * 54,
        "Bearer " + "A" * 5000,
        "Bearer é",
        "Basic dXNlcjpwYXNz",
        "garbage",
    ],
)
async def test_garbage_is_no_token(stage, header):
    answer = await stage.api.get("/wallet", headers={b"Authorization": header.encode("latin-1")})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
    assert answer.headers["content-type"] == "application/problem+json"
