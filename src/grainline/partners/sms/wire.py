"""The SMS gateway's JSON, read strictly."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from grainline.partners.transport import BadAnswer


class _Accepted(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    key: str
    status: Literal["accepted"]


def message(*, key: str, phone: str, text: str) -> dict[str, str | int]:
    """Write the message."""
    return {"key": key, "phone": phone, "text": text}


def read_accepted(body: bytes, *, key: str) -> None:
    """Check that the gateway took the message of this key. Raises BadAnswer otherwise."""
    try:
        accepted = _Accepted.model_validate_json(body)
    except ValidationError as error:
        raise BadAnswer("the gateway's answer has another form") from error
    if accepted.key != key:
        raise BadAnswer("the gateway's answer is about another message")
