"""A part of a model is taken back only as its party signed it, and a host serves no other."""

import json
import os
from pathlib import Path

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from two_parties import identity_of

from grainline.federated import messages as says
from grainline.federated.identity import Identity, NotAParty, Role
from grainline.federated.inference import DirectionsHost
from grainline.federated.model import BadModel, Condition, HostPart
from grainline.federated.party_model import PARTS, PartyTable, directions_host, parts_of
from grainline.federated.sessions import Opening
from grainline.federated.signed_parts import (
    BadPartSignature,
    keep_part,
    kept_part,
    read_part,
    signer_of,
    signing_key,
    write_part,
)

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
PART = HostPart(b"m" * 16, (Condition("spent", False, 2.5, None, False, True),))
OTHER = HostPart(b"m" * 16, (Condition("spent", False, 9.5, None, False, True),))


@given(st.text())
def test_what_is_signed_is_what_is_read(text: str) -> None:
    content = text.encode(errors="replace")
    signed = write_part(content, KEY)
    assert read_part(signed) == read_part(signed, signer=PUBLIC) == content
    assert signer_of(signed) == PUBLIC


@given(st.data())
def test_a_changed_envelope_is_none(data: st.DataObject) -> None:
    signed = bytearray(write_part(PART.dump(), KEY))
    signed[data.draw(st.integers(0, len(signed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises((BadModel, BadPartSignature)):
        read_part(bytes(signed), signer=PUBLIC)


@given(st.binary(max_size=80))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadModel):
        read_part(data)


def test_another_spelling_of_the_same_envelope_is_refused() -> None:
    body = json.loads(write_part(PART.dump(), KEY))
    for other in (body | {"note": "x"}, body | {"signer": PUBLIC.hex().upper()}, body | {"kind": "another"}, [body]):
        with pytest.raises(BadModel):
            read_part(json.dumps(other, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
    with pytest.raises(BadModel):
        read_part(json.dumps(body).encode())


def test_the_signature_of_another_content_or_of_another_party_is_refused() -> None:
    signed, other = json.loads(write_part(PART.dump(), KEY)), json.loads(write_part(OTHER.dump(), KEY))
    mixed = json.dumps(
        signed | {"content": other["content"]}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    with pytest.raises(BadPartSignature):
        read_part(mixed.encode())
    stranger = write_part(PART.dump(), Ed25519PrivateKey.generate())
    assert read_part(stranger) == PART.dump()
    with pytest.raises(BadPartSignature):
        read_part(stranger, signer=PUBLIC)


def served(identity: Identity, part: bytes) -> says.Directions:
    """Ask a host, as one that was just started, where a part leads."""
    table = PartyTable([b"a" * 32], pl.DataFrame({"spent": [1.0]}))
    make = directions_host(identity, lambda _: table, lambda _: lambda applicant, consent: None)
    host = make(Opening(bytes(16), "lender", os.urandom, None))
    assert isinstance(host, DirectionsHost)
    answer = host.answer(says.DirectionsAsked(part, (b"a" * 32,), ()))
    assert isinstance(answer, says.Directions)
    return answer


def test_a_host_serves_its_part_and_never_one_that_was_tampered_with(tmp_path: Path) -> None:
    identity = identity_of(tmp_path / "payment", Role.PAYMENT)
    keep_part(identity, PARTS, PART.sha256, PART.dump())
    file = tmp_path / "payment" / PARTS / f"{PART.sha256.hex()}.json"
    good = file.read_bytes()
    assert served(identity, PART.sha256).lefts == b"\x80"
    assert [one.dump() for one in parts_of(identity)] == [PART.dump()]
    stranger = Ed25519PrivateKey.generate()
    wrong: list[tuple[bytes, type[Exception]]] = [
        (good.replace(b"2.5", b"9.5"), BadPartSignature),
        (PART.dump(), BadModel),  # not signed at all
        (write_part(PART.dump(), stranger), BadPartSignature),
        (write_part(OTHER.dump(), stranger), BadPartSignature),
        (write_part(OTHER.dump(), signing_key(identity)), BadModel),  # its own, under another's name
        (good[:-1], BadModel),
        (b"", BadModel),
    ]
    for data, refusal in wrong:
        file.write_bytes(data)
        with pytest.raises(refusal):
            served(identity, PART.sha256)
    file.write_bytes(write_part(OTHER.dump(), stranger))
    assert parts_of(identity) == []
    file.unlink()
    with pytest.raises(BadModel):
        kept_part(identity, PARTS, PART.sha256)


def test_who_has_no_key_signs_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotAParty):
        signing_key(Identity(tmp_path))
    identity = identity_of(tmp_path / "payment", Role.PAYMENT)
    identity.key.write_bytes(b"no key")
    with pytest.raises(NotAParty):
        keep_part(identity, PARTS, PART.sha256, PART.dump())
    assert list((tmp_path / "payment" / PARTS).glob("*.json")) == []
