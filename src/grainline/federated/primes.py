"""Random primes for keys."""

from collections.abc import Callable

import gmpy2
from gmpy2 import mpz

from grainline.federated.chance import draw, draw_below
from grainline.federated.he import RandomBytes

ROUNDS = 64


def is_prime(number: mpz, random_bytes: RandomBytes) -> bool:
    """Tell whether a number of 5 or more is prime; wrong about a composite one with a probability of at most 2**-128.

    First Baillie-Pomerance-Selfridge-Wagstaff, which nothing composite is known to pass; then Miller-Rabin to 64
    bases drawn here, of which any composite number passes each with a probability of at most 1/4 (Rabin 1980).
    """
    if not gmpy2.is_prime(number):
        return False
    return all(gmpy2.is_strong_prp(number, 1 + draw_below(number - 2, random_bytes)) for _ in range(ROUNDS))


def draw_prime(bits: int, random_bytes: RandomBytes, made_of: Callable[[mpz], mpz] = lambda number: number | 1) -> mpz:
    """Return a prime of exactly so many bits, at least 7/8 of 2**bits, so that of three their product has all its bits.

    `made_of` gives a candidate for each random number of such a size, and is not to change its size.
    """
    while True:
        candidate = made_of(mpz(7) << (bits - 3) | draw(bits - 3, random_bytes))
        if is_prime(candidate, random_bytes):
            return candidate
