"""One pool, one transaction per request or job, committed here and nowhere else.

Connections are in autocommit: a hot path that is one function call in the database is one round trip. Whatever
needs more than one statement opens `transaction`.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar, cast, get_type_hints

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from grainline.kit.errors import Refusal

Tx = AsyncConnection[TupleRow]
Pool = AsyncConnectionPool[Tx]
Record = TypeVar("Record")


def make_pool(url: str, *, size_max: int = 4) -> Pool:
    """Return a closed pool of autocommit connections; open it with `async with`."""
    return AsyncConnectionPool(
        url,
        connection_class=AsyncConnection[TupleRow],
        kwargs={"autocommit": True, "prepare_threshold": 1},
        min_size=1,
        max_size=size_max,
        open=False,
        timeout=10.0,
    )


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Tx]:
    """Open one transaction: committed at the end, rolled back on an exception.

    A refusal that says `keep` is committed and then raised: the wrong try it counted must stay counted.
    """
    kept: Refusal | None = None
    async with pool.connection() as connection, connection.transaction():
        try:
            yield connection
        except Refusal as refusal:
            if not refusal.keep:
                raise
            kept = refusal
    if kept is not None:
        raise kept


def single(pool: Pool) -> AbstractAsyncContextManager[Tx]:
    """Lend a connection for exactly one statement, which is its own transaction and one round trip."""
    return pool.connection()


def record(kind: type[Record], row: tuple[Any, ...]) -> Record:
    """Make a dataclass of a row, column by field in order; text becomes the enum its field is of."""
    names = _fields(cast(Any, kind))
    return kind(
        **{name: value if enum is None else enum(value) for (name, enum), value in zip(names, row, strict=True)}
    )


@lru_cache
def _fields(kind: type[Any]) -> tuple[tuple[str, type[StrEnum] | None], ...]:
    hints = get_type_hints(kind)
    enums = {name: hint for name, hint in hints.items() if isinstance(hint, type) and issubclass(hint, StrEnum)}
    return tuple((field.name, enums.get(field.name)) for field in fields(kind))
