"""Random numbers out of a source of random bytes."""

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from grainline.federated.he import RandomBytes


def take(count: int, random_bytes: RandomBytes) -> bytes:
    """Return exactly so many random bytes; raise ValueError where the source gives another number."""
    data = random_bytes(count)
    if len(data) != count:
        raise ValueError("the source of randomness did not give what it was asked for")
    return data


def draw(bits: int, random_bytes: RandomBytes) -> mpz:
    """Return a uniform number below 2**bits."""
    size = -(-bits // 8)
    return mpz.from_bytes(take(size, random_bytes), "big") >> (8 * size - bits)


def draw_below(limit: mpz, random_bytes: RandomBytes) -> mpz:
    """Return a number in 1 … limit-1, uniform but for 2**-64: drawn with 64 bits more, and reduced."""
    return 1 + draw(limit.bit_length() + 64, random_bytes) % (limit - 1)


def draw_exponents(count: int, bits: int, random_bytes: RandomBytes) -> NDArray[np.uint8]:
    """Draw uniform exponents below 2**bits, each on its own, as rows of bytes, lowest byte first."""
    size = -(-bits // 8)
    rows = np.frombuffer(take(count * size, random_bytes), np.uint8).reshape(count, size).copy()
    if bits % 8:
        rows[:, -1] &= (1 << bits % 8) - 1
    return rows
