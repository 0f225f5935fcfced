"""`grainline federated …`: train one model over files of several parties, each in a process of its own."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console

from grainline.entry.federated_tables import BadFile, read_table
from grainline.entry.federated_training import BACKEND, Outcome, Plan, auc, plaintext_scores, run
from grainline.entry.problems import detail_of
from grainline.federated.binning import BadTable
from grainline.federated.gradients import Sampling
from grainline.federated.training import Settings
from grainline.federated.trees import Rules
from grainline.kit.errors import Refusal

federated_app = typer.Typer(no_args_is_help=True, help="The federated credit model.")
out = Console(soft_wrap=True)

Figures = dict[str, float | int | str | None]


@federated_app.callback()
def federated() -> None:
    """Train and try the federated credit model."""


@federated_app.command()
def train(
    guest: Annotated[Path, typer.Option(help="The lender's CSV or Parquet, with `id` and the label.")],
    host: Annotated[list[Path], typer.Option(help="A data party's CSV or Parquet, with `id`; may be given again.")],
    label: Annotated[str, typer.Option(help="The lender's column of 0 and 1.")],
    trees: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    depth: Annotated[int, typer.Option(min=1, max=10)] = 5,
    learning_rate: Annotated[float, typer.Option(min=0.001, max=1.0)] = Rules.learning_rate,
    bins: Annotated[int, typer.Option(min=2, max=255)] = Settings.bins,
    leaf_rows: Annotated[int, typer.Option(min=1, help="Fewest rows in a leaf.")] = Rules.leaf_rows_min,
    smallest_bin: Annotated[
        int, typer.Option(min=1, help="Fewest rows a host lets stand out.")
    ] = Settings.smallest_bin,
    guest_first: Annotated[bool, typer.Option(help="Grow the first tree of the lender's features only.")] = False,
    sample: Annotated[bool, typer.Option(help="GOSS: the 20 % with the largest gradients, 10 % of the rest.")] = False,
    scheme: Annotated[str, typer.Option(help="okamoto-uchiyama or paillier.")] = Plan.scheme,
    bits: Annotated[int, typer.Option(min=2048, max=4096, help="Of the modulus.")] = Plan.bits,
    split_seed: Annotated[int, typer.Option(min=0, help="Which fifth of the ids is held out.")] = 0,
    target: Annotated[Path | None, typer.Option("--out", help="File for the lender's part of the model.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Train over the parties' common rows, and try the model on a fifth that is held out."""
    rules = Rules(depth=depth, learning_rate=learning_rate, leaf_rows_min=leaf_rows)
    settings = Settings(trees=trees, rules=rules, bins=bins, smallest_bin=smallest_bin, is_guest_first=guest_first)
    if sample:
        settings = replace(settings, sampling=Sampling(0.2, 0.1))
    plan = Plan(guest, host, label, settings, scheme=scheme, bits=bits, split_seed=split_seed)
    try:
        outcome = run(plan)
        found = figures(plan, outcome) | compared(plan, outcome)
        if target is not None:
            target.write_bytes(outcome.part.dump())
    except Refusal as refusal:
        raise _bad(detail_of(refusal.code, refusal.params, "en")) from None
    except (BadFile, BadTable, RuntimeError, OSError) as error:
        raise _bad(str(error)) from None
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for name, value in found.items():
            out.print(f"{name:<24} {value}", highlight=False)


def figures(plan: Plan, outcome: Outcome) -> Figures:
    """Return what a training cost and how good its model is on the held-out rows."""
    costs, trees = outcome.costs, len(outcome.part.trees)
    return {
        "rows": len(outcome.table.ids),
        "training_rows": int((~outcome.test).sum()),
        "trees": trees,
        "cpu_s": round(costs.cpu_s, 2),
        "cpu_s_per_tree": round(costs.cpu_s / trees, 3),
        "wall_s": round(costs.wall_s, 2),
        "auc": _rounded(auc(outcome.table.label[outcome.test], outcome.scores)),
        "bytes_to_hosts_per_tree": costs.bytes_to_hosts // trees,
        "bytes_back_per_tree": costs.bytes_back // trees,
        "backend": BACKEND,
        "scheme": plan.scheme,
        "bits": plan.bits,
        "encrypt_cpu_s": round(costs.encrypt_cpu_s, 2),
        "histogram_cpu_s": round(costs.histogram_cpu_s, 2),
        "decrypt_cpu_s": round(costs.decrypt_cpu_s, 2),
        "transport_cpu_s": round(costs.transport_cpu_s, 2),
        "guest_cpu_s": round(costs.guest_cpu_s, 2),
        "aligned_by": "psi",
        "align_cpu_s": round(costs.align_cpu_s, 2),
        "whole_cpu_s": round(costs.whole_cpu_s, 2),
    }


def compared(plan: Plan, outcome: Outcome) -> Figures:
    """Return the AUC of XGBoost with the same settings on plaintext: of all features, and of the lender's alone."""
    own = [outcome.table.frame]
    joined = own + [_in_order(path, outcome, number) for number, path in enumerate(plan.hosts, start=1)]
    label = outcome.table.label[outcome.test]
    try:
        together = plaintext_scores(plan, outcome, pl.concat(joined, how="horizontal"))
    except ModuleNotFoundError:
        return {"plaintext_auc": None, "plaintext_by": "xgboost is not installed"}
    found: Figures = {"plaintext_auc": _rounded(auc(label, together)), "plaintext_by": "xgboost"}
    if outcome.table.frame.width:
        found["lender_alone_auc"] = _rounded(auc(label, plaintext_scores(plan, outcome, own[0])))
    return found


def _in_order(path: Path, outcome: Outcome, number: int) -> pl.DataFrame:
    table = read_table(path)
    place_by_id = {one: place for place, one in enumerate(table.ids)}
    frame = table.frame[[place_by_id[one] for one in outcome.table.ids]]
    return frame.rename({name: f"host-{number}.{name}" for name in frame.columns})


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def _bad(message: str) -> typer.Exit:
    typer.echo(f"grainline federated: {message}", err=True)
    return typer.Exit(2)
