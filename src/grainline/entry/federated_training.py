"""A training with real processes on this machine: rows agreed on, trees grown, the model tried on held-out rows."""

import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from grainline.entry.federated_parties import Counted, Meter, Metered, Party, channel_to, running
from grainline.entry.federated_tables import GuestTable, Mask, held_out, read_guest_table
from grainline.entry.he_backend import choose
from grainline.federated.channel import Channel, PartyChannel
from grainline.federated.identity import Identity
from grainline.federated.inference import Floats, score
from grainline.federated.keys import make_keys
from grainline.federated.model import GuestPart
from grainline.federated.psi import intersect
from grainline.federated.training import Alignment, Rows, Settings, train, validation_rows


@dataclass(frozen=True)
class Plan:
    """What to run: the files, the settings, the key, and which share of the rows is held out by which seed."""

    guest: Path
    hosts: Sequence[Path]
    label: str
    settings: Settings
    scheme: str = "okamoto-uchiyama"
    bits: int = 2048
    test_share: float = 0.2
    split_seed: int = 0
    validation_share: float | None = None  # of the rows that are not held out


@dataclass(frozen=True)
class Costs:
    """Of the training alone, over all processes: processor and wall seconds, bytes of frames."""

    cpu_s: float
    wall_s: float
    encrypt_cpu_s: float
    histogram_cpu_s: float
    decrypt_cpu_s: float
    transport_cpu_s: float
    guest_cpu_s: float
    bytes_to_hosts: int
    bytes_back: int
    align_cpu_s: float
    whole_cpu_s: float


@dataclass(frozen=True)
class Outcome:
    """What came of it: the lender's part, the rows all have, which are held out, and the score of these."""

    part: GuestPart
    table: GuestTable
    test: Mask
    scores: Floats
    costs: Costs


def run(plan: Plan) -> Outcome:
    """Run it; raise Refusal, BadFile, BadTable, NoKernel, RuntimeError for a host that does not come up."""
    choose()
    table = read_guest_table(plan.guest, plan.label)
    before = _spent_here()
    with tempfile.TemporaryDirectory(prefix="grainline-") as folder, running(Path(folder), plan.hosts) as made:
        lender, parties = made
        outcome = asyncio.run(_run(plan, table, lender, parties))
    part, own, test, scores, costs = outcome
    return Outcome(part, own, test, scores, Costs(**(vars(costs) | {"whole_cpu_s": _spent_here() - before})))


async def _run(
    plan: Plan, table: GuestTable, lender: Identity, parties: Sequence[Party]
) -> tuple[GuestPart, GuestTable, Mask, Floats, Costs]:
    align_before = _process_s(parties)
    aligning = [channel_to(lender, party, Counted()) for party in parties]
    common = await intersect(aligning, table.ids, os.urandom)
    align_s = _process_s(parties) - align_before
    own = table.of(common)
    test = held_out(common, plan.test_share, plan.split_seed)
    training = Rows(own.frame.filter(pl.Series(~test)), own.label[~test], _validating(plan, common, test))
    part, costs = await _train(plan, training, ~test, lender, parties, [one.session for one in aligning])
    tested = own.frame.filter(pl.Series(test))
    asked: list[Channel] = [channel_to(lender, party, Counted()) for party in parties]
    names = [one for one, is_test in zip(common, test.tolist(), strict=True) if is_test]
    scores = await score(part, tested, names, asked)
    for channel in (*aligning, *asked):
        assert isinstance(channel, PartyChannel)  # noqa: S101
        channel.drop()
    return part, own, test, scores, Costs(**(vars(costs) | {"align_cpu_s": align_s}))


def _validating(plan: Plan, ids: Sequence[bytes], test: Mask) -> Mask | None:
    if plan.validation_share is None:
        return None
    trained = [one for one, is_test in zip(ids, test.tolist(), strict=True) if not is_test]
    return validation_rows(trained, share=plan.validation_share, key=b"%d" % plan.split_seed)


async def _train(
    plan: Plan, rows: Rows, used: Mask, lender: Identity, parties: Sequence[Party], sessions: Sequence[bytes]
) -> tuple[GuestPart, Costs]:
    counted = Counted()
    channels = [channel_to(lender, party, counted) for party in parties]
    meter = Meter(parties)
    secret = Metered(make_keys(plan.scheme, plan.bits, os.urandom))
    trained = await train(
        rows,
        [Alignment(session, used) for session in sessions],
        channels,
        plan.settings,
        secret=secret,
        model=os.urandom(16),
        random_bytes=os.urandom,
    )
    spent = meter.read()
    for channel in channels:
        await channel.close()
    return trained.part, Costs(
        cpu_s=spent.own_s + spent.hosts_s,
        wall_s=spent.wall_s,
        encrypt_cpu_s=secret.encrypt_s,
        histogram_cpu_s=spent.answering_s,
        decrypt_cpu_s=secret.decrypt_s,
        transport_cpu_s=spent.hosts_s - spent.answering_s,
        guest_cpu_s=spent.own_s - secret.encrypt_s - secret.decrypt_s,
        bytes_to_hosts=counted.to_hosts,
        bytes_back=counted.back,
        align_cpu_s=0.0,
        whole_cpu_s=0.0,
    )


def _process_s(parties: Sequence[Party]) -> float:
    return time.process_time() + sum(party.spent().process_s for party in parties)


def _spent_here() -> float:
    """Return processor seconds of this process and of the children that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def auc(label: Mask, scores: Floats) -> float | None:
    """Return the area under the ROC curve, or None where all labels are the same."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415

    return float(roc_auc_score(label, scores)) if label.any() and not label.all() else None


def plaintext_scores(plan: Plan, outcome: Outcome, frame: pl.DataFrame) -> Floats:
    """Return what XGBoost with the same settings scores the held-out rows, on plaintext features that lie together.

    Text columns become one column a category, as a federated split takes one category at a time. Raises
    ModuleNotFoundError where XGBoost is not installed.
    """
    import xgboost  # noqa: PLC0415

    numbers = frame.to_dummies([one.name for one in frame.iter_columns() if one.dtype == pl.String])
    values = numbers.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    label, rules, training = outcome.table.label, plan.settings.rules, ~outcome.test
    model = xgboost.XGBClassifier(
        n_estimators=plan.settings.trees,
        max_depth=rules.depth,
        learning_rate=rules.learning_rate,
        reg_lambda=rules.l2,
        gamma=rules.gain_min,
        min_child_weight=rules.hessian_min,
        max_bin=plan.settings.bins,
        tree_method="hist",
        base_score=float(np.mean(label[training])),
        n_jobs=1,
        random_state=0,
    )
    model.fit(values[training], label[training])
    return np.asarray(model.predict(values[outcome.test], output_margin=True), np.float64)
