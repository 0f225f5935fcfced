"""What the kernel calculates is what gmpy2 does, to the last bit; and without a kernel all goes on."""

import shutil
from collections.abc import Iterator
from math import prod
from random import Random

import numpy as np
import pytest
from gmpy2 import mpz, powmod
from he_keys import as_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.federated import kernel, kernel_build
from grainline.federated.fixed_base import FixedBase, windows_of
from grainline.federated.he import BadCiphertext
from grainline.federated.keys import SCHEMES, make_keys, read_public_key

HAS_KERNEL = kernel.IFMA in kernel.backends()
needs_kernel = pytest.mark.skipif(
    not HAS_KERNEL, reason="no compiler, or a processor without AVX-512 IFMA: gmpy2 does it"
)
MODULI = [3, 2**51 - 1, 2**206 - 1, 2**206 + 1, 2**1366 - 3, 2**2047 + 9, 2**2048 - 1, 2**3072 - 1, 2**16384 - 1]
COUNTS = [0, 1, 7, 8, 9, 17]


@pytest.fixture(autouse=True)
def afterwards_the_fastest() -> Iterator[None]:
    yield
    kernel.use(None)


def some(modulus: int, count: int, seed: int = 1) -> list[mpz]:
    """Return numbers below the modulus, with those at its edges among them."""
    chance = Random(seed)
    edges = [0, 1, modulus - 1, modulus // 2, modulus - 2, min(2**52, modulus - 1)]
    return [mpz(one) for one in (edges + [chance.randrange(modulus) for _ in range(count)])[:count]]


@needs_kernel
@pytest.mark.parametrize("modulus", MODULI, ids=lambda modulus: f"{modulus.bit_length()} bits")
@pytest.mark.parametrize("count", COUNTS)
def test_every_operation_is_that_of_integers(modulus, count):
    arithmetic, numbers = kernel.Modulus(mpz(modulus)), some(modulus, count)
    others, rows = some(modulus, count, 2)[::-1], arithmetic.rows(numbers)
    pairs = list(zip(numbers, others, strict=True))
    assert arithmetic.numbers(rows) == numbers
    assert arithmetic.numbers(arithmetic.multiplied(rows, arithmetic.rows(others))) == [
        a * b % modulus for a, b in pairs
    ]
    by_last = arithmetic.multiplied(rows, arithmetic.rows([mpz(modulus - 1)]))
    assert arithmetic.numbers(by_last) == [number * (modulus - 1) % modulus for number in numbers]
    for times in (0, 1, 5):
        assert arithmetic.numbers(arithmetic.squared(rows, times)) == [powmod(a, 2**times, modulus) for a in numbers]
    for exponent in (0, 1, 2, 16, 2**68 - 1, 2**68 + 12345):
        assert arithmetic.numbers(arithmetic.power(rows, mpz(exponent))) == [
            powmod(a, exponent, modulus) for a in numbers
        ]
    size = -(-modulus.bit_length() // 8)
    assert arithmetic.numbers(arithmetic.read(b"".join(a.to_bytes(size, "big") for a in numbers))) == numbers


@needs_kernel
@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 2**2100).map(lambda half: 2 * half + 1),
    st.lists(st.tuples(st.integers(0, 2**2100), st.integers(0, 11)), max_size=70),
    st.integers(1, 12),
    st.integers(0, 70),
)
def test_products_by_group_and_in_slots_are_those_of_integers(modulus, work, together, bits):
    arithmetic, numbers = kernel.Modulus(mpz(modulus)), [mpz(number % modulus) for number, _ in work]
    rows, groups = arithmetic.rows(numbers), np.array([group for _, group in work], np.int64)
    totals = arithmetic.numbers(arithmetic.totals(rows, groups, 12))
    assert totals == [prod(n for n, g in zip(numbers, groups, strict=True) if g == one) % modulus for one in range(12)]
    packed = arithmetic.numbers(arithmetic.packed(rows, together, bits))
    chunks = [numbers[first : first + together] for first in range(0, len(numbers), together)]
    expected = [prod(powmod(one, 1 << bits * place, modulus) for place, one in enumerate(chunk)) for chunk in chunks]
    assert packed == [one % modulus for one in expected]


@needs_kernel
def test_one_large_group_among_empty_ones():
    modulus = 2**1024 + 1
    arithmetic, numbers = kernel.Modulus(mpz(modulus)), some(modulus, 5000)[2:]
    totals = arithmetic.totals(arithmetic.rows(numbers), np.full(len(numbers), 3), 300)
    expected = [1] * 300
    for number in numbers:
        expected[3] = expected[3] * int(number) % modulus
    assert arithmetic.numbers(totals) == expected


@needs_kernel
@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 2**400).map(lambda half: 2 * half + 1),
    st.integers(0, 2**400),
    st.integers(1, 9),
    st.lists(st.tuples(st.integers(0, 2**410), st.integers(0, 2**72 - 1)), max_size=20),
)
def test_powers_by_tables_are_powers(modulus, base, window_bits, work):
    factors, exponents = [mpz(factor) for factor, _ in work], [mpz(exponent) for _, exponent in work]
    windows = windows_of(as_rows(exponents, 9), 72, window_bits)
    found = FixedBase(mpz(base), mpz(modulus), window_bits).times(factors, windows)
    kernel.use("portable")
    plain = FixedBase(mpz(base), mpz(modulus), window_bits).times(factors, windows)
    assert found == plain == [factor * powmod(base, exponent, modulus) % modulus for factor, exponent in work]


def both(scheme: str, bits: int):
    """Return the same key twice, one that uses the kernel and one that does not."""
    found = []
    for name in ("native", "portable"):
        kernel.use(name)
        key = make_keys(scheme, bits, Random(f"{scheme} {bits}").randbytes)
        public = read_public_key(key.public.dump())
        public.rerandomised(key.encrypt([1], Random(1).randbytes), Random(2).randbytes)
        key.decrypt([public.total(list(public.read_held(b"")) or [mpz(1)])])
        found.append((key, public))
    return found


@needs_kernel
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("bits", [2048, 3072])
def test_keys_do_the_same_with_and_without(scheme, bits):
    seen = []
    for key, public in both(scheme, bits):
        plaintexts = [0, 1, 2**64, *(Random(3).getrandbits(64) for _ in range(30))]
        written = public.write_all(key.encrypt(plaintexts, Random(4).randbytes))
        held = public.read_held(written)
        totals = public.totals(held, np.arange(len(plaintexts)) % 5, 7)
        packed = public.packed(list(totals), 3, 70)
        fresh = public.rerandomised(packed, Random(5).randbytes)
        assert list(held) == public.read_all(written)
        assert list(totals) == list(public.totals(list(held), np.arange(len(plaintexts)) % 5, 7))
        seen.append((written, list(totals), packed, fresh, key.decrypt(fresh)))
    assert seen[0] == seen[1]
    sums = [sum(plaintexts[group::5]) for group in range(5)] + [0, 0]
    first = [sum(one << 70 * place for place, one in enumerate(sums[at : at + 3])) for at in (0, 3, 6)]
    assert seen[0][-1] == first


@pytest.mark.parametrize("backend", [pytest.param("native", marks=needs_kernel), "portable"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_no_ciphertext_is_refused(backend, scheme):
    kernel.use(backend)
    key = make_keys(scheme, 2048, Random(7).randbytes)
    public, good = key.public, key.public.write_all(key.encrypt([5, 6], Random(8).randbytes))
    size = public.ciphertext_bytes
    modulus = getattr(public, "modulus")  # noqa: B009  # not of the interface
    for bad in (0, modulus, modulus + 1, 2 ** (8 * size) - 1, getattr(key, "p")):  # noqa: B009
        with pytest.raises(BadCiphertext):
            public.read_held(good + int(bad).to_bytes(size, "big") + good)
    for cut in (good[:-1], good + b"\0"):
        with pytest.raises(BadCiphertext):
            public.read_held(cut)
    assert key.decrypt(list(public.read_held(good))) == [5, 6]


@needs_kernel
def test_the_kernel_is_handed_nothing_out_of_range():
    arithmetic = kernel.Modulus(mpz(2**200 + 1))
    rows, tables = arithmetic.rows([mpz(1), mpz(2)]), arithmetic.powers(mpz(3), 2, 2)
    for groups in ([0, 4], [-1, 0], [0], [[0, 1]]):
        with pytest.raises(ValueError):
            arithmetic.totals(rows, np.array(groups), 4)
    for windows in ([[0, 4]], [[0]], [[0, 1]] * 3, [0, 1]):
        with pytest.raises(ValueError):
            arithmetic.times(rows, tables, np.array(windows, np.uint32))
    for wrong in (rows[:, :-1], rows.astype(np.int64), rows[::-1], rows[0]):
        with pytest.raises(ValueError):
            arithmetic.squared(wrong, 1)
    for number in (-1, 2**200 + 1):
        with pytest.raises(ValueError):
            arithmetic.rows([mpz(number)])
    with pytest.raises(ValueError):
        arithmetic.multiplied(rows, rows[:0])
    for modulus in (1, 4, 2**16385 + 1):
        with pytest.raises(ValueError):
            kernel.Modulus(mpz(modulus))


@needs_kernel
def test_numbers_stay_held_until_they_are_looked_at():
    arithmetic, numbers = kernel.Modulus(mpz(2**200 + 1)), some(2**200 + 1, 9)
    held = kernel.Held(arithmetic, arithmetic.rows(numbers))
    some_of = kernel.chosen(kernel.joined([held, held]), np.array([0, 8, 17, 2]))
    assert isinstance(some_of, kernel.Held)
    assert list(some_of) == [numbers[0], numbers[8], numbers[8], numbers[2]]
    assert (held[3], held[-1], held[2:4], len(held)) == (numbers[3], numbers[8], numbers[2:4], 9)
    assert kernel.joined([held, numbers]) == numbers * 2


def test_the_portable_backend_is_always_there_and_can_be_chosen():
    assert kernel.backends()[-1] == kernel.PORTABLE
    assert kernel.in_use() == kernel.backends()[0]
    kernel.use("portable")
    assert kernel.in_use() == kernel.PORTABLE and kernel.modulus(mpz(101)) is None
    with pytest.raises(kernel.NoKernel, match="abacus"):
        kernel.use("abacus")
    assert kernel.in_use() == kernel.PORTABLE


def test_without_a_kernel_the_portable_backend_is_taken(monkeypatch):
    monkeypatch.setattr(kernel, "_library", lambda: None)
    assert kernel.backends() == [kernel.PORTABLE] and kernel.modulus(mpz(101)) is None
    with pytest.raises(kernel.NoKernel):
        kernel.use("native")


def test_without_a_compiler_nothing_is_built_and_nothing_said(tmp_path, monkeypatch, capfd):
    for compilers in ([], ["no-such-compiler"], ["false"], ["true"]):
        assert not kernel_build.build(tmp_path / "lib" / "kernel-1.so", compilers)
    monkeypatch.setattr(kernel_build, "COMPILERS", ())
    monkeypatch.setattr(kernel, "library_path", lambda: tmp_path / "lib" / "kernel-1.so")
    assert kernel_build.main() == 0
    assert list(tmp_path.iterdir()) == [] and capfd.readouterr() == ("", "")


@pytest.mark.skipif(not any(map(shutil.which, kernel_build.COMPILERS)), reason="no compiler")
def test_a_compiler_makes_one_library_in_the_place_of_older_ones(tmp_path):
    (tmp_path / "kernel-old.so").write_bytes(b"")
    target = tmp_path / "kernel-new.so"
    for _ in range(2):
        assert kernel_build.build(target, kernel_build.COMPILERS)
    assert [path.name for path in tmp_path.iterdir()] == ["kernel-new.so"]
