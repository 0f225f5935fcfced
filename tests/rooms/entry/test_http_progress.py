"""Progress, live: each state of a draw as it comes, and the stream's end with the last."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from stage import Borrower

pytestmark = pytest.mark.anyio

PATIENCE_S = 20


class Stream:
    """An answer as it comes, piece by piece."""

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[dict] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.asked = False
        self.start: dict = {}
        self._text = ""

    async def receive(self) -> dict:
        """What a server tells the app: an empty request, and at some time that the caller has gone."""
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def event(self) -> dict | None:
        """Wait for the next event; None when the stream has ended."""
        async with asyncio.timeout(PATIENCE_S):
            while "\n\n" not in self._text:
                piece = await self.pieces.get()
                if piece["type"] == "http.response.start":
                    self.start = piece
                    continue
                self._text += piece.get("body", b"").decode()
                if not piece.get("more_body"):
                    return None
        block, _, self._text = self._text.partition("\n\n")
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        return await self.event() if not lines else {"event": lines["event"], **json.loads(lines["data"])}


@asynccontextmanager
async def watching(person: Borrower, draw_id: str) -> AsyncIterator[Stream]:
    """Ask for a draw's progress as a server would; the client of the stage would wait for the end."""
    stream = Stream()
    path = f"/api/v1/draws/{draw_id}/progress"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"authorization", person.headers["Authorization"].encode()), (b"host", b"stage")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    app = person.stage.api._transport.app
    call = asyncio.create_task(app(scope, stream.receive, stream.pieces.put))
    try:
        yield stream
        stream.gone.set()
        async with asyncio.timeout(PATIENCE_S):
            await call
    finally:
        call.cancel()


def reached(event: dict) -> list[str]:
    """The steps an event shows as reached."""
    return [step["code"] for step in event["steps"] if step["at"]]


async def test_states_come_in_order_and_the_last_ends_the_stream(stage):
    person = await stage.borrower()
    draw_id = await person.draw(1_000)
    async with watching(person, draw_id) as stream:
        event = await stream.event()
        assert stream.start["status"] == 200
        assert dict(stream.start["headers"])[b"content-type"].startswith(b"text/event-stream")
        assert (event["event"], event["state"], reached(event)) == ("draw", "reserved", ["signed", "reserved"])
        assert [step["code"] for step in event["steps"] if step["expected_at"]] == ["sent", "paid"]

        stage.hands.set_fault("rail", "down", mode="next", count=1)
        await stage.work()  # sent, and nobody answers
        event = await stream.event()
        assert (event["state"], reached(event)) == ("sent", ["signed", "reserved", "sent"])

        stage.tick(6)
        await stage.work()
        event = await stream.event()
        assert (event["state"], reached(event)) == ("paid", ["signed", "reserved", "sent", "paid"])
        assert event["loan_id"] == draw_id
        assert event == {"event": "draw"} | await person.get(f"/draws/{draw_id}")
        assert await stream.event() is None


async def test_failure_ends_the_stream_too(stage):
    person = await stage.borrower()
    draw_id = await person.draw(1_000)
    stage.hands.set_fault("rail", "reject", mode="next", count=1, reason="account_frozen")
    async with watching(person, draw_id) as stream:
        assert (await stream.event())["state"] == "reserved"
        await stage.work()
        event = await stream.event()
        assert (event["state"], event["loan_id"]) == ("failed", None)
        assert event["failure"] == {"code": "account_frozen", "text": "银行卡被冻结或状态异常"}
        assert await stream.event() is None
    assert (await person.get("/line"))["available_fen"] == 5_000_000


async def test_draw_that_is_decided_is_told_once(stage):
    person = await stage.borrower()
    draw_id = await person.loan(1_000)
    async with watching(person, draw_id) as stream:
        assert (await stream.event())["state"] == "paid"
        assert await stream.event() is None


async def test_several_may_watch_and_whoever_leaves_is_let_go(stage):
    person = await stage.borrower()
    draw_id = await person.draw(1_000)
    async with watching(person, draw_id) as first:
        async with watching(person, draw_id) as second:
            assert (await first.event())["state"] == (await second.event())["state"] == "reserved"
        await stage.work()
        assert (await first.event())["state"] == "paid"


async def test_waiting_for_a_draw_holds_no_connection(stage):
    """More watchers than the pool has connections, and the API answers all the same."""
    person = await stage.borrower()
    draw_id = await person.draw(1_000)
    size = stage.platform.pool.max_size
    async with asyncio.TaskGroup() as group:
        ready = [asyncio.Event() for _ in range(size + 4)]
        paid = asyncio.Event()

        async def watch(number: int) -> None:
            async with watching(person, draw_id) as stream:
                assert (await stream.event())["state"] == "reserved"
                ready[number].set()
                await paid.wait()
                assert (await stream.event())["state"] == "paid"

        for number in range(len(ready)):
            group.create_task(watch(number))
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(event.wait() for event in ready))
            await person.get("/wallet")
            await stage.work()
        paid.set()
