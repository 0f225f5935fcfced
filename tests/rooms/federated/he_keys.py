"""Keys for tests, made once a run, and sources of random bytes that can be repeated or counted."""

from dataclasses import dataclass, field
from functools import cache
from random import Random

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
