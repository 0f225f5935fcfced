"""Paillier encryption (Eurocrypt 1999), in the form of Damgård, Jurik and Nielsen (IJIS 2010) with s = 1.

n = p·q with p ≡ q ≡ 3 mod 4, h = (-x²)**n mod n² for a random x, and

    c = (1 + m·n) · h**r mod n²,    0 ≤ m < n,    0 ≤ r < 2**exponent_bits

Exponents of half the length of n cannot be told from full ones unless factoring is easy (Goldreich and Rosen, Journal
of Cryptology 2003), and so half the length is the default. It is the conservative choice: n has only two factors,
nothing short is hidden in them, and what a plaintext decrypts to says nothing of the key. It takes three to
seventeen times as long.

Still no decrypted number leaves the guest: encryption of this kind is never safe against who chooses ciphertexts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import gmpy2
from gmpy2 import mpz

from grainline.federated import kernel
from grainline.federated.chance import draw_below, draw_exponents
from grainline.federated.fixed_base import BATCH, FixedBase, raised, windows_of
from grainline.federated.he import BadCiphertext, RandomBytes
from grainline.federated.modular_key import ModularKey
from grainline.federated.primes import draw_prime

SCHEME = "paillier"
GUARD_BITS = 40
WINDOW_BITS = 8


def exponent_bits(bits: int) -> int:
    """Return how long the random exponents are by default: half the modulus."""
    return bits // 2


def public_key(n: mpz, hiding: mpz, random_bits: int) -> ModularKey:
    """Return the key to give away. Raises BadKey."""
    plaintext_bits = int(n.bit_length()) - 1 - GUARD_BITS
    return ModularKey(SCHEME, n, n * n, hiding, random_bits, plaintext_bits, WINDOW_BITS)


@dataclass(frozen=True)
class Paillier:
    """A secret key."""

    public: ModularKey
    p: mpz
    q: mpz

    @cached_property
    def _squares(self) -> tuple[mpz, mpz]:
        return self.p * self.p, self.q * self.q

    @cached_property
    def _powers(self) -> tuple[FixedBase, FixedBase]:
        p_squared, q_squared = self._squares
        hiding = self.public.hiding
        return FixedBase(hiding, p_squared, WINDOW_BITS), FixedBase(hiding, q_squared, WINDOW_BITS)

    def encrypt(self, plaintexts: Sequence[int], random_bytes: RandomBytes) -> list[mpz]:
        """Encrypt, each with `exponent_bits` random bits. Raises ValueError for a plaintext out of range."""
        limit = 1 << self.public.plaintext_bits
        if not all(0 <= plaintext < limit for plaintext in plaintexts):
            raise ValueError("a plaintext out of range")
        ciphertexts: list[mpz] = []
        for start in range(0, len(plaintexts), BATCH):
            batch = [mpz(plaintext) for plaintext in plaintexts[start : start + BATCH]]
            exponents = draw_exponents(len(batch), self.public.exponent_bits, random_bytes)
            windows = windows_of(exponents, self.public.exponent_bits, WINDOW_BITS)
            factors = [1 + plaintext * self.public.n for plaintext in batch]
            one, other = (
                powers.times([factor % powers.modulus for factor in factors], windows) for powers in self._powers
            )
            ciphertexts += _joined(one, other, *self._squares)
        return ciphertexts

    def decrypt(self, ciphertexts: Sequence[mpz]) -> list[int]:
        """Decrypt; for the guest's own use, never an answer to anybody.

        Raises BadCiphertext for a plaintext out of range, as a random ciphertext has but for 2**-40.
        """
        one, other = (self._decrypted(ciphertexts, prime) for prime in (self.p, self.q))
        plaintexts = [int(plaintext) for plaintext in _joined(one, other, self.p, self.q)]
        if not all(plaintext < 1 << self.public.plaintext_bits for plaintext in plaintexts):
            raise BadCiphertext("not the sum of honest ciphertexts")
        return plaintexts

    def _decrypted(self, ciphertexts: Sequence[mpz], prime: mpz) -> list[mpz]:
        """Return the plaintexts modulo one prime factor (Paillier 1999, section 7)."""
        square = prime * prime
        reduced = [ciphertext % square for ciphertext in ciphertexts]
        powers = raised(reduced, prime - 1, square, kernel.modulus(square))
        unit = gmpy2.invert((prime - 1) * (self.public.n // prime) % prime, prime)
        return [(power // prime) * unit % prime for power in powers]


def _joined(of_p: list[mpz], of_q: list[mpz], p: mpz, q: mpz) -> list[mpz]:
    """Return the numbers with these residues, p and q being coprime."""
    inverse = gmpy2.invert(q, p)
    return [two + q * ((one - two) * inverse % p) for one, two in zip(of_p, of_q, strict=True)]


def make_key(bits: int, random_bits: int, random_bytes: RandomBytes) -> Paillier:
    """Make a key with a modulus of exactly so many bits. Raises BadKey for one that is too short."""
    half = -(-bits // 2)
    p = draw_prime(half, random_bytes, lambda number: number | 3)
    q = draw_prime(bits - half, random_bytes, lambda number: number | 3)
    n = p * q
    if p == q or gmpy2.gcd(n, (p - 1) * (q - 1)) != 1:
        return make_key(bits, random_bits, random_bytes)
    x = draw_below(n, random_bytes)
    hiding = gmpy2.powmod(-x * x % n, n, n * n)
    return Paillier(public_key(n, hiding, random_bits), p, q)
