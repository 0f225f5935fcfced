"""The simulated card network."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, StringConstraints

from grainline.sandbox import store
from grainline.sandbox.context import TheSandbox, gate, no_such
from grainline.sandbox.fault_rules import Partner
from grainline.sandbox.store import Papers

PREFIX = "/card-network"
router = APIRouter(prefix=PREFIX, dependencies=[Depends(gate(Partner.CARD_NETWORK))])
controls = APIRouter(prefix=PREFIX)

Reason = Literal["holder_mismatch", "phone_mismatch", "unknown_card", "card_closed"]


class FourElements(BaseModel):
    """A card and what is said of its holder."""

    card_number: Annotated[str, StringConstraints(pattern=r"^[0-9]{16,19}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=60)]
    national_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{17}[0-9X]$")]
    phone: Annotated[str, StringConstraints(pattern=r"^1[0-9]{10}$")]


class Matched(BaseModel):
    """All four match; the agreement stands for the card from here on."""

    result: Literal["matched"] = "matched"
    agreement: str
    bank: str
    last4: str


class Refused(BaseModel):
    """They do not match."""

    result: Literal["refused"] = "refused"
    reason: Reason


class CardSetting(BaseModel):
    """Whether a card is closed."""

    closed: bool


@router.post("/verify")
def verify(asked: FourElements, sandbox: TheSandbox) -> Matched | Refused:
    """Compare the four elements and sign the agreement when they match."""
    now = sandbox.clock()
    with sandbox.store.transaction() as tx:
        papers = store.papers_by_card(tx, asked.card_number)
        if papers is None:
            return Refused(reason="unknown_card")
        reason = objection(papers, asked)
        if reason is not None:
            return Refused(reason=reason)
        store.sign_agreement(tx, papers.card_number, now=now)
    return Matched(agreement=papers.agreement, bank=papers.bank, last4=papers.card_number[-4:])


@controls.put("/cards/{card_number}")
def set_card(card_number: str, setting: CardSetting, sandbox: TheSandbox) -> CardSetting:
    """Close a card or open it again (a control of the sandbox, not of the network)."""
    with sandbox.store.transaction() as tx:
        if store.papers_by_card(tx, card_number) is None:
            no_such("card")
        store.set_closed(tx, card_number, setting.closed)
    return setting


def objection(papers: Papers, asked: FourElements) -> Reason | None:
    """Say the first thing that does not match, or None."""
    if papers.closed:
        return "card_closed"
    if (papers.name, papers.national_id) != (asked.name, asked.national_id):
        return "holder_mismatch"
    if papers.phone != asked.phone:
        return "phone_mismatch"
    return None
