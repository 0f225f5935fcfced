"""The HTTP edge: every room's routes under /api/v1, and the borrower's pages."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grainline import guard, invitation, loans, members, underwriting
from grainline.entry import problems, settings
from grainline.entry.postgres import database
from grainline.entry.processes import die_with_parent
from grainline.entry.settings import PROJECT_ROOT
from grainline.entry.wiring import Platform, wire
from grainline.kit.db import transaction

API = "/api/v1"
BODY_BYTES_MAX = 65_536
PAGES = PROJECT_ROOT / "web" / "borrower" / "dist"
SECURITY_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:;"
        b" frame-ancestors 'none'; base-uri 'self'; form-action 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


def create_app() -> FastAPI:
    """Return the application as a server starts it: settings from the environment, everything opened with it."""
    given = settings.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        die_with_parent()
        with database(given) as found:
            async with wire(given, found.app_url, pool_size=given.pool_size) as platform:
                equip(app, platform)
                async with transaction(platform.pool) as tx:
                    await platform.underwriter.shelf.warm(tx, platform.packs.values(), now=platform.clock())
                yield

    return make_app(lifespan=lifespan)


def equip(app: FastAPI, platform: Platform) -> None:
    """Hand the app what its routes ask for."""
    for name in (*platform.__dataclass_fields__, "new_id", "random_bytes"):
        setattr(app.state, name, getattr(platform, name))


def make_app(*, lifespan: object = None, pages: Path = PAGES) -> FastAPI:
    """Return the application with its routes; `equip` gives it what they need."""
    # The pages of interactive documentation fetch scripts from elsewhere; nothing here may.
    app = FastAPI(
        title="Grainline",
        version="1",
        description="Invite-only micro-credit: from an invitation to a repaid loan.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,  # type: ignore[arg-type]
    )
    problems.install(app)
    of_loans = (loans.draws_router, loans.router, loans.documents_router, loans.callbacks)
    of_members = (members.router, members.consents_router)
    for router in (*of_loans, *of_members, guard.router, invitation.router, underwriting.router):
        app.include_router(router, prefix=API)
    app.add_api_route("/healthz", _healthz, include_in_schema=False)
    # the last one added is the outermost
    app.add_middleware(BodyLimit)
    app.add_middleware(loans.DrawFastPath, path=f"{API}/draws", refused=problems.refused)
    app.add_middleware(problems.Broken)
    app.add_middleware(SecurityHeaders)
    _serve_pages(app, pages)
    return app


async def _healthz(request: Request) -> JSONResponse:
    """Say whether the app can reach its database."""
    async with request.app.state.pool.connection() as connection:
        await connection.execute("select 1")
    return JSONResponse({"status": "ok"})


class BodyLimit:
    """Refuses a body above BODY_BYTES_MAX, by its announced length or as soon as that much has come.

    The framework's own limit answers an announced length in plain text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, counting what is read."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > BODY_BYTES_MAX:
            await problems.too_large(Request(scope))(scope, receive, send)
            return
        read = 0

        async def receive_counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > BODY_BYTES_MAX:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_counted, send)


class SecurityHeaders:
    """Adds the same few headers to every answer; plain ASGI, so that streams pass through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, adding the headers where an answer starts."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *SECURITY_HEADERS]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _serve_pages(app: FastAPI, pages: Path) -> None:
    index = pages / "index.html"
    if not index.exists():
        logging.getLogger(__name__).warning("no pages at %s: run `make web`", pages)
        return
    app.mount("/assets", StaticFiles(directory=pages / "assets"))

    @app.get("/{path:path}", include_in_schema=False)
    async def page(path: str) -> FileResponse:
        """Serve a file of the pages, or the page that knows every path."""
        if path.startswith("api/"):
            raise HTTPException(404)
        file = (pages / path).resolve()
        known = path and file.is_file() and file.is_relative_to(pages)
        return FileResponse(file if known else index, headers={"Cache-Control": "no-cache"})
