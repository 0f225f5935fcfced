"""A loan with a bit of everything in its life, and its papers, for the tests of documents."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pypdfium2

from grainline.loans.disclosure import content_hash
from grainline.loans.documents import Document
from grainline.loans.events import Event, EventKind
from grainline.loans.model import Contract, Disclosure
from grainline.loans.papers import contract_document, disclosure_document, settlement_certificate
from grainline.loans.statement import LoanStatement, Statement, loan_statement
from grainline.loans.statement_document import statement_document
from grainline.loans.terms import Terms
from grainline.products import Component, Rules, Shape

LOAN = UUID("12345678-9abc-4def-8123-456789abcdef")
OTHER_LOAN = UUID("22222222-9abc-4def-8123-456789abcdef")
MADE_AT = datetime(2026, 1, 30, 15, 59, 58, tzinfo=UTC)
SIGNED_AT = datetime(2026, 1, 30, 16, 1, 2, tzinfo=UTC)  # in Shanghai it is the 31st
TERMS = Terms(1_000_000, 50_000, 10, date(2026, 1, 31), Rules(shape=Shape.EQUAL_PRINCIPAL, penalty_e4=15_000))
EVENTS = (
    Event(EventKind.REPAYMENT, date(2026, 2, 28), 1, 115_000),
    Event(EventKind.FEE, date(2026, 3, 5), 2, 2_000),
    Event(EventKind.COUPON, date(2026, 3, 6), 3, 1_000),
    Event(EventKind.DISCOUNT, date(2026, 3, 10), 4, share_e4=1_250, until=date(2026, 4, 10)),
    Event(EventKind.REPAYMENT, date(2026, 4, 12), 5, 150_000),
    Event(EventKind.REPAYMENT, date(2026, 4, 20), 6, 50_000),
    Event(EventKind.REVERSAL, date(2026, 4, 22), 7, reverses=6),
    Event(EventKind.WAIVER, date(2026, 5, 1), 8, 100, component=Component.INTEREST),
    Event(EventKind.REPAYMENT, date(2026, 5, 2), 9, 300_000),
    Event(EventKind.RESCHEDULE, date(2026, 6, 15), 10, until=date(2026, 7, 31), instalments=6),
)
CONTRACT_TEXT = {
    "zh": "个人借款合同\n\n借款人：张*\n\n一、借款金额：人民币 ¥10,000.00。\n    第 1 期  2026-02-28  合计 ¥1,140.00\n",
    "en": "Personal loan contract\n\nBorrower: 张*\n\n1. Amount: CNY 10,000.00.\n    No. 1  2026-02-28  total 1,140\n",
}


def contract(language: str = "zh", *, signed: bool = True) -> Contract:
    text = CONTRACT_TEXT[language]
    return Contract(LOAN, LOAN, text, sha256(text.encode()).digest(), SIGNED_AT if signed else None)


def disclosure(language: str = "zh") -> Disclosure:
    content = {
        "title": {"zh": "借款成本告知", "en": "What this loan costs"}[language],
        "items": [{"label": {"zh": "日利率", "en": "Daily rate"}[language], "value": "0.05%"}],
        "statement": {"zh": "不收取任何其他费用。", "en": "There are no other fees."}[language],
        "schedule": [[1, "2026-02-28", 100_000, 14_000], [2, "2026-03-31", 100_000, 13_950]],
        "shown_at": MADE_AT.isoformat(),
    }
    return Disclosure(
        disclosure_id=LOAN,
        product="weilidai",
        terms=TERMS,
        rules="",
        funded_within=timedelta(minutes=5),
        purpose="travel",
        card_id=LOAN,
        content=content,
        content_hash=content_hash(content),
        shown_at=MADE_AT,
        may_sign_at=MADE_AT,
        expires_at=SIGNED_AT,
    )


def stated(from_on: date, to_on: date, *, loan_id: UUID = LOAN) -> LoanStatement:
    return loan_statement(loan_id, TERMS, EVENTS, from_on=from_on, to_on=to_on)


def statement() -> Statement:
    """March to the tenth of July of two loans that lived the same."""
    first, last = date(2026, 3, 1), date(2026, 7, 10)
    return Statement(first, last, tuple(stated(first, last, loan_id=loan) for loan in (LOAN, OTHER_LOAN)))


def documents(language: str) -> dict[str, Document]:
    """One document of every kind."""
    return {
        "contract": contract_document(contract(language), made_at=MADE_AT, borrower="张*", language=language),
        "disclosure": disclosure_document(
            disclosure(language), signed=(LOAN, SIGNED_AT), borrower="张*", language=language
        ),
        "statement": statement_document(
            statement(),
            subject="all",
            borrower="张*",
            products={LOAN: "微粒贷", OTHER_LOAN: "微粒贷"},
            language=language,
        ),
        "settlement_certificate": settlement_certificate(
            LOAN, TERMS, settled_on=date(2026, 8, 1), borrower="张*", product="微粒贷", language=language
        ),
    }


def text_of(pdf: bytes) -> list[str]:
    """Read the text of each page, as another program finds it."""
    opened = pypdfium2.PdfDocument(pdf)
    try:
        return [page.get_textpage().get_text_range() for page in opened]
    finally:
        opened.close()


def squeezed(text: str) -> str:
    """Return a text without its spaces and line breaks, which are the layout's."""
    return "".join(text.split())
