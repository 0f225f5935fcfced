"""A stolen row tells nothing, fits no other member, and cannot be altered unnoticed."""

import random

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from grainline.kit.sealing import Vault, token_hash

MASTER_KEY = bytes(range(32))
LI, WANG = 17, 18


def new_vault(master_key: bytes = MASTER_KEY, seed: int = 1) -> Vault:
    return Vault(master_key, random.Random(seed).randbytes)


@pytest.fixture(scope="module")
def vault() -> Vault:
    return new_vault()


@pytest.fixture(scope="module")
def li_key(vault) -> bytes:
    return vault.new_member_key(LI)


@pytest.fixture(scope="module")
def wang_key(vault) -> bytes:
    return vault.new_member_key(WANG)


@given(text=st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_what_was_sealed_is_read_by_its_member(vault, li_key, text):
    sealed = vault.seal(text, member_id=LI, wrapped_key=li_key)
    assert vault.unseal(sealed, member_id=LI, wrapped_key=li_key) == text
    assert not text or text.encode() not in sealed or len(text.encode()) < 4


def test_the_same_name_sealed_twice_looks_different(vault, li_key):
    one, other = (vault.seal("李雷", member_id=LI, wrapped_key=li_key) for _ in range(2))
    assert one != other


def test_a_value_copied_into_another_members_row_cannot_be_read(vault, li_key, wang_key):
    sealed = vault.seal("110101199003070011", member_id=LI, wrapped_key=li_key)
    for member_id, key in ((WANG, wang_key), (WANG, li_key), (LI, wang_key)):
        with pytest.raises(InvalidTag):
            vault.unseal(sealed, member_id=member_id, wrapped_key=key)


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_one_altered_bit_is_noticed_in_the_value_and_in_the_key(vault, li_key, place, bit):
    sealed = vault.seal("李雷", member_id=LI, wrapped_key=li_key)
    with pytest.raises(InvalidTag):
        vault.unseal(_flipped(sealed, place, bit), member_id=LI, wrapped_key=li_key)
    with pytest.raises(InvalidTag):
        vault.unseal(sealed, member_id=LI, wrapped_key=_flipped(li_key, place, bit))


def test_under_another_master_key_nothing_is_read(vault, li_key):
    sealed = vault.seal("李雷", member_id=LI, wrapped_key=li_key)
    with pytest.raises(InvalidTag):
        new_vault(bytes(32)).unseal(sealed, member_id=LI, wrapped_key=li_key)


def test_a_blind_index_finds_the_same_value_again_and_no_other(vault):
    index = vault.blind_index("phone", "10000000001")
    assert len(index) == 32
    assert index == new_vault(seed=2).blind_index("phone", "10000000001")
    others = [
        vault.blind_index("phone", "10000000002"),
        vault.blind_index("national_id", "10000000001"),
        new_vault(bytes(32)).blind_index("phone", "10000000001"),
    ]
    assert index not in others


def test_a_codes_hash_is_good_for_one_member_purpose_and_subject(vault):
    here = {"member_id": LI, "purpose": "sign_contract", "subject": "contract-1"}
    hashes = [
        vault.code_hash("123456", **here),
        vault.code_hash("123457", **here),
        vault.code_hash("123456", **here | {"member_id": WANG}),
        vault.code_hash("123456", **here | {"purpose": "sign_in"}),
        vault.code_hash("123456", **here | {"subject": "contract-2"}),
        vault.blind_index("phone", "123456"),
    ]
    assert len(set(hashes)) == len(hashes)
    assert vault.code_hash("123456", **here) == hashes[0]


def test_a_stored_token_hash_is_not_the_token():
    assert token_hash(bytes(32)) != bytes(32)
    assert token_hash(bytes(32)) == token_hash(bytes(32)) != token_hash(bytes(31) + b"\1")


def test_a_master_key_of_another_length_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(bytes(16), random.Random(1).randbytes)


def _flipped(value: bytes, place: int, bit: int) -> bytes:
    altered = bytearray(value)
    altered[place % len(value)] ^= 1 << bit
    return bytes(altered)
