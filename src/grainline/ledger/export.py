"""The book as others read it: a Beancount file, or CSV with one line an entry. Yuan with two decimals.

Both are told line by line and always in the same order, so that a book of any size takes little memory and the same
book gives the same file.
"""

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, date, timedelta
from uuid import UUID

from grainline.ledger.books import Movement, names_of
from grainline.ledger.books_store import Entry
from grainline.ledger.chart import MEMBER_ACCOUNTS, Account

ROOTS = {
    "asset": "Assets",
    "liability": "Liabilities",
    "equity": "Equity",
    "income": "Income",
    "expense": "Expenses",
    "memo": "Equity:Memo",
}
ONE_DAY = timedelta(days=1)
CSV_COLUMNS = ("value_on", "journal", "member", "kind", "key", "booked_at", "account", "name_zh", "name_en", "product",
               "sub", "debit", "credit")  # fmt: skip
Key = tuple[Account, UUID | None]


async def beancount(
    opening: Sequence[Movement],
    entries: AsyncIterator[Entry],
    *,
    since: date,
    through: date,
    products: Iterable[str],
) -> AsyncIterator[str]:
    """Write a span of days as Beancount, piece by piece: accounts, opening balances, journals, closing balances.

    `opening` is the trial balance of the span. Its closing balances are asserted on the day after, so that whoever
    checks the file proves that the entries lead from the one to the other; to the fen, which Beancount left to itself
    would let pass.
    """
    names = account_names(opening, names_of(products))
    yield 'option "title" "Grainline"\noption "operating_currency" "CNY"\n\n'
    for row in opening:
        yield f'{since} open {names[row.account, row.sub]} CNY\n  code: "{row.account}"\n  name: {_text(row.name_zh)}\n'
    brought = [f"  {names[row.account, row.sub]}  {_cny(row.opening_fen)}\n" for row in opening if row.opening_fen]
    if brought:
        yield f'\n{since} * "opening"\n{"".join(brought)}'
    journal = None
    async for entry in entries:
        if entry.journal_no != journal:
            journal = entry.journal_no
            yield (
                f'\n{entry.value_on} * "{entry.kind}"\n  key: {_text(entry.key)}\n  kind: "{entry.kind}"\n'
                f'  journal: "{journal}"\n  member: "{entry.member_id}"\n  booked: "{_instant(entry)}"\n'
            )
        if entry.account in MEMBER_ACCOUNTS:
            yield f'  {names[entry.account, None]}  {_cny(entry.amount_fen)}\n    sub: "{entry.sub}"\n'
        else:
            yield f"  {names[entry.account, entry.sub]}  {_cny(entry.amount_fen)}\n"
    yield "\n"
    for row in opening:
        yield f"{through + ONE_DAY} balance {names[row.account, row.sub]}  {_yuan(row.closing_fen)} ~ 0 CNY\n"


def account_names(accounts: Iterable[Movement], products: Mapping[UUID, str]) -> dict[Key, str]:
    """Return each account's name in Beancount: its root, its code and English name, and its product."""
    names: dict[Key, str] = {}
    for row in accounts:
        name = f"{ROOTS[row.kind]}:{row.account}-{_word(row.name_en)}"
        if row.sub is not None:
            name += ":" + products.get(row.sub, f"product-{row.sub}").replace("_", "-").capitalize()
        names[row.account, row.sub] = name
    return names


async def comma_separated(
    accounts: Sequence[Movement], entries: AsyncIterator[Entry], *, products: Iterable[str]
) -> AsyncIterator[str]:
    """Write entries as CSV (RFC 4180), one line each, after a line of column names."""
    titles = {row.account: (row.name_zh, row.name_en) for row in accounts}
    names = names_of(products)
    yield _line(CSV_COLUMNS)
    async for entry in entries:
        of_member = entry.account in MEMBER_ACCOUNTS
        amounts = (_yuan(entry.amount_fen), "") if entry.amount_fen > 0 else ("", _yuan(-entry.amount_fen))
        yield _line(
            (
                *(entry.value_on, entry.journal_no, entry.member_id, entry.kind, entry.key, _instant(entry)),
                *(entry.account.value, *titles[entry.account]),
                *(("", entry.sub) if of_member else (names.get(entry.sub, ""), entry.sub)),
                *amounts,
            )
        )


def _line(values: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue()


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _instant(entry: Entry) -> str:
    return f"{entry.booked_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _cny(fen: int) -> str:
    return _yuan(fen) + " CNY"


def _yuan(fen: int) -> str:
    whole, part = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{part:02}"
