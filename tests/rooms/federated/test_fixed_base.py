"""Powers by tables are powers."""

from random import Random

import numpy as np
import pytest
from gmpy2 import mpz
from he_keys import as_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.federated.chance import draw_exponents
from grainline.federated.fixed_base import FixedBase, product, windows_of


@settings(deadline=None, max_examples=30)
@given(
    st.integers(2, 2**64),
    st.integers(2, 2**64),
    st.sampled_from([1, 5, 8, 11, 12, 16]),
    st.lists(st.tuples(st.integers(1, 99), st.integers(0, 2**70)), min_size=1, max_size=4),
)
def test_table_powers_are_powers(base, modulus, window_bits, work):
    tables = FixedBase(mpz(base), mpz(modulus), window_bits)
    windows = windows_of(as_rows([mpz(exponent) for _, exponent in work], 9), 72, window_bits)
    found = tables.times([mpz(factor) for factor, _ in work], windows)
    assert [one % modulus for one in found] == [
        factor * pow(base, exponent, modulus) % modulus for factor, exponent in work
    ]


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 300), st.integers(1, 16), st.integers(0, 2**32))
def test_windows_put_together_are_the_exponents(bits, window_bits, seed):
    exponents = draw_exponents(3, bits, Random(seed).randbytes)
    whole = [int.from_bytes(row.tobytes(), "little") for row in exponents]
    assert all(exponent < 2**bits for exponent in whole)
    windows = windows_of(exponents, bits, window_bits)
    assert windows.max() < 2**window_bits
    places = enumerate(windows.astype(object))
    assert sum(window << place * window_bits for place, window in places).tolist() == whole


@pytest.mark.parametrize("bits", [224, 228, 232])
def test_exponents_use_all_their_bits(bits):
    exponents = draw_exponents(200, bits, Random(1).randbytes)
    seen = np.bitwise_or.reduce(exponents, axis=0)
    assert int.from_bytes(seen.tobytes(), "little") == 2**bits - 1


def test_the_product_of_nothing_is_one():
    assert product([], mpz(77)) == 1
    assert product([mpz(7), mpz(12), mpz(5)], mpz(77)) == 7 * 12 * 5 % 77
