"""The sandbox as one ASGI application: five partners, their knobs, and the pages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from grainline.kit.calendar import Clock
from grainline.sandbox import bureau, callbacks, card_network, faults, identity_authority, pages, rail_api, sms
from grainline.sandbox.context import Answered, Sandbox
from grainline.sandbox.settings import SandboxSettings
from grainline.sandbox.store import Store


def create_app(settings: SandboxSettings, clock: Clock) -> FastAPI:
    """Return the sandbox's application; it opens its file now, and works in the background while it serves.

    Run it in one process only: its SQLite file has one writer.
    """
    sandbox = Sandbox(settings, Store(settings.database), clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(trust_env=False) as client:
            work = asyncio.create_task(callbacks.run(sandbox, client))
            yield
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
        sandbox.store.close()

    # The pages of interactive documentation fetch scripts from elsewhere; nothing here may.
    app = FastAPI(title="Grainline sandbox", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.sandbox = sandbox
    for router in (
        identity_authority.router,
        card_network.router,
        card_network.controls,
        bureau.router,
        bureau.controls,
        rail_api.controls,
        rail_api.router,
        sms.router,
        faults.router,
        pages.router,
    ):
        app.include_router(router)
    app.add_api_route("/healthz", _healthz, include_in_schema=False)
    app.add_exception_handler(Answered, _answered)
    app.add_exception_handler(RequestValidationError, _malformed)
    return app


async def _healthz() -> dict[str, str]:
    return {"status": "ok"}


async def _answered(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Answered):
        raise TypeError("registered for Answered only") from error
    return JSONResponse({"code": error.code, "detail": error.detail}, status_code=error.status)


async def _malformed(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise TypeError("registered for RequestValidationError only") from error
    problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return JSONResponse({"code": "malformed", "detail": problems}, status_code=422)
