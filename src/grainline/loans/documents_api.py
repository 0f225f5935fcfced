"""Routes of documents: statement, certificate of settlement, contract and disclosure, each the member's own."""

import base64
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from grainline.kit.db import Tx
from grainline.kit.web import Lang, Now, TheVault, Transaction
from grainline.loans import issuing
from grainline.loans.documents import Document
from grainline.loans.issuing import Period
from grainline.loans.statement_document import statement_csv
from grainline.members import SignedIn
from grainline.products import ThePacks

PDF, CSV = "application/pdf", "text/csv; charset=utf-8"


class Pdf(Response):
    """What these routes answer, for their description."""

    media_type = PDF


EITHER: dict[int | str, dict[str, Any]] = {200: {"content": {PDF: {}, "text/csv": {}}}}
router = APIRouter(tags=["documents"], default_response_class=Pdf)
Format = Annotated[Literal["pdf", "csv"], Query(alias="format")]


async def _period(
    from_on: Annotated[date | None, Query(alias="from")] = None,
    to_on: Annotated[date | None, Query(alias="to")] = None,
) -> Period:
    return Period(from_on, to_on)


@dataclass
class StatementAsked:
    """What both routes of statements are asked: whose, of which time, and how it is to be written."""

    member_id: SignedIn
    tx: Transaction
    vault: TheVault
    packs: ThePacks
    period: Annotated[Period, Depends(_period)]
    language: Lang
    now: Now
    file_format: Format = "pdf"

    async def answer(self, loan_id: UUID | None) -> Response:
        """State one loan, or all, and answer with the file."""
        statement, document = await issuing.statement_of(
            self.tx,
            self.vault,
            self.packs,
            member_id=self.member_id,
            loan_id=loan_id,
            period=self.period,
            language=self.language,
            now=self.now,
        )
        if self.file_format == "csv":
            content = statement_csv(statement, language=document.language)
            return _answer(f"{document.file_name}.csv", content, CSV)
        return await _pdf(self.tx, document, member_id=self.member_id, now=self.now)


Asked = Annotated[StatementAsked, Depends()]


@router.get("/contracts/{contract_id}/document")
async def contract_pdf(
    contract_id: UUID, member_id: SignedIn, tx: Transaction, vault: TheVault, language: Lang, now: Now
) -> Response:
    """Give a contract as it was signed, as a PDF."""
    made = await issuing.contract_of(tx, vault, member_id=member_id, contract_id=contract_id, language=language)
    return await _pdf(tx, made, member_id=member_id, now=now)


@router.get("/disclosures/{disclosure_id}/document")
async def disclosure_pdf(
    disclosure_id: UUID, member_id: SignedIn, tx: Transaction, vault: TheVault, language: Lang, now: Now
) -> Response:
    """Give a cost disclosure as it was shown, as a PDF."""
    made = await issuing.disclosure_of(tx, vault, member_id=member_id, disclosure_id=disclosure_id, language=language)
    return await _pdf(tx, made, member_id=member_id, now=now)


@router.get("/loans/{loan_id}/settlement-certificate")
async def certificate_pdf(
    loan_id: UUID,
    member_id: SignedIn,
    tx: Transaction,
    vault: TheVault,
    packs: ThePacks,
    language: Lang,
    now: Now,
) -> Response:
    """Certify that a loan is settled, as a PDF; refused while anything is owed."""
    made = await issuing.certificate_of(
        tx, vault, packs, member_id=member_id, loan_id=loan_id, language=language, now=now
    )
    return await _pdf(tx, made, member_id=member_id, now=now)


@router.get("/loans/{loan_id}/statement", responses=EITHER)
async def loan_statement(loan_id: UUID, asked: Asked) -> Response:
    """State a loan over a period, both days included: from its first day to today unless told."""
    return await asked.answer(loan_id)


@router.get("/statement", responses=EITHER)
async def statement_of_all(asked: Asked) -> Response:
    """State all loans over a period, both days included: from the first one's first day to today unless told."""
    return await asked.answer(None)


async def _pdf(tx: Tx, document: Document, *, member_id: int, now: Now) -> Response:
    content = await issuing.issue(tx, document, member_id=member_id, now=now)
    return _answer(f"{document.file_name}.pdf", content, PDF)


def _answer(file_name: str, content: bytes, media_type: str) -> Response:
    """Answer with a file, its name (RFC 6266) and its SHA-256 (RFC 9530 and as its tag)."""
    digest = sha256(content)
    plain = file_name.encode("ascii", "ignore").decode().strip(" -")
    return Response(
        content,
        media_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name)}",
            "ETag": f'"{digest.hexdigest()}"',
            "Repr-Digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:",
            "Cache-Control": "private, no-cache",
        },
    )
