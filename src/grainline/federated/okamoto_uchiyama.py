"""Okamoto-Uchiyama encryption (Eurocrypt 1998), in the form of Coron, Naccache and Paillier (Electronics Letters 1999).

n = p²q. p - 1 is a multiple of a secret prime t. The hiding numbers are the units modulo n whose power to t is 1 modulo
p²; h is one of them, and a ciphertext of m, 0 ≤ m < 2**plaintext_bits < p, is

    c ≡ h**e · (1 + k·p·m) mod p²,    c anything mod q

so that c**t ≡ 1 + t·k·p·m mod p²: a power to the short t and one product give m. In the papers everybody encrypts, as c
= g**m · h**r mod n. Here only the guest does, who knows the factors. It draws e below t, and below q how often p² is
added to c mod p², each uniformly and on its own; so c mod q is uniform too, as the formula would have it with a g that
generates all modulo q and an r as long as n. So ciphertexts of one plaintext are spread evenly over all there are, no
exponent is short, and modulo q there is nothing to compute.

What has to be hard is to factor n, and to tell hiding numbers from other units modulo n. A search for t takes the root
of as many steps as there are numbers to try: 2**114, and 2**132 with 3072 bits, to go with the 112 and 128 bits of
strength that NIST SP 800-57 part 1 grants such moduli. A host needs only n and h.

**Randomness must not repeat.** Two ciphertexts of different plaintexts with the same e or the same c mod q would give p
or q away. Both are therefore taken from a hash of 256 fresh random bits for each ciphertext, all plaintexts of a batch
and the key: should a source of randomness ever repeat itself, as after a virtual machine was copied, equal batches look
alike and nothing more.

**Decryption is a danger.** It reduces modulo p. Who learns what an m ≥ p decrypts to has a multiple of p, and with it
the key; who learns only *whether* it was refused can search for p by halves. So no decrypted number leaves the guest;
40 bits below p are not used, and what decrypts into them is refused, so that such a search takes about 2**40 refused
ciphertexts before it gets anywhere; whoever calls this must end the run at the first one, and keys are made anew for
each run. Nothing here is in constant time: a host must not be shown how long decrypting took.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256, shake_256

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from grainline.federated import kernel
from grainline.federated.chance import draw_below, take
from grainline.federated.fixed_base import BATCH, FixedBase, raised, windows_of
from grainline.federated.he import BadCiphertext, RandomBytes
from grainline.federated.modular_key import ModularKey
from grainline.federated.primes import draw_prime

SCHEME = "okamoto-uchiyama"
GUARD_BITS = 40
WINDOW_BITS = 12
SEED_BYTES = 32
SMALL_PRIMES = [number for number in range(2, 1 << 12) if gmpy2.is_prime(number)]


def exponent_bits(bits: int) -> int:
    """Return how long t is, and by default a host's exponents: over twice the modulus' strength, in whole windows."""
    return 228 if bits < 3072 else 264


def public_key(n: mpz, hiding: mpz, random_bits: int) -> ModularKey:
    """Return the key to give away. Raises BadKey."""
    plaintext_bits = -(-int(n.bit_length()) // 3) - 1 - GUARD_BITS
    return ModularKey(SCHEME, n, n, hiding, random_bits, plaintext_bits, WINDOW_BITS)


@dataclass(frozen=True)
class OkamotoUchiyama:
    """A secret key; `part` is k·p."""

    public: ModularKey
    p: mpz
    q: mpz
    t: mpz
    part: mpz

    @cached_property
    def _p_squared(self) -> mpz:
        return self.p * self.p

    @cached_property
    def _kernel(self) -> kernel.Modulus | None:
        return kernel.modulus(self._p_squared)

    @cached_property
    def _unit(self) -> mpz:
        """The inverse of t·k modulo p, by which c**t gives m."""
        return gmpy2.invert(self.t * (self.part // self.p), self.p)

    @cached_property
    def _hiding_powers(self) -> FixedBase:
        return FixedBase(self.public.hiding, self._p_squared, WINDOW_BITS)

    @cached_property
    def _hedge(self) -> bytes:
        return sha256(b"grainline okamoto-uchiyama" + _bytes_of(self.p)).digest()

    def encrypt(self, plaintexts: Sequence[int], random_bytes: RandomBytes) -> list[mpz]:
        """Encrypt, each with 256 random bits. Raises ValueError for a plaintext out of range."""
        limit = 1 << self.public.plaintext_bits
        if not all(0 <= plaintext < limit for plaintext in plaintexts):
            raise ValueError("a plaintext out of range")
        ciphertexts: list[mpz] = []
        for start in range(0, len(plaintexts), BATCH):
            batch = [mpz(plaintext) for plaintext in plaintexts[start : start + BATCH]]
            ciphertexts += self._encrypt_batch(batch, random_bytes)
        return ciphertexts

    def _encrypt_batch(self, plaintexts: list[mpz], random_bytes: RandomBytes) -> list[mpz]:
        """Encrypt; above c mod p² a uniform multiple of p² below n makes c mod q uniform, whatever c mod p² is."""
        windows, above = self._drawn(plaintexts, random_bytes)
        part, p_squared = self.part, self._p_squared
        factors = [1 + part * plaintext for plaintext in plaintexts]
        of_p = self._hiding_powers.times(factors, windows)
        return [one + p_squared * two for one, two in zip(of_p, above, strict=True)]

    def _drawn(self, plaintexts: list[mpz], random_bytes: RandomBytes) -> tuple[NDArray[np.uint32], list[mpz]]:
        """Return for each plaintext the windows of an exponent below t and a number below q, uniform but for 2**-64."""
        t, q, count = self.t, self.q, len(plaintexts)
        seed = take(SEED_BYTES * count, random_bytes)
        of_plaintext = -(-self.public.plaintext_bits // 8)
        hashed = b"".join([plaintext.to_bytes(of_plaintext, "big") for plaintext in plaintexts])
        of_t, of_q = (-(-int(number.bit_length()) // 8) for number in (t, q))
        size = of_t + of_q + 16
        drawn = shake_256(self._hedge + seed + hashed).digest(size * count)
        exponents, above = [], []
        for at in range(0, len(drawn), size):
            exponents.append((mpz.from_bytes(drawn[at : at + of_t + 8], "big") % t).to_bytes(of_t, "little"))
            above.append(mpz.from_bytes(drawn[at + of_t + 8 : at + size], "big") % q)
        rows = np.frombuffer(b"".join(exponents), np.uint8).reshape(count, of_t)
        return windows_of(rows, int(t.bit_length()), WINDOW_BITS), above

    def decrypt(self, ciphertexts: Sequence[mpz]) -> list[int]:
        """Decrypt; for the guest's own use, never an answer to anybody.

        Raises BadCiphertext for what is not of the group of honest ciphertexts, or of a plaintext out of range. A
        random unit is refused but for a probability of 1/t, a random plaintext but for 2**-40.
        """
        p, unit, limit = self.p, self._unit, 1 << self.public.plaintext_bits
        reduced = [ciphertext % self._p_squared for ciphertext in ciphertexts]
        plaintexts = []
        for power in raised(reduced, self.t, self._p_squared, self._kernel):
            part, one = gmpy2.f_divmod(power, p)
            plaintext = part * unit % p
            if one != 1 or plaintext >= limit:
                raise BadCiphertext("not the sum of honest ciphertexts")
            plaintexts.append(int(plaintext))
        return plaintexts


def _bytes_of(number: mpz) -> bytes:
    return bytes(number.to_bytes(-(-int(number.bit_length()) // 8), "big"))


def make_key(bits: int, random_bits: int, random_bytes: RandomBytes) -> OkamotoUchiyama:
    """Make a key with a modulus of exactly so many bits. Raises BadKey for one that is too short."""
    p_bits = -(-bits // 3)
    t = draw_prime(exponent_bits(bits), random_bytes)
    p = draw_prime(p_bits, random_bytes, lambda number: number - number % (2 * t) + 1)
    q = draw_prime(bits - 2 * p_bits, random_bytes)
    p_squared, cofactor = p * p, (p - 1) // t
    of_p = gmpy2.powmod(draw_below(p_squared, random_bytes), p * cofactor, p_squared)
    if q == p or (p - 1) % q == 0 or (q - 1) % p == 0 or cofactor % t == 0 or of_p % p in (0, 1):
        return make_key(bits, random_bits, random_bytes)
    of_q = _mixing(q, random_bytes)
    hiding = of_q + q * ((of_p - of_q) * gmpy2.invert(q, p_squared) % p_squared)
    part = p * draw_below(p, random_bytes)
    return OkamotoUchiyama(public_key(p_squared * q, hiding, random_bits), p, q, t, part)


def _mixing(q: mpz, random_bytes: RandomBytes) -> mpz:
    """Return a number modulo q that is no l-th power for any small prime l that divides q - 1.

    Otherwise all powers of h would be l-th powers modulo q, and whether a sum is one would tell the guest something of
    which ciphertexts went into it, however a host had made it fresh.
    """
    exponents = [(q - 1) // small for small in SMALL_PRIMES if (q - 1) % small == 0]
    while True:
        number = draw_below(q, random_bytes)
        if all(gmpy2.powmod(number, exponent, q) != 1 for exponent in exponents):
            return number
