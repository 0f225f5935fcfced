"""Draws that race for one line and one day: held by the database, whatever came before.

A member has one code at a time, so two draws of one member can hardly meet; here every signature is taken as good, so
that nothing but the line and the day's limit stands between them.
"""

import asyncio

import psycopg
import pytest

from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio

ANY_SIGNATURE = """
create or replace function members.try_code(
    p_member_id bigint, p_purpose text, p_subject text, p_code_hash bytea, p_now timestamptz
) returns text language sql as $$ select case when p_purpose = 'sign_contract' then null else 'code_used' end $$
"""


@pytest.fixture(scope="module")
async def racers(stage: Stage) -> list[Borrower]:
    """People with their lines open; from here on every signature is good."""
    lines = (1_000_000, 1_000_000, 1_000_000, 20_000_000)
    people = [await stage.borrower(line_fen=line_fen) for line_fen in lines]
    with psycopg.connect(stage.owner_url) as connection:
        connection.execute(ANY_SIGNATURE)
    return people


async def contracts(person: Borrower, count: int, yuan: int) -> list[dict[str, str]]:
    """Contracts that could each be drawn on alone."""
    made = [await person.contract(yuan) for _ in range(count)]
    return [{"contract_id": one["contract_id"], "contract_hash": one["hash"], "code": "000000"} for one in made]


async def race(person: Borrower, bodies: list[dict[str, str]]) -> list[str]:
    """Draw on all at once; return how each ended, sorted."""
    calls = (person.call("POST", "/draws", body, **{"Idempotency-Key": new_key()}) for body in bodies)
    answers = await asyncio.gather(*calls)
    return sorted("drawn" if a.status_code == 202 else f"{a.status_code} {a.json()['code']}" for a in answers)


async def test_two_draws_racing_for_one_line(stage, racers):
    ming = racers[0]
    bodies = await contracts(ming, 2, 6_000)
    assert await race(ming, bodies) == ["409 line_exceeded", "drawn"]
    line = await ming.get("/line")
    assert (line["used_fen"], line["available_fen"], line["day_left_fen"]) == (600_000, 400_000, 9_400_000)
    assert await stage.proof() == []


async def test_many_draws_racing_for_one_line_use_it_up_exactly(stage, racers):
    hong = racers[1]
    bodies = await contracts(hong, 9, 2_500)
    assert await race(hong, bodies) == ["409 line_exceeded"] * 5 + ["drawn"] * 4
    assert (await hong.get("/line"))["available_fen"] == 0
    await stage.work()
    assert len((await hong.get("/loans"))["items"]) == 4
    assert await stage.proof() == []


async def test_draws_racing_with_a_payout_that_fails(stage, racers):
    """What is given back may be drawn again, and nothing is given back twice."""
    hong = racers[2]
    bodies = await contracts(hong, 3, 10_000)
    stage.hands.set_fault("rail", "reject", mode="next", count=1)
    assert await race(hong, bodies[:1]) == ["drawn"]
    _, outcomes = await asyncio.gather(stage.work(), race(hong, bodies[1:]))
    assert outcomes.count("drawn") <= 1
    await stage.work()
    states = sorted(draw["state"] for draw in (await hong.get("/draws"))["items"])
    assert states == ["failed"] + ["paid"] * outcomes.count("drawn")
    assert await stage.proof() == []


async def test_draws_racing_for_one_day(stage, racers):
    rich = racers[3]
    bodies = await contracts(rich, 4, 40_000)
    assert await race(rich, bodies) == ["409 day_limit_reached"] * 2 + ["drawn"] * 2
    line = await rich.get("/line")
    assert (line["used_fen"], line["day_left_fen"]) == (8_000_000, 2_000_000)
    assert await stage.proof() == []
