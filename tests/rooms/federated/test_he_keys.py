"""Making keys, giving away their public half, and what is refused as too weak."""

from random import Random

import pytest
from he_keys import Counted, key_of
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.federated.keys import SCHEMES, make_keys, read_public_key
from grainline.federated.modular_key import BadKey


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_host_can_work_with_the_key_it_was_sent(scheme):
    key = key_of(scheme)
    read = read_public_key(key.public.dump())
    assert (read.scheme, read.bits) == (scheme, 2048)
    assert read.plaintext_bits == key.public.plaintext_bits
    one, other = read.read_all(key.public.write_all(key.encrypt([20, 22], Counted())))
    back = read.rerandomised([read.add(one, other)], Counted())
    assert key.decrypt([key.public.read(read.write(back[0]))]) == [42]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("bits", [0, 512, 1024, 2047, 9000])
def test_a_short_key_is_not_made(scheme, bits):
    with pytest.raises(BadKey):
        make_keys(scheme, bits, Counted())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_key_of_little_randomness_is_not_made(scheme):
    counted = Counted()
    for random_bits in (0, 110, 223, 1025):
        with pytest.raises(BadKey):
            make_keys(scheme, 2048, counted, random_bits=random_bits)
    assert counted.drawn == 0
    assert make_keys(scheme, 2048, counted, random_bits=224).public.dump() != key_of(scheme).public.dump()


def test_an_unknown_scheme_is_refused():
    with pytest.raises(BadKey):
        make_keys("rot13", 2048, Counted())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_key_is_made_of_nothing_but_the_bytes_given(scheme):
    first, again, another = (make_keys(scheme, 2048, Random(seed).randbytes).public.dump() for seed in (1, 1, 2))
    assert first == again != another


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_source_that_runs_dry_makes_no_key(scheme):
    with pytest.raises(ValueError, match="randomness"):
        make_keys(scheme, 2048, lambda count: bytes(count // 2))


def forged(scheme: str, **changed: int) -> bytes:
    """Return the dump of a key, some of whose numbers are others."""
    public = key_of(scheme).public
    of = {"bits": public.bits, "random_bits": public.exponent_bits, "n": public.n, "h": public.hiding} | changed
    n_bytes, h_bytes = -(-of["bits"] // 8), public.ciphertext_bytes
    head = f"grainline-he-1 {scheme} {of['bits']} {of['random_bits']}\n".encode()
    return head + int(of["n"]).to_bytes(n_bytes, "big") + int(of["h"]).to_bytes(h_bytes, "big")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_weak_or_broken_key_is_not_taken(scheme):
    public = key_of(scheme).public
    assert forged(scheme) == public.dump()
    n = int(public.n)
    wrong = [{"random_bits": 223}, {"random_bits": 2048}, {"bits": 2047}, {"bits": 2049}, {"n": n >> 1}, {"n": n - 1}]
    wrong += [{"h": 0}, {"h": 1}, {"h": int(public.modulus) - 1}, {"h": int(public.modulus)}, {"h": key_of(scheme).p}]
    for changed in wrong:
        with pytest.raises(BadKey):
            read_public_key(forged(scheme, **changed))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_no_key_is_not_taken(scheme):
    dump = key_of(scheme).public.dump()
    head, numbers = dump.split(b"\n", 1)
    wrong = [b"", b"\n", dump[:-1], dump + b"\0", numbers, head, head + b"\n", dump.replace(b"-1 ", b"-2 ")]
    wrong += [dump.replace(b" 2048 ", b" +2048 "), dump.replace(b" 2048 ", b"  2048 "), dump.replace(b"2048", b"-2048")]
    wrong += [dump.replace(scheme.encode(), b"other"), "٢".encode() + dump]
    for data in wrong:
        with pytest.raises(BadKey):
            read_public_key(data)


@settings(deadline=None)
@given(st.binary(max_size=600), st.sampled_from(SCHEMES), st.integers(0, 600))
def test_bytes_are_refused_or_are_a_key_written_just_so(data, scheme, cut):
    """With another hiding power at its end a dump is a key all the same, if another one."""
    for given_bytes in (data, key_of(scheme).public.dump()[:cut] + data):
        try:
            read = read_public_key(given_bytes)
        except BadKey:
            continue
        assert read.dump() == given_bytes
        assert read.bits >= 2048
