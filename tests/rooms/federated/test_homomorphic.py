"""What both schemes promise: sums of ciphertexts are ciphertexts of sums, and what is no ciphertext is refused."""

from random import Random

import numpy as np
import pytest
from he_keys import Counted, key_of
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.federated.he import BadCiphertext
from grainline.federated.keys import SCHEMES

schemes = st.sampled_from(SCHEMES)
seeds = st.integers(0, 2**32).map(lambda seed: Random(seed).randbytes)
few = settings(deadline=None, max_examples=25)


def plaintexts(bits: int = 600) -> st.SearchStrategy[int]:
    return st.integers(0, bits).flatmap(lambda length: st.integers(0, 2**length - 1))


@few
@given(schemes, plaintexts(), plaintexts(), seeds)
def test_a_sum_decrypts_to_the_sum(scheme, one, other, random_bytes):
    key = key_of(scheme)
    first, second = key.encrypt([one, other], random_bytes)
    assert key.decrypt([first, second, key.public.add(first, second)]) == [one, other, one + other]


@few
@given(schemes, plaintexts(400), st.integers(0, 200), seeds)
def test_a_shift_multiplies_by_a_power_of_two(scheme, plaintext, bits, random_bytes):
    key = key_of(scheme)
    shifted = key.public.shift(key.encrypt([plaintext], random_bytes)[0], bits)
    assert key.decrypt([shifted]) == [plaintext << bits]


@few
@given(schemes, st.lists(st.tuples(st.integers(0, 2**90), st.integers(0, 4)), max_size=30), seeds)
def test_totals_by_group_are_the_sums_of_the_groups(scheme, rows, random_bytes):
    key = key_of(scheme)
    ciphertexts = key.encrypt([plaintext for plaintext, _ in rows], random_bytes)
    totals = key.public.totals(ciphertexts, np.array([group for _, group in rows], np.int64), 6)
    assert key.decrypt(totals) == [sum(plaintext for plaintext, group in rows if group == one) for one in range(6)]
    assert key.public.total(totals) == key.public.total(ciphertexts)
    assert key.decrypt([key.public.total(ciphertexts)]) == [sum(plaintext for plaintext, _ in rows)]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_group_must_be_told_of(scheme):
    key = key_of(scheme)
    ciphertexts = key.encrypt([1, 2], Counted())
    with pytest.raises(ValueError, match=r"zip|groups"):
        key.public.totals(ciphertexts, np.array([0]), 1)


@few
@given(schemes, st.lists(plaintexts(), min_size=1, max_size=5), seeds)
def test_what_is_made_fresh_looks_different_and_says_the_same(scheme, numbers, random_bytes):
    key = key_of(scheme)
    ciphertexts = key.encrypt(numbers, random_bytes)
    fresh = key.public.rerandomised(ciphertexts, random_bytes)
    assert key.decrypt(fresh) == numbers
    assert len({key.public.write(one) for one in ciphertexts + fresh}) == 2 * len(numbers)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_same_plaintext_never_looks_the_same(scheme):
    key = key_of(scheme)
    ciphertexts = key.encrypt([0] * 20 + [7] * 20, Counted())
    assert len(set(ciphertexts)) == 40


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_plaintext_may_be_as_long_as_promised_and_no_longer(scheme):
    key = key_of(scheme)
    largest = (1 << key.public.plaintext_bits) - 1
    assert key.decrypt(key.encrypt([0, largest], Counted())) == [0, largest]
    for wrong in (-1, largest + 1):
        with pytest.raises(ValueError, match="out of range"):
            key.encrypt([1, wrong], Counted())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_sum_that_grew_too_large_is_refused_and_not_wrapped_round(scheme):
    key = key_of(scheme)
    largest = (1 << key.public.plaintext_bits) - 1
    one, other = key.encrypt([largest, 1], Counted())
    with pytest.raises(BadCiphertext):
        key.decrypt([key.public.add(one, other)])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_ciphertext_has_random_bits_of_its_own(scheme):
    key, counted = key_of(scheme), Counted()
    key.encrypt([1, 2, 3], counted)
    assert counted.drawn * 8 >= 3 * 224
    counted.drawn = 0
    key.public.rerandomised(key.encrypt([1], Counted()) * 4, counted)
    assert counted.drawn * 8 >= 4 * 224


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_random_bit_makes_another_ciphertext(scheme):
    key = key_of(scheme)
    plain = key.encrypt([9], bytes)
    encrypted, fresh = set(plain), set(plain)
    for bit in range(224):

        def one_bit(count: int, number: int = 1 << bit) -> bytes:
            return number.to_bytes(count, "little")

        encrypted.update(key.encrypt([9], one_bit))
        fresh.update(key.public.rerandomised(plain, one_bit))
    assert len(encrypted) == len(fresh) == 225


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_source_that_gives_too_little_is_refused(scheme):
    key = key_of(scheme)
    with pytest.raises(ValueError, match="randomness"):
        key.encrypt([1], lambda count: bytes(count - 1))
    with pytest.raises(ValueError, match="randomness"):
        key.public.rerandomised(key.encrypt([1], Counted()), lambda count: b"")


@few
@given(schemes, st.lists(plaintexts(), max_size=4), seeds)
def test_what_was_written_is_read_again(scheme, numbers, random_bytes):
    key = key_of(scheme)
    ciphertexts = key.encrypt(numbers, random_bytes)
    data = key.public.write_all(ciphertexts)
    assert data == b"".join(key.public.write(one) for one in ciphertexts)
    assert len(data) == key.public.ciphertext_bytes * len(numbers)
    assert key.public.read_all(data) == ciphertexts
    assert [key.public.read(key.public.write(one)) for one in ciphertexts] == ciphertexts


def no_ciphertexts(scheme: str) -> dict[str, bytes]:
    """Return what is none, by what is wrong with it."""
    key = key_of(scheme)
    good, size = key.public.write(key.encrypt([5], Counted())[0]), key.public.ciphertext_bytes
    modulus = key.public.modulus
    numbers = {"nought": 0, "the modulus": modulus, "all ones": (1 << 8 * size) - 1, "p": key.p, "q": key.q}
    numbers |= {"a multiple of p": key.p * 12345, "a multiple of q": key.q * 777, "n or nought": key.public.n % modulus}
    written = {name: int(number).to_bytes(size, "big") for name, number in numbers.items()}
    return written | {"empty": b"", "too short": good[1:], "too long": b"\0" + good, "one and a half": good + good[1:]}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("wrong", no_ciphertexts(SCHEMES[0]))
def test_what_is_no_ciphertext_is_refused(scheme, wrong):
    public, data = key_of(scheme).public, no_ciphertexts(scheme)[wrong]
    with pytest.raises(BadCiphertext):
        public.read(data)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_two_ciphertexts_are_not_one(scheme):
    public = key_of(scheme).public
    with pytest.raises(BadCiphertext):
        public.read(public.write_all(key_of(scheme).encrypt([1, 2], Counted())))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("wrong", no_ciphertexts(SCHEMES[0]))
@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_bad_ciphertext_among_many_is_refused(scheme, wrong, place):
    key, data = key_of(scheme), no_ciphertexts(scheme)[wrong]
    if not data:
        return
    good = [key.public.write(one) for one in key.encrypt([1, 2, 3, 4], Counted())]
    with pytest.raises(BadCiphertext):
        key.public.read_all(b"".join([*good[:place], data, *good[place:]]))


@few
@given(schemes, st.integers(2, 2**4000))
def test_a_made_up_number_does_not_decrypt(scheme, number):
    key = key_of(scheme)
    with pytest.raises(BadCiphertext):
        key.decrypt([number * 2**97 % key.public.modulus])
