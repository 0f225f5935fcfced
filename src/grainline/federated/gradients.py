"""Gradients as whole numbers: what is summed, under encryption or not, is exact.

The loss is logistic: with p = 1 / (1 + exp(-score)) the gradient is p - y and the hessian p (1 - p), both rounded to
2**-SCALE_BITS. A plaintext packs the gradient, moved up by its bound so that it is never negative, above the hessian.
Sums over at most `rows` rows then stay within their slots, and as many slots as a plaintext holds go into one
ciphertext.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SCALE_BITS = 17
SCALE = 2**SCALE_BITS


class BadSum(Exception):
    """A decrypted sum that no rows can have: the host did not do as agreed."""


@dataclass(frozen=True)
class Slots:
    """How gradients are packed: `rows` at most in a sum, each weighing at most `weight_max` (1 without sampling).

    Proof of the width: a row's gradient is in [-bound, bound] with bound = weight_max × SCALE, so moved up it is at
    most 2 bound, and a sum of `rows` of them at most 2 bound × rows < 2**gradient_bits; a row's hessian is at most
    bound / 4, a sum of them at most bound × rows / 4 < 2**hessian_bits. So no sum reaches the next slot.
    """

    rows: int
    weight_max: int = 1

    @property
    def bound(self) -> int:
        """Return the largest gradient of one row, in 2**-SCALE_BITS."""
        return int(self.weight_max * SCALE)

    @property
    def hessian_bits(self) -> int:
        """Return the bits of a sum of hessians."""
        return (self.bound * self.rows // 4).bit_length()

    @property
    def bits(self) -> int:
        """Return the bits of a slot: a sum of gradients above a sum of hessians."""
        return (2 * self.bound * self.rows).bit_length() + self.hessian_bits

    def pack(self, gradient: Ints, hessian: Ints) -> list[int]:
        """Return one plaintext a row."""
        moved, bits = (gradient + self.bound).tolist(), self.hessian_bits
        return [high << bits | low for high, low in zip(moved, hessian.tolist(), strict=True)]

    def unpack(self, plaintexts: Sequence[int], counts: Sequence[int], per_ciphertext: int) -> tuple[Ints, Ints]:
        """Return the sums of gradient and hessian of as many slots as there are counts; raise BadSum.

        `counts` has the rows of each sum, by which the move is taken back.
        """
        sums = np.zeros((2, len(counts)), np.int64)
        bound, bits, hessian_bits = self.bound, self.bits, self.hessian_bits
        low, slot = (1 << hessian_bits) - 1, (1 << bits) - 1
        for place, count in enumerate(counts):
            index, within = divmod(place, per_ciphertext)
            packed = plaintexts[index] >> within * bits & slot
            gradient, hessian = (packed >> hessian_bits) - count * bound, packed & low
            if abs(gradient) > count * bound or 4 * hessian > count * bound:
                raise BadSum(f"gradient {gradient} and hessian {hessian} are no sums of {count} rows")
            sums[:, place] = gradient, hessian
        return sums[0], sums[1]


def logistic(score: Floats, label: Mask, weight: Floats | None = None) -> tuple[Ints, Ints]:
    """Return gradient and hessian of every row in 2**-SCALE_BITS, rounded half to even; a hessian is at least 1."""
    chance = 1.0 / (1.0 + np.exp(-score))
    factor = SCALE if weight is None else SCALE * weight
    gradient = np.rint((chance - label) * factor).astype(np.int64)
    hessian = np.rint(chance * (1.0 - chance) * factor).astype(np.int64)
    return gradient, np.maximum(hessian, 1)


def log_loss(score: Floats, label: Mask) -> float:
    """Return the mean logistic loss of some rows."""
    return float(np.mean(np.logaddexp(0.0, np.where(label, -score, score))))


@dataclass(frozen=True)
class Sampling:
    """Gradient-based one-side sampling: the `top` share by |gradient| and a random `rest` share of all rows.

    The rest weigh (1 - top) / rest, so that sums stay unbiased (Ke et al., LightGBM, NeurIPS 2017). Costs accuracy
    where rows are few: an option, not the default.
    """

    top: float
    rest: float

    def __post_init__(self) -> None:
        if not (0 < self.top < 1 and 0 < self.rest <= 1 - self.top):
            raise ValueError("sampling: both shares above 0, and at most 1 together")

    @property
    def weight_max(self) -> int:
        """Return the bound of a row's weight, rounded up."""
        return ceil((1 - self.top) / self.rest)

    def draw(self, gradient: Ints, among: Mask, seed: Sequence[int]) -> tuple[Mask, Floats]:
        """Return which rows are sampled of those among, and the weight of every row."""
        rows = np.flatnonzero(among)
        order = rows[np.argsort(-np.abs(gradient[rows]), kind="stable")]
        top = ceil(self.top * len(rows))
        others = order[top:]
        drawn = np.random.default_rng(seed).permutation(others)[: ceil(self.rest * len(rows))]
        sampled, weight = np.zeros(len(among), np.bool_), np.ones(len(among))
        sampled[order[:top]] = sampled[drawn] = True
        weight[drawn] = (1 - self.top) / self.rest
        return sampled, weight
