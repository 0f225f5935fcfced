"""Adding up encrypted weights by row, several rows to a ciphertext, with additions alone.

To pack rows, a host would have to move each sum to its place, which takes as many squarings as there are bits. So the
guest sends every weight once for each place, already moved there, which costs it some thousand encryptions; the host
adds, for all rows of a ciphertext, what their bins weigh, and makes the sum fresh.
"""

from collections.abc import Sequence
from math import isqrt

import numpy as np

from grainline.federated.he import Ciphertext, PublicKey, RandomBytes, SecretKey
from grainline.federated.scorecard_bins import Ints
from grainline.federated.wire import BadMessage

SLOTS_MAX = 2**12
WeightsBySlot = list[list[list[Ciphertext]]]  # by slot, feature and bin


def slots_of(key: PublicKey, slot_bits: int, weights: int, rows: int, bytes_max: int) -> int:
    """Return how many rows go to a ciphertext, for so many weights in a message of so many bytes; 1 at least.

    More of them make fewer sums to decrypt and more weights to encrypt; a sum costs about eight times a weight.
    """
    weights = max(1, weights)
    even = 1 + isqrt(8 * rows // weights)
    fitting = min(key.plaintext_bits // slot_bits, bytes_max // (weights * key.ciphertext_bytes))
    return max(1, min(fitting, even, rows, SLOTS_MAX))


def moved_weights(
    secret: SecretKey, weights: Sequence[int], slots: int, slot_bits: int, random_bytes: RandomBytes
) -> bytes:
    """Return the weights of all bins, encrypted for each slot."""
    plaintexts = [one << slot * slot_bits for slot in range(slots) for one in weights]
    return secret.public.write_all(secret.encrypt(plaintexts, random_bytes))


def weights_by_bin(key: PublicKey, data: bytes, slots: int, bins: Sequence[int]) -> WeightsBySlot:
    """Return what `moved_weights` made, by slot, feature and bin; raise BadMessage, BadCiphertext."""
    ciphertexts = key.read_all(data)
    if len(ciphertexts) != slots * sum(bins):
        raise BadMessage("weights of other bins")
    taken = iter(ciphertexts)
    return [[[next(taken) for _ in range(count)] for count in bins] for _ in range(slots)]


def packed_scores(key: PublicKey, weights: WeightsBySlot, codes: Ints, random_bytes: RandomBytes) -> list[Ciphertext]:
    """Return the sums of the weights of each row's bins, made fresh; `codes` is of shape (rows, features)."""
    slots, sums = len(weights), []
    rows = codes.tolist()
    for first in range(0, len(rows), slots):
        chosen = [
            of_feature[code]
            for of_slot, row in zip(weights, rows[first : first + slots], strict=False)
            for of_feature, code in zip(of_slot, row, strict=True)
        ]
        sums.append(key.total(chosen))
    return key.rerandomised(sums, random_bytes)


def unpacked_scores(plaintexts: Sequence[int], rows: int, slots: int, slot_bits: int) -> Ints:
    """Return what each row's weights add up to; raise BadMessage for another number of ciphertexts, or too much."""
    if len(plaintexts) != -(-rows // slots):
        raise BadMessage("scores of another number of rows")
    low = (1 << slot_bits) - 1
    places = [divmod(row, slots) for row in range(rows)]
    found = [plaintexts[index] >> place * slot_bits & low for index, place in places]
    within = [min(slots, rows - first) * slot_bits for first in range(0, rows, slots)]
    if any(one >> bits for one, bits in zip(plaintexts, within, strict=True)):
        raise BadMessage("scores beyond the last row")
    return np.array(found, np.int64)
