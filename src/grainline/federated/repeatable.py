"""Chance that can be had again: what a host draws in a round follows from the session's secret seed and the round."""

from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

RandomBytes = Callable[[int], bytes]


class Repeatable:
    """A stream of random bytes for each round: AES-256 in counter mode, keyed by the hash of seed and round."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self.begin(0)

    def begin(self, round_: int) -> None:
        """Go to the beginning of a round's stream."""
        key = sha256(b"grainline.round" + self._seed + round_.to_bytes(8, "big")).digest()
        self._stream = Cipher(AES256(key), CTR(bytes(16))).encryptor()

    def draw(self, count: int) -> bytes:
        """Return the next bytes of the round's stream."""
        return self._stream.update(bytes(count))
