"""SQL of documents: what was rendered, under which hash; and when a paper was made or signed."""

from datetime import datetime
from uuid import UUID

from grainline.kit.db import Tx
from grainline.loans.documents import Document


async def keep(
    tx: Tx, document: Document, *, member_id: int, renderer: str, pdf_hash: bytes, made_at: datetime
) -> bytes:
    """Keep the hash of a document's first rendering by a renderer; return the hash that is kept."""
    key = (
        *(member_id, document.kind, document.subject, document.language, document.version, renderer),
        document.input_hash,
    )
    await tx.execute(
        "insert into loans.documents (member_id, kind, subject, language, template_version, renderer, input_hash,"
        " pdf_hash, made_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        (*key, pdf_hash, made_at),
    )
    cursor = await tx.execute(
        "select pdf_hash from loans.documents where member_id = %s and kind = %s and subject = %s and language = %s"
        " and template_version = %s and renderer = %s and input_hash = %s",
        key,
    )
    row = await cursor.fetchone()
    if row is None:
        raise RuntimeError(f"{document.kind} {document.subject} was not kept")
    kept: bytes = row[0]
    return kept


async def contract_made_at(tx: Tx, *, member_id: int, contract_id: UUID) -> datetime | None:
    """Return when a member's contract was made, or None."""
    cursor = await tx.execute(
        "select made_at from loans.contracts where member_id = %s and contract_id = %s", (member_id, contract_id)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def signed_contract_of(tx: Tx, *, member_id: int, disclosure_id: UUID) -> tuple[UUID, datetime] | None:
    """Return the contract that was signed on a disclosure first, and when, or None."""
    cursor = await tx.execute(
        "select contract_id, signed_at from loans.contracts where member_id = %s and disclosure_id = %s"
        " and signed_at is not null order by signed_at, contract_id limit 1",
        (member_id, disclosure_id),
    )
    row = await cursor.fetchone()
    return (row[0], row[1]) if row else None
