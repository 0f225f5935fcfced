"""A scorecard made with real processes on this machine: rows agreed on, fitted, tried on held-out rows."""

import asyncio
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from grainline.entry.federated_parties import Counted, Measured, Meter, Metered, Party, channel_to, running
from grainline.entry.federated_tables import GuestTable, Mask, held_out, read_guest_table, read_table
from grainline.entry.federated_training import auc
from grainline.entry.he_backend import choose
from grainline.federated import kernel
from grainline.federated.gradients import Floats
from grainline.federated.identity import Identity
from grainline.federated.keys import make_keys
from grainline.federated.psi import intersect
from grainline.federated.scorecard_inference import Asking, points
from grainline.federated.scorecard_model import log_odds
from grainline.federated.scorecard_sides import Feature, Together
from grainline.federated.scorecard_training import (
    MadeScorecard,
    ScorecardSettings,
    make_scorecard,
    make_twin_scorecard,
)
from grainline.federated.training import Alignment, Rows

Figures = dict[str, float | int | str | None]


@dataclass(frozen=True)
class CardPlan:
    """What to run: the files, the settings, the key, and which share of the rows is held out by which seed."""

    guest: Path
    hosts: Sequence[Path]
    label: str
    settings: ScorecardSettings
    scheme: str = "okamoto-uchiyama"
    bits: int = 2048
    test_share: float = 0.2
    split_seed: int = 0


@dataclass(frozen=True)
class CardOutcome:
    """What came of it, and what making it cost over all processes."""

    made: MadeScorecard
    table: GuestTable
    test: Mask
    scores: Floats  # of the held-out rows
    figures: Figures


def run_scorecard(plan: CardPlan) -> CardOutcome:
    """Run it; raise Refusal, BadFile, BadTable, NoKernel, RuntimeError for a host that does not come up."""
    choose()
    table = read_guest_table(plan.guest, plan.label)
    with tempfile.TemporaryDirectory(prefix="grainline-") as folder, running(Path(folder), plan.hosts) as made:
        lender, parties = made
        return asyncio.run(_run(plan, table, lender, parties))


def compared_scorecard(plan: CardPlan, outcome: CardOutcome) -> Figures:
    """Return the AUC of logistic regression on the same weights of evidence, made in plaintext on joined files.

    `plaintext_auc` is of the features that the scorecard has, `plaintext_all_auc` of all, whatever their signs and
    information values; and `equals_twin` says whether the plaintext twin's coefficients are the same, to the bit.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    own, test = outcome.table, outcome.test
    frames = [own.frame, *(_in_order(path, own.ids) for path in plan.hosts)]
    training, tested = pl.Series(~test), pl.Series(test)
    rows = Rows(frames[0].filter(training), own.label[~test])
    hosts = [one.filter(training) for one in frames[1:]]
    twin, sides = asyncio.run(make_twin_scorecard(rows, hosts, plan.settings, model=outcome.made.part.model))

    def plain(features: Sequence[Feature]) -> float | None:
        fitted = LogisticRegression(C=1.0 / plan.settings.rules.l2, max_iter=1000)
        fitted.fit(_evidence(twin, sides, features, [one.filter(training) for one in frames]), rows.label)
        values = _evidence(twin, sides, features, [one.filter(tested) for one in frames])
        return _rounded(auc(own.label[test], np.asarray(fitted.decision_function(values), np.float64)))

    ours, theirs = outcome.made.fitted, twin.fitted
    is_same = sorted(ours.coefficients.values()) == sorted(theirs.coefficients.values()) and ours.base == theirs.base
    return {
        "plaintext_auc": plain(sorted(theirs.coefficients)),
        "plaintext_by": "sklearn LogisticRegression",
        "plaintext_all_auc": plain(sorted(theirs.information)),
        "equals_twin": int(is_same),
    }


async def _run(plan: CardPlan, table: GuestTable, lender: Identity, parties: Sequence[Party]) -> CardOutcome:
    aligning = [channel_to(lender, party, Counted()) for party in parties]
    common = await intersect(aligning, table.ids, os.urandom)
    own = table.of(common)
    test = held_out(common, plan.test_share, plan.split_seed)
    rows = Rows(own.frame.filter(pl.Series(~test)), own.label[~test])
    made, found = await _make(plan, rows, ~test, lender, parties, [one.session for one in aligning])
    asked = [channel_to(lender, party, Counted()) for party in parties]
    names = [one for one, is_test in zip(common, test.tolist(), strict=True) if is_test]
    asking = Asking(make_keys(plan.scheme, plan.bits, os.urandom), os.urandom)
    scored = await points(made.part, own.frame.filter(pl.Series(test)), names, asked, asking)
    for channel in (*aligning, *asked):
        channel.drop()
    scores = log_odds(scored.sum(axis=1))
    head: Figures = {"rows": len(common), "training_rows": int((~test).sum())}
    return CardOutcome(made, own, test, scores, head | found | {"auc": _rounded(auc(own.label[test], scores))})


async def _make(
    plan: CardPlan, rows: Rows, used: Mask, lender: Identity, parties: Sequence[Party], sessions: Sequence[bytes]
) -> tuple[MadeScorecard, Figures]:
    counted = Counted()
    channels = [channel_to(lender, party, counted) for party in parties]
    meter = Meter(parties)
    secret = Metered(make_keys(plan.scheme, plan.bits, os.urandom))
    made = await make_scorecard(
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
    return made, _figures(made, spent) | {
        "bytes_to_hosts": counted.to_hosts,
        "bytes_back": counted.back,
        "scheme": plan.scheme,
        "bits": plan.bits,
        "encrypt_cpu_s": round(secret.encrypt_s, 2),
        "decrypt_cpu_s": round(secret.decrypt_s, 2),
        "guest_cpu_s": round(spent.own_s - secret.encrypt_s - secret.decrypt_s, 2),
    }


def _figures(made: MadeScorecard, spent: Measured) -> Figures:
    return {
        "model": "scorecard",
        "iterations": made.fitted.iterations,
        "features": len(made.fitted.coefficients),
        "features_offered": len(made.fitted.information),
        "cpu_s": round(spent.own_s + spent.hosts_s, 2),
        "wall_s": round(spent.wall_s, 2),
        "backend": kernel.in_use(),
        "adding_cpu_s": round(spent.answering_s, 2),
        "transport_cpu_s": round(spent.hosts_s - spent.answering_s, 2),
        "aligned_by": "psi",
    }


def _evidence(
    twin: MadeScorecard, sides: Together, features: Sequence[Feature], frames: Sequence[pl.DataFrame]
) -> Floats:
    columns = []
    for party, number in features:
        one = sides.parties[party].characteristics[number]
        woe = np.array([*twin.fitted.evidence[party, number], 0], np.float64)
        columns.append(woe[one.codes(frames[party][one.feature])] / 2**16)
    return np.stack(columns, axis=1)


def _in_order(path: Path, ids: Sequence[bytes]) -> pl.DataFrame:
    table = read_table(path)
    place_by_id = {one: place for place, one in enumerate(table.ids)}
    return table.frame[[place_by_id[one] for one in ids]]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)
