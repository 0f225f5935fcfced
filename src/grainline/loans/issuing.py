"""Making a member's documents, and keeping the hash of each one's first rendering."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.sealing import Vault
from grainline.kit.web import Language
from grainline.loans import documents_store, loans_store, papers_store
from grainline.loans.documents import Document
from grainline.loans.fold import fold
from grainline.loans.model import ContractNotFound, DisclosureNotFound, Loan, LoanNotFound
from grainline.loans.papers import contract_document, disclosure_document, settlement_certificate
from grainline.loans.pdf import render, renderer
from grainline.loans.statement import Statement, check_period, loan_statement
from grainline.loans.statement_document import statement_document
from grainline.members import masked_name
from grainline.products import Pack


async def issue(tx: Tx, document: Document, *, member_id: int, now: datetime) -> bytes:
    """Render a document; raise RuntimeError where its first rendering by the same renderer had other bytes."""
    content = await asyncio.to_thread(render, document)
    pdf_hash = sha256(content).digest()
    first = await documents_store.keep(
        tx, document, member_id=member_id, renderer=renderer(), pdf_hash=pdf_hash, made_at=now
    )
    if first != pdf_hash:
        raise RuntimeError(f"{document.kind} {document.subject} was {first.hex()} first and is {pdf_hash.hex()} now")
    return content


async def contract_of(tx: Tx, vault: Vault, *, member_id: int, contract_id: UUID, language: Language) -> Document:
    """Make the document of a member's contract; raise ContractNotFound."""
    contract = await papers_store.contract(tx, member_id=member_id, contract_id=contract_id)
    made_at = await documents_store.contract_made_at(tx, member_id=member_id, contract_id=contract_id)
    if contract is None or made_at is None:
        raise ContractNotFound
    borrower = await _borrower(tx, vault, member_id)
    return contract_document(contract, made_at=made_at, borrower=borrower, language=language)


async def disclosure_of(tx: Tx, vault: Vault, *, member_id: int, disclosure_id: UUID, language: Language) -> Document:
    """Make the document of what a member was shown; raise DisclosureNotFound."""
    disclosure = await papers_store.disclosure(tx, member_id=member_id, disclosure_id=disclosure_id)
    if disclosure is None:
        raise DisclosureNotFound
    signed = await documents_store.signed_contract_of(tx, member_id=member_id, disclosure_id=disclosure_id)
    borrower = await _borrower(tx, vault, member_id)
    return disclosure_document(disclosure, signed=signed, borrower=borrower, language=language)


async def certificate_of(
    tx: Tx,
    vault: Vault,
    packs: Mapping[str, Pack],
    *,
    member_id: int,
    loan_id: UUID,
    language: Language,
    now: datetime,
) -> Document:
    """Certify that a member's loan is settled today; raise LoanNotFound, LoanNotSettled."""
    loan = await _loan(tx, member_id, loan_id)
    events = await loans_store.events(tx, member_id=member_id, loan_id=loan_id)
    return settlement_certificate(
        loan_id,
        loan.terms,
        settled_on=fold(loan.terms, events, business_date(now)).settled_on,
        borrower=await _borrower(tx, vault, member_id),
        product=_product(packs, loan, language),
        language=language,
    )


@dataclass(frozen=True)
class Period:
    """What a statement is asked for: days, both included; None where the first loan's first day or today will do."""

    from_on: date | None
    to_on: date | None


async def statement_of(
    tx: Tx,
    vault: Vault,
    packs: Mapping[str, Pack],
    *,
    member_id: int,
    loan_id: UUID | None,
    period: Period,
    language: Language,
    now: datetime,
) -> tuple[Statement, Document]:
    """State a loan of a member, or all of them where none is named; raise LoanNotFound, StatementPeriodInvalid."""
    loans = [await _loan(tx, member_id, loan_id)] if loan_id else await loans_store.loans_of(tx, member_id)
    today = business_date(now)
    to_on = period.to_on or today
    from_on = period.from_on or min((loan.terms.started_on for loan in loans), default=to_on)
    check_period(from_on, to_on, today=today)
    begun = [loan for loan in reversed(loans) if loan.terms.started_on <= to_on]
    events = await loans_store.events_of(tx, [loan.key for loan in begun])
    parts = [
        loan_statement(loan.loan_id, loan.terms, events.get(loan.key, []), from_on=from_on, to_on=to_on)
        for loan in begun
    ]
    statement = Statement(from_on, to_on, tuple(parts))
    document = statement_document(
        statement,
        subject=str(loan_id) if loan_id else "all",
        borrower=await _borrower(tx, vault, member_id),
        products={loan.loan_id: _product(packs, loan, language) for loan in begun},
        language=language,
    )
    return statement, document


async def _borrower(tx: Tx, vault: Vault, member_id: int) -> str:
    return await masked_name(tx, vault, member_id) or ""


async def _loan(tx: Tx, member_id: int, loan_id: UUID) -> Loan:
    loan = await loans_store.loan(tx, member_id=member_id, loan_id=loan_id)
    if loan is None:
        raise LoanNotFound
    return loan


def _product(packs: Mapping[str, Pack], loan: Loan, language: Language) -> str:
    """Name a loan's product; one that is no longer offered goes by its code."""
    pack = packs.get(loan.product)
    return getattr(pack.product.name, language) if pack else loan.product
