"""Keys for tests, made once a run, and sources of random bytes that can be repeated or counted."""

from dataclasses import dataclass, field
from functools import cache
from random import Random

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from grainline.federated.he import SecretKey
from grainline.federated.keys import make_keys


@cache
def key_of(scheme: str, bits: int = 2048) -> SecretKey:
    return make_keys(scheme, bits, Random(f"{scheme} {bits}").randbytes)


@dataclass
class Counted:
    """Random bytes that remember how many were drawn."""

    source: Random = field(default_factory=lambda: Random(5))
    drawn: int = 0

    def __call__(self, count: int) -> bytes:
        self.drawn += count
        return self.source.randbytes(count)


def as_rows(numbers: list[mpz], size: int) -> NDArray[np.uint8]:
    """Return non-negative numbers as rows of `size` bytes, lowest byte first."""
    data = b"".join([number.to_bytes(size, "little") for number in numbers])
    return np.frombuffer(data, np.uint8).reshape(len(numbers), size)
