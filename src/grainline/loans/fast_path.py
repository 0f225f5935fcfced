"""The fast path of a draw: a well-formed POST is answered here, before the framework takes it apart.

Taking it apart costs more than all else the app does for a draw. What is not plainly well-formed, or comes in pieces,
goes on to the route of the same path, which tells what is wrong with it. Both end in `answer`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.datastructures import State
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grainline.kit.errors import Refusal
from grainline.kit.web import Language, check_key, language_of
from grainline.loans import service
from grainline.loans.shapes import DrawIn, DrawOut
from grainline.members.service import NotSignedIn, read_token

BODY_BYTES_MAX = 1_024  # a draw's has about 160; a longer one goes by the limit for all bodies


@dataclass(frozen=True)
class DrawAsked:
    """A draw as a member asks for it; `presented` is what the token claims, not looked up yet."""

    body: DrawIn
    key: str
    presented: tuple[int, bytes]
    language: Language


async def answer(state: State, asked: DrawAsked) -> Response:
    """Draw and answer 202; raise what `service.draw` raises."""
    member_id, token_hash = asked.presented
    made, card_last4 = await service.draw(
        state.pool,
        state.vault,
        member_id=member_id,
        token_hash=token_hash,
        draw_id=state.new_id(),
        idempotency_key=asked.key,
        contract_id=asked.body.contract_id,
        contract_hash=bytes.fromhex(asked.body.contract_hash),
        code=asked.body.code,
        now=state.clock(),
    )
    shape = DrawOut.of(made, card_last4=card_last4, language=asked.language)
    return Response(shape.model_dump_json(), status_code=202, media_type="application/json")


class DrawFastPath:
    """Answers draws that are well-formed and hands on everything else; `refused` writes a refusal's answer."""

    def __init__(self, app: ASGIApp, *, path: str, refused: Callable[[Request, Refusal], Awaitable[Response]]) -> None:
        self._app = app
        self._path = path
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""
        if scope["type"] != "http" or scope["path"] != self._path or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        first = await receive()
        asked = _read(scope["headers"], first.get("body", b""))
        if asked is None:
            await self._app(scope, _beginning_with(first, receive), send)
            return
        try:
            response = await answer(scope["app"].state, asked)
        except Refusal as refusal:
            response = await self._refused(Request(scope), refusal)
        await response(scope, receive, send)


def _read(given: list[tuple[bytes, bytes]], body: bytes) -> DrawAsked | None:
    """Read a request whose headers are each there once and whose body is whole; None where anything is amiss."""
    headers = dict(given)
    try:
        scheme, _, token = headers[b"authorization"].decode("ascii").partition(" ")
        plain = len(headers) == len(given) and headers[b"content-type"] == b"application/json" and scheme == "Bearer"
        if not plain or not 0 < int(headers[b"content-length"]) == len(body) <= BODY_BYTES_MAX:
            return None
        return DrawAsked(
            body=DrawIn.model_validate_json(body),
            key=check_key(headers[b"idempotency-key"].decode("ascii")),
            presented=read_token(token),
            language=language_of(headers.get(b"accept-language", b"").decode("latin-1")),
        )
    except (KeyError, ValueError, NotSignedIn):
        return None


def _beginning_with(first: Message, receive: Receive) -> Receive:
    """Receive a message once more that was taken already, then what follows."""
    waiting = [first]

    async def receive_all() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_all
