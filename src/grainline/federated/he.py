"""Additively homomorphic encryption, behind one small interface.

A plaintext is an integer 0 ≤ m < 2**plaintext_bits. The sum of ciphertexts decrypts to the sum of the plaintexts while
that stays below 2**plaintext_bits; keeping it there is the caller's business (`gradients.py`). What comes over a wire
is taken in by `read`, which refuses what cannot be a ciphertext of this key. Keys are made and read by `keys.py`.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

RandomBytes = Callable[[int], bytes]
Ciphertext = Any  # the scheme's own integer type


class BadCiphertext(Exception):
    """What is no ciphertext of this key: of a wrong length, out of range, not a unit, or of no possible plaintext."""


class PublicKey(Protocol):
    """What a host needs: to add, and to send back sums that cannot be told from fresh ciphertexts."""

    @property
    def scheme(self) -> str:
        """Return the scheme's name, as `make_keys` takes it."""

    @property
    def bits(self) -> int:
        """Return the length of the modulus n."""

    @property
    def plaintext_bits(self) -> int:
        """Return how many bits a plaintext may have."""

    @property
    def ciphertext_bytes(self) -> int:
        """Return how many bytes a written ciphertext has."""

    def add(self, one: Ciphertext, other: Ciphertext) -> Ciphertext:
        """Return a ciphertext of the sum."""

    def total(self, ciphertexts: Sequence[Ciphertext]) -> Ciphertext:
        """Return a ciphertext of the sum of any number, of nought for none (a trivial one)."""

    def totals(
        self, ciphertexts: Sequence[Ciphertext], groups: NDArray[np.integer], count: int
    ) -> Sequence[Ciphertext]:
        """Return the total of each group 0 … count-1; `groups` says of each ciphertext which one it belongs to."""

    def packed(self, ciphertexts: Sequence[Ciphertext], together: int, bits: int) -> list[Ciphertext]:
        """Return for every `together` of them, and for the rest, one of their plaintexts in slots of so many bits.

        The first is in the lowest slot.
        """

    def shift(self, ciphertext: Ciphertext, bits: int) -> Ciphertext:
        """Return a ciphertext of the plaintext times 2**bits."""

    def rerandomised(self, ciphertexts: Sequence[Ciphertext], random_bytes: RandomBytes) -> list[Ciphertext]:
        """Return fresh ciphertexts of the same plaintexts, each with at least 224 random bits."""

    def write(self, ciphertext: Ciphertext) -> bytes:
        """Return the ciphertext in `ciphertext_bytes` bytes, big-endian."""

    def read(self, data: bytes) -> Ciphertext:
        """Return the ciphertext of some bytes; raise BadCiphertext."""

    def write_all(self, ciphertexts: Sequence[Ciphertext]) -> bytes:
        """Return ciphertexts one after the other."""

    def read_all(self, data: bytes) -> list[Ciphertext]:
        """Return the ciphertexts that `write_all` wrote; raise BadCiphertext. Much cheaper than `read` of each."""

    def read_held(self, data: bytes) -> Sequence[Ciphertext]:
        """Return what `read_all` does, in the form in which `totals` takes it soonest; raise BadCiphertext."""

    def dump(self) -> bytes:
        """Return the key as bytes that `read_public_key` takes."""


class SecretKey(Protocol):
    """What only the guest has."""

    @property
    def public(self) -> PublicKey:
        """Return the key to give away."""

    def encrypt(self, plaintexts: Sequence[int], random_bytes: RandomBytes) -> list[Ciphertext]:
        """Encrypt by the fast way of who knows the factors, each with at least 224 random bits.

        Raises ValueError for a plaintext out of range.
        """

    def decrypt(self, ciphertexts: Sequence[Ciphertext]) -> list[int]:
        """Decrypt; for the guest's own use, never an answer to anybody.

        Raises BadCiphertext for what no adding of honest ciphertexts gives.
        """
