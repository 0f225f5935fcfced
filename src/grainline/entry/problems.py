"""Refusals over HTTP: RFC 9457 problem+json with a stable code, in the language of the request.

Only here does a kind become a status.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from traceback import format_exception

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grainline.kit.errors import Kind, Refusal
from grainline.kit.money import yuan
from grainline.kit.web import language_of

STATUS = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.INVALID: 422,
    Kind.THROTTLED: 429,
    Kind.UNAVAILABLE: 503,
}
# 400 is what FastAPI says of a body it cannot even parse: not UTF-8, nested too deep, a number too long.
CODES_OF_HTTP = {400: "malformed_json", 404: "not_found", 405: "forbidden_method", 413: "too_large"}
TEXTS: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))

log = structlog.get_logger()


def detail_of(code: str, params: Mapping[str, object], language: str) -> str:
    """Write a refusal's sentence; an amount …_fen may be named …_yuan in the text. A missing parameter shows as …"""
    known: dict[str, object] = dict(params)
    for name, value in params.items():
        if name.endswith("_fen") and isinstance(value, int):
            known[name.removesuffix("_fen") + "_yuan"] = yuan(value).removesuffix(".00")
    return TEXTS[code][language].format_map(_Gaps(known))


def install(app: FastAPI) -> None:
    """Have every refusal and error of an app answered as a problem; what breaks is for `Broken`."""
    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def too_large(request: Request) -> JSONResponse:
    """Answer a request whose body is larger than is read here."""
    return _problem(request, STATUS[Kind.TOO_LARGE], "too_large", {})


class _Gaps(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"


def _problem(request: Request, status: int, code: str, params: Mapping[str, object]) -> JSONResponse:
    language = language_of(request.headers.get("accept-language"))
    body = {
        "type": f"urn:grainline:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": detail_of(code, params, language),
        **params,
    }
    headers: dict[str, str] = {"Content-Language": language}
    if status == STATUS[Kind.UNAUTHENTICATED]:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")


async def refused(request: Request, error: Exception) -> JSONResponse:
    """Answer a refusal."""
    assert isinstance(error, Refusal)  # noqa: S101  (registered for it)
    return _problem(request, STATUS[error.kind], error.code, error.params)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problems = error.errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        return _problem(request, STATUS[Kind.MALFORMED], "malformed_json", {})
    fields = [".".join(str(part) for part in problem["loc"][1:]) or "body" for problem in problems]
    shown = [{"field": field, "message": p["msg"]} for field, p in zip(fields, problems, strict=True)]
    params = {"fields": ", ".join(dict.fromkeys(fields)), "errors": shown}
    return _problem(request, STATUS[Kind.INVALID], "invalid_request", params)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    return _problem(request, error.status_code, CODES_OF_HTTP.get(error.status_code, "invalid_request"), {})


class Broken:
    """Logs what broke and answers it as a problem, where no answer has begun; plain ASGI.

    The framework's own place for such a handler lies outside every middleware, so its answer would get no headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve; an answer that has begun is broken off by raising on."""
        begun = False

        async def send_noting(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as error:
            if scope["type"] != "http":
                raise
            # a plain traceback: the default shows every local variable, and with them people's names and codes
            log.error("request_broken", path=scope["path"], exception="".join(format_exception(error)))
            if begun:
                raise
            await _problem(Request(scope), 500, "internal", {})(scope, receive, send)
