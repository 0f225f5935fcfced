"""The bureau's JSON, read strictly."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from grainline.partners.bureau.port import Changes, CreditReport, NoRecord, ReportAnswer
from grainline.partners.transport import BadAnswer

Whole = Annotated[int, Field(ge=-(10**11), le=10**11)]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Subject = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class _Report(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    result: Literal["report"]
    subject: Subject
    as_of: Annotated[AwareDatetime, Field(strict=False)]
    card: Annotated[dict[ColumnName, Whole], Field(min_length=1, max_length=40)]
    open_loans: Annotated[int, Field(ge=0, le=10_000)]
    owed_elsewhere_fen: Annotated[int, Field(ge=0, le=10**15)]
    overdue_days: Annotated[int, Field(ge=0, le=36_500)]


class _NoRecord(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    result: Literal["no_record"]
    subject: Subject


class _Changes(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    subjects: Annotated[list[Subject], Field(max_length=1_000)]
    cursor: Annotated[int, Field(ge=0, lt=2**63)]


_ANSWER: TypeAdapter[_Report | _NoRecord] = TypeAdapter(Annotated[_Report | _NoRecord, Field(discriminator="result")])


def question(*, name: str, national_id: str, subject: str, consent: str) -> dict[str, str | int]:
    """Write the question."""
    return {"name": name, "national_id": national_id, "subject": subject, "consent": consent}


def read_answer(body: bytes, *, subject: str) -> ReportAnswer:
    """Read the answer about this subject. Raises BadAnswer on another form, or one about another."""
    try:
        answer = _ANSWER.validate_json(body)
    except ValidationError as error:
        raise BadAnswer("the bureau's answer has another form") from error
    if answer.subject != subject:
        raise BadAnswer("the bureau's answer is about another subject")
    if isinstance(answer, _NoRecord):
        return NoRecord()
    as_of: datetime = answer.as_of
    return CreditReport(as_of, answer.card, answer.open_loans, answer.owed_elsewhere_fen, answer.overdue_days)


def read_changes(body: bytes, *, after: int) -> Changes:
    """Read the changes. Raises BadAnswer on another form, or a cursor that goes back."""
    try:
        answer = _Changes.model_validate_json(body)
    except ValidationError as error:
        raise BadAnswer("the bureau's changes have another form") from error
    if answer.cursor < after:
        raise BadAnswer("the bureau's cursor goes back")
    return Changes(tuple(dict.fromkeys(answer.subjects)), answer.cursor)
