"""The simulated credit bureau: answers only under a named consent, keeps who asked, and tells whose record changed."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, StringConstraints

from grainline.sandbox import bureau_store, store
from grainline.sandbox.context import TheSandbox, gate, no_such
from grainline.sandbox.fault_rules import Partner

PREFIX = "/bureau"
CHANGES_MOST = 500
router = APIRouter(prefix=PREFIX, dependencies=[Depends(gate(Partner.BUREAU))])
controls = APIRouter(prefix=PREFIX)


class Question(BaseModel):
    """Whose report, under which consent, and by which name the asker knows the person."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    national_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{17}[0-9X]$")]
    subject: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    consent: Annotated[str, StringConstraints(min_length=1, max_length=120)]


class Report(BaseModel):
    """What is reported."""

    result: Literal["report"] = "report"
    subject: str
    as_of: datetime
    card: dict[str, int]
    open_loans: int
    owed_elsewhere_fen: int
    overdue_days: int


class NoRecord(BaseModel):
    """Nothing is reported of this person."""

    result: Literal["no_record"] = "no_record"
    subject: str


class Changed(BaseModel):
    """Whose record changed, and from where to ask next time."""

    subjects: list[str]
    cursor: int


class Elsewhere(BaseModel):
    """What a person owes other lenders, in fen."""

    open_loans: Annotated[int, Field(ge=0, le=1_000)]
    owed_elsewhere_fen: Annotated[int, Field(ge=0, le=10**13)]
    overdue_days: Annotated[int, Field(ge=0, le=3_650)] = 0


@router.post("/report")
def report(asked: Question, sandbox: TheSandbox) -> Report | NoRecord:
    """Answer with the person's record, and keep the inquiry."""
    now = sandbox.clock()
    with sandbox.store.transaction() as tx:
        found = bureau_store.record_of(tx, name=asked.name, national_id=asked.national_id)
        if found is None:
            return NoRecord(subject=asked.subject)
        number, one = found
        bureau_store.note_inquiry(tx, number=number, subject=asked.subject, consent=asked.consent, now=now)
    return Report(
        subject=asked.subject,
        as_of=now,
        card=dict(one.card),
        open_loans=one.open_loans,
        owed_elsewhere_fen=one.owed_elsewhere_fen,
        overdue_days=one.overdue_days,
    )


@router.get("/changes")
def changes(sandbox: TheSandbox, after: Annotated[int, Query(ge=0)] = 0) -> Changed:
    """Tell whose record changed after a cursor."""
    with sandbox.store.transaction() as tx:
        subjects, cursor = bureau_store.changed_after(tx, after, count=CHANGES_MOST)
    return Changed(subjects=subjects, cursor=cursor)


@controls.put("/records/{phone}")
def set_elsewhere(phone: str, setting: Elsewhere, sandbox: TheSandbox) -> Elsewhere:
    """Let a resident borrow elsewhere, or pay it back (a control of the sandbox, not of the bureau)."""
    with sandbox.store.transaction() as tx:
        papers = store.papers_by_phone(tx, phone)
        if papers is None or not bureau_store.change(tx, papers.number, **setting.model_dump()):
            no_such("record")
    return setting
