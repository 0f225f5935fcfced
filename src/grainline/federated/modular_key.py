"""The public key of either scheme, to add with: ciphertexts are units modulo some number, adding is multiplying.

Okamoto-Uchiyama works modulo n, Paillier modulo n². Both hide a plaintext behind a power of a published number h that
encrypts nought, and so a host makes a ciphertext fresh with another power of h. A host gets n and h and nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from grainline.federated import kernel
from grainline.federated.chance import draw_exponents
from grainline.federated.fixed_base import BATCH, FixedBase, product, windows_of
from grainline.federated.he import BadCiphertext, RandomBytes

MODULUS_BITS_MIN = 2048
MODULUS_BITS_MAX = 8192
EXPONENT_BITS_MIN = 224
HEAD = b"grainline-he-1"


class BadKey(Exception):
    """A key that is too short, draws too little randomness, or is no key."""


def check_size(bits: int, exponent_bits: int) -> None:
    """Raise BadKey for a modulus under 2048 bits or ciphertexts under 224 random bits, or far too many of either."""
    if not MODULUS_BITS_MIN <= bits <= MODULUS_BITS_MAX:
        raise BadKey(f"a key of {bits} bits; {MODULUS_BITS_MIN} to {MODULUS_BITS_MAX} will do")
    if not EXPONENT_BITS_MIN <= exponent_bits <= bits // 2:
        raise BadKey(f"{exponent_bits} random bits a ciphertext; {EXPONENT_BITS_MIN} to {bits // 2} will do")


@dataclass(frozen=True)
class ModularKey:
    """A public key: `modulus` is n or n², `hiding` is h; `exponent_bits` of randomness go into every ciphertext."""

    scheme: str
    n: mpz
    modulus: mpz
    hiding: mpz
    exponent_bits: int
    plaintext_bits: int
    window_bits: int

    def __post_init__(self) -> None:
        check_size(self.bits, self.exponent_bits)
        if self.n % 2 == 0 or not 1 < self.hiding < self.modulus - 1 or gmpy2.gcd(self.hiding, self.n) != 1:
            raise BadKey("numbers that are no key")

    @property
    def bits(self) -> int:
        """Return the length of n."""
        return int(self.n.bit_length())

    @cached_property
    def ciphertext_bytes(self) -> int:
        """Return how many bytes a written ciphertext has."""
        return -(-int(self.modulus.bit_length()) // 8)

    @cached_property
    def _kernel(self) -> kernel.Modulus | None:
        return kernel.modulus(self.modulus)

    @cached_property
    def _powers(self) -> FixedBase:
        return FixedBase(self.hiding, self.modulus, self.window_bits)

    def add(self, one: mpz, other: mpz) -> mpz:
        """Return a ciphertext of the sum."""
        return one * other % self.modulus

    def total(self, ciphertexts: Sequence[mpz]) -> mpz:
        """Return a ciphertext of the sum of any number, of nought for none: the trivial one, 1."""
        return product(list(ciphertexts), self.modulus)

    def totals(self, ciphertexts: Sequence[mpz], groups: NDArray[np.integer], count: int) -> Sequence[mpz]:
        """Return the total of each group 0 … count-1; `groups` says of each ciphertext which one it belongs to."""
        if self._kernel is not None:
            return kernel.Held(self._kernel, self._kernel.totals(self._rows(self._kernel, ciphertexts), groups, count))
        modulus = self.modulus
        totals = [mpz(1)] * count
        for ciphertext, group in zip(ciphertexts, groups.tolist(), strict=True):
            totals[group] = totals[group] * ciphertext % modulus
        return totals

    def packed(self, ciphertexts: Sequence[mpz], together: int, bits: int) -> list[mpz]:
        """Return for every `together` of them, and for the rest, one of their plaintexts in slots of so many bits."""
        if self._kernel is not None:
            rows = self._rows(self._kernel, ciphertexts)
            return self._kernel.numbers(self._kernel.packed(rows, together, bits))
        packed = []
        for first in range(0, len(ciphertexts), together):
            *rest, highest = ciphertexts[first : first + together]
            for lower in reversed(rest):
                highest = self.add(self.shift(highest, bits), lower)
            packed.append(highest)
        return packed

    def _rows(self, arithmetic: kernel.Modulus, ciphertexts: Sequence[mpz]) -> kernel.Rows:
        if isinstance(ciphertexts, kernel.Held) and ciphertexts.modulus is arithmetic:
            return ciphertexts.rows
        return arithmetic.rows(ciphertexts)

    def shift(self, ciphertext: mpz, bits: int) -> mpz:
        """Return a ciphertext of the plaintext times 2**bits."""
        return gmpy2.powmod(ciphertext, mpz(1) << bits, self.modulus)

    def rerandomised(self, ciphertexts: Sequence[mpz], random_bytes: RandomBytes) -> list[mpz]:
        """Return fresh ciphertexts of the same plaintexts, each with `exponent_bits` random bits."""
        fresh: list[mpz] = []
        for start in range(0, len(ciphertexts), BATCH):
            batch = list(ciphertexts[start : start + BATCH])
            exponents = draw_exponents(len(batch), self.exponent_bits, random_bytes)
            windows = windows_of(exponents, self.exponent_bits, self.window_bits)
            fresh += self._powers.times(batch, windows)
        return fresh

    def write(self, ciphertext: mpz) -> bytes:
        """Return the ciphertext in `ciphertext_bytes` bytes, big-endian."""
        return bytes(ciphertext.to_bytes(self.ciphertext_bytes, "big"))

    def read(self, data: bytes) -> mpz:
        """Return the ciphertext of some bytes; raise BadCiphertext unless it is a unit of the modulus."""
        if len(data) != self.ciphertext_bytes:
            raise BadCiphertext("a ciphertext of the wrong length")
        return self.read_all(data)[0]

    def write_all(self, ciphertexts: Sequence[mpz]) -> bytes:
        """Return ciphertexts one after the other."""
        size = self.ciphertext_bytes
        return b"".join([ciphertext.to_bytes(size, "big") for ciphertext in ciphertexts])

    def read_all(self, data: bytes) -> list[mpz]:
        """Return the ciphertexts that `write_all` wrote; raise BadCiphertext unless all are units of the modulus.

        A product is a unit exactly when all its factors are, so that one greatest common divisor serves for all.
        """
        size = self.ciphertext_bytes
        if len(data) % size:
            raise BadCiphertext("ciphertexts of the wrong length")
        read = [mpz.from_bytes(data[at : at + size], "big") for at in range(0, len(data), size)]
        if not all(0 < ciphertext < self.modulus for ciphertext in read):
            raise BadCiphertext("a ciphertext out of range")
        if gmpy2.gcd(product(read, self.modulus), self.n) != 1:
            raise BadCiphertext("a ciphertext that is not a unit")
        return read

    def read_held(self, data: bytes) -> Sequence[mpz]:
        """Return what `read_all` does, in the form in which `totals` takes it soonest; raise BadCiphertext."""
        arithmetic = self._kernel
        if arithmetic is None:
            return self.read_all(data)
        if len(data) % self.ciphertext_bytes:
            raise BadCiphertext("ciphertexts of the wrong length")
        try:
            rows = arithmetic.read(data)
        except ValueError as error:
            raise BadCiphertext("a ciphertext out of range") from error
        whole = arithmetic.numbers(arithmetic.totals(rows, np.zeros(len(rows), np.int64), 1))[0]
        if gmpy2.gcd(whole, self.n) != 1:  # nought is no unit either
            raise BadCiphertext("a ciphertext that is not a unit")
        return kernel.Held(arithmetic, rows)

    def dump(self) -> bytes:
        """Return the key as bytes that `read_public_key` takes: a line of text and n and h, big-endian."""
        head = b"%s %s %d %d\n" % (HEAD, self.scheme.encode(), self.bits, self.exponent_bits)
        return head + bytes(self.n.to_bytes(-(-self.bits // 8), "big")) + self.write(self.hiding)
