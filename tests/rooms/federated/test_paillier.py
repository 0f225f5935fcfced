"""Paillier against the scheme as its paper has it, in plain Python integers, and against another library."""

from random import Random

import pytest
from he_keys import Counted, key_of
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.federated.paillier import SCHEME, Paillier


def the_key() -> Paillier:
    key = key_of(SCHEME)
    assert isinstance(key, Paillier)
    return key


def decrypted_by_the_paper(ciphertext: int, p: int, q: int) -> int:
    """P. Paillier, Eurocrypt 1999, scheme 1, with g = n + 1: m = L(c**λ mod n²) / λ mod n, L(x) = (x-1) / n."""
    n, power = p * q, (p - 1) * (q - 1)
    return (pow(ciphertext, power, n * n) - 1) // n * pow(power, -1, n) % n


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**2007 - 1), st.integers(0, 2**32))
def test_a_ciphertext_is_the_papers(plaintext, seed):
    key = the_key()
    n, hiding = int(key.public.n), int(key.public.hiding)
    ciphertext = key.encrypt([plaintext], Random(seed).randbytes)[0]
    r = int.from_bytes(Random(seed).randbytes(key.public.exponent_bits // 8), "little")
    assert ciphertext == pow(n + 1, plaintext, n * n) * pow(hiding, r, n * n) % (n * n)
    assert decrypted_by_the_paper(int(ciphertext), int(key.p), int(key.q)) == plaintext


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**2007 - 1), st.integers(2, 2**2000))
def test_a_ciphertext_of_the_paper_is_decrypted(plaintext, r):
    key = the_key()
    n = int(key.public.n)
    assert key.decrypt([pow(n + 1, plaintext, n * n) * pow(r, n, n * n) % (n * n)]) == [plaintext]


def test_a_known_answer():
    """n = 293 · 433, r = 74384: 10100 is 935906717, which two libraries have in their own tests."""
    n = 293 * 433
    assert (1 + 10100 * n) * pow(74384, n, n * n) % (n * n) == 935906717
    assert decrypted_by_the_paper(935906717, 293, 433) == 10100


def test_a_key_is_as_the_papers_ask():
    key = the_key()
    p, q = int(key.p), int(key.q)
    assert p % 4 == q % 4 == 3 and p != q
    assert p.bit_length() == q.bit_length() == 1024
    assert key.public.exponent_bits == 1024
    # the hiding power encrypts nought, and was made of a non-residue modulo either prime
    assert decrypted_by_the_paper(int(key.public.hiding), p, q) == 0
    assert pow(int(key.public.hiding), (p - 1) // 2, p) == p - 1
    assert pow(int(key.public.hiding), (q - 1) // 2, q) == q - 1


def test_another_library_reads_and_writes_the_same():
    """pypaillier's ciphertexts are ours behind a byte that says the scale; it makes its own hiding power of n."""
    other = pytest.importorskip("paillier")
    key = the_key()
    theirs = other.PublicKey.from_n(int(key.public.n).to_bytes(256, "big"))
    numbers = [0, 5, 2**1000 + 1]
    blobs = [bytes(blob) for blob in other.encrypt_integers(theirs, numbers)]
    read = [key.public.read(blob[1:].rjust(512, b"\0")) for blob in blobs]
    assert key.decrypt(read) == numbers
    ours = key.encrypt(numbers, Counted())
    written = [b"\0" + key.public.write(one).lstrip(b"\0") for one in ours]
    added = bytes(other.add_many(theirs, written + blobs))
    assert int.from_bytes(added[1:], "big") == key.public.total(ours + read)
    assert key.decrypt([key.public.total(ours + read)]) == [2 * sum(numbers)]
