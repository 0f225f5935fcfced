"""A statement as a document and as CSV. Pure."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from io import StringIO
from uuid import UUID

from grainline.kit.money import yuan
from grainline.kit.web import Language
from grainline.loans.documents import (
    Block,
    Column,
    Document,
    DocumentKind,
    Facts,
    Heading,
    Paragraph,
    Table,
    hash_of,
    midnight,
    money,
    short,
)
from grainline.loans.events import EventKind
from grainline.loans.statement import PARTS, TOLD, Line, LineKind, LoanStatement, Statement

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads Chinese in the machine's own code page
FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
TEXTS: dict[Language, dict[str, str]] = {
    "zh": {
        "statement": "借款对账单",
        "borrower": "借款人",
        "period": "账单期间",
        "from_to": "{} 至 {}（含首尾两日）",
        "loans": "借款笔数",
        "loan": "借款 {}",
        "product": "产品",
        "amount": "借款本金",
        "started_on": "起息日",
        "opening": "期初余额",
        "increases": "本期增加",
        "decreases": "本期减少",
        "closing": "期末余额",
        "principal_left": "其中未还本金",
        "accrued": "已计提、尚未入账的利息及罚息",
        "held": "多付待用款",
        "payoff": "当日结清金额",
        "due_now": "已到期未还",
        "next_due": "下一期应还",
        "next_due_on": "{}，{}",
        "nothing_due": "无",
        "settled_on": "结清日",
        "on": "日期",
        "item": "事项",
        "change": "变动",
        "balance": "余额",
        "loan_id": "借款编号",
        "increase_yuan": "增加（元）",
        "decrease_yuan": "减少（元）",
        "balance_yuan": "余额（元）",
        "principal_yuan": "其中还本金（元）",
        "interest_yuan": "其中还利息（元）",
        "penalty_yuan": "其中还罚息（元）",
        "fee_yuan": "其中还费用（元）",
        "principal": "本金",
        "interest": "利息",
        "penalty": "罚息",
        "fee": "费用",
        "meaning": "余额为已入账未还的本金、利息、罚息及费用之和，减去多付待用款；按日计提而尚未入账的利息及罚息另列。",
        "no_loans": "本期间内没有借款。",
        "draw": "放款",
        "instalment": "第 {number} 期到期，利息入账；本期应还 {due}",
        "interest_line": "利息入账",
        "penalty_line": "罚息入账",
        "fee_line": "收取费用",
        "given_back": "利息优惠",
        "waiver": "减免",
        "repayment": "还款",
        "paid": "{item}（{paid}）",
        "and": "，",
        "refund": "退款",
        "discount": "利息折扣 {share}，至 {until}（不含）",
        "coupon": "利息券 {amount}，计息时抵扣",
        "reschedule": "调整还款计划：自 {until} 起 {instalments} 期",
        "reversed": "{what}（已冲正，不计入）",
    },
    "en": {
        "statement": "Statement of loans",
        "borrower": "Borrower",
        "period": "Period",
        "from_to": "{} to {}, both days included",
        "loans": "Loans",
        "loan": "Loan {}",
        "product": "Product",
        "amount": "Principal lent",
        "started_on": "Interest from",
        "opening": "Opening balance",
        "increases": "Added in the period",
        "decreases": "Taken off in the period",
        "closing": "Closing balance",
        "principal_left": "of which principal",
        "accrued": "Interest and penalty accrued, not charged yet",
        "held": "Paid too much, held for you",
        "payoff": "To settle on the last day",
        "due_now": "Fallen due and not paid",
        "next_due": "Due next",
        "next_due_on": "{}, {}",
        "nothing_due": "nothing",
        "settled_on": "Settled on",
        "on": "Date",
        "item": "What happened",
        "change": "Change",
        "balance": "Balance",
        "loan_id": "Loan number",
        "increase_yuan": "Added (CNY)",
        "decrease_yuan": "Taken off (CNY)",
        "balance_yuan": "Balance (CNY)",
        "principal_yuan": "Principal paid (CNY)",
        "interest_yuan": "Interest paid (CNY)",
        "penalty_yuan": "Penalty paid (CNY)",
        "fee_yuan": "Fees paid (CNY)",
        "principal": "principal",
        "interest": "interest",
        "penalty": "penalty",
        "fee": "fees",
        "meaning": "The balance is principal, interest, penalties and fees charged and not paid, less what is held for "
        "you. Interest and penalties that have accrued and are not charged yet stand beside it.",
        "no_loans": "There was no loan in this period.",
        "draw": "Paid out",
        "instalment": "Instalment {number} due, interest charged; due of it: {due}",
        "interest_line": "Interest charged",
        "penalty_line": "Penalty charged",
        "fee_line": "Fee charged",
        "given_back": "Interest given back",
        "waiver": "Waived",
        "repayment": "Repayment",
        "paid": "{item} ({paid})",
        "and": ", ",
        "refund": "Refund",
        "discount": "Discount of {share} on interest, until {until} (excluded)",
        "coupon": "Interest coupon of {amount}, used as interest is charged",
        "reschedule": "New plan: {instalments} instalments from {until} on",
        "reversed": "{what} (reversed, not counted)",
    },
}
KIND_NAMES = {
    EventKind.FEE: "fee_line",
    EventKind.WAIVER: "waiver",
    EventKind.REPAYMENT: "repayment",
    EventKind.REFUND: "refund",
}


def statement_document(
    statement: Statement, *, subject: str, borrower: str, products: Mapping[UUID, str], language: Language
) -> Document:
    """Set a statement; `products` names each loan's product by the loan's number, `subject` what it is about."""
    text = TEXTS[language]
    summary = [
        (text["borrower"], borrower),
        (text["period"], text["from_to"].format(statement.from_on, statement.to_on)),
    ]
    if len(statement.loans) > 1:
        summary += [
            (text["loans"], str(len(statement.loans))),
            (text["opening"], money(statement.opening_fen)),
            *_sums(text, [line for loan in statement.loans for line in loan.lines]),
            (text["closing"], money(statement.closing_fen)),
        ]
    parts = [block for loan in statement.loans for block in _loan(loan, products[loan.loan_id], text)]
    period = f"{statement.from_on}_{statement.to_on}"
    return Document(
        kind=DocumentKind.STATEMENT,
        language=language,
        subject=subject,
        title=text["statement"],
        file_name=f"{text['statement']}-{period}",
        input_hash=hash_of(statement, borrower, sorted(products.items())),
        dated=midnight(statement.to_on),
        blocks=(
            Facts(tuple(summary)),
            *(parts or [Paragraph(text["no_loans"])]),
            Paragraph(text["meaning"]),
        ),
    )


def statement_csv(statement: Statement, *, language: Language) -> bytes:
    """Write a statement's lines as CSV: RFC 4180, UTF-8 with a byte order mark, amounts in yuan with two decimals.

    What a spreadsheet would take for a formula is written so that it is text.
    """
    text = TEXTS[language]
    out = StringIO()
    write = csv.writer(out, lineterminator="\r\n").writerow
    names = ("loan_id", "on", "item", "increase_yuan", "decrease_yuan", "balance_yuan")
    write([text[name] for name in (*names, *(f"{part}_yuan" for part in PARTS))])
    for loan in statement.loans:
        number = str(loan.loan_id)
        write([number, statement.from_on, text["opening"], "", "", _plain(loan.opening_fen), "", "", "", ""])
        for line in loan.lines:
            up, down = max(line.change_fen, 0), max(-line.change_fen, 0)
            paid = [_plain(part) for part in line.paid_fen] if line.paid_fen else [""] * len(PARTS)
            amounts = [_plain(up) if up else "", _plain(down) if down else "", _plain(line.balance_fen)]
            write([number, line.on, as_text(_item(line, text)), *amounts, *paid])
        write([number, statement.to_on, text["closing"], "", "", _plain(loan.closing_fen), "", "", "", ""])
    return (BYTE_ORDER_MARK + out.getvalue()).encode()


def as_text(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: numbers as they are, an apostrophe before the rest."""
    return f"'{cell}" if FORMULA.match(cell) and not NUMBER.fullmatch(cell) else cell


def _plain(amount_fen: int) -> str:
    return yuan(amount_fen).replace(",", "")


def _sums(text: Mapping[str, str], lines: Iterable[Line]) -> Iterator[tuple[str, str]]:
    changes = [line.change_fen for line in lines]
    yield text["increases"], money(sum(change for change in changes if change > 0))
    yield text["decreases"], money(-sum(change for change in changes if change < 0))


def _loan(loan: LoanStatement, product: str, text: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(text["loan"].format(short(loan.loan_id)))
    yield Facts(tuple(_figures(loan, product, text)))
    columns = (
        Column(text["on"], 4),
        Column(text["item"], 11),
        Column(text["change"], 5, amounts=True),
        Column(text["balance"], 5, amounts=True),
    )
    first = ("", text["opening"], "", money(loan.opening_fen))
    rows = [(line.on.isoformat(), _told(line, text), _signed(line), money(line.balance_fen)) for line in loan.lines]
    yield Table(columns, (first, *rows, ("", text["closing"], "", money(loan.closing_fen))))


def _figures(loan: LoanStatement, product: str, text: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    state = loan.state
    yield text["loan_id"], str(loan.loan_id)
    yield text["product"], product
    yield text["amount"], money(loan.terms.amount_fen)
    yield text["started_on"], loan.terms.started_on.isoformat()
    yield text["opening"], money(loan.opening_fen)
    yield from _sums(text, loan.lines)
    yield text["closing"], money(loan.closing_fen)
    if state.settled_on:
        yield text["settled_on"], state.settled_on.isoformat()
    else:
        yield text["principal_left"], money(state.principal_outstanding_fen)
        yield text["accrued"], money(state.accrued_fen + state.penalty_accrued_fen)
        yield text["payoff"], money(state.payoff_fen)
        yield text["due_now"], money(state.due_fen)
        due = loan.next_due
        shown = text["next_due_on"].format(due.due_on, money(due.amount_fen)) if due else text["nothing_due"]
        yield text["next_due"], shown
    if state.totals.suspense:
        yield text["held"], money(state.totals.suspense)


def _signed(line: Line) -> str:
    return f"+{money(line.change_fen)}" if line.change_fen > 0 else money(line.change_fen) if line.change_fen else ""


def _told(line: Line, text: Mapping[str, str]) -> str:
    """Return a line's item, with what a repayment paid."""
    parts = zip(PARTS, line.paid_fen or (), strict=False)
    paid = text["and"].join(f"{text[name]} {money(fen)}" for name, fen in parts if fen)
    return text["paid"].format(item=_item(line, text), paid=paid) if paid else _item(line, text)


def _item(line: Line, text: Mapping[str, str]) -> str:
    event = line.event
    match line.kind:
        case LineKind.INSTALMENT:
            return text["instalment"].format(number=line.number, due=money(line.due_fen))
        case LineKind.INTEREST | LineKind.PENALTY | LineKind.FEE:
            return text[f"{line.kind}_line"]
        case LineKind.DISCOUNT if event:
            return text["discount"].format(share=_percent(event.share_e4), until=event.until)
        case LineKind.COUPON if event:
            return text["coupon"].format(amount=money(event.amount_fen))
        case LineKind.RESCHEDULE if event:
            return text["reschedule"].format(until=event.until, instalments=event.instalments)
        case LineKind.REVERSED if event:
            if event.kind in TOLD:
                return text["reversed"].format(what=_item(replace(line, kind=TOLD[event.kind]), text))
            return text["reversed"].format(what=f"{text[KIND_NAMES[event.kind]]} {money(event.amount_fen)}")
        case _:
            return text[line.kind]


def _percent(share_e4: int) -> str:
    whole, rest = divmod(share_e4, 100)
    return f"{whole}.{rest:02}%" if rest else f"{whole}%"
