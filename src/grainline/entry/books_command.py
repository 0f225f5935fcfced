"""`grainline books …`: what the ledger says in total, closing its periods, and taking it elsewhere."""

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, TextIO, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from grainline.desk.periods import close_period
from grainline.desk.reports import control_accounts
from grainline.entry import settings as env
from grainline.entry.asking import asked
from grainline.entry.wiring import make_clock, read_packs
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.money import yuan
from grainline.ledger.books import Income, Movement, income_statement, names_of, totals
from grainline.ledger.books_store import booked_dates, entries, movements
from grainline.ledger.export import beancount, comma_separated

books = typer.Typer(no_args_is_help=True, help="Reports from the ledger, its periods, and exports.")
out = Console(width=160)  # a terminal that is narrower wraps lines; nothing is cut
Result = TypeVar("Result")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
FromOption = Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD; left out: from the beginning.")]
ToOption = Annotated[str | None, typer.Option("--to", "--as-of", help="Last day, YYYY-MM-DD; left out: today.")]


@books.command("trial-balance")
def trial_balance(since: FromOption = None, through: ToOption = None, as_json: JsonOption = False) -> None:
    """Show every account before, in and after a period; exit 1 where debits do not equal credits."""
    span = _span(since, through)
    rows = _asked(lambda tx: movements(tx, since=span[0], through=span[1]))
    names, total = names_of(read_packs()), totals(rows)
    if as_json:
        told = [_told(row, names) for row in rows]
        _tell(span, accounts=told, totals=asdict(total), proved=total.prove)
    else:
        _print_balance(rows, names)
        out.print("Debits equal credits." if total.prove else "[red]Debits do not equal credits.[/red]")
    raise typer.Exit(0 if total.prove else 1)


@books.command()
def income(since: FromOption = None, through: ToOption = None, as_json: JsonOption = False) -> None:
    """Show what each product earned and lost in a period."""
    span = _span(since, through)
    found = _asked(lambda tx: movements(tx, since=span[0], through=span[1], year_end=False))
    statement = income_statement(found, read_packs())
    if as_json:
        _tell(span, products=[asdict(row) | {"result_fen": row.result_fen} for row in statement])
    else:
        _print_income(statement)


@books.command()
def controls(as_json: JsonOption = False) -> None:
    """Hold control accounts against loans and closed days; exit 1 where they differ."""
    found = _asked(lambda tx: control_accounts(tx, read_packs()))
    if as_json:
        typer.echo(json.dumps([asdict(row) | {"difference_fen": row.difference_fen} for row in found]))
    else:
        table = _table("account", "product", numbers=("ledger", "loans", "difference"))
        for row in found:
            amounts = map(yuan, (row.ledger_fen, row.expected_fen, row.difference_fen))
            table.add_row(row.account.value, row.product, *amounts)
        out.print(table)
    raise typer.Exit(1 if any(row.difference_fen for row in found) else 0)


@books.command()
def close(
    ends_on: Annotated[str, typer.Argument(help="The period's last day, YYYY-MM-DD: the end of a month.")],
    closed_by: Annotated[str, typer.Option("--by", help="Who closes it.")] = "operator",
    as_json: JsonOption = False,
) -> None:
    """Close an accounting period for good: nothing more is booked in it."""
    day, now = _day("the period", ends_on), make_clock(env.load())()
    done = _asked(lambda tx: close_period(tx, ends_on=day, now=now, closed_by=closed_by))
    if as_json:
        typer.echo(json.dumps({"ends_on": day.isoformat(), "closed": True, "now": done}))
    else:
        out.print(f"The period that ends on {day} is {'closed' if done else 'closed already'}.", highlight=False)


@books.command()
def export(
    form: Annotated[str, typer.Option("--format", help="beancount or csv.")] = "beancount",
    since: FromOption = None,
    through: ToOption = None,
    file: Annotated[Path | None, typer.Option("--out", help="Left out: printed.")] = None,
) -> None:
    """Write the journals of a period as a Beancount file or as CSV."""
    if form not in ("beancount", "csv"):
        raise _bad(f"there is no format {form!r}; there are beancount and csv")
    span, products = _span(since, through), list(read_packs())

    async def write(tx: Tx) -> None:
        await tx.execute("set transaction isolation level repeatable read, read only")
        booked = await booked_dates(tx)
        first, last = max(span[0], booked[0]) if booked and since is None else span[0], span[1]
        accounts = await movements(tx, since=first, through=last)
        found = entries(tx, since=first, through=last)
        text = (
            beancount(accounts, found, since=first, through=last, products=products)
            if form == "beancount"
            else comma_separated(accounts, found, products=products)
        )
        with nullcontext(sys.stdout) if file is None else _opened(file) as target:
            await _pour(text, target)

    _asked(write)


def _opened(file: Path) -> TextIO:
    try:
        return file.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise _bad(f"{file} cannot be written: {error.strerror}") from None


async def _pour(text: AsyncIterator[str], target: TextIO) -> None:
    async for piece in text:
        target.write(piece)


def _asked(ask: Callable[[Tx], Awaitable[Result]]) -> Result:
    return asked(ask, command="books")


def _span(since: str | None, through: str | None) -> tuple[date, date]:
    """Read a span of days, from the beginning to today where nothing else is said."""
    today = business_date(make_clock(env.load())())
    first = _day("--from", since) if since is not None else date.min
    last = _day("--to", through) if through is not None else today
    if last > today:
        raise _bad(f"{last} is not there yet; today is {today}")
    if first > last:
        raise _bad(f"a period cannot end on {last} before it begins on {first}")
    return first, last


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _bad(f"{name} must be a date like 2026-11-30, not {text!r}") from None


def _bad(message: str) -> typer.Exit:
    typer.echo(f"grainline books: {message}", err=True)
    return typer.Exit(2)


def _told(row: Movement, names: Mapping[UUID, str]) -> dict[str, object]:
    told = asdict(row) | {"product": _product(row, names), "closing_fen": row.closing_fen}
    del told["sub"]
    return told


def _product(row: Movement, names: Mapping[UUID, str]) -> str | None:
    return names.get(row.sub, str(row.sub)) if row.sub is not None else None


def _tell(span: tuple[date, date], **more: object) -> None:
    first = None if span[0] == date.min else span[0].isoformat()
    typer.echo(json.dumps({"from": first, "to": span[1].isoformat(), **more}, ensure_ascii=False))


def _table(*words: str, numbers: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    for word in words:
        table.add_column(word)
    for number in numbers:
        table.add_column(number, justify="right")
    return table


def _print_balance(rows: Sequence[Movement], names: Mapping[UUID, str]) -> None:
    table = _table("account", "", "", "product", numbers=("opening", "debits", "credits", "closing"))
    for row in rows:
        amounts = map(yuan, (row.opening_fen, row.debits_fen, row.credits_fen, row.closing_fen))
        table.add_row(row.account.value, row.name_zh, row.name_en, _product(row, names) or "", *amounts)
    total = totals(rows)
    for word, opening, moved, closing in (
        ("debit", total.opening_debit_fen, total.debits_fen, total.closing_debit_fen),
        ("credit", total.opening_credit_fen, total.credits_fen, total.closing_credit_fen),
    ):
        debits, credits_ = (yuan(moved), "") if word == "debit" else ("", yuan(moved))
        table.add_row("", "合计", f"Total {word}", "", yuan(opening), debits, credits_, yuan(closing))
    out.print(table)


def _print_income(statement: Sequence[Income]) -> None:
    table = _table("", "", numbers=[row.product for row in statement])
    for zh, en, name in INCOME_LINES:
        table.add_row(zh, en, *(yuan(getattr(row, name)) for row in statement))
    out.print(table)


INCOME_LINES = (
    ("利息收入", "Interest", "interest_fen"),
    ("罚息收入", "Penalty interest", "penalty_fen"),
    ("手续费收入", "Fees", "fees_fen"),
    ("利息优惠", "Discounts", "discounts_fen"),
    ("减免支出", "Waivers", "waivers_fen"),
    ("已核销贷款收回", "Recoveries", "recoveries_fen"),
    ("信用减值损失", "Credit losses", "credit_losses_fen"),
    ("结果", "Result", "result_fen"),
)
