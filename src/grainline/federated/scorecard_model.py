"""A scorecard in parts: each party keeps what it may know, and none is of use alone.

The guest's part has the points of every bin: of its own features with what the bins are, of the hosts' by numbers only.
A host's part has what its bins are, under the same numbers: no points. Scaling follows the usual form (Siddiqi 2006):
600 points are odds of 50 good to 1 bad, and 20 points more double the odds.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grainline.federated.model import BadModel, dump_artefact, load_artefact
from grainline.federated.scorecard_bins import Characteristic

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GUEST_KIND = "grainline federated scorecard: the lender's part"
HOST_KIND = "grainline federated scorecard: a data party's part"
GUEST_NOTE = (
    "Useless alone: of another party's features it has points by numbers of bins, and who is in which bin only that"
    " party knows. Scores come from asking all parties whose hashes are named here."
)
HOST_NOTE = "Useless alone: says what the bins are, not how many points they give, or of what."
POINTS_AT_ODDS = (600, 50)
POINTS_TO_DOUBLE = 20
FACTOR = POINTS_TO_DOUBLE / log(2)
OFFSET = POINTS_AT_ODDS[0] - FACTOR * log(POINTS_AT_ODDS[1])
POINTS_MAX = 10**6

Points = Sequence[Sequence[int]]  # by feature and bin


@dataclass(frozen=True)
class ScorecardGuestPart:
    """What the lender keeps: `base` points, its own characteristics with their points, and the hosts' points."""

    model: bytes
    base: int
    characteristics: Sequence[Characteristic]
    points: Points
    host_points: Sequence[Points]
    host_hashes: Sequence[bytes]

    def own_points(self, frame: pl.DataFrame) -> Ints:
        """Return base and points of the lender's own features for every row; raise BadModel where one is missing."""
        return self.base + points_of(self.characteristics, self.points, frame)

    def dump(self) -> bytes:
        """Return the artefact."""
        return dump_artefact(
            {
                "kind": GUEST_KIND,
                "note": GUEST_NOTE,
                "model": self.model.hex(),
                "base": self.base,
                "characteristics": [asdict(one) for one in self.characteristics],
                "points": self.points,
                "host_points": self.host_points,
                "hosts": [one.hex() for one in self.host_hashes],
            }
        )


@dataclass(frozen=True)
class ScorecardHostPart:
    """What a data party keeps."""

    model: bytes
    characteristics: Sequence[Characteristic]

    def dump(self) -> bytes:
        """Return the artefact."""
        kept = [asdict(one) for one in self.characteristics]
        return dump_artefact({"kind": HOST_KIND, "note": HOST_NOTE, "model": self.model.hex(), "characteristics": kept})

    @property
    def sha256(self) -> bytes:
        """Return the hash of the content, by which the guest names this part."""
        return bytes.fromhex(json.loads(self.dump())["sha256"])


def codes_of(characteristics: Sequence[Characteristic], frame: pl.DataFrame) -> Ints:
    """Return the bin of every value, of shape (rows, characteristics); raise BadModel where a column is missing."""
    if any(one.feature not in frame.columns for one in characteristics):
        raise BadModel
    columns = [one.codes(frame[one.feature]) for one in characteristics]
    return np.stack(columns, axis=1) if columns else np.zeros((frame.height, 0), np.int64)


def points_of(characteristics: Sequence[Characteristic], points: Points, frame: pl.DataFrame) -> Ints:
    """Return the points of every row; a value that has no bin gives none."""
    codes, total = codes_of(characteristics, frame), np.zeros(frame.height, np.int64)
    for place, of_bin in enumerate(points):
        total += np.array([*of_bin, 0], np.int64)[codes[:, place]]
    return total


def log_odds(points: Ints) -> Floats:
    """Return the log-odds of default that whole points say."""
    return np.asarray((OFFSET - points) / FACTOR, np.float64)


def read_scorecard_guest_part(data: bytes) -> ScorecardGuestPart:
    """Read the lender's part; raise BadModel."""
    body = load_artefact(data, GUEST_KIND)
    try:
        made = ScorecardGuestPart(
            model=bytes.fromhex(body["model"]),
            base=int(body["base"]),
            characteristics=[read_characteristic(one) for one in body["characteristics"]],
            points=_points(body["points"]),
            host_points=[_points(one) for one in body["host_points"]],
            host_hashes=[bytes.fromhex(one) for one in body["hosts"]],
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadModel from None
    if [one.bins for one in made.characteristics] != [len(one) for one in made.points]:
        raise BadModel
    if len(made.host_points) != len(made.host_hashes):
        raise BadModel
    return made


def read_scorecard_host_part(data: bytes) -> ScorecardHostPart:
    """Read a data party's part; raise BadModel."""
    body = load_artefact(data, HOST_KIND)
    try:
        kept = [read_characteristic(one) for one in body["characteristics"]]
        return ScorecardHostPart(bytes.fromhex(body["model"]), kept)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadModel from None


def read_characteristic(kept: dict[str, Any]) -> Characteristic:
    """Return the characteristic that JSON tells of; raise TypeError, ValueError."""
    rows = {name: tuple(kept[name]) for name in ("edges", "names", "ranges")}
    made = Characteristic(**(kept | rows))
    ranges = len(made.names) if made.is_category else len(made.edges) + 1
    if len(made.ranges) != ranges or not all(0 <= one <= made.bins for one in (*made.ranges, made.others)):
        raise ValueError("bins that do not fit")
    return made


def _points(kept: Sequence[Sequence[int]]) -> Points:
    points = [[int(one) for one in of_bin] for of_bin in kept]
    if any(abs(one) > POINTS_MAX for of_bin in points for one in of_bin):
        raise ValueError("no points")
    return points
