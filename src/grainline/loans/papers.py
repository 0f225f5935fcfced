"""The papers of a loan as documents: disclosure, contract, certificate of settlement. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from grainline.kit.errors import Kind, Refusal
from grainline.kit.web import Language
from grainline.loans.disclosure import content_hash
from grainline.loans.documents import (
    Column,
    Document,
    DocumentKind,
    Facts,
    Heading,
    Paragraph,
    Table,
    hash_of,
    local_time,
    midnight,
    money,
    short,
)
from grainline.loans.model import Contract, Disclosure
from grainline.loans.terms import Terms


class LoanNotSettled(Refusal):
    """Something is still owed."""

    code = "loan_not_settled"
    kind = Kind.CONFLICT


TEXTS: dict[Language, dict[str, str]] = {
    "zh": {
        "contract": "个人借款合同",
        "disclosure": "借款成本告知书",
        "settlement_certificate": "贷款结清证明",
        "signature": "签署记录",
        "record": "告知记录",
        "plan": "还款计划",
        "contract_id": "合同编号",
        "disclosure_id": "告知编号",
        "loan_id": "借款编号",
        "certificate_number": "证明编号",
        "made_at": "生成时间",
        "signed_by": "签署人",
        "signed_at": "签署时间",
        "signed_with": "签署方式",
        "one_time_code": "短信一次性验证码",
        "not_signed": "尚未签署",
        "signed_in": "据以签署的合同",
        "content_hash": "正文 SHA-256",
        "hashed": "以上摘要由平台保存的正文（UTF-8）计算得出，签署时确认的即为该摘要。",
        "hashed_json": "以上摘要由告知内容的规范 JSON（键名排序、无空格、UTF-8）计算得出，签署合同前确认的即为该摘要。",
        "shown_at": "展示时间",
        "may_sign_at": "阅读时间届满",
        "number": "期数",
        "due_on": "还款日",
        "principal": "本金",
        "interest": "利息",
        "total": "合计",
        "borrower": "借款人",
        "product": "产品",
        "amount": "借款本金",
        "started_on": "起息日",
        "settled_on": "结清日",
        "nothing_owed": "兹证明：借款人 {borrower} 的上述借款（本金 {amount}）已于 {settled_on} 全部结清。"
        "截至结清日，本金、利息、罚息及费用均已还清，不欠任何款项。",
        "certified": "本证明依据平台账务记录生成，证明编号由借款编号得出。结清后如有还款被银行撤销，本证明失效。",
    },
    "en": {
        "contract": "Personal loan contract",
        "disclosure": "Cost disclosure",
        "settlement_certificate": "Certificate of settlement",
        "signature": "Signature",
        "record": "Record of the disclosure",
        "plan": "Plan",
        "contract_id": "Contract number",
        "disclosure_id": "Disclosure number",
        "loan_id": "Loan number",
        "certificate_number": "Certificate number",
        "made_at": "Made at",
        "signed_by": "Signed by",
        "signed_at": "Signed at",
        "signed_with": "Signed with",
        "one_time_code": "one-time code sent by SMS",
        "not_signed": "not signed yet",
        "signed_in": "Signed with contract",
        "content_hash": "SHA-256 of the text",
        "hashed": "The hash is that of the text (UTF-8) as the platform keeps it; it is what was confirmed by signing.",
        "hashed_json": "The hash is that of the content as canonical JSON (sorted keys, no spaces, UTF-8); it is what "
        "was confirmed before the contract was made.",
        "shown_at": "Shown at",
        "may_sign_at": "Reading time over at",
        "number": "No.",
        "due_on": "Due on",
        "principal": "Principal",
        "interest": "Interest",
        "total": "Total",
        "borrower": "Borrower",
        "product": "Product",
        "amount": "Principal lent",
        "started_on": "Interest from",
        "settled_on": "Settled on",
        "nothing_owed": "This certifies that the loan above of {borrower} (principal {amount}) was settled in full on "
        "{settled_on}. On that day principal, interest, penalties and fees were all paid, and nothing is owed.",
        "certified": "Made from the platform's books; its number follows from the loan's. It becomes "
        "void if the bank reverses a repayment afterwards.",
    },
}


def contract_document(contract: Contract, *, made_at: datetime, borrower: str, language: Language) -> Document:
    """Set a contract exactly as it is stored, with who signed it and when; its language stays the one it was made in.

    `borrower` is the masked name. Raises RuntimeError where the text is not the one that was hashed.
    """
    if sha256(contract.content.encode()).digest() != contract.content_hash:
        raise RuntimeError(f"the text of contract {contract.contract_id} is not the one that was hashed")
    text = TEXTS[language]
    title, _, body = contract.content.partition("\n")
    signature = [
        (text["contract_id"], str(contract.contract_id)),
        (text["content_hash"], contract.content_hash.hex()),
        (text["made_at"], local_time(made_at)),
    ]
    if contract.signed_at is None:
        signature.append((text["signed_at"], text["not_signed"]))
    else:
        signature += [
            (text["signed_by"], borrower),
            (text["signed_at"], local_time(contract.signed_at)),
            (text["signed_with"], text["one_time_code"]),
        ]
    signed_by = borrower if contract.signed_at else None
    return Document(
        kind=DocumentKind.CONTRACT,
        language=language,
        subject=str(contract.contract_id),
        title=title,
        file_name=f"{text['contract']}-{short(contract.contract_id)}",
        input_hash=hash_of(contract.content_hash, made_at, contract.signed_at, signed_by),
        dated=contract.signed_at or made_at,
        blocks=(
            *(Paragraph(line) for line in body.split("\n") if line),
            Heading(text["signature"]),
            Facts(tuple(signature)),
            Paragraph(text["hashed"]),
        ),
    )


def disclosure_document(
    disclosure: Disclosure, *, signed: tuple[UUID, datetime] | None, borrower: str, language: Language
) -> Document:
    """Set a disclosure exactly as it was shown, with the contract it led to, if that was signed, and when.

    Raises RuntimeError where the content is not the one that was hashed.
    """
    if content_hash(disclosure.content) != disclosure.content_hash:
        raise RuntimeError(f"the content of disclosure {disclosure.disclosure_id} is not the one that was hashed")
    text = TEXTS[language]
    content: Mapping[str, Any] = disclosure.content
    record = [
        (text["disclosure_id"], str(disclosure.disclosure_id)),
        (text["content_hash"], disclosure.content_hash.hex()),
        (text["shown_at"], local_time(disclosure.shown_at)),
        (text["may_sign_at"], local_time(disclosure.may_sign_at)),
    ]
    if signed is None:
        record.append((text["signed_at"], text["not_signed"]))
    else:
        record += [
            (text["signed_in"], str(signed[0])),
            (text["signed_by"], borrower),
            (text["signed_at"], local_time(signed[1])),
            (text["signed_with"], text["one_time_code"]),
        ]
    return Document(
        kind=DocumentKind.DISCLOSURE,
        language=language,
        subject=str(disclosure.disclosure_id),
        title=content["title"],
        file_name=f"{text['disclosure']}-{short(disclosure.disclosure_id)}",
        input_hash=hash_of(disclosure.content_hash, disclosure.shown_at, signed, borrower if signed else None),
        dated=disclosure.shown_at,
        blocks=(
            Facts(tuple((item["label"], item["value"]) for item in content["items"])),
            Paragraph(content["statement"]),
            Heading(text["plan"]),
            _plan(content["schedule"], text),
            Heading(text["record"]),
            Facts(tuple(record)),
            Paragraph(text["hashed_json"]),
        ),
    )


def _plan(rows: list[tuple[int, str, int, int]], text: Mapping[str, str]) -> Table:
    columns = [Column(text["number"], 1), Column(text["due_on"], 2)]
    columns += [Column(text[name], 2, amounts=True) for name in ("principal", "interest", "total")]
    return Table(
        tuple(columns),
        tuple(
            (str(number), due_on, money(principal), money(interest), money(principal + interest))
            for number, due_on, principal, interest in rows
        ),
    )


def certificate_number(loan_id: UUID) -> str:
    """Return the number of a loan's certificate of settlement: the loan's own, in groups of eight."""
    digits = loan_id.hex.upper()
    return "JQ-" + "-".join(digits[place : place + 8] for place in range(0, 32, 8))


def settlement_certificate(
    loan_id: UUID, terms: Terms, *, settled_on: date | None, borrower: str, product: str, language: Language
) -> Document:
    """Certify that a loan is settled; raise LoanNotSettled where `settled_on` is None."""
    if settled_on is None:
        raise LoanNotSettled
    text = TEXTS[language]
    amount = money(terms.amount_fen)
    facts = (
        (text["certificate_number"], certificate_number(loan_id)),
        (text["loan_id"], str(loan_id)),
        (text["borrower"], borrower),
        (text["product"], product),
        (text["amount"], amount),
        (text["started_on"], terms.started_on.isoformat()),
        (text["settled_on"], settled_on.isoformat()),
    )
    owed = text["nothing_owed"].format(borrower=borrower, amount=amount, settled_on=settled_on)
    return Document(
        kind=DocumentKind.SETTLEMENT_CERTIFICATE,
        language=language,
        subject=str(loan_id),
        title=text["settlement_certificate"],
        file_name=f"{text['settlement_certificate']}-{short(loan_id)}",
        input_hash=hash_of(loan_id, terms.amount_fen, terms.started_on, settled_on, borrower, product),
        dated=midnight(settled_on),
        blocks=(Facts(facts), Paragraph(owed), Paragraph(text["certified"])),
    )
