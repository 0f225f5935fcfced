"""SQL of disclosures and contracts: inserted once, never changed but for the signature's time."""

from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from grainline.kit.db import Tx
from grainline.loans.campaigns import campaign_of
from grainline.loans.loans_store import terms_of
from grainline.loans.model import Contract, Disclosure


async def add_disclosure(tx: Tx, member_id: int, disclosure: Disclosure) -> None:
    """Store what is being shown."""
    terms = disclosure.terms
    await tx.execute(
        "insert into loans.disclosures (member_id, disclosure_id, product, amount_fen, instalments, rate_e8, rules,"
        " funded_within, purpose, card_id, starts_on, content, content_hash, shown_at, may_sign_at, expires_at,"
        " campaign) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            member_id,
            disclosure.disclosure_id,
            disclosure.product,
            terms.amount_fen,
            terms.instalments,
            terms.rate_e8,
            disclosure.rules,
            disclosure.funded_within,
            disclosure.purpose,
            disclosure.card_id,
            terms.started_on,
            Jsonb(disclosure.content),
            disclosure.content_hash,
            disclosure.shown_at,
            disclosure.may_sign_at,
            disclosure.expires_at,
            disclosure.campaign and disclosure.campaign.model_dump_json(by_alias=True),
        ),
    )


async def disclosure(tx: Tx, *, member_id: int, disclosure_id: UUID) -> Disclosure | None:
    """Read a member's disclosure, or None."""
    row = await (
        await tx.execute(
            "select d.disclosure_id, d.product, d.amount_fen, d.rate_e8, d.instalments, d.starts_on, r.content::text,"
            " d.rules, d.funded_within, d.purpose, d.card_id, d.content, d.content_hash, d.shown_at, d.may_sign_at,"
            " d.expires_at, d.campaign::text"
            " from loans.disclosures d join loans.rule_sets r on r.name = d.rules"
            " where d.member_id = %s and d.disclosure_id = %s",
            (member_id, disclosure_id),
        )
    ).fetchone()
    if row is None:
        return None
    campaign = campaign_of(row[-1]) if row[-1] else None
    return Disclosure(row[0], row[1], terms_of(row[2:7]), *(*row[7:-1], campaign))


async def add_contract(tx: Tx, member_id: int, contract: Contract, *, made_at: datetime) -> None:
    """Store a contract's text."""
    await tx.execute(
        "insert into loans.contracts (member_id, contract_id, disclosure_id, content, content_hash, made_at)"
        " values (%s, %s, %s, %s, %s, %s)",
        (
            member_id,
            contract.contract_id,
            contract.disclosure_id,
            contract.content,
            contract.content_hash,
            made_at,
        ),
    )


async def contract(tx: Tx, *, member_id: int, contract_id: UUID) -> Contract | None:
    """Read a member's contract, or None."""
    row = await (
        await tx.execute(
            "select contract_id, disclosure_id, content, content_hash, signed_at from loans.contracts"
            " where member_id = %s and contract_id = %s",
            (member_id, contract_id),
        )
    ).fetchone()
    return Contract(*row) if row else None


async def papers_of(tx: Tx, *, member_id: int, loan_id: UUID) -> tuple[UUID, UUID] | None:
    """Return the contract and the disclosure a loan was drawn on; None for no such loan."""
    cursor = await tx.execute(
        "select contract_id, disclosure_id from loans.draws join loans.contracts using (member_id, contract_id)"
        " where member_id = %s and draw_id = %s",
        (member_id, loan_id),
    )
    return await cursor.fetchone()
