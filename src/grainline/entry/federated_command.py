"""`grainline federated …`: train one model over files of several parties, each in a process of its own."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console

from grainline.entry import federated_options as options
from grainline.entry.federated_remote import HELD_OUT, RemotePlan, run_remote
from grainline.entry.federated_scorecard import CardPlan, compared_scorecard, run_scorecard
from grainline.entry.federated_tables import read_table
from grainline.entry.federated_training import Outcome, Plan, auc, plaintext_scores, run
from grainline.entry.problems import detail_of
from grainline.federated import kernel
from grainline.federated.binning import BadTable
from grainline.federated.gradients import Sampling
from grainline.federated.identity import Identity
from grainline.federated.ids import IdKind
from grainline.federated.scorecard_training import ScorecardSettings
from grainline.federated.signed_parts import envelope_hash, signer_of, signing_key, write_part
from grainline.federated.training import Settings
from grainline.federated.trees import Rules
from grainline.kit.errors import Refusal

federated_app = typer.Typer(no_args_is_help=True, help="The federated credit model.")
out = Console(soft_wrap=True)

Figures = dict[str, float | int | str | None]


class ModelKind(StrEnum):
    """What can be trained."""

    BOOSTED = "boosted"
    SCORECARD = "scorecard"


@federated_app.callback()
def federated() -> None:
    """Train and try the federated credit model."""


@federated_app.command()
def train(
    label: options.Label,
    guest: options.Guest = None,
    host: options.Hosts = None,
    party: options.Parties = None,
    identity: options.LenderFolder = None,
    labels: options.Labels = None,
    as_of: options.AsOf = None,
    id_kind: options.LabelsIdKind = IdKind.PHONE,
    model: Annotated[
        ModelKind, typer.Option(help="Boosted trees, or a scorecard of whole points.")
    ] = ModelKind.BOOSTED,
    trees: options.Trees = 20,
    depth: options.Depth = 5,
    learning_rate: options.LearningRate = Rules.learning_rate,
    bins: options.Bins = None,
    leaf_rows: options.LeafRows = Rules.leaf_rows_min,
    smallest_bin: options.SmallestBin = None,
    guest_first: options.GuestFirst = False,
    sample: options.Sample = False,
    validation_share: options.ValidationShare = None,
    patience: options.Patience = None,
    scheme: options.Scheme = Plan.scheme,
    bits: options.Bits = Plan.bits,
    split_seed: options.SplitSeed = 0,
    target: options.Target = None,
    signer: options.Signer = None,
    as_json: options.AsJson = False,
) -> None:
    """Train over the parties' common rows, and try the model on a part of them that is held out.

    With --guest and --host the parties are files, each served by a process of its own for the length of the run. With
    --party they are running parties, asked under the lender's --identity, and what --out gets is ready to score.
    """
    given = {f"--{name.replace('_', '-')}": value for name, value in locals().items()}

    def work() -> tuple[Figures, bytes]:
        options.check_options(given)
        if model is ModelKind.SCORECARD:
            own = _card_settings(bins, smallest_bin)
            return _scorecard(CardPlan(*options.files_of(guest, host), label, own, scheme, bits, split_seed=split_seed))
        if party:
            return _remote(_remote_plan(given, _settings(given)))
        plan = Plan(*options.files_of(guest, host), label, _settings(given), scheme, bits, split_seed=split_seed)
        return _boosted(replace(plan, validation_share=validation_share))

    _report(work, target, identity if party else signer, as_json)


def _settings(given: Mapping[str, Any]) -> Settings:
    """Return what trees are grown by, from the options by name."""
    return Settings(
        trees=given["--trees"],
        rules=Rules(depth=given["--depth"], learning_rate=given["--learning-rate"], leaf_rows_min=given["--leaf-rows"]),
        bins=given["--bins"] or Settings.bins,
        smallest_bin=given["--smallest-bin"] or Settings.smallest_bin,
        patience=given["--patience"],
        sampling=Sampling(0.2, 0.1) if given["--sample"] else None,
        is_guest_first=given["--guest-first"],
    )


def _remote_plan(given: Mapping[str, Any], settings: Settings) -> RemotePlan:
    """Return the plan of a training with running parties; raise OptionAlone, BadChoice."""
    lender, labels = options.lender_of(given["--identity"], given["--labels"], given["--patience"])
    return RemotePlan(
        parties=options.addresses_of(given["--party"]),
        identity=lender,
        labels=labels,
        label=given["--label"],
        as_of=options.moment_of(given["--as-of"]),
        settings=settings,
        id_kind=given["--id-kind"],
        scheme=given["--scheme"],
        bits=given["--bits"],
        split_seed=given["--split-seed"],
        held_out=given["--validation-share"] or HELD_OUT,
    )


def _boosted(plan: Plan) -> tuple[Figures, bytes]:
    outcome = run(plan)
    return figures(plan, outcome) | compared(plan, outcome), outcome.part.dump()


def _remote(plan: RemotePlan) -> tuple[Figures, bytes]:
    outcome = run_remote(plan)
    return outcome.figures, outcome.part.dump()


def _scorecard(plan: CardPlan) -> tuple[Figures, bytes]:
    outcome = run_scorecard(plan)
    return outcome.figures | compared_scorecard(plan, outcome), outcome.made.part.dump()


def _card_settings(bins: int | None, smallest_bin: int | None) -> ScorecardSettings:
    return ScorecardSettings(
        bins=bins or ScorecardSettings.bins, smallest_bin=smallest_bin or ScorecardSettings.smallest_bin
    )


def _report(work: Callable[[], tuple[Figures, bytes]], target: Path | None, signer: Path | None, as_json: bool) -> None:
    """Print the figures that come of some work, and write the lender's part of the model under a signature.

    Nothing is written unless all went well, and then the whole file at once.
    """
    try:
        key = signing_key(Identity(signer)) if signer else Ed25519PrivateKey.generate()
        if target is not None and not target.resolve().parent.is_dir():
            raise NotADirectoryError(f"{target}: there is no such folder")
        found, part = work()
        if target is not None:
            signed = write_part(part, key)
            found |= {"part_sha256": envelope_hash(signed), "signed_by": signer_of(signed).hex()}
            _write(target, signed)
    except Refusal as refusal:
        raise _bad(detail_of(refusal.code, refusal.params, "en"), refusal.code) from None
    except (BadTable, kernel.NoKernel, RuntimeError, OSError) as error:
        raise _bad(str(error)) from None
    if as_json:
        typer.echo(json.dumps(found))
        return
    for name, value in found.items():
        out.print(f"{name:<24} {value}", highlight=False)
    if target is not None:
        out.print(f"{target} is useless alone: a score comes of asking every host that it names.", highlight=False)


def _write(target: Path, data: bytes) -> None:
    beside = target.with_name(f"{target.name}.new")
    beside.write_bytes(data)
    beside.replace(target)


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
        "backend": kernel.in_use(),
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


def _bad(message: str, code: str = "") -> typer.Exit:
    typer.echo(f"grainline federated: {message}" + (f" [{code}]" if code else ""), err=True)
    return typer.Exit(2)
