"""`grainline features …`: what a data party runs on its own files."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console

from grainline.behaviour import NoEvents, Party, Report, apart, compute, features, files_of, read, together
from grainline.behaviour.catalogue import page
from grainline.behaviour.faults import FILE_FAULTS
from grainline.entry import settings as env
from grainline.entry.problems import detail_of
from grainline.entry.wiring import make_clock

features_app = typer.Typer(no_args_is_help=True, help="Features of residents, made where a party's events lie.")
out = Console(soft_wrap=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@features_app.command()
def run(
    events: Annotated[Path, typer.Option(help="Folder with events-*.parquet, or with a folder of the party's name.")],
    party: Annotated[Party, typer.Option(help="Whose events they are.")],
    as_of: Annotated[str, typer.Option(help="The moment: a date (its first instant in Shanghai) or an instant.")],
    target: Annotated[Path, typer.Option("--out", help="Parquet file to write: a row a resident.")],
    known_by: Annotated[
        str | None, typer.Option(help="Leave out what was ingested after it; left out: the moment itself.")
    ] = None,
    quarantine: Annotated[Path | None, typer.Option(help="Folder for the events that cannot be used.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute a party's features as of a moment; exit 1 where a whole file could not be used."""
    started = time.perf_counter()
    moment = _moment("--as-of", as_of)
    learned = moment if known_by is None else _moment("--known-by", known_by)
    now = make_clock(env.load())()
    try:
        paths = files_of(events, party)
    except NoEvents as refusal:
        raise _bad(detail_of(refusal.code, refusal.params, "en")) from None
    taken, frames = [], []
    for group in apart(paths):
        found = read(group, party=party, as_of=moment, known_by=learned, now=now)
        frames.append(compute(found.events, party=party, as_of=moment, known_by=learned))
        taken.append((found.report, found.quarantined))
    made = pl.concat(frames).sort("resident")
    with _writing(target):
        made.write_parquet(target)
    if quarantine is not None:
        file = quarantine / f"{party}.parquet"
        with _writing(file):
            quarantine.mkdir(parents=True, exist_ok=True)
            pl.concat(aside for _, aside in taken).write_parquet(file)
    report = together(one for one, _ in taken)
    seconds = round(time.perf_counter() - started, 2)
    _tell(party, report, residents=len(made), seconds=seconds, as_json=as_json)
    raise typer.Exit(1 if FILE_FAULTS & report.faults.keys() else 0)


@features_app.command()
def catalogue(
    target: Annotated[Path | None, typer.Option("--out", help="File to write; left out: printed.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what every feature means: the page docs/features.md, or one JSON object a feature."""
    text = json.dumps(_definitions(), ensure_ascii=False) + "\n" if as_json else page()
    if target is None:
        typer.echo(text, nl=False)
    else:
        with _writing(target):
            target.write_text(text, encoding="utf-8")


def _definitions() -> list[dict[str, object]]:
    return [
        {
            "name": one.name,
            "party": one.party,
            "family": one.family,
            "windows": one.windows,
            "unit": one.unit,
            "zh": one.meaning_zh,
            "en": one.meaning_en,
            "serves": one.serves,
        }
        for party in Party
        for one in features(party)
    ]


def _tell(party: Party, report: Report, *, residents: int, seconds: float, as_json: bool) -> None:
    figures = {"party": party, "residents": residents, "features": len(features(party)), **asdict(report)}
    if as_json:
        typer.echo(json.dumps(figures | {"seconds": seconds}))
        return
    out.print(
        f"{figures['features']:,} features of {residents:,} residents from {report.valid:,} of {report.read:,} events, "
        f"{report.files} files, in {seconds} s.\n{report.not_known_yet:,} were not known yet, {report.out_of_order:,} "
        f"stood out of order, {report.ingested_out_of_order:,} were ingested out of order.",
        highlight=False,
    )
    for fault, count in report.faults.items():
        out.print(f"[red]{fault}[/red] {count:,}", highlight=False)


def _moment(name: str, text: str) -> date | datetime:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise _bad(f"{name} must be a date like 2026-11-01 or an instant with its zone, not {text!r}")
    return found


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _bad(f"{file} cannot be written: {error.strerror or error}") from None


def _bad(message: str) -> typer.Exit:
    typer.echo(f"grainline features: {message}", err=True)
    return typer.Exit(2)
