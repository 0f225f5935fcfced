"""The identity authority's JSON, read strictly."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from grainline.partners.identity_authority.port import IdentityAnswer
from grainline.partners.transport import BadAnswer


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    result: Literal["matches", "mismatch", "not_found"]


def question(name: str, national_id: str) -> dict[str, str | int]:
    """Write the question."""
    return {"name": name, "national_id": national_id}


def read_answer(body: bytes) -> IdentityAnswer:
    """Read the answer. Raises BadAnswer on any other form."""
    try:
        return IdentityAnswer(_Answer.model_validate_json(body).result)
    except ValidationError as error:
        raise BadAnswer("the identity authority's answer has another form") from error
