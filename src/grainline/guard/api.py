"""Routes of what a borrower's device says of itself, sealed on the device to the lender."""

import base64
import binascii
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from grainline.guard.environment import fields, version
from grainline.guard.environment_keys import SUITE_NUMBERS, EnvironmentNotOpened, LenderKeys
from grainline.guard.environment_taking import take_environment, withdraw_environments
from grainline.kit.web import Lang, Now, TheVault, Transaction
from grainline.members import PresentedToken, SignedIn

router = APIRouter(tags=["environment"])


async def _keys(request: Request) -> LenderKeys:
    keys: LenderKeys = request.app.state.lender_keys
    return keys


TheLenderKeys = Annotated[LenderKeys, Depends(_keys)]


class SuiteOut(BaseModel):
    """The three algorithms by their numbers in RFC 9180, section 7."""

    kem: int
    kdf: int
    aead: int


class LenderKeyOut(BaseModel):
    """The newest key, what it is used with, and the lender's time: a device's own clock may be wrong."""

    key_id: str
    public_key: str
    suite: SuiteOut
    version: int
    now: datetime


class FieldOut(BaseModel):
    """What one field is called, and its values by their names; a number and yes or no have none."""

    part: str
    name: str
    meaning: str
    values: dict[str, str]


class FieldsOut(BaseModel):
    version: int
    items: list[FieldOut]


class EnvironmentIn(BaseModel):
    """Encapsulated key and ciphertext, one after the other, in base64url without padding."""

    model_config = ConfigDict(extra="forbid")

    key_id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    sealed: Annotated[str, Field(min_length=1)]


@router.get("/environment/key")
async def get_environment_key(keys: TheLenderKeys, now: Now) -> LenderKeyOut:
    """Give the key to which a device seals what it says of itself."""
    key = keys.newest
    public = base64.urlsafe_b64encode(key.public).rstrip(b"=").decode("ascii")
    return LenderKeyOut(
        key_id=key.key_id, public_key=public, suite=SuiteOut(**SUITE_NUMBERS), version=version(), now=now
    )


@router.get("/environment/fields")
async def get_environment_fields(language: Lang) -> FieldsOut:
    """List everything that a device says of itself, and all that it can say there."""
    place = 0 if language == "zh" else 1
    items = [
        FieldOut(
            part=one.part,
            name=one.name,
            meaning=(one.zh, one.en)[place],
            values={value: words[place] for value, words in (one.values or {}).items()},
        )
        for one in fields()
    ]
    return FieldsOut(version=version(), items=items)


@router.post("/environment", status_code=status.HTTP_204_NO_CONTENT)
async def hand_in_environment(
    body: EnvironmentIn,
    member_id: SignedIn,
    presented: PresentedToken,
    tx: Transaction,
    vault: TheVault,
    keys: TheLenderKeys,
    now: Now,
) -> Response:
    """Take in what the device sealed in this session, where the member consents to it."""
    await take_environment(
        tx,
        vault,
        keys,
        sealed=_bytes(body.sealed),
        key_id=body.key_id,
        member_id=member_id,
        token_hash=presented[1],
        now=now,
    )
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.delete("/environment", status_code=status.HTTP_204_NO_CONTENT)
async def withdraw_environment(member_id: SignedIn, tx: Transaction, now: Now) -> Response:
    """Withdraw the consent to the device's summaries, and delete them."""
    await withdraw_environments(tx, member_id=member_id, now=now)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise EnvironmentNotOpened from None
