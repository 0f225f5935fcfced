"""Okamoto-Uchiyama against the scheme as its paper has it, in plain Python integers.

The paper (T. Okamoto, S. Uchiyama, "A new public-key cryptosystem as secure as factoring", Eurocrypt 1998, section 4.1)
encrypts as c = g**m · h**r mod n and decrypts as m = L(c**(p-1) mod p²) / L(g**(p-1) mod p²) mod p, L(x) = (x-1) / p.
"""

import json
import math
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from random import Random

import pytest
from gmpy2 import jacobi, mpz
from he_keys import Counted, key_of
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.federated import okamoto_uchiyama
from grainline.federated.he import BadCiphertext
from grainline.federated.okamoto_uchiyama import OkamotoUchiyama

SCHEME = okamoto_uchiyama.SCHEME


def decrypted_by_the_paper(ciphertext: int, base: int, p: int) -> int:
    def part(number: int) -> int:
        return (pow(number, p - 1, p * p) - 1) // p

    return part(int(ciphertext)) * pow(part(base), -1, p) % p


def the_key(bits: int = 2048) -> OkamotoUchiyama:
    key = key_of(SCHEME, bits)
    assert isinstance(key, OkamotoUchiyama)
    return key


def base_of(key: OkamotoUchiyama, chance: int = 5) -> int:
    """Return a g for the paper's formulas: with the key's part modulo p², and anything else besides."""
    n, hiding = int(key.public.n), int(key.public.hiding)
    p_squared, q = int(key.p) ** 2, int(key.q)
    part = (1 + int(key.part)) * q * pow(q, -1, p_squared) + 3 * p_squared * pow(p_squared, -1, q)
    return part * pow(hiding, chance, n) % n


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([2048, 3072]), st.integers(0, 2**642 - 1), st.integers(0, 2**32))
def test_the_paper_decrypts_a_ciphertext(bits, plaintext, seed):
    key = the_key(bits)
    ciphertext = key.encrypt([plaintext], Random(seed).randbytes)[0]
    assert 0 < ciphertext < key.public.n
    assert decrypted_by_the_paper(ciphertext, base_of(key), int(key.p)) == plaintext


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**642 - 1), st.integers(0, 2**700))
def test_a_ciphertext_of_the_paper_is_decrypted(plaintext, r):
    key = the_key()
    n = int(key.public.n)
    ciphertext = pow(base_of(key), plaintext, n) * pow(int(key.public.hiding), r, n) % n
    assert key.decrypt([ciphertext]) == [plaintext]


def test_ciphertexts_of_one_plaintext_differ_by_hiding_numbers_all_over_the_group():
    key = the_key()
    p, q, t, n = (int(number) for number in (key.p, key.q, key.t, key.public.n))
    one, *others = (int(ciphertext) for ciphertext in key.encrypt([77] * 200, Counted()))
    hiding = [other * pow(one, -1, n) % n for other in others]
    assert all(pow(number, t, p * p) == 1 for number in hiding)
    for modulus in (p, q):
        assert len({number % modulus for number in hiding}) == len(hiding)
        assert all(math.gcd(number - other, n) == 1 for number, other in pairwise(hiding))
    squares = sum(pow(number, (q - 1) // 2, q) == 1 for number in hiding)
    assert 60 < squares < 140  # of 199; further off once in a million keys


def test_the_jacobi_symbol_tells_nothing_of_a_plaintext_or_of_what_was_made_fresh():
    """Anybody can compute it, as all of n = p²q it depends on is c mod q, which is drawn evenly."""
    key = the_key()
    one = key.encrypt([1], Counted())
    for ciphertexts in (
        key.encrypt([0] * 200, Counted()),
        key.encrypt([1] * 200, Counted()),
        key.public.rerandomised(one * 200, Counted()),
    ):
        symbols = [jacobi(ciphertext, key.public.n) for ciphertext in ciphertexts]
        assert set(symbols) == {-1, 1}
        assert 60 < symbols.count(1) < 140  # further off once in a hundred million times


@pytest.mark.parametrize("bits", [2048, 2050, 3072])
def test_a_key_is_as_the_papers_ask(bits):
    key = the_key(bits)
    p, q, t, h = (int(number) for number in (key.p, key.q, key.t, key.public.hiding))
    assert key.public.n == p * p * q
    assert key.public.bits == bits
    assert abs(p.bit_length() - q.bit_length()) <= 2
    assert math.gcd(p, q - 1) == math.gcd(q, p - 1) == 1
    assert (p - 1) % t == 0 and t.bit_length() == okamoto_uchiyama.exponent_bits(bits) >= 224
    assert pow(h, t, p * p) == 1 and h % p != 1
    assert key.part % p == 0 and key.part % (p * p) != 0


@pytest.mark.parametrize("bits", [2048, 2050, 3072])
def test_powers_of_the_hiding_number_reach_every_residue_class_of_small_order(bits):
    key = the_key(bits)
    q, h = int(key.q), int(key.public.hiding)
    for small in range(2, 1000):
        if (q - 1) % small == 0 and all(small % part for part in range(2, small)):
            assert pow(h, (q - 1) // small, q) != 1


def test_what_another_library_encrypted_is_decrypted():
    """A key and ciphertexts of sf-heu 0.5.2 (OU, 2048 bits), out of the Montgomery form that it keeps them in."""
    kept = json.loads((Path(__file__).parent / "okamoto_uchiyama_sf_heu.json").read_text())
    p, q, base, hiding = (int(kept[name], 16) for name in ("p", "q", "base", "hiding"))
    numbers, ciphertexts = ([int(one, 16) for one in kept[name]] for name in ("plaintexts", "ciphertexts"))
    # its t is not told, but p - 1 is a multiple of it and serves as well
    part = (pow(base, p - 1, p * p) - 1) // p * pow(p - 1, -1, p) % p * p
    public = okamoto_uchiyama.public_key(mpz(p * p * q), mpz(hiding), 228)
    key = OkamotoUchiyama(public, mpz(p), mpz(q), mpz(p - 1), mpz(part))
    read = public.read_all(b"".join(one.to_bytes(public.ciphertext_bytes, "big") for one in ciphertexts))
    assert key.decrypt(read) == numbers == [decrypted_by_the_paper(one, base, p) for one in ciphertexts]
    assert key.decrypt([public.total(public.rerandomised(read, Counted()))]) == [sum(numbers)]


def test_all_it_takes_to_break_a_key_is_an_answer_and_none_is_given():
    """A plaintext above p decrypts to its remainder, and the difference is a multiple of p."""
    key = the_key()
    n, too_large = int(key.public.n), 2**690 + 12345
    base = base_of(key)
    chosen = pow(base, too_large, n)
    answer = decrypted_by_the_paper(chosen, base, int(key.p))
    assert math.gcd(too_large - answer, n) == key.p
    with pytest.raises(BadCiphertext):
        key.decrypt([chosen])


def test_what_is_outside_the_group_of_ciphertexts_is_refused_whatever_it_decrypts_to():
    """Here no plaintext is too long, so that only the group tells."""
    key = the_key()
    lenient = replace(key, public=replace(key.public, plaintext_bits=700))
    too_long = pow(base_of(key), 2**681 + 1, int(key.public.n))
    assert lenient.decrypt([too_long]) == [(2**681 + 1) % key.p]
    for outside in (2, 3, int(key.public.n) - too_long):
        with pytest.raises(BadCiphertext):
            lenient.decrypt([outside])


def test_a_host_is_not_given_what_encrypts_a_number():
    """The key it gets has the modulus and the hiding number alone."""
    key = the_key()
    dump = key.public.dump()
    for secret in (key.p, key.q, key.t, key.part):
        assert int(secret).to_bytes(-(-int(secret).bit_length() // 8), "big") not in dump
    for near in (-1, 0, 1):
        assert math.gcd(int(key.public.hiding) + near, int(key.public.n)) == 1


@given(st.lists(st.integers(0, 2**80), min_size=2, max_size=2, unique=True), st.sampled_from([0, 1, 2**255]))
@settings(deadline=None, max_examples=20)
def test_randomness_that_repeats_does_not_give_the_key_away(plaintexts, seed):
    def stuck(count: int) -> bytes:
        return seed.to_bytes(32, "big") * (count // 32)

    key = the_key()
    one, other = (key.encrypt([plaintext], stuck)[0] for plaintext in plaintexts)
    assert math.gcd(int(one - other), int(key.public.n)) == 1
    assert key.encrypt([plaintexts[0]], stuck) == [one]
    together = key.encrypt(plaintexts, stuck)
    assert key.encrypt(plaintexts, stuck) == together
    several = [int(each) for each in (one, other, *together)]
    differences = [abs(first - second) for first, second in combinations(several, 2)]
    assert all(math.gcd(each, int(key.public.n)) == 1 for each in differences)


def test_many_rows_take_several_batches(monkeypatch):
    monkeypatch.setattr(okamoto_uchiyama, "BATCH", 3)
    key = the_key()
    numbers = list(range(10))
    assert key.decrypt(key.encrypt(numbers, Counted())) == numbers
