"""The parties of a scorecard as its fit sees them, and all of them in one place: the plaintext twin.

What the fit asks is answered in whole numbers, exactly. So the twin and the parties who answer under encryption
(`scorecard_guest.py`) make the same scorecard, bit for bit, or one of both is wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from grainline.federated.gradients import Mask
from grainline.federated.scorecard_bins import Binned, Ints
from grainline.federated.scorecard_model import ScorecardHostPart

Feature: TypeAlias = tuple[int, int]  # the party (the guest is 0) and the number of its characteristic
Sums: TypeAlias = Mapping[Feature, tuple[Ints, Ints]]  # of gradient and hessian, by bin
Weights: TypeAlias = Mapping[Feature, Sequence[int]]  # by bin


class Sides(Protocol):
    """All parties of a fit."""

    @property
    def counts(self) -> Mapping[Feature, Ints]:
        """Return the rows in each bin of every feature."""

    async def events(self, label: Mask) -> Mapping[Feature, Ints]:
        """Return of each bin how many of its rows have the label."""

    async def sums(self, gradient: Ints, hessian: Ints, wanted: Sequence[Feature]) -> Sums:
        """Return of each bin of some features the sums of gradient and hessian."""

    async def scores(self, weights: Weights) -> Mapping[int, Ints]:
        """Return, by party, what the weights of the bins of each row add up to; a weight is at most WEIGHT_MAX."""

    async def finish(self, kept: Sequence[Feature]) -> Sequence[bytes]:
        """Let each host keep some of its features, in order; return the hashes of the hosts' parts."""


@dataclass
class Together:
    """The plaintext twin: all parties' rows lie in one place, the guest's first."""

    parties: Sequence[Binned]
    model: bytes
    parts: list[ScorecardHostPart] = field(default_factory=list)

    @property
    def counts(self) -> Mapping[Feature, Ints]:
        """Return the rows in each bin of every feature."""
        return {
            (party, number): rows for party, one in enumerate(self.parties) for number, rows in enumerate(one.counts)
        }

    async def events(self, label: Mask) -> Mapping[Feature, Ints]:
        """Count."""
        return {feature: self._sum(feature, label.astype(np.int64)) for feature in self.counts}

    async def sums(self, gradient: Ints, hessian: Ints, wanted: Sequence[Feature]) -> Sums:
        """Add up."""
        return {feature: (self._sum(feature, gradient), self._sum(feature, hessian)) for feature in wanted}

    async def scores(self, weights: Weights) -> Mapping[int, Ints]:
        """Look up and add."""
        found: dict[int, Ints] = {}
        for (party, number), of_bin in weights.items():
            column = np.array(of_bin, np.int64)[self.parties[party].table[:, number]]
            found[party] = found[party] + column if party in found else column
        return found

    async def finish(self, kept: Sequence[Feature]) -> Sequence[bytes]:
        """Keep the hosts' parts."""
        self.parts = [
            ScorecardHostPart(self.model, [one.characteristics[number] for where, number in kept if where == party])
            for party, one in enumerate(self.parties)
            if party
        ]
        return [part.sha256 for part in self.parts]

    def _sum(self, feature: Feature, values: npt.NDArray[np.int64]) -> Ints:
        """Return sums by bin; exact below 2**53."""
        party, number = feature
        one = self.parties[party]
        sums = np.bincount(one.table[:, number], values.astype(np.float64), one.characteristics[number].bins)
        return sums.astype(np.int64)
