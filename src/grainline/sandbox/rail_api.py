"""The simulated rail's routes, and the sandbox's controls over it."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field, StringConstraints
from starlette.concurrency import run_in_threadpool

from grainline.sandbox import rail, rail_store
from grainline.sandbox.context import Answered, Sandbox, TheSandbox, gate, no_such
from grainline.sandbox.fault_rules import Partner
from grainline.sandbox.rail_rules import OUTSIDE, Direction, Request, not_found, shown

PREFIX = "/rail"
KEY_PATTERN = r"^[A-Za-z0-9_:-]{1,64}$"
ORDER_FEN_MAX = 10**13

router = APIRouter(prefix=PREFIX, dependencies=[Depends(gate(Partner.RAIL))])
controls = APIRouter(prefix=PREFIX)

Key = Annotated[str, Path(pattern=KEY_PATTERN)]


class OrderBody(BaseModel):
    """An order: positive fen, to or from the card under an agreement."""

    key: Annotated[str, StringConstraints(pattern=KEY_PATTERN)]
    agreement: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{8,64}$")]
    amount_fen: Annotated[int, Field(strict=True, gt=0, le=ORDER_FEN_MAX)]


class OrderShown(BaseModel):
    """An order as it stands."""

    direction: str
    key: str
    amount_fen: int | None
    status: str
    reason: str | None
    settled_at: str | None


class AccountShown(BaseModel):
    """An account of the rail's books."""

    name: str
    balance_fen: int
    frozen: bool


class AccountSetting(BaseModel):
    """What to change of an account."""

    balance_fen: Annotated[int | None, Field(ge=0, le=10**15)] = None
    frozen: bool | None = None


class Books(BaseModel):
    """What the rail has done, and whether its own double check holds."""

    payouts: int
    payouts_fen: int
    collections: int
    collections_fen: int
    processing: int
    failed: int
    callbacks: dict[str, int]
    imbalances: list[str]


class Released(BaseModel):
    """How many held orders were let go."""

    released: int


@router.post("/payouts", status_code=202)
async def pay_out(body: OrderBody, sandbox: TheSandbox) -> OrderShown:
    """Place a payout."""
    return await _place(sandbox, Request("payout", body.key, body.agreement, body.amount_fen))


@router.post("/collections", status_code=202)
async def collect(body: OrderBody, sandbox: TheSandbox) -> OrderShown:
    """Place a collection."""
    return await _place(sandbox, Request("collection", body.key, body.agreement, body.amount_fen))


@router.get("/payouts/{key}")
async def payout(key: Key, sandbox: TheSandbox) -> OrderShown:
    """Tell how a payout stands."""
    return await _ask(sandbox, "payout", key)


@router.get("/collections/{key}")
async def collection(key: Key, sandbox: TheSandbox) -> OrderShown:
    """Tell how a collection stands."""
    return await _ask(sandbox, "collection", key)


@controls.get("/accounts/{name}")
def account(name: str, sandbox: TheSandbox) -> AccountShown:
    """Show an account: an agreement's, `house` or `transit`."""
    with sandbox.store.transaction() as tx:
        found = rail_store.account(tx, name)
    if found is None:
        no_such("account")
    return AccountShown(name=found.name, balance_fen=found.balance_fen, frozen=found.frozen)


@controls.put("/accounts/{name}")
def set_account(name: str, setting: AccountSetting, sandbox: TheSandbox) -> AccountShown:
    """Change an account's balance or freeze it."""
    if name == OUTSIDE:
        no_such("account")
    changed = rail.set_account(sandbox, name, balance_fen=setting.balance_fen, frozen=setting.frozen)
    if changed is None:
        no_such("account")
    return AccountShown(name=changed.name, balance_fen=changed.balance_fen, frozen=changed.frozen)


@controls.get("/orders")
def orders(sandbox: TheSandbox, agreement: str, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> list[OrderShown]:
    """List the newest orders under an agreement first."""
    with sandbox.store.transaction() as tx:
        found = rail_store.orders_of(tx, agreement, count=limit)
    return [OrderShown.model_validate(shown(order)) for order in found]


@controls.get("/books")
def books(sandbox: TheSandbox) -> Books:
    """Sum up what the rail has done and check its books against themselves."""
    with sandbox.store.transaction() as tx:
        totals = rail_store.totals(tx)
        callbacks = rail_store.callback_states(tx)
        imbalances = rail_store.imbalances(tx)
    return Books(**vars(totals), callbacks=callbacks, imbalances=imbalances)


@controls.post("/release")
async def release(sandbox: TheSandbox) -> Released:
    """Let go every order that is held in processing."""
    count = await run_in_threadpool(rail.release_held, sandbox)
    sandbox.wake.set()
    return Released(released=count)


async def _place(sandbox: Sandbox, request: Request) -> OrderShown:
    placed = await run_in_threadpool(rail.place, sandbox, request)
    sandbox.wake.set()
    if placed.wait_s:
        await asyncio.sleep(placed.wait_s)
    if placed.order is None or placed.answer_lost:
        raise Answered(504, "gateway_time_out", "no answer came in time")
    return OrderShown.model_validate(shown(placed.order))


async def _ask(sandbox: Sandbox, direction: Direction, key: str) -> OrderShown:
    order = await run_in_threadpool(rail.asked, sandbox, direction, key)
    sandbox.wake.set()
    return OrderShown.model_validate(shown(order) if order else not_found(direction, key))
