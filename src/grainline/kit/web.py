"""What every route needs from the edge: a transaction, the time, new ids, the language, a page of a list."""

import base64
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from pydantic import AfterValidator, BaseModel

from grainline.kit.db import Pool, Tx, transaction
from grainline.kit.errors import Kind, Refusal
from grainline.kit.sealing import Vault

Language = Literal["zh", "en"]


class BadCursor(Refusal):
    """The cursor was not one of ours."""

    code = "bad_cursor"


async def _transaction(request: Request) -> AsyncIterator[Tx]:
    async with transaction(request.app.state.pool) as tx:
        yield tx


# Dependencies are coroutines, the small ones too: a plain function would be run in a thread of a pool.
async def _pool(request: Request) -> Pool:
    pool: Pool = request.app.state.pool
    return pool


async def _now(request: Request) -> datetime:
    now: datetime = request.app.state.clock()
    return now


async def _new_id(request: Request) -> UUID:
    new_id: UUID = request.app.state.new_id()
    return new_id


async def _vault(request: Request) -> Vault:
    vault: Vault = request.app.state.vault
    return vault


def language_of(accept_language: str | None) -> Language:
    """Choose the language of a request: English where it comes first, Chinese otherwise."""
    return "en" if (accept_language or "").strip().lower().startswith("en") else "zh"


async def _language(accept_language: Annotated[str | None, Header()] = None) -> Language:
    return language_of(accept_language)


# scope="function": committed before the response leaves, so what a client was told has happened
Transaction = Annotated[Tx, Depends(_transaction, scope="function")]
ThePool = Annotated[Pool, Depends(_pool)]
Now = Annotated[datetime, Depends(_now)]
NewId = Annotated[UUID, Depends(_new_id)]
TheVault = Annotated[Vault, Depends(_vault)]
Lang = Annotated[Language, Depends(_language)]


def check_key(key: str) -> str:
    """Return an Idempotency-Key as it was given; raise ValueError for one that may not be."""
    if not (8 <= len(key) <= 64 and key.isascii() and key.isprintable()):
        raise ValueError("must be 8 to 64 printable ASCII characters")
    return key


IdempotencyKey = Annotated[str, Header(alias="Idempotency-Key"), AfterValidator(check_key)]


class KeyReused(Refusal):
    """The same Idempotency-Key came before with another body."""

    code = "idempotency_key_reused"
    kind = Kind.INVALID


class Page(BaseModel):
    """Where a list starts and how much of it to give."""

    limit: Annotated[int, Query(ge=1, le=100)] = 20
    cursor: Annotated[str | None, Query(max_length=200)] = None

    def offset(self, *readers: Callable[[str], object]) -> tuple[Any, ...] | None:
        """Return the sort key after which the page starts, or None for the first page.

        Each reader makes one part of the key of its text. Raises BadCursor for what we cannot have written.
        """
        if self.cursor is None:
            return None
        try:
            text = base64.b64decode(self.cursor.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
            return tuple(read(part) for read, part in zip(readers, text.split(" "), strict=True))
        except ValueError:
            raise BadCursor from None


def cursor_after(*sort_key: str) -> str:
    """Return the opaque cursor for the page after this sort key, whose parts hold no spaces."""
    return base64.urlsafe_b64encode(" ".join(sort_key).encode("ascii")).decode("ascii")


ThePage = Annotated[Page, Depends()]
