"""A host's sums: from encrypted gradients to the left sums of its candidates, and into few ciphertexts.

What a host sends back is added up from ciphertexts that the guest made, so the guest could tell from it which ones they
were; every ciphertext is therefore made fresh before it leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grainline.federated.candidates import Candidates
from grainline.federated.cells import Group, sums_by_bin
from grainline.federated.he import Ciphertext, PublicKey, RandomBytes

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Summing:
    """What stays the same over all sums of a session. `left_bins` has for every candidate which bins are left."""

    key: PublicKey
    candidates: Candidates
    groups: Sequence[Group]
    left_bins: Mask

    def left_sums(self, rows: Rows, ciphertexts: Sequence[Ciphertext], wanted: Sequence[int]) -> dict[int, Ciphertext]:
        """Return the sum over the left of each candidate that is wanted, which must have rows there.

        `ciphertexts` has one for each of `rows`.
        """
        by_feature: dict[int, list[int]] = {}
        for one in wanted:
            by_feature.setdefault(self.candidates.all[one].feature, []).append(one)
        needed: list[Mask] = [np.zeros(self.left_bins.shape[1], np.bool_)] * len(self.candidates.cuts)
        for feature, own in by_feature.items():
            needed[feature] = np.asarray(self.left_bins[own].any(axis=0))
        sums = sums_by_bin(self.key, self.groups, rows, ciphertexts, needed)
        found: dict[int, Ciphertext] = {}
        for feature, own in by_feature.items():
            is_category = self.candidates.cuts[feature].is_category
            found |= (self._of_category if is_category else self._of_numbers)(feature, own, sums[feature])
        return found

    def _of_category(self, feature: int, wanted: Sequence[int], sums: dict[int, Ciphertext]) -> dict[int, Ciphertext]:
        found = {}
        for one in wanted:
            left = self.left_bins[one]
            found[one] = self.key.total([total for place, total in sums.items() if left[place]])
        return found

    def _of_numbers(self, feature: int, wanted: Sequence[int], sums: dict[int, Ciphertext]) -> dict[int, Ciphertext]:
        """Go up from the lowest bin and down from the highest, adding each bin once."""
        ordinary = self.candidates.cuts[feature].ordinary
        of = [self.candidates.all[one] for one in wanted]
        running: dict[tuple[bool, int], Ciphertext | None] = {}
        below = [one.bin for one in of if not one.is_above]
        above = [one.bin for one in of if one.is_above]
        so_far: Ciphertext | None = None
        for place in range(max(below, default=-1) + 1):
            so_far = self._plus(so_far, sums.get(place))
            running[False, place] = so_far
        so_far = None
        for place in range(ordinary - 1, min(above, default=ordinary) - 1, -1):
            running[True, place] = so_far
            so_far = self._plus(so_far, sums.get(place))
        missing = sums.get(ordinary)
        return {
            one: self._plus(running[what.is_above, what.bin], missing if what.missing_left else None)
            for one, what in zip(wanted, of, strict=True)
        }

    def _plus(self, one: Ciphertext | None, other: Ciphertext | None) -> Ciphertext | None:
        if one is None or other is None:
            return one if other is None else other
        return self.key.add(one, other)


def compressed(
    key: PublicKey, sums: Sequence[Ciphertext], slot_bits: int, random_bytes: RandomBytes
) -> list[Ciphertext]:
    """Return the sums with as many to a ciphertext as fit, the first in the lowest slot, made fresh."""
    per_ciphertext = key.plaintext_bits // slot_bits
    return key.rerandomised(key.packed(sums, per_ciphertext, slot_bits), random_bytes)
