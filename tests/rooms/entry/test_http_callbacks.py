"""What the rail says unasked: it must be signed, and it is only ever a reason to ask."""

import asyncio
import json

import pytest

from grainline.partners.transport import sign_callback
from sandbox_process import SECRET
from stage import Stage, new_key

pytestmark = pytest.mark.anyio

PATH = "/partners/rail/callbacks"


def order(
    key: str, *, status: str = "succeeded", direction: str = "payout", amount_fen: int = 100_000, at=None
) -> bytes:
    """An order as the rail shows it."""
    return json.dumps(
        {
            "direction": direction,
            "key": key,
            "amount_fen": amount_fen,
            "status": status,
            "reason": "account_frozen" if status == "failed" else None,
            "settled_at": at.isoformat() if status == "succeeded" else None,
        }
    ).encode()


async def hear(stage: Stage, body: bytes, *, secret: bytes = SECRET, late_s: int = 0):
    """Deliver a callback, signed."""
    timestamp = str(int(stage.clock().timestamp()) - late_s)
    signature = sign_callback(secret, timestamp=timestamp, body=body)
    headers = {"X-Rail-Timestamp": timestamp, "X-Rail-Signature": signature, "Content-Type": "application/json"}
    return await stage.api.post(PATH, content=body, headers=headers)


async def sent_draw(stage: Stage):
    """A draw that was handed to the rail and not answered."""
    person = await stage.borrower()
    draw_id = await person.draw(1_000)
    stage.hands.set_fault("rail", "lost_answer", mode="next", count=1)
    await stage.work()
    assert (await person.get(f"/draws/{draw_id}"))["state"] == "sent"
    return person, draw_id


async def test_unsigned_or_wrongly_signed_is_refused(stage):
    body = order(f"1:{new_key()}", at=stage.clock())
    answers = [
        await stage.api.post(PATH, content=body),
        await hear(stage, body, secret=bytes(32)),
        await hear(stage, body, late_s=301),
        await hear(stage, body, late_s=-301),
        await stage.api.post(PATH, content=body, headers={"X-Rail-Timestamp": "x", "X-Rail-Signature": "é".encode()}),
    ]
    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_callback_signature")


async def test_signature_of_another_body_is_refused(stage):
    timestamp = str(int(stage.clock().timestamp()))
    signature = sign_callback(SECRET, timestamp=timestamp, body=order("1:x", at=stage.clock()))
    headers = {"X-Rail-Timestamp": timestamp, "X-Rail-Signature": signature}
    answer = await stage.api.post(PATH, content=order("2:x", at=stage.clock()), headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"{", b"\xff", b'{"direction": "payout"}'])
async def test_signed_nonsense_is_malformed(stage, body):
    answer = await hear(stage, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_callback")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "nonsense",
        "1:nonsense",
        "nonsense:00000000-0000-4000-8000-000000000000",
        "999999:00000000-0000-4000-8000-000000000000",
        "-1:00000000-0000-4000-8000-000000000000",
        "99999999999999999999999999:00000000-0000-4000-8000-000000000000",
        "１:00000000-0000-4000-8000-000000000000",
        ":",
        "1:00000000-0000-4000-8000-000000000000:more",
        "安",
    ],
)
@pytest.mark.parametrize("direction", ["payout", "collection"])
async def test_order_that_is_not_ours_is_heard_and_forgotten(stage, key, direction):
    answer = await hear(stage, order(key, direction=direction, at=stage.clock()))
    assert (answer.status_code, answer.content) == (204, b"")


async def test_callback_only_makes_us_ask(stage):
    person, draw_id = await sent_draw(stage)
    await stage.work()  # the lease has not ended: nobody asks
    assert (await person.get(f"/draws/{draw_id}"))["state"] == "sent"
    key = f"{person.member_id}:{draw_id}"
    # the amount is another one: it is not believed, the rail is asked
    assert (await hear(stage, order(key, amount_fen=1, at=stage.clock()))).status_code == 204
    assert (await person.get(f"/draws/{draw_id}"))["state"] == "sent"
    await stage.work()
    assert (await person.get(f"/draws/{draw_id}"))["state"] == "paid"
    assert (await person.get("/line"))["used_fen"] == 100_000


async def test_callback_that_contradicts_the_rail_changes_nothing(stage):
    person, draw_id = await sent_draw(stage)
    key = f"{person.member_id}:{draw_id}"
    assert (await hear(stage, order(key, status="failed"))).status_code == 204
    await stage.work()
    assert (await person.get(f"/draws/{draw_id}"))["state"] == "paid"
    # and after the decision as well, also from the other direction
    for told in (order(key, status="failed"), order(key, status="failed", direction="collection")):
        assert (await hear(stage, told)).status_code == 204
    stage.tick(3600)
    await stage.work()
    assert (await person.get(f"/draws/{draw_id}"))["state"] == "paid"
    assert await stage.proof() == []


async def test_callbacks_doubled_and_side_by_side_pay_once(stage):
    person, draw_id = await sent_draw(stage)
    told = order(f"{person.member_id}:{draw_id}", at=stage.clock())
    answers = await asyncio.gather(*(hear(stage, told) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {204}
    await asyncio.gather(*(stage.work() for _ in range(4)))
    for _ in range(2):
        await hear(stage, told)
        await stage.work()
    assert (await person.get("/line"))["used_fen"] == 100_000
    assert len((await person.get("/loans"))["items"]) == 1
    assert len(stage.hands.orders(person.papers.agreement)) == 1
    texts = [message.text for message in stage.hands.inbox(person.papers.phone)]
    assert sum("已到账" in text for text in texts) == 1


async def test_callback_before_the_order_was_sent_changes_nothing(stage):
    person = await stage.borrower()
    draw_id = await person.draw(1_000)
    told = order(f"{person.member_id}:{draw_id}", at=stage.clock())
    assert (await hear(stage, told)).status_code == 204
    assert (await person.get(f"/draws/{draw_id}"))["state"] == "reserved"
    assert stage.hands.orders(person.papers.agreement) == []
    await stage.work()
    assert (await person.get(f"/draws/{draw_id}"))["state"] == "paid"


async def test_collection_is_asked_for_at_once_when_it_was_told(stage):
    person = await stage.borrower()
    loan_id = await person.loan(1_000)
    stage.hands.set_fault("rail", "lost_answer", mode="next", count=1)
    asked = await person.post(f"/loans/{loan_id}/repayments", {"amount_fen": 50_000}, key=new_key())
    await stage.work()
    path = f"/loans/{loan_id}/repayments/{asked['repayment_id']}"
    assert (await person.get(path))["state"] == "sent"
    key = f"{person.member_id}:{asked['repayment_id']}"
    assert (await hear(stage, order(key, direction="collection", at=stage.clock()))).status_code == 204
    await stage.work()
    assert (await person.get(path))["state"] == "collected"
    assert await stage.proof() == []
