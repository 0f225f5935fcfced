"""The decisions' SQL: records that are only added, the packs they name, and requests that a person look."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256 as sha256_of
from uuid import UUID

from grainline.kit.db import Tx, record
from grainline.kit.errors import Kind, Refusal
from grainline.products import Pack
from grainline.underwriting.deciding import Inputs, Occasion, Outcome, hash_of

COLUMNS = (
    "member_id, decision_id, product, occasion, key, inputs, outcome, overrides, decided_by, decided_at, latency_us"
)
READ_AT_ONCE = 500


class NoDecision(Refusal):
    """There is no such decision."""

    code = "no_decision"
    kind = Kind.NOT_FOUND


@dataclass(frozen=True)
class Decision:
    """A decision as it was taken; `inputs` and `outcome` are its canonical texts, the latency is in microseconds."""

    member_id: int
    decision_id: UUID
    product: str
    occasion: Occasion
    key: str
    inputs: str
    outcome: str
    overrides: UUID | None
    decided_by: str | None
    decided_at: datetime
    latency_us: int

    def read_inputs(self) -> Inputs:
        """Return the inputs."""
        return Inputs.read(self.inputs)

    def read_outcome(self) -> Outcome:
        """Return the outcome."""
        return Outcome.read(self.outcome)


async def add_decision(tx: Tx, one: Decision) -> None:
    """Record a decision; under a key a member decides once, and a second is a defect: UniqueViolation."""
    await tx.execute(
        f"insert into underwriting.decisions ({COLUMNS}, inputs_hash, outcome_hash, result)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(one.member_id, one.decision_id, one.product, one.occasion, one.key, one.inputs, one.outcome),
            *(one.overrides, one.decided_by, one.decided_at, one.latency_us),
            *(hash_of(one.inputs), hash_of(one.outcome), one.read_outcome().result),
        ),
    )


async def decision_of(tx: Tx, *, member_id: int, decision_id: UUID) -> Decision:
    """Read one decision of a member; raise NoDecision."""
    return await _one(tx, "member_id = %s and decision_id = %s", member_id, decision_id)


async def decision_named(tx: Tx, decision_id: UUID) -> Decision:
    """Read one decision by its id alone, as an operator asks for it; raise NoDecision."""
    return await _one(tx, "decision_id = %s", decision_id)


async def decision_by_key(tx: Tx, *, member_id: int, key: str) -> Decision | None:
    """Read what a member decided under a key, or None."""
    try:
        return await _one(tx, "member_id = %s and key = %s", member_id, key)
    except NoDecision:
        return None


async def decisions_of(tx: Tx, *, member_id: int, product: str | None = None, limit: int = 20) -> list[Decision]:
    """Read a member's decisions, the newest first."""
    rows = await (
        await tx.execute(
            f"select {COLUMNS} from underwriting.decisions where member_id = %s and (%s::text is null or product = %s)"
            " order by decided_at desc, decision_id limit %s",
            (member_id, product, product, limit),
        )
    ).fetchall()
    return [record(Decision, row) for row in rows]


async def decisions_since(tx: Tx, since: datetime, *, part: int = 0, parts: int = 1) -> AsyncIterator[Decision]:
    """Read all decisions taken since an instant, by time, not all at once; or those of one in so many parts."""
    async with tx.cursor(name="decisions_since") as cursor:
        cursor.itersize = READ_AT_ONCE
        await cursor.execute(
            f"select {COLUMNS} from underwriting.decisions where decided_at >= %s and member_id %% %s = %s"
            " order by decided_at",
            (since, parts, part),
        )
        async for row in cursor:
            yield record(Decision, row)


async def _one(tx: Tx, where: str, *given: object) -> Decision:
    row = await (await tx.execute(f"select {COLUMNS} from underwriting.decisions where {where}", given)).fetchone()
    if row is None:
        raise NoDecision
    return record(Decision, row)


async def keep_pack(tx: Tx, sha256: bytes, content: str) -> None:
    """Keep a pack by its hash, once."""
    await tx.execute(
        "insert into underwriting.packs (sha256, content) values (%s, %s) on conflict do nothing", (sha256, content)
    )


async def kept_pack(tx: Tx, sha256: bytes) -> Pack:
    """Read a pack by its hash; raise LookupError, for one that was changed too."""
    row = await (await tx.execute("select content from underwriting.packs where sha256 = %s", (sha256,))).fetchone()
    if row is None or hash_of(row[0]) != sha256:
        raise LookupError(f"no pack {sha256.hex()}")
    return Pack.model_validate_json(row[0])


async def kept_rules(tx: Tx, sha256: bytes) -> bytes:
    """Read the body of rules by their hash; raise LookupError, for rules that were changed too."""
    found = await tx.execute("select body from underwriting.rule_versions where sha256 = %s limit 1", (sha256,))
    row = await found.fetchone()
    if row is None or sha256_of(row[0]).digest() != sha256:
        raise LookupError(f"no rules {sha256.hex()}")
    body: bytes = row[0]
    return body
