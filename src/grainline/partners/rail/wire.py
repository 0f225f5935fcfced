"""The rail's JSON, read strictly: an answer about another order or of another form is no answer."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from grainline.kit.money import Fen
from grainline.partners.rail.port import (
    Answer,
    BadCallbackSignature,
    Callback,
    Direction,
    MalformedCallback,
    Status,
)
from grainline.partners.transport import BadAnswer, is_fresh, is_same, sign_callback

CALLBACK_TIMESTAMP_HEADER = "X-Rail-Timestamp"
CALLBACK_SIGNATURE_HEADER = "X-Rail-Signature"
_COLLECTION_OF = {Direction.PAYOUT: "/payouts", Direction.COLLECTION: "/collections"}

Reason = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]


class _Order(BaseModel):
    """One order as the rail shows it; a callback has the same form."""

    model_config = ConfigDict(extra="forbid", strict=True)

    direction: Literal["payout", "collection"]
    key: str
    amount_fen: Annotated[int, Field(gt=0)] | None
    status: Literal["processing", "succeeded", "failed", "not_found"]
    reason: Reason | None
    settled_at: AwareDatetime | None


def path(direction: Direction, key: str | None = None) -> str:
    """Return where orders of a direction are posted, or where one is asked for."""
    return _COLLECTION_OF[direction] + ("" if key is None else f"/{quote(key, safe=':')}")


def order(*, key: str, agreement: str, amount_fen: Fen) -> dict[str, str | int]:
    """Write an order."""
    return {"key": key, "agreement": agreement, "amount_fen": amount_fen}


def read_ordered(body: bytes, *, direction: Direction, key: str) -> Answer:
    """Read the answer to an order just placed; its amount is the rail's word, not ours.

    Raises BadAnswer, also when it is about another key or direction, or says not found.
    """
    answer = read_asked(body, direction=direction, key=key)
    if answer.status is Status.NOT_FOUND:
        raise BadAnswer("the rail does not know the order just placed")
    return answer


def read_asked(body: bytes, *, direction: Direction, key: str) -> Answer:
    """Read the answer to a question; its amount is the rail's word, not ours.

    Raises BadAnswer, also when it is about another key or direction.
    """
    try:
        shown = _Order.model_validate_json(body)
    except ValidationError as error:
        raise BadAnswer("the rail's answer has another form") from error
    if shown.direction != direction or shown.key != key:
        raise BadAnswer("the rail's answer is about another order")
    return _answer(shown)


def read_callback(headers: Mapping[str, str], body: bytes, *, now: datetime, secret: bytes) -> Callback:
    """Read a callback signed under `secret` within five minutes of now.

    Raises BadCallbackSignature and MalformedCallback.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    timestamp = lower.get(CALLBACK_TIMESTAMP_HEADER.lower(), "")
    given = lower.get(CALLBACK_SIGNATURE_HEADER.lower(), "")
    genuine = is_same(sign_callback(secret, timestamp=timestamp, body=body), given)
    if not genuine or not is_fresh(timestamp, now=now):
        raise BadCallbackSignature
    try:
        shown = _Order.model_validate_json(body)
        answer = _answer(shown)
    except (ValidationError, BadAnswer) as error:
        raise MalformedCallback from error
    if answer.status is Status.NOT_FOUND:
        raise MalformedCallback
    return Callback(Direction(shown.direction), shown.key, answer)


def _answer(shown: _Order) -> Answer:
    try:
        amount_fen = None if shown.amount_fen is None else Fen(shown.amount_fen)
        return Answer(Status(shown.status), amount_fen, shown.reason, shown.settled_at)
    except ValueError as error:
        raise BadAnswer("the rail's answer contradicts itself") from error
