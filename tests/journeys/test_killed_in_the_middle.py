"""App and worker are killed with -9 in the middle of concurrent draws, and nothing is lost or doubled.

GRAINLINE_TEST_DRAWS says how many draws; 200 take some twenty seconds.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from real_platform import RealPlatform, Signature, real_platform, signatures

from sandbox_process import until

pytestmark = pytest.mark.anyio

DRAWS = int(os.environ.get("GRAINLINE_TEST_DRAWS", "200"))
CLIENTS = 32
SETTLED = timedelta(minutes=6)  # later than any lease of a payout


@pytest.fixture(scope="module")
def real() -> Iterator[RealPlatform]:
    with real_platform(DRAWS) as platform:
        platform.start("sandbox serve", "serve", "worker")
        platform.wait_until_it_answers()
        yield platform


async def draw_all(
    url: str, signed: list[Signature], *, after_each: Callable[[int], None] = lambda _: None
) -> dict[str, str]:
    """Draw concurrently; return the draw's id by key, for those that were answered."""
    waiting, answered = iter(signed), {}

    async def client(http: httpx.AsyncClient) -> None:
        for one in waiting:
            headers = {"Authorization": f"Bearer {one.token}", "Idempotency-Key": one.key}
            try:
                answer = await http.post("/draws", json=one.body, headers=headers)
            except httpx.TransportError:
                continue  # nobody knows whether it was made
            assert answer.status_code == 202, answer.text
            answered[one.key] = answer.json()["draw_id"]
            after_each(len(answered))

    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", trust_env=False, limits=limits, timeout=60) as http:
        await asyncio.gather(*(client(http) for _ in range(CLIENTS)))
    return answered


async def test_two_kills_lose_nothing_and_double_nothing(real):
    signed = await signatures(real, real.people)
    third = len(signed) // 3

    # a first third, so that payouts are on their way when the kill comes
    answered = await draw_all(real.settings.url, signed[:third])
    assert len(answered) == third
    until(lambda: real.ask_town("select 1 from rail_order limit 1"), what="a first payout")

    def kill_in_the_middle(count: int) -> None:
        if count == third // 2:
            real.kill("serve", "worker")

    answered |= await draw_all(real.settings.url, signed[third:], after_each=kill_in_the_middle)
    assert "serve" not in real.processes, "the kill never came"
    drawn = {key: str(draw_id) for key, draw_id in real.ask("select idempotency_key, draw_id from loans.draws")}
    assert third < len(answered) < len(signed)
    assert third < len(drawn) < len(signed)
    # what was answered is there, whatever happened after
    assert answered.items() <= drawn.items()
    [(undecided,)] = real.ask("select count(*) from loans.draws where state in ('reserved', 'sent')")
    assert undecided > 0

    real.start("serve", "worker")
    real.wait_until_it_answers()
    again = await draw_all(real.settings.url, signed)
    assert len(again) == len(signed)
    assert drawn.items() <= again.items()

    # once more the worker alone, while it pays
    until(lambda: paid(real) > len(signed) // 2, what="half of the payouts", wait_s=300)
    real.kill("worker")
    real.start("worker")
    real.clock.advance_to(real.clock() + SETTLED)
    until(lambda: paid(real) == len(signed), what="the last payout", wait_s=300)

    check_every_draw(real, signed, again)
    until(
        lambda: real.ask("select count(*) from kit.outbox where handled_at is null") == [(0,)], what="news", wait_s=120
    )
    told = "select count(*), count(distinct phone) from message where text like '%已到账%'"
    assert real.ask_town(told) == [(len(signed), len(signed))]

    verified = real.command("verify", "--json")
    report = json.loads(verified.stdout)
    assert (verified.returncode, report["findings"]) == (0, [])
    assert (report["checked"]["draws"], report["checked"]["loans"]) == (len(signed), len(signed))
    assert real.stop() == {"sandbox serve": 0, "serve": 0, "worker": 0}


def paid(real: RealPlatform) -> int:
    """Count the draws that are paid."""
    return int(real.ask("select count(*) from loans.draws where state = 'paid'")[0][0])


def check_every_draw(real: RealPlatform, signed: list[Signature], answered: dict[str, str]) -> None:
    """One draw a key, one loan a draw, one order a draw, and its amount once on its card."""
    draws = {
        row[0]: (str(row[1]), row[2], row[3])
        for row in real.ask("select idempotency_key, draw_id, member_id, amount_fen from loans.draws")
    }
    assert len(real.ask("select loan_id from loans.loans")) == len(draws) == len(signed)
    orders = {
        key: (agreement, amount_fen)
        for key, agreement, amount_fen in real.ask_town(
            "select key, agreement, amount_fen from rail_order where direction = 'payout' and status = 'succeeded'"
        )
    }
    assert real.ask_town("select count(*) from rail_order") == [(len(signed),)]
    for one in signed:
        draw_id, member_id, amount_fen = draws[one.key]
        assert (draw_id, member_id, amount_fen) == (answered[one.key], one.member_id, one.amount_fen)
        assert orders[f"{member_id}:{draw_id}"] == (one.agreement, one.amount_fen)
    received = dict(real.ask_town("select target, sum(amount_fen) from move where memo like 'payout %' group by 1"))
    assert {one.agreement: received.get(one.agreement) for one in signed} == {
        one.agreement: one.amount_fen for one in signed
    }
