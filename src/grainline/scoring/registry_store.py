"""SQL of the registry: models with their signatures, and the changes of roles. Rows are only ever added."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb
from pydantic import JsonValue

from grainline.kit.db import Tx, record
from grainline.scoring.routing import RoleChange

_MODEL = "encode(sha256, 'hex'), kind, name, content, signer, signature, facts, registered_at, registered_by"
_CHANGE = "change_id, product, role, encode(sha256, 'hex'), begins_at, share_e4, is_on, set_at, set_by"


@dataclass(frozen=True)
class Registered:
    """A row of the registry, as it lies there: nothing of it was checked.

    `sha256` is 64 hexadecimal digits, `signer` a public key, and `facts` what the card shows, copied from `content`.
    """

    sha256: str
    kind: str
    name: str
    content: bytes
    signer: bytes
    signature: bytes
    facts: dict[str, JsonValue]
    registered_at: datetime
    registered_by: str


async def add_model(tx: Tx, model: Registered) -> None:
    """Insert a model, unless it is there."""
    await tx.execute(
        "insert into scoring.models (sha256, kind, name, content, signer, signature, facts, registered_at,"
        " registered_by) values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (sha256) do nothing",
        (
            *(bytes.fromhex(model.sha256), model.kind, model.name, model.content, model.signer, model.signature),
            *(Jsonb(model.facts), model.registered_at, model.registered_by),
        ),
    )


async def model_of(tx: Tx, sha256: str) -> Registered | None:
    """Read a model by its hash, or None."""
    cursor = await tx.execute(f"select {_MODEL} from scoring.models where sha256 = decode(%s, 'hex')", (sha256,))
    row = await cursor.fetchone()
    return record(Registered, row) if row else None


async def models(tx: Tx) -> list[Registered]:
    """Read all models, the newest first."""
    cursor = await tx.execute(f"select {_MODEL} from scoring.models order by registered_at desc, sha256")
    return [record(Registered, row) for row in await cursor.fetchall()]


async def hashes_like(tx: Tx, digits: str) -> list[str]:
    """Return the hashes that begin with these hexadecimal digits, two at most."""
    cursor = await tx.execute(
        "select encode(sha256, 'hex') from scoring.models where encode(sha256, 'hex') like %s order by 1 limit 2",
        (digits + "%",),
    )
    return [row[0] for row in await cursor.fetchall()]


async def add_change(tx: Tx, change: RoleChange) -> int:
    """Insert a change of a role and return its number."""
    cursor = await tx.execute(
        "insert into scoring.roles (product, role, sha256, begins_at, share_e4, is_on, set_at, set_by)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s) returning change_id",
        (
            *(change.product, change.role, bytes.fromhex(change.sha256), change.begins_at, change.share_e4),
            *(change.is_on, change.set_at, change.set_by),
        ),
    )
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError("a change of a role got no number")
    return int(row[0])


async def changes_of(tx: Tx, product: str | None = None) -> list[RoleChange]:
    """Read the changes of a product's roles, or of all products', in the order they were set."""
    cursor = await tx.execute(
        f"select {_CHANGE} from scoring.roles where %(product)s::text is null or product = %(product)s"
        " order by change_id",
        {"product": product},
    )
    return [record(RoleChange, row) for row in await cursor.fetchall()]
