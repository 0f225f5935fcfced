"""Reject inference, where somebody asks for it: what those who were declined would have done, as an opinion.

A model of the accepted says of each declined person how likely a default is. Then the same kind of model is fitted to
the accepted and to them:

- fuzzy: each declined person twice, as bad by the weight of that probability and as good by the rest (Siddiqi 2006);
- parcel: by tenths of that probability, so many of each dealt bad as it says times a factor, the others good.

Neither knows an outcome. Whoever lends by what a model sees has nothing to infer; where the declined were worse than
the accepted alike in every input, it takes the factor to say so, and no data here can tell which one is right. A model
made in this way says so in its facts, and is measured on the accepted alone.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl
from pydantic import JsonValue

from grainline.scoring.arrays import Label, Matrix, Vector

BANDS = 10
PARCEL_FACTOR = 1.5  # an opinion, as any factor is: told with the result
LIMIT = (
    "The outcomes of the declined are inferred, not known: from the model of the accepted, and, where parcelled, a"
    " factor that somebody chose. Nothing measured here says whether it is better or worse on people like them."
)


class Way(StrEnum):
    """How outcomes are inferred."""

    FUZZY = "fuzzy"
    PARCEL = "parcel"


@dataclass(frozen=True)
class Declined:
    """People who were declined, with the columns of the accepted.

    `factor` is by how much more often the declined of a band default than its model says; 1 where it is `fuzzy`.
    """

    frame: pl.DataFrame
    way: Way
    factor: float = 1.0


@dataclass(frozen=True)
class Inferred:
    """Rows that are added to the accepted in fitting, with their weights."""

    rows: Matrix
    label: Label
    weight: Vector

    @property
    def bad_rate(self) -> float:
        """Return the share of the declined that counts as bad."""
        return float(self.weight[self.label].sum() / self.weight.sum())

    def added(self, rows: Matrix, label: Label) -> tuple[Matrix, Label, Vector]:
        """Return accepted rows, each of weight 1, with these after them."""
        return (
            np.ascontiguousarray(np.vstack([rows, self.rows])),
            np.concatenate([label, self.label]),
            np.concatenate([np.ones(label.size), self.weight]),
        )


def infer(declined: Declined, rows: Matrix, said: Vector, *, seed: int) -> Inferred:
    """Infer outcomes of encoded declined rows from the probabilities of default that a model of the accepted says."""
    if declined.way is Way.FUZZY:
        bad = np.repeat([True, False], said.size)
        return Inferred(np.vstack([rows, rows]), bad, np.concatenate([said, 1 - said]))
    bad = np.zeros(said.size, dtype=np.bool_)
    dealer = np.random.default_rng(seed)
    for band in np.array_split(np.argsort(said, kind="stable"), BANDS):
        if band.size:
            count = round(min(1.0, declined.factor * float(said[band].mean())) * band.size)
            bad[dealer.permutation(band)[:count]] = True
    return Inferred(rows, bad, np.ones(said.size))


def facts_of(declined: Declined, inferred: Inferred) -> dict[str, JsonValue]:
    """Return what a model's facts say of it."""
    return {
        "reject_inference": str(declined.way),
        "reject_inference_declined": declined.frame.height,
        "reject_inference_factor": declined.factor,
        "reject_inference_bad_rate": round(inferred.bad_rate, 6),
        "reject_inference_limit": LIMIT,
    }
