"""`grainline score …`: fit a scorecard and boosted trees to a table, and say what they are worth."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from grainline.scoring import CreditModel
from grainline.scoring.protected import protected_among
from grainline.scoring.reject_inference import LIMIT, PARCEL_FACTOR, Declined, Way
from grainline.scoring.table import BadTable, Table, load_declined, load_table
from grainline.scoring.training import Judged, Pair, judge, train

score_app = typer.Typer(no_args_is_help=True, help="Credit models: fitted, judged, kept.")
out = Console(soft_wrap=True)


@score_app.callback()
def _score() -> None:
    """Keep `train` a command of its own beside those to come."""


@score_app.command("train")
def train_models(
    table: Annotated[Path, typer.Option("--csv", help="CSV (also .gz or .zip) or parquet, with a header.")],
    label: Annotated[str, typer.Option(help="Column that says what happened: two values, no gaps.")],
    event: Annotated[str | None, typer.Option(help="The bad one of the two values; left out: the rarer.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Column to leave out, such as an id; may be repeated.")] = None,
    protected: Annotated[
        list[str] | None, typer.Option(help="Column no model may read, such as sex; may be repeated.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="Folder for both models, fitted to all rows, named by their SHA-256.")
    ] = None,
    declined: Annotated[
        Path | None, typer.Option(help="People who were declined, with the same columns: infer their outcomes.")
    ] = None,
    way: Annotated[
        Way | None,
        typer.Option("--reject-inference", help="How they are inferred, with --declined: fuzzy if left out."),
    ] = None,
    factor: Annotated[
        float | None,
        typer.Option("--parcel-factor", min=1.0, max=10.0, help="With parcel: so much more often they default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Judge a scorecard and boosted trees on five folds of a table, everything fitted inside the training folds."""
    started = time.perf_counter()
    if (way is not None and declined is None) or (factor is not None and way is not Way.PARCEL):
        raise _stop("--reject-inference needs --declined, and --parcel-factor needs --reject-inference parcel")
    try:
        read = load_table(table, label, event=event, drop=drop or [], protected=protected or [])
    except BadTable as error:
        raise _stop(f"{table}: {error}") from None
    others = None if declined is None else _declined(declined, read, way or Way.FUZZY, factor)
    judged = judge(read, others)
    pair = None if target is None else train(read, judged, name=table.name.partition(".")[0], declined=others)
    kept = {} if target is None or pair is None else _kept(target, pair)
    figures = _figures(read, judged) | _inferred(others) | kept | {"seconds": round(time.perf_counter() - started, 2)}
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False, indent=2))
    else:
        _print(read, judged, figures)


def _stop(message: str) -> typer.Exit:
    typer.echo(f"grainline score train: {message}", err=True)
    return typer.Exit(2)


def _declined(file: Path, table: Table, way: Way, factor: float | None) -> Declined:
    try:
        frame = load_declined(file, table.frame)
    except BadTable as error:
        raise _stop(f"{file}: {error}") from None
    return Declined(frame, way, 1.0 if way is Way.FUZZY else factor or PARCEL_FACTOR)


def _inferred(declined: Declined | None) -> dict[str, object]:
    """Return what is said of inferred outcomes; nothing where there are none."""
    if declined is None:
        return {}
    told = {"way": declined.way, "declined": declined.frame.height, "factor": declined.factor}
    return {"reject_inference": told, "warning": f"{LIMIT} All measures are of the accepted."}


def _figures(table: Table, judged: Judged) -> dict[str, object]:
    return {
        "rows": table.label.size,
        "bad": int(table.label.sum()),
        "event": table.event,
        "auc_cv": judged.boosted.auc,
        "ks_cv": judged.boosted.ks,
        "scorecard_auc_cv": judged.scorecard.auc,
        "scorecard_ks_cv": judged.scorecard.ks,
        "brier": judged.boosted.brier,
        "calibration_error": judged.boosted.calibration_error,
        "scorecard_brier": judged.scorecard.brier,
        "scorecard_calibration_error": judged.scorecard.calibration_error,
        "columns": table.frame.columns,
        "left_out": dict(table.dropped),
        "kept_beside": table.protected.columns,
        "protected_inputs": protected_among(table.frame.columns),
    }


def _kept(folder: Path, pair: Pair) -> dict[str, object]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return {"scorecard_sha256": _write(folder, pair.champion), "boosted_sha256": _write(folder, pair.challenger)}
    except OSError as error:
        raise _stop(f"{folder}: {error.strerror}") from None


def _write(folder: Path, model: CreditModel) -> str:
    (folder / f"{model.sha256}.json").write_bytes(model.to_bytes())
    return model.sha256


def _print(table: Table, judged: Judged, figures: dict[str, object]) -> None:
    out.print(f"{table.label.size:,} rows, {int(table.label.sum()):,} of them {table.event!r}, the bad one.")
    for name, m in (("Boosted trees", judged.boosted), ("Scorecard", judged.scorecard)):
        line = f"AUC {m.auc:.4f} KS {m.ks:.4f} Brier {m.brier:.4f} ECE {m.calibration_error:.4f}"
        out.print(f"{name:<14} {line}", highlight=False)
    out.print("Five folds; nobody was scored by a model that had seen their outcome.")
    for name, why in table.dropped.items():
        out.print(f"Left out: {name}, {why}", highlight=False, markup=False)
    inputs = protected_among(table.frame.columns)
    if inputs:
        out.print(f"Inputs that no registered model may have: {', '.join(inputs)}; see --protected.", markup=False)
    if "warning" in figures:
        out.print(f"Outcomes of declined people were inferred. {figures['warning']}", highlight=False, markup=False)
    for key in ("scorecard_sha256", "boosted_sha256"):
        if key in figures:
            out.print(f"{key}: {figures[key]}", highlight=False)
