"""Training the federated model against running parties, by the lender's own identity, to a part that is ready to score.

The lender brings ids and labels, and features if it has any. A share of the common rows grows no tree: training scores
them as of the same moment as the others, and on them the calibration is fitted and the model is judged.
"""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl

from grainline.entry.federated_tables import Mask, read_guest_table
from grainline.entry.federated_training import auc
from grainline.entry.he_backend import choose
from grainline.federated.channel import PartyChannel
from grainline.federated.gradients import Floats
from grainline.federated.identity import Identity, Role
from grainline.federated.ids import IdKind
from grainline.federated.keys import make_keys
from grainline.federated.psi import intersect
from grainline.federated.scoring_part import ScoringPart
from grainline.federated.training import Alignment, Rows, Settings, Trained, train, validation_rows
from grainline.federated.transport import connector
from grainline.kit.errors import Kind, Refusal
from grainline.scoring.calibration import fit_platt

NOTHING = "nothing"  # a column that tells nothing, for a lender without features of its own
HELD_OUT = 0.25


class NotALender(Refusal):
    """A folder that is another party's, or none's."""

    code: ClassVar[str] = "federated_not_a_lender"


class NotCalibrated(Refusal):
    """Held-out rows that are all alike, or that the model puts in no better order than chance."""

    code: ClassVar[str] = "federated_not_calibrated"
    kind: ClassVar[Kind] = Kind.CONFLICT


@dataclass(frozen=True)
class RemotePlan:
    """What to train: with whom (address by name), as which lender, on which labels, as of when (None: ready tables)."""

    parties: Mapping[str, str]
    identity: Identity
    labels: Path
    label: str
    as_of: datetime | None
    settings: Settings
    id_kind: IdKind
    scheme: str = "okamoto-uchiyama"
    bits: int = 2048
    split_seed: int = 0
    held_out: float = HELD_OUT


@dataclass(frozen=True)
class RemoteOutcome:
    """The lender's part ready to score, and what is told of the training."""

    part: ScoringPart
    figures: dict[str, float | int | str | None]


def run_remote(plan: RemotePlan) -> RemoteOutcome:
    """Train; without every party to the end there is no model.

    Raises NotAParty, NotALender, BadFile, NotCalibrated, NoKernel, and what the parties and `train` raise.
    """
    choose()
    if plan.identity.role() is not Role.LENDER:
        raise NotALender(folder=str(plan.identity.folder))
    return asyncio.run(_run(plan))


async def _run(plan: RemotePlan) -> RemoteOutcome:
    began, spent = time.perf_counter(), time.process_time()
    table = read_guest_table(plan.labels, plan.label, plan.id_kind)
    aligning = _channels(plan)
    common = await intersect(aligning, table.ids, os.urandom)
    own = table.of(common)
    held = validation_rows(common, share=plan.held_out, key=b"%d" % plan.split_seed)
    frame = own.frame if own.frame.width else pl.DataFrame({NOTHING: [0.0] * len(common)})
    trained = await _train(plan, Rows(frame, own.label, held), aligning)
    for channel in aligning:
        await channel.close()
    facts: dict[str, float | int | str | None] = {
        "rows": len(common),
        "bad": int(own.label.sum()),
        "held_out": int(held.sum()),
        "held_out_bad": int(own.label[held].sum()),
        "auc_held_out": round(auc(own.label[held], trained.scores[held]) or 0.5, 5),
        "trees": len(trained.part.trees),
        "splits_of_parties": sum(trained.part.splits_by_party[1:]),
    }
    if plan.as_of is not None:
        facts["as_of"] = plan.as_of.isoformat()
    part = replace(_calibrated(plan, trained, own.label, held), facts={**facts})
    figures = facts | {"wall_s": round(time.perf_counter() - began, 1)}
    return RemoteOutcome(part, figures | {"lender_cpu_s": round(time.process_time() - spent, 1)})


async def _train(plan: RemotePlan, rows: Rows, aligning: Sequence[PartyChannel]) -> Trained:
    channels = _channels(plan)
    used = np.ones(len(rows.label), np.bool_)
    trained = await train(
        rows,
        [Alignment(channel.session, used) for channel in aligning],
        channels,
        replace(plan.settings, as_of=int(plan.as_of.timestamp()) if plan.as_of else 0),
        secret=make_keys(plan.scheme, plan.bits, os.urandom),
        model=os.urandom(16),
        random_bytes=os.urandom,
    )
    for channel in channels:
        await channel.close()
    return trained


def _calibrated(plan: RemotePlan, trained: Trained, label: Mask, held: Mask) -> ScoringPart:
    scores: Floats = trained.scores[held]
    if label[held].all() or not label[held].any():
        raise NotCalibrated
    platt = fit_platt(scores, label[held])
    if platt.slope <= 0:
        raise NotCalibrated
    return ScoringPart(trained.part, tuple(plan.parties), plan.id_kind, platt.slope, platt.shift)


def _channels(plan: RemotePlan) -> list[PartyChannel]:
    return [
        PartyChannel(name, connector(plan.identity, name, address), os.urandom(16))
        for name, address in plan.parties.items()
    ]
