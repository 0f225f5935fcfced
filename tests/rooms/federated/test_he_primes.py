"""Primes for keys."""

from random import Random

import pytest
from gmpy2 import mpz
from he_keys import Counted
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.federated.chance import draw, draw_below
from grainline.federated.primes import draw_prime, is_prime

SIEVED = [number for number in range(5, 2000, 2) if all(number % part for part in range(3, number, 2))]


def test_small_primes_are_those_of_the_sieve():
    assert [number for number in range(5, 2000, 2) if is_prime(mpz(number), Counted())] == SIEVED


@pytest.mark.parametrize(
    "number",
    [
        561,  # the least Carmichael number
        3215031751,  # strong to the bases 2, 3, 5 and 7
        3317044064679887385961981,  # strong to the first 13 primes
        (2**521 - 1) * (2**607 - 1),
        (2**127 - 1) ** 2,
    ],
)
def test_what_fools_simpler_tests_is_composite(number):
    assert not is_prime(mpz(number), Counted())


@pytest.mark.parametrize("number", [2**127 - 1, 2**521 - 1, 2**607 - 1, 2**255 - 19])
def test_known_primes_are_prime(number):
    assert is_prime(mpz(number), Counted())


def test_a_verdict_of_prime_takes_sixty_four_bases():
    counted = Counted()
    assert is_prime(mpz(2**607 - 1), counted)
    assert counted.drawn == 64 * -(-(607 + 64) // 8)


@settings(deadline=None, max_examples=20)
@given(st.integers(20, 300), st.integers(0, 2**32))
def test_a_drawn_prime_has_its_length(bits, seed):
    prime = draw_prime(bits, Random(seed).randbytes)
    assert prime.bit_length() == bits
    assert prime >= mpz(7) << (bits - 3)


@settings(deadline=None)
@given(st.integers(2, 2**80), st.integers(0, 2**32))
def test_drawn_numbers_are_in_range(limit, seed):
    assert 1 <= draw_below(mpz(limit), Random(seed).randbytes) < limit
    assert 0 <= draw(limit.bit_length(), Random(seed).randbytes) < 2 ** limit.bit_length()
