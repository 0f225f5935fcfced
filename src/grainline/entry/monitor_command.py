"""`grainline score monitor`: a month's drifts and vintages, as the worker made them of the decisions, or of files."""

import json
from dataclasses import asdict
from datetime import date, time
from pathlib import Path
from typing import Annotated

import polars as pl
import structlog
import typer
from rich.console import Console
from rich.table import Table

from grainline.entry import settings as env
from grainline.entry.asking import asked
from grainline.entry.card_command import ProductOption
from grainline.entry.model_keys import models_of
from grainline.entry.registry_command import JsonOption, registry, stop
from grainline.entry.wiring import make_clock, read_packs
from grainline.kit.calendar import at, business_date, first_of_next_month
from grainline.kit.db import Tx
from grainline.scoring import FeatureSpec, Loaded
from grainline.scoring.baseline_store import last_month
from grainline.scoring.monitoring import Report, monthly_report
from grainline.scoring.monitoring_store import keep_report, reports_of
from grainline.scoring.people import load_people
from grainline.scoring.registry import find_model
from grainline.scoring.registry_store import changes_of
from grainline.scoring.routing import Cast, cast_of
from grainline.scoring.table import BadTable
from grainline.scoring.vintages import OUTCOME_COLUMNS
from grainline.scoring.watching import Level

__all__ = ["monitor", "registry"]  # `registry` with every command that adds itself to it

log = structlog.get_logger()
out = Console(width=140)
SHOWN_MOST = 15
WORDS = {"true": True, "1": True, "false": False, "0": False}


@registry.command()
def monitor(
    model: Annotated[
        str | None, typer.Argument(metavar="[SHA256]", help="A model's hash, or its first digits; left out: all.")
    ] = None,
    month: Annotated[str | None, typer.Option(help="The month, YYYY-MM; left out: the last one watched.")] = None,
    reference: Annotated[
        Path | None, typer.Option(help="People the model was made with: CSV or parquet with its inputs.")
    ] = None,
    current: Annotated[Path | None, typer.Option(help="The month's applicants, with the same columns.")] = None,
    outcomes: Annotated[
        Path | None, typer.Option(help=f"Those decided before, with {', '.join(OUTCOME_COLUMNS)}; bad may be empty.")
    ] = None,
    product: ProductOption = "weilidai",
    as_json: JsonOption = False,
) -> None:
    """Show a month as the worker made it of the decisions, or work it out of files and keep it; 1 on an alarm."""
    if product not in read_packs():
        raise stop(f"there is no product {product!r}; there are {', '.join(sorted(read_packs()))}")
    first = _month(month) if month else None
    if reference is None and current is None and outcomes is None:
        _show_kept(model, first, product, as_json=as_json)
        return
    if model is None or first is None or reference is None or current is None:
        raise stop("from files: a model, --month, --reference and --current are needed")
    if first > business_date(make_clock(env.load())()):
        raise stop(f"{month} has not begun")
    report = _of_files(model, first, product, files=(reference, current), outcomes=outcomes)
    if report.level is Level.ALARM:
        log.error("model_alarm", **report.alarm())
    if as_json:
        typer.echo(json.dumps(_told(report), default=str))
    else:
        _show(report)
    raise typer.Exit(1 if report.level is Level.ALARM else 0)


def _of_files(model: str, month: date, product: str, *, files: tuple[Path, Path], outcomes: Path | None) -> Report:
    """Work a month out, and keep it."""
    given = env.load()
    now, models = make_clock(given)(), models_of(given)
    known = _outcomes(outcomes) if outcomes else None

    async def work(tx: Tx) -> Report:
        loaded = await models.load_own(tx, await find_model(tx, model))
        windows = _people(files[0], loaded.model.features), _people(files[1], loaded.model.features)
        promised = _promised(loaded)
        report = monthly_report(
            loaded, product=product, month=month, windows=windows, outcomes=known, auc_expected_e6=promised
        )
        await keep_report(tx, report, now=now)
        return report

    return asked(work, command="score")


def _show_kept(model: str | None, month: date | None, product: str, *, as_json: bool) -> None:
    """Show what the worker kept of a month, and end with 1 where something of it alarmed."""

    async def look(tx: Tx) -> tuple[date | None, list[tuple[Report, str]]]:
        of = month or await last_month(tx, product=product)
        if of is None:
            return None, []
        sha256 = await find_model(tx, model) if model else None
        cast = cast_of(await changes_of(tx, product), product=product, as_of=at(first_of_next_month(of), time(0)))
        reports = await reports_of(tx, month=of, product=product)
        return of, [(one, _role(cast, one.sha256)) for one in reports if sha256 in (None, one.sha256)]

    of, found = asked(look, command="score")
    if as_json:
        told = [_told(report) | {"role": role} for report, role in found]
        typer.echo(json.dumps({"product": product, "month": of and f"{of:%Y-%m}", "reports": told}, default=str))
    elif not found:
        out.print(f"Nothing was made of the decisions of {of:%Y-%m}." if of else "No month is watched yet.")
    for report, role in [] if as_json else found:
        _show(report, role=role)
    raise typer.Exit(1 if any(report.level is Level.ALARM for report, _ in found) else 0)


def _role(cast: Cast, sha256: str) -> str:
    """Return what a model is to the product at the end of the month."""
    if sha256 == cast.champion:
        return "champion"
    if sha256 == cast.challenger:
        return "challenger"
    return "shadow" if sha256 in cast.shadows else "none"


def _month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise stop(f"a month is written like 2026-12, not {text!r}") from None


def _people(file: Path, specs: tuple[FeatureSpec, ...]) -> pl.DataFrame:
    try:
        return load_people(file, specs)
    except BadTable as error:
        raise stop(f"{file}: {error}") from None


def _outcomes(file: Path) -> pl.DataFrame:
    try:
        rows = load_people(file, (), others=OUTCOME_COLUMNS)
    except BadTable as error:
        raise stop(f"{file}: {error}") from None
    read = rows.select(
        decided_on=pl.col("decided_on").str.to_date("%Y-%m-%d", strict=False),
        pd_e6=pl.col("pd_e6").cast(pl.Int64, strict=False),
        bad=pl.col("bad").str.to_lowercase().replace_strict(WORDS, default=None, return_dtype=pl.Boolean),
    )
    for name in OUTCOME_COLUMNS:
        unread = read[name].is_null()
        if name == "bad":  # an outcome may be open still
            unread = unread & rows[name].is_not_null()
        if unread.any():
            row = unread.arg_max() or 0
            raise stop(f"{file}: {name}: row {row + 1}: {rows[name][row]!r} cannot be read")
    if not read["pd_e6"].is_between(1, 999_999).all():
        raise stop(f"{file}: pd_e6: a probability is 1 … 999,999")
    return read


def _promised(loaded: Loaded) -> int | None:
    """Return the AUC, in 10⁻⁶, that the model's facts promise on people it had not seen."""
    told = loaded.model.facts.get("out_of_fold")
    auc = told.get("auc") if isinstance(told, dict) else None
    return round(auc * 1e6) if isinstance(auc, float) else None


def _told(report: Report) -> dict[str, object]:
    return asdict(report) | {"level": report.level}


def _show(report: Report, *, role: str = "") -> None:
    of = ", ".join(word for word in (f"model {report.sha256[:12]}", role, str(report.population)) if word)
    out.print(f"{report.month:%Y-%m}, {report.product}, {of}: {report.level}", highlight=False)
    drifts = Table("of", "name", "PSI", "chance", "reference", "current", "level", box=None, pad_edge=False)
    for one in report.drifts[:SHOWN_MOST]:
        figures = ("–" if value is None else f"{value / 1e6:.4f}" for value in (one.psi_e6, one.chance_e6))
        drifts.add_row(one.kind, one.name, *figures, f"{one.rows_reference:,}", f"{one.rows_current:,}", one.level)
    if report.drifts:
        out.print(drifts)
    if not report.vintages:
        return
    vintages = Table(
        "vintage", "decided", "known", "bad", "AUC", "KS", "predicted", "observed", "level", box=None, pad_edge=False
    )
    for row in report.vintages:
        shown = (row.auc_e6, row.ks_e6, row.predicted_e6, row.observed_e6)
        rates = ("–" if value is None else f"{value / 1e6:.4f}" for value in shown)
        counts = (f"{count:,}" for count in (row.decided, row.known, row.bad))
        vintages.add_row(f"{row.vintage:%Y-%m}", *counts, *rates, row.level)
    out.print(vintages)
