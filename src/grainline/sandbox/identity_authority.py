"""The simulated identity authority."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, StringConstraints

from grainline.sandbox import store
from grainline.sandbox.context import TheSandbox, gate
from grainline.sandbox.fault_rules import Partner

router = APIRouter(prefix="/identity-authority", dependencies=[Depends(gate(Partner.IDENTITY_AUTHORITY))])


class Question(BaseModel):
    """A name and a national id."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    national_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{17}[0-9X]$")]


class Verdict(BaseModel):
    """Whether they belong together."""

    result: Literal["matches", "mismatch", "not_found"]


@router.post("/verify")
def verify(question: Question, sandbox: TheSandbox) -> Verdict:
    """Tell whether the id is known and whose it is."""
    with sandbox.store.transaction() as tx:
        name = store.name_of(tx, question.national_id)
    if name is None:
        return Verdict(result="not_found")
    return Verdict(result="matches" if name == question.name else "mismatch")
