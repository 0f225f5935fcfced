"""Sending the news: late when the gateway is down, and never twice."""

import asyncio

import pytest

from grainline.kit import outbox
from grainline.kit.db import transaction
from grainline.notices import send_due

pytestmark = pytest.mark.anyio


async def send(stage) -> int:
    """Send one batch of what is due."""
    platform = stage.platform
    return await send_due(platform.pool, platform.vault, platform.sms, platform.clock)


async def tell(stage, person, topic="line.opened", **payload) -> None:
    """Write a piece of news."""
    async with transaction(stage.platform.pool) as tx:
        await outbox.emit(tx, member_id=person.member_id, topic=topic, payload=payload, now=stage.clock())


async def test_message_arrives_later_and_once_when_the_gateway_is_down(stage):
    person = await stage.resident(invited=True)
    stage.hands.set_fault("sms", "down", mode="next", count=2)
    await tell(stage, person, limit_fen=1_500_000, rate_e8=50_000)
    assert await send(stage) == 1
    assert stage.hands.inbox(person.papers.phone) == []
    assert await send(stage) == 0  # it comes back with its lease, not at once
    stage.tick(11)
    assert await send(stage) == 1
    assert stage.hands.inbox(person.papers.phone) == []
    stage.tick(21)
    assert await send(stage) == 1
    assert [message.text[:24] for message in stage.hands.inbox(person.papers.phone)] == [
        "【Grainline】您的额度 ¥15,000."
    ]
    stage.tick(3600)
    assert await send(stage) == 0
    assert len(stage.hands.inbox(person.papers.phone)) == 1


async def test_message_whose_sender_died_before_noting_it_does_not_arrive_twice(stage):
    person = await stage.resident(invited=True)
    await tell(stage, person, limit_fen=1_500_000, rate_e8=50_000)
    assert await send(stage) == 1
    async with transaction(stage.platform.pool) as tx:
        await tx.execute("update kit.outbox set handled_at = null where member_id = %s", (person.member_id,))
    stage.tick(3600)
    assert await send(stage) == 1
    assert len(stage.hands.inbox(person.papers.phone)) == 1


async def test_two_senders_send_each_message_once(stage):
    people = [await stage.resident(invited=True) for _ in range(12)]
    for person in people:
        await tell(stage, person, limit_fen=1_500_000, rate_e8=50_000)
    assert sum(await asyncio.gather(*(send(stage) for _ in range(4)))) == len(people)
    assert {len(stage.hands.inbox(person.papers.phone)) for person in people} == {1}


async def test_news_without_a_text_breaks_loudly_and_holds_up_nobody(stage):
    person = await stage.resident(invited=True)
    await tell(stage, person, topic="no.such.topic")
    await tell(stage, person, limit_fen=1_500_000, rate_e8=50_000)
    with pytest.raises(ExceptionGroup) as broken:
        await send(stage)
    assert [repr(error) for error in broken.value.exceptions] == ["UnknownTopic('no.such.topic')"]
    assert len(stage.hands.inbox(person.papers.phone)) == 1
    assert await send(stage) == 0


async def test_code_is_forgotten_when_it_was_sent(stage):
    person = await stage.resident(invited=True)
    await person.post("/sign-in/otp", {"phone": person.papers.phone})
    sealed = "select sealed is not null, handled_at is not null from kit.outbox where member_id = %s"
    assert await stage.rows(sealed, person.member_id) == [(True, False)]
    await send(stage)
    assert await stage.rows(sealed, person.member_id) == [(False, True)]


async def test_messages_to_one_phone_arrive_in_the_order_of_what_happened(stage):
    """Of two codes asked for while nothing was sent, the one on top is the one that is good."""
    person = await stage.resident(invited=True)
    for limit in range(1, 9):
        await tell(stage, person, limit_fen=limit * 100_000, rate_e8=50_000)
    await send(stage)
    texts = [message.text for message in reversed(stage.hands.inbox(person.papers.phone))]
    assert [text.partition("¥")[2].partition(".")[0] for text in texts] == [f"{n},000" for n in range(1, 9)]
