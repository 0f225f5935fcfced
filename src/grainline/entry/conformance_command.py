"""`grainline conformance`: hold the arithmetic of loans against cases with known figures."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from grainline.loans.conformance import BadCases, Report, read_cases, run

_out = Console()


def conformance(
    files: Annotated[list[Path], typer.Argument(help="Files of cases, as of Apache Fineract's tests.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Run cases through the loan's arithmetic: exit 0 if nothing differs, 1 if something does, 2 for a bad file."""
    try:
        cases = [case for file in files for case in read_cases(file)]
    except BadCases as error:
        typer.echo(f"grainline conformance: {error}", err=True)
        raise typer.Exit(2) from error
    report = run(cases)
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False, indent=2))
    else:
        _print(report)
    raise typer.Exit(1 if report.differ else 0)


def _print(report: Report) -> None:
    if report.differ:
        _table("Differs", ("Case", "Where", "Expected", "Got"), report.differ)
    if report.unsupported:
        _table("Not supported", ("Case", "Why"), report.unsupported)
    differing = len({found["id"] for found in report.differ})
    _out.print(
        f"{report.cases} cases: {report.exact} exact to the cent, {differing} differ,"
        f" {len(report.unsupported)} not supported."
    )


def _table(title: str, headings: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row.values()))
    _out.print(table)
