"""The simulated SMS gateway: what it takes lies in the inbox at once."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, StringConstraints

from grainline.sandbox import store
from grainline.sandbox.context import Answered, TheSandbox, gate
from grainline.sandbox.fault_rules import Partner

router = APIRouter(prefix="/sms", dependencies=[Depends(gate(Partner.SMS))])


class Text(BaseModel):
    """One message under its key."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    phone: Annotated[str, StringConstraints(pattern=r"^1[0-9]{10}$")]
    text: Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Accepted(BaseModel):
    """The gateway has the message."""

    key: str
    status: Literal["accepted"] = "accepted"


@router.post("/messages", status_code=202)
def send(message: Text, sandbox: TheSandbox) -> Accepted:
    """Take a message, once per key."""
    now = sandbox.clock()
    with sandbox.store.transaction() as tx:
        before = store.message_by_key(tx, message.key)
        if before is None:
            store.add_message(tx, key=message.key, phone=message.phone, text=message.text, now=now)
        elif (before.phone, before.text) != (message.phone, message.text):
            raise Answered(409, "key_conflict", "another message was sent under this key")
    return Accepted(key=message.key)
