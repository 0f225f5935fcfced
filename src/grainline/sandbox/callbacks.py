"""The rail's background work: settles what is due, and posts callbacks from a queue that a restart does not lose."""

import asyncio
import logging
from datetime import timedelta

import httpx
from starlette.concurrency import run_in_threadpool

from grainline.partners.rail.wire import CALLBACK_SIGNATURE_HEADER, CALLBACK_TIMESTAMP_HEADER
from grainline.partners.transport import sign_callback
from grainline.sandbox import rail, rail_store
from grainline.sandbox.context import Sandbox
from grainline.sandbox.rail_store import Delivery

LOOK_AGAIN_S = 0.25  # real seconds: the clock may have been moved meanwhile
POSTED_TOGETHER = 16
TIMEOUT_S = 5.0
BACKOFF_S_MAX = 300

log = logging.getLogger(__name__)


async def run(sandbox: Sandbox, client: httpx.AsyncClient) -> None:
    """Work until cancelled; what fails is tried again at the next look."""
    while True:
        try:
            worked = await run_once(sandbox, client)
        except Exception:
            log.exception("the rail's background work failed")
            worked = False
        if not worked:
            await _wait(sandbox)


async def run_once(sandbox: Sandbox, client: httpx.AsyncClient) -> bool:
    """Settle and post what is due now; tell whether there was anything."""
    settled = await run_in_threadpool(rail.settle_due, sandbox)
    due = await run_in_threadpool(_due, sandbox)
    await asyncio.gather(*(_deliver(sandbox, client, delivery) for delivery in due))
    return bool(settled or due)


def backoff_s(attempts: int) -> int:
    """Return how long to wait after this many failed attempts: 1, 2, 4 … up to 300 seconds of the clock."""
    return min(1 << (attempts - 1), BACKOFF_S_MAX)


async def _wait(sandbox: Sandbox) -> None:
    try:
        async with asyncio.timeout(LOOK_AGAIN_S):
            await sandbox.wake.wait()
    except TimeoutError:
        return
    sandbox.wake.clear()


def _due(sandbox: Sandbox) -> list[Delivery]:
    now = sandbox.clock()
    with sandbox.store.transaction() as tx:
        return rail_store.due_callbacks(tx, now=now, count=POSTED_TOGETHER)


async def _deliver(sandbox: Sandbox, client: httpx.AsyncClient, delivery: Delivery) -> None:
    taken = await _post(sandbox, client, delivery.body.encode())
    await run_in_threadpool(_note, sandbox, delivery, taken)


async def _post(sandbox: Sandbox, client: httpx.AsyncClient, body: bytes) -> bool:
    url = sandbox.settings.callback_url
    if url is None:
        return False
    # Signed at each attempt, or a late one would be refused as stale.
    timestamp = str(int(sandbox.clock().timestamp()))
    headers = {
        "Content-Type": "application/json",
        CALLBACK_TIMESTAMP_HEADER: timestamp,
        CALLBACK_SIGNATURE_HEADER: sign_callback(sandbox.settings.secret, timestamp=timestamp, body=body),
    }
    try:
        response = await client.post(url, content=body, headers=headers, timeout=TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return response.is_success


def _note(sandbox: Sandbox, delivery: Delivery, taken: bool) -> None:
    now = sandbox.clock()
    attempts = delivery.attempts + 1
    with sandbox.store.transaction() as tx:
        if taken:
            rail_store.mark_delivered(tx, delivery)
        elif attempts >= sandbox.settings.callback_attempts_max:
            rail_store.put_off(tx, delivery, try_at=None)
        else:
            rail_store.put_off(tx, delivery, try_at=now + timedelta(seconds=backoff_s(attempts)))
