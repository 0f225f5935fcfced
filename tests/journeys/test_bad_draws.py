"""From a wrong amount to a contract signed too early: what a draw is refused for, step by step."""

import asyncio
import json
from datetime import time, timedelta
from uuid import uuid4

import pytest

from grainline.kit.calendar import at
from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def ming(stage: Stage) -> Borrower:
    """Somebody with a line of 50,000."""
    return await stage.borrower(line_fen=5_000_000)


async def terms(person: Borrower, **changed: object) -> dict[str, object]:
    """What a disclosure is asked for with."""
    card_id = (await person.get("/cards"))["items"][0]["card_id"]
    return {"amount_fen": 100_000, "instalments": 5, "purpose": "travel", "card_id": card_id} | changed


@pytest.mark.parametrize(
    ("yuan", "code", "fact"),
    [
        (0, "draw_below_minimum", "100"),
        (-100, "draw_below_minimum", "100"),
        (-(2**63 // 100), "draw_below_minimum", "100"),
        (99, "draw_below_minimum", "100"),
        (150, "draw_not_a_multiple", "100"),
        (40_050, "draw_not_a_multiple", "100"),
        (40_100, "draw_above_maximum", "40,000"),
        (2**63 // 10_000 * 100, "draw_above_maximum", "40,000"),
    ],
)
async def test_amount_no_draw_may_have(ming, yuan, code, fact):
    for path, body in (
        ("/quotes", {"amount_fen": yuan * 100, "instalments": 5}),
        ("/disclosures", await terms(ming, amount_fen=yuan * 100)),
    ):
        problem = await ming.refused(path, body)
        assert (problem["status"], problem["code"]) == (422, code)
        assert fact in problem["detail"]


async def test_amount_in_fen_must_be_whole_hundreds_of_yuan(ming):
    assert (await ming.refused("/quotes", {"amount_fen": 10_001, "instalments": 5}))["code"] == "draw_not_a_multiple"


@pytest.mark.parametrize(
    "written",
    [
        *("2e5", "100000.0", "100000.5", '"100000"', "null", "true", "[100000]", "{}", "NaN", "Infinity"),
        *("9223372036854775808", "-1e400", "1e999", "9" * 400),
    ],
)
@pytest.mark.parametrize("path", ["/quotes", "/disclosures"])
async def test_amount_that_is_no_whole_number(ming, path, written):
    """An amount is never guessed at: no strings, no floats, nothing the database could not hold."""
    body = json.dumps(await terms(ming)).replace("100000", written)
    answer = await ming.stage.api.post(path, content=body, headers=ming.headers | {"Content-Type": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["fields"] == "amount_fen"


@pytest.mark.parametrize("instalments", [0, -5, 1, 6, 21, 2**31, 2**63, 10**30])
async def test_term_that_is_not_offered(ming, instalments):
    for path, body in (
        ("/quotes", {"amount_fen": 100_000, "instalments": instalments}),
        ("/disclosures", await terms(ming, instalments=instalments)),
    ):
        problem = await ming.refused(path, body)
        assert (problem["status"], problem["code"]) == (422, "unknown_term")
        assert "5" in problem["detail"]


@pytest.mark.parametrize("purpose", ["", "stocks", "Travel", "travel ", "tr\x00vel", "旅游"])
async def test_unknown_purpose(ming, purpose):
    problem = await ming.refused("/disclosures", await terms(ming, purpose=purpose))
    assert (problem["status"], problem["code"]) == (422, "unknown_purpose")
    assert "renovation" in problem["allowed"]


@pytest.mark.parametrize("name", ["purpose", "card_id", "instalments", "amount_fen"])
@pytest.mark.parametrize("value", [None, [], {}, "x" * 40])
async def test_field_of_another_form(ming, name, value):
    problem = await ming.refused("/disclosures", await terms(ming, **{name: value}))
    assert (problem["status"], problem["code"], problem["fields"]) == (422, "invalid_request", name)


async def test_card_nobody_has(ming):
    problem = await ming.refused("/disclosures", await terms(ming, card_id=str(uuid4())))
    assert (problem["status"], problem["code"]) == (404, "card_not_found")


async def test_above_the_line(stage):
    person = await stage.borrower(line_fen=300_000)
    assert (await person.get("/line"))["draw_max_fen"] == 300_000
    for path, body in (
        ("/quotes", {"amount_fen": 310_000, "instalments": 5}),
        ("/disclosures", await terms(person, amount_fen=310_000)),
    ):
        problem = await person.refused(path, body)
        assert (problem["code"], problem["available_fen"]) == ("line_exceeded", 300_000)
    await person.draw(3_000)
    line = await person.get("/line")
    assert (line["available_fen"], line["draw_max_fen"]) == (0, 0)
    assert (await person.refused("/quotes", {"amount_fen": 10_000, "instalments": 5}))["code"] == "line_exceeded"


async def test_line_that_was_used_up_after_the_contract(stage):
    """The line is what it is at the moment of the draw, not what it was when the cost was shown."""
    person = await stage.borrower(line_fen=300_000)
    early = await person.contract(2_000)
    stage.tick(61)
    await person.draw(2_000)
    stage.tick(61)
    await person.post(f"/contracts/{early['contract_id']}/otp", None)
    body = {"contract_id": early["contract_id"], "contract_hash": early["hash"], "code": await person.code()}
    problem = await person.refused("/draws", body, key=new_key())
    assert (problem["status"], problem["code"]) == (409, "line_exceeded")
    line = await person.get("/line")
    assert (line["available_fen"], line["day_left_fen"]) == (100_000, 9_800_000)
    assert await stage.proof() == []


async def test_above_the_day_and_again_the_next(stage):
    person = await stage.borrower(line_fen=20_000_000)
    await person.draw(40_000)
    await person.draw(40_000)
    line = await person.get("/line")
    assert (line["day_left_fen"], line["draw_max_fen"]) == (2_000_000, 2_000_000)
    body = await person.signature(20_100)
    problem = await person.refused("/draws", body, key=new_key())
    assert (problem["status"], problem["code"]) == (409, "day_limit_reached")
    # the line was not touched, and the rest of the day may still be drawn
    assert (await person.get("/line"))["available_fen"] == 12_000_000
    await person.draw(20_000)
    assert (await person.get("/line"))["day_left_fen"] == 0
    await stage.pass_days(1)
    assert (await person.get("/line"))["day_left_fen"] == 10_000_000
    await person.draw(40_000)
    assert await stage.proof() == []


async def test_day_limit_counts_what_failed_no_longer(stage):
    person = await stage.borrower(line_fen=20_000_000)
    stage.hands.set_fault("rail", "reject", mode="next", count=1)
    draw_id = await person.draw(40_000)
    assert (await person.get("/line"))["day_left_fen"] == 6_000_000
    await stage.work()
    assert (await person.get(f"/draws/{draw_id}"))["state"] == "failed"
    line = await person.get("/line")
    assert (line["day_left_fen"], line["available_fen"]) == (10_000_000, 20_000_000)
    assert await stage.proof() == []


async def contract(person: Borrower, shown: dict, **changed: object) -> dict:
    """Ask for a contract that must be refused."""
    body = {"disclosure_id": shown["disclosure_id"], "disclosure_hash": shown["hash"]} | changed
    return await person.refused("/contracts", body)


async def test_contract_before_the_reading_time(ming):
    shown = await ming.disclosure(1_000)
    problem = await contract(ming, shown)
    assert (problem["status"], problem["code"]) == (409, "disclosure_not_read")
    assert problem["may_sign_at"].replace("+00:00", "Z") == shown["may_sign_at"]
    ming.stage.tick(shown["reading_seconds"] - 2)
    assert (await contract(ming, shown))["code"] == "disclosure_not_read"
    ming.stage.tick(61)
    await ming.post("/contracts", {"disclosure_id": shown["disclosure_id"], "disclosure_hash": shown["hash"]})


async def test_altered_disclosure(ming):
    shown, other = await ming.disclosure(1_000), await ming.disclosure(2_000)
    ming.stage.tick(61)
    flipped = ("0" if shown["hash"][0] != "0" else "1") + shown["hash"][1:]
    for altered in (flipped, other["hash"], "0" * 64):
        problem = await contract(ming, shown, disclosure_hash=altered)
        assert (problem["status"], problem["code"]) == (409, "disclosure_altered")


@pytest.mark.parametrize("altered", ["", "0" * 63, "0" * 65, "g" * 64, "A" * 64, None, 0])
async def test_hash_of_another_form(ming, altered):
    shown = await ming.disclosure(1_000)
    problem = await contract(ming, shown, disclosure_hash=altered)
    assert (problem["status"], problem["code"]) == (422, "invalid_request")


async def test_stale_disclosure(ming):
    shown = await ming.disclosure(1_000)
    ming.stage.tick(30 * 60)
    problem = await contract(ming, shown)
    assert (problem["status"], problem["code"]) == (409, "disclosure_stale")


async def test_disclosure_of_another_day(stage):
    """Ten minutes old, but the dates it showed were those of yesterday."""
    person = await stage.borrower()
    stage.clock.advance_to(at(stage.today(), time(23, 55)))
    shown = await person.disclosure(1_000)
    signed = await person.signature(2_000)
    stage.tick(10 * 60)
    problem = await contract(person, shown)
    assert (problem["status"], problem["code"]) == (409, "disclosure_stale")
    problem = await person.refused("/draws", signed, key=new_key())
    assert (problem["status"], problem["code"]) == (409, "disclosure_stale")
    stage.clock.advance_to(at(stage.today(), time(12, 0)))


async def test_contract_whose_disclosure_went_stale(ming):
    """The half hour holds for the signature too."""
    made = await ming.contract(1_000)
    ming.stage.tick(29 * 60)
    await ming.post(f"/contracts/{made['contract_id']}/otp", None)
    body = {"contract_id": made["contract_id"], "contract_hash": made["hash"], "code": await ming.code()}
    assert (await ming.refused("/draws", body, key=new_key()))["code"] == "disclosure_stale"


async def test_disclosure_of_another_member(stage, ming):
    hong = await stage.borrower()
    shown = await ming.disclosure(1_000)
    stage.tick(61)
    problem = await contract(hong, shown)
    assert (problem["status"], problem["code"]) == (404, "disclosure_not_found")


async def test_altered_contract(ming):
    body = await ming.signature(1_000)
    problem = await ming.refused("/draws", body | {"contract_hash": "0" * 64}, key=new_key())
    assert (problem["status"], problem["code"]) == (409, "contract_altered")
    await ming.post("/draws", body, key=new_key())


async def test_signature_with_a_wrong_code(ming):
    body = await ming.signature(1_000)
    wrong = body | {"code": f"{(int(body['code']) + 1) % 1_000_000:06d}"}
    key = new_key()
    codes = [(await ming.refused("/draws", wrong, key=key))["code"] for _ in range(6)]
    assert codes == ["code_wrong"] * 4 + ["code_locked"] * 2
    assert (await ming.refused("/draws", body, key=key))["code"] == "code_locked"
    ming.stage.tick(61)
    await ming.post(f"/contracts/{body['contract_id']}/otp", None)
    # the key is still free: nothing was drawn under it
    await ming.post("/draws", body | {"code": await ming.code()}, key=key)


async def test_signature_with_an_expired_code(ming):
    body = await ming.signature(1_000)
    ming.stage.tick(5 * 60 + 1)
    problem = await ming.refused("/draws", body, key=new_key())
    assert (problem["status"], problem["code"]) == (403, "code_expired")


async def test_code_of_another_purpose_or_contract_signs_nothing(ming):
    first = await ming.signature(1_000)
    ming.stage.tick(61)
    await ming.post("/sign-in/otp", {"phone": ming.papers.phone})
    sign_in_code = await ming.code()
    if sign_in_code != first["code"]:
        problem = await ming.refused("/draws", first | {"code": sign_in_code}, key=new_key())
        assert problem["code"] == "code_wrong"
    second = await ming.signature(2_000)
    # a code is for the newest contract only; the older contract's was replaced by it
    assert (await ming.refused("/draws", first, key=new_key()))["code"] == "code_not_requested"
    problem = await ming.refused("/draws", first | {"code": second["code"]}, key=new_key())
    assert problem["code"] == "code_not_requested"
    await ming.post("/draws", second, key=new_key())


async def test_another_code_for_a_contract_after_a_minute(ming):
    made = await ming.contract(1_000)
    path = f"/contracts/{made['contract_id']}/otp"
    assert (await ming.refused(path, None))["code"] == "code_too_soon"
    ming.stage.tick(61)
    sent = await ming.post(path, None)
    assert sent["sent_to"].startswith(ming.papers.phone[:3])
    body = {"contract_id": made["contract_id"], "contract_hash": made["hash"], "code": await ming.code()}
    await ming.post("/draws", body, key=new_key())
    ming.stage.tick(61)
    assert (await ming.refused(path, None))["code"] == "contract_signed"


async def test_contract_is_drawn_on_once(ming):
    body = await ming.signature(1_000)
    drawn = await ming.post("/draws", body, key=new_key())
    problem = await ming.refused("/draws", body, key=new_key())
    assert (problem["status"], problem["code"]) == (409, "contract_signed")
    assert (await ming.get("/draws?limit=1"))["items"][0]["draw_id"] == drawn["draw_id"]


async def test_contract_drawn_on_side_by_side_is_drawn_on_once(stage):
    person = await stage.borrower()
    body = await person.signature(1_000)
    calls = (person.call("POST", "/draws", body, **{"Idempotency-Key": new_key()}) for _ in range(8))
    answers = await asyncio.gather(*calls)
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"contract_signed"}
    assert len((await person.get("/draws"))["items"]) == 1
    assert await stage.proof() == []


async def test_same_key_and_body_is_the_same_draw(stage):
    person = await stage.borrower()
    body, key = await person.signature(1_000), new_key()
    calls = (person.call("POST", "/draws", body, **{"Idempotency-Key": key}) for _ in range(6))
    answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    await stage.work()
    again = await person.post("/draws", body, key=key)
    assert (again["draw_id"], again["state"]) == (answers[0].json()["draw_id"], "paid")
    # a retry may carry a newer code, or none that is any good
    assert (await person.post("/draws", body | {"code": "000000"}, key=key))["draw_id"] == again["draw_id"]
    assert len((await person.get("/draws"))["items"]) == 1


async def test_same_key_with_another_body(ming):
    body, key = await ming.signature(1_000), new_key()
    await ming.post("/draws", body, key=key)
    second = await ming.signature(2_000)
    for other in (second, body | {"contract_hash": "0" * 64}, body | {"contract_id": str(uuid4())}):
        problem = await ming.refused("/draws", other, key=key)
        assert (problem["status"], problem["code"]) == (422, "idempotency_key_reused")
    await ming.post("/draws", second, key=new_key())


async def test_same_key_of_two_members_is_two_keys(stage, ming):
    hong, key = await stage.borrower(), new_key()
    draws = [await person.post("/draws", await person.signature(500), key=key) for person in (ming, hong)]
    assert draws[0]["draw_id"] != draws[1]["draw_id"]


@pytest.mark.parametrize("key", [None, "", "short", "x" * 65, "with\ttab!", "schlüssel-1"])
async def test_key_that_is_missing_or_of_another_form(ming, key):
    body = {"contract_id": str(uuid4()), "contract_hash": "0" * 64, "code": "123456"}
    headers = {} if key is None else {"Idempotency-Key": key.encode("latin-1")}
    answer = await ming.call("POST", "/draws", body, **headers)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["fields"] == "Idempotency-Key"


@pytest.mark.parametrize(
    "changed",
    [{"code": None}, {"code": 123456}, {"code": "9" * 17}, {"contract_id": "x"}, {"contract_hash": "X" * 64}],
)
async def test_draw_of_another_form(ming, changed):
    body = {"contract_id": str(uuid4()), "contract_hash": "0" * 64, "code": "123456"} | changed
    problem = await ming.refused("/draws", body, key=new_key())
    assert (problem["status"], problem["code"]) == (422, "invalid_request")
    assert problem["fields"] == next(iter(changed))


async def test_disclosure_shows_the_annual_rate_first_and_says_there_are_no_other_fees(ming):
    for language, first in (("zh", "年化利率"), ("en", "Annual rate")):
        answer = await ming.call("POST", "/disclosures", await terms(ming), **{"Accept-Language": language})
        shown = answer.json()
        assert shown["items"][0]["label"].startswith(first)
        assert shown["items"][0]["value"] == "18.25%"  # 0.05 % a day × 365
        assert shown["statement"]
    due = [row["due_on"] for row in shown["quote"]["rows"]]
    assert due[0] > str(ming.stage.today() + timedelta(days=27))
