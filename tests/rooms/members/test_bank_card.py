"""The bank card: four elements that must match, and how often one may be wrong (A3)."""

import asyncio

import pytest
from stdnum import luhn

pytestmark = pytest.mark.anyio

HOUR = 3600


async def named(stage):
    """Somebody with a verified real name and no card."""
    person = await stage.resident(invited=True)
    await person.sign_in()
    await person.post("/identity", person.identity())
    return person


async def wrong(person) -> dict:
    """Make a card check that cannot be right."""
    return await person.refused("/cards", person.card() | {"phone": "19900000000"})


async def checks(stage, person):
    """What is counted of a person's checks: how many today, how many wrong in a row."""
    sql = "select checks_today, wrong_in_row from members.card_checks where member_id = %s"
    found = await stage.rows(sql, person.member_id)
    return found[0] if found else (0, 0)


async def test_card_of_another_holder_is_refused(stage):
    person, stranger = await named(stage), stage.town.someone()
    problem = await person.refused("/cards", {"number": stranger.card_number, "phone": stranger.phone})
    assert (problem["status"], problem["code"]) == (422, "card_refused")
    assert problem["element"] == "holder_mismatch"
    assert (await person.get("/cards"))["items"] == []


async def test_every_element_must_match(stage):
    person = await named(stage)
    assert (await wrong(person))["element"] == "phone_mismatch"
    unknown = "621700000000000000"
    unknown += str(luhn.calc_check_digit(unknown))
    assert (await person.refused("/cards", person.card() | {"number": unknown}))["element"] == "unknown_card"


async def test_closed_card_is_refused(stage):
    person = await named(stage)
    stage.hands.set_card_closed(person.papers.card_number, True)
    assert (await person.refused("/cards", person.card()))["element"] == "card_closed"


@pytest.mark.parametrize("number", ["4", "62170000000000000", "6217 0000 0000 0000 009a", "６２１７" * 4, "1\x00" * 9])
async def test_what_is_no_card_number_is_not_counted(stage, number):
    person = await named(stage)
    problem = await person.refused("/cards", person.card() | {"number": number})
    assert (problem["status"], problem["code"]) == (422, "bad_card_number")
    assert await checks(stage, person) == (0, 0)


async def test_wrong_check_digit_of_a_card_is_not_counted(stage):
    person = await named(stage)
    right = person.papers.card_number
    for _ in range(5):
        problem = await person.refused(
            "/cards", person.card() | {"number": right[:-1] + str((int(right[-1]) + 1) % 10)}
        )
        assert problem["code"] == "bad_card_number"
    await person.post("/cards", person.card())


async def test_fourth_check_after_three_wrong_ones_is_locked_for_a_day(stage):
    person = await named(stage)
    for _ in range(3):
        assert (await wrong(person))["code"] == "card_refused"
    problem = await person.refused("/cards", person.card())  # a right one, too late
    assert (problem["status"], problem["code"]) == (429, "card_checks_locked")
    assert problem["until"] in problem["detail"]
    stage.tick(23 * HOUR)
    assert (await person.refused("/cards", person.card()))["code"] == "card_checks_locked"
    stage.tick(HOUR)
    await person.post("/cards", person.card())


async def test_after_a_day_there_are_three_checks_again(stage):
    person = await named(stage)
    for _ in range(3):
        await wrong(person)
    stage.tick(24 * HOUR)
    assert [(await wrong(person))["code"] for _ in range(4)] == ["card_refused"] * 3 + ["card_checks_locked"]


async def test_right_check_resets_the_wrong_ones(stage):
    person = await named(stage)
    for _ in range(2):
        for _ in range(2):
            assert (await wrong(person))["code"] == "card_refused"
        await person.post("/cards", person.card())
    assert len((await person.get("/cards"))["items"]) == 1


async def test_ten_checks_a_day(stage):
    person = await named(stage)
    for _ in range(3):
        await wrong(person)
        await wrong(person)
        await person.post("/cards", person.card())
    assert (await wrong(person))["code"] == "card_refused"  # the tenth
    problem = await person.refused("/cards", person.card())
    assert (problem["status"], problem["code"]) == (429, "card_checks_locked")
    stage.tick(24 * HOUR)
    await person.post("/cards", person.card())


async def test_tenth_check_may_be_right_and_is_the_last(stage):
    person = await named(stage)
    for _ in range(10):
        await person.post("/cards", person.card())
    assert (await person.refused("/cards", person.card()))["code"] == "card_checks_locked"


async def test_a_new_day_has_its_own_ten(stage):
    person = await named(stage)
    for _ in range(9):
        await person.post("/cards", person.card())
    stage.tick(24 * HOUR)
    for _ in range(9):
        await person.post("/cards", person.card())


async def test_parallel_wrong_checks_cannot_pass_the_limit(stage):
    person = await named(stage)
    problems = await asyncio.gather(*(wrong(person) for _ in range(9)))
    codes = [problem["code"] for problem in problems]
    assert (codes.count("card_refused"), codes.count("card_checks_locked")) == (3, 6)
    assert await checks(stage, person) == (3, 3)


async def test_right_check_beside_wrong_ones_uncounts_none_of_them(stage):
    person = await named(stage)
    bodies = [person.card(), person.card() | {"phone": "19900000000"}] * 2
    answers = await asyncio.gather(*(person.call("POST", "/cards", body) for body in bodies))
    made = [answer for answer in answers if answer.status_code in (201, 422)]
    assert len(made) >= 3
    assert (await checks(stage, person))[0] == len(made)


async def test_silent_network_is_no_wrong_check(stage):
    person = await named(stage)
    stage.hands.set_fault("card-network", "down", mode="next", count=4)
    for _ in range(4):
        problem = await person.refused("/cards", person.card())
        assert (problem["status"], problem["code"]) == (503, "partner_not_taken")
    assert await checks(stage, person) == (0, 0)
    await person.post("/cards", person.card())


async def test_silent_network_does_not_take_back_a_wrong_check_beside_it(stage):
    person = await named(stage)
    stage.hands.set_fault("card-network", "down", mode="next", count=1)
    codes = {problem["code"] for problem in await asyncio.gather(wrong(person), wrong(person))}
    stage.hands.clear_faults()
    assert codes == {"card_refused", "partner_not_taken"}
    assert await checks(stage, person) == (1, 1)


async def test_card_bound_again_keeps_its_id(stage):
    person = await named(stage)
    first = await person.post("/cards", person.card())
    again = await person.post("/cards", person.card())
    assert again == first
    assert first["usual"] is True
    assert first["last4"] == person.papers.card_number[-4:]


async def test_card_number_may_be_written_with_spaces(stage):
    person = await named(stage)
    number = person.papers.card_number
    spaced = " ".join(number[i : i + 4] for i in range(0, len(number), 4))
    assert (await person.post("/cards", person.card() | {"number": spaced}))["last4"] == number[-4:]
