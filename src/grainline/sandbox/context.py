"""What every route of the sandbox needs: its settings, store and clock, and the two refusals all partners share."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Never

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from grainline.kit.calendar import Clock
from grainline.partners.transport import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    is_fresh,
    is_same,
    sign_request,
)
from grainline.sandbox import store
from grainline.sandbox.fault_rules import Fault, Name, Partner, draw
from grainline.sandbox.settings import SandboxSettings
from grainline.sandbox.store import Store, Tx


@dataclass(frozen=True)
class Sandbox:
    """One running sandbox; `wake` is set when there may be a callback to post."""

    settings: SandboxSettings
    store: Store
    clock: Clock
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Answered(Exception):
    """An error that a partner answers with: a status and a code in a JSON document."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(status, code, detail)
        self.status = status
        self.code = code
        self.detail = detail


def _sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


TheSandbox = Annotated[Sandbox, Depends(_sandbox)]


def strike(tx: Tx, partner: Partner, name: Name, *, seed: int) -> Fault | None:
    """Return the fault's setting when it strikes this time, or None; its chance is counted."""
    before = store.fault(tx, partner, name)
    struck, after = draw(before, seed=seed)
    if after != before:
        store.save_fault(tx, after)
    return before if struck else None


def gate(partner: Partner) -> Callable[[Request, Sandbox], Awaitable[None]]:
    """Return the check that stands before a partner's routes: is it up, and is the request signed."""

    async def check(request: Request, sandbox: TheSandbox) -> None:
        if await run_in_threadpool(_is_down, sandbox, partner):
            raise Answered(503, "not_taken", f"{partner} is down; nothing was taken")
        _check_signature(request, await request.body(), sandbox)

    return check


def no_such(what: str) -> Never:
    """Raise the answer for a thing that is not there."""
    raise Answered(404, "not_found", f"there is no such {what}")


def _is_down(sandbox: Sandbox, partner: Partner) -> bool:
    with sandbox.store.transaction() as tx:
        return strike(tx, partner, Name.DOWN, seed=sandbox.settings.fault_seed) is not None


def _check_signature(request: Request, body: bytes, sandbox: Sandbox) -> None:
    timestamp = request.headers.get(TIMESTAMP_HEADER, "")
    query = request.url.query
    expected = sign_request(
        sandbox.settings.secret,
        timestamp=timestamp,
        method=request.method,
        target=request.url.path + (f"?{query}" if query else ""),
        body=body,
    )
    genuine = is_same(expected, request.headers.get(SIGNATURE_HEADER, ""))
    if not genuine or not is_fresh(timestamp, now=sandbox.clock()):
        raise Answered(401, "bad_signature", "the request is not signed, or its signature is older than 5 minutes")
