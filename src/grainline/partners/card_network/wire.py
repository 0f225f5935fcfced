"""The card network's JSON, read strictly."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from grainline.partners.card_network.port import CardAnswer, CardMatched, CardRefused, CardRefusedReason
from grainline.partners.transport import BadAnswer


class _Matched(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    result: Literal["matched"]
    agreement: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{8,64}$")]
    bank: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    last4: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}$")]


class _Refused(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    result: Literal["refused"]
    reason: Literal["holder_mismatch", "phone_mismatch", "unknown_card", "card_closed"]


_ANSWER: TypeAdapter[_Matched | _Refused] = TypeAdapter(Annotated[_Matched | _Refused, Field(discriminator="result")])


def question(*, card_number: str, name: str, national_id: str, phone: str) -> dict[str, str | int]:
    """Write the question."""
    return {"card_number": card_number, "name": name, "national_id": national_id, "phone": phone}


def read_answer(body: bytes, *, card_number: str) -> CardAnswer:
    """Read the answer about this card. Raises BadAnswer on another form, or one about another card."""
    try:
        answer = _ANSWER.validate_json(body)
    except ValidationError as error:
        raise BadAnswer("the card network's answer has another form") from error
    if isinstance(answer, _Refused):
        return CardRefused(CardRefusedReason(answer.reason))
    if answer.last4 != card_number[-4:]:
        raise BadAnswer("the card network's answer is about another card")
    return CardMatched(agreement=answer.agreement, bank=answer.bank, last4=answer.last4)
