"""One month's judgement of people: who qualifies, how, and why not. Pure; who of them is invited, capacity decides.

A person qualifies as `directed` with a total from the threshold on, or as `delayed` (A5) where the total came near it
in so many months in a row, this one included, without falling.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise

import numpy as np
import polars as pl

from grainline.behaviour import Party
from grainline.invitation.points import NOT_SCORED, Integers, Scores, score, values_of
from grainline.invitation.policy import FULL_E2, Dimension, Policy
from grainline.invitation.preconditions import missing


class Way(StrEnum):
    """How somebody qualifies for an invitation."""

    DIRECTED = "directed"
    DELAYED = "delayed"


@dataclass(frozen=True)
class Judged:
    """One member's month: points in 10⁻² (None: not scored), the items' values and points in the policy's order.

    `way` is None for who does not qualify, and `reasons` say why not. `features_hash` is SHA-256 of what was asked for.
    """

    member_id: int
    way: Way | None
    total_e2: int
    dimensions_e2: tuple[int | None, ...]
    supplement_e2: int
    points_e2: list[int]
    values: list[float | None]
    reasons: list[str]
    features_hash: bytes


def judge(policy: Policy, people: pl.DataFrame, month: date, earlier: Mapping[int, Sequence[int]]) -> list[Judged]:
    """Judge people for a month: rows of `member_id`, `supplement_e2`, the facts of `preconditions.FACTS`, and features.

    `earlier` has members' totals of the months before that count, the newest first; after a gap there are fewer.
    Whatever stands in the social platform's features of who withholds the consent to it, is neither looked at nor kept.
    """
    people = _as_consented(policy, people).with_columns(month=pl.lit(month))
    consents = people["consent_social"].to_numpy()
    supplement = people["supplement_e2"].to_numpy().astype(np.int64)
    values = values_of(policy, people)
    scores = score(policy, values, social=consents, supplement_e2=supplement)
    unmet = [(entry.reason, entry.who) for entry in missing(policy, people)]
    short = _shortfalls(policy, scores)
    asked = people.select(pl.col(policy.features).cast(pl.Float64)).rows()
    judged = []
    for row, member_id in enumerate(people["member_id"]):
        total = int(scores.total[row])
        reasons = [reason for reason, who in unmet if who[row]]
        way = None if reasons else _way(policy, total, earlier.get(member_id, ()))
        if way is None:
            reasons += short[row]
        judged.append(
            Judged(
                member_id=member_id,
                way=way,
                total_e2=total,
                dimensions_e2=tuple(None if e2 == NOT_SCORED else int(e2) for e2 in scores.dimensions[row]),
                supplement_e2=int(supplement[row]),
                points_e2=scores.items[row].tolist(),
                values=[None if np.isnan(value) else float(value) for value in values[row]],
                reasons=reasons,
                features_hash=_hash(policy, asked[row]),
            )
        )
    return judged


def _as_consented(policy: Policy, people: pl.DataFrame) -> pl.DataFrame:
    """Return people with the consent as yes or no, and nothing of the social platform without it."""
    consent = pl.col("consent_social").fill_null(value=False)
    return people.with_columns(
        consent, *(pl.when(consent).then(pl.col(name)).alias(name) for name in policy.asked_of(Party.SOCIAL))
    )


def _way(policy: Policy, total: int, earlier: Sequence[int]) -> Way | None:
    if total >= policy.threshold_e2:
        return Way.DIRECTED
    row = [total, *earlier[: policy.delayed.months - 1]]
    near = min(row) >= policy.threshold_e2 - policy.delayed.margin_e2
    sustained = len(row) == policy.delayed.months and all(new >= old for new, old in pairwise(row))
    return Way.DELAYED if near and sustained else None


def _shortfalls(policy: Policy, scores: Scores) -> list[list[str]]:
    """Return for each person below the threshold the dimensions that fall short, the one that costs most first."""
    weights: Integers = np.array([policy.weights_e4[dimension] for dimension in Dimension])
    lost = np.where(scores.dimensions == NOT_SCORED, 0, (FULL_E2 - scores.dimensions) * weights)
    short = (scores.dimensions < policy.threshold_e2) & (lost > 0)
    names = [f"weak_{dimension}" for dimension in Dimension]
    found = []
    for row, order in enumerate(np.argsort(-lost, axis=1, kind="stable")):
        below = scores.total[row] < policy.threshold_e2
        found.append([names[place] for place in order if below and short[row, place]])
    return found


def _hash(policy: Policy, row: Sequence[float | None]) -> bytes:
    return hashlib.sha256(repr((policy.version, policy.features, row)).encode()).digest()
