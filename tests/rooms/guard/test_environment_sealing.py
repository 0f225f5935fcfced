"""HPKE as the server opens it: held to RFC 9180's own vectors by a second implementation, and its keys."""

import hmac
import os
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from grainline.entry.settings import BadSettings, Settings, read
from grainline.guard.environment_keys import (
    SUITE,
    SUITE_NUMBERS,
    EnvironmentKeyUnknown,
    EnvironmentNotOpened,
    LenderKey,
    LenderKeys,
    binding,
)

# RFC 9180, A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence number 0
INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
SK_E = bytes.fromhex("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736")
ENC = bytes.fromhex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431")
SK_R = bytes.fromhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8")
PK_R = bytes.fromhex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d")
SHARED = bytes.fromhex("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc")
PT = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
AAD = bytes.fromhex("436f756e742d30")
CT = bytes.fromhex("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a")

KEM_ID = b"KEM" + SUITE_NUMBERS["kem"].to_bytes(2)
HPKE_ID = b"HPKE" + b"".join(SUITE_NUMBERS[name].to_bytes(2) for name in ("kem", "kdf", "aead"))
TOKEN = sha256(b"a session").digest()


def extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    """LabeledExtract of RFC 9180, section 4."""
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """LabeledExpand of RFC 9180, section 4, for at most one block."""
    return hmac.digest(key, length.to_bytes(2) + b"HPKE-v1" + suite + label + info + b"\x01", "sha256")[:length]


def shared_secret(dh: bytes, enc: bytes, recipient: bytes) -> bytes:
    prk = extract(KEM_ID, b"", b"eae_prk", dh)
    return expand(KEM_ID, prk, b"shared_secret", enc + recipient, 32)


def cipher(shared: bytes, info: bytes) -> tuple[AESGCM, bytes]:
    """Key schedule of base mode: the cipher and the nonce of the first message."""
    context = b"\0" + extract(HPKE_ID, b"", b"psk_id_hash", b"") + extract(HPKE_ID, b"", b"info_hash", info)
    secret = extract(HPKE_ID, shared, b"secret", b"")
    return AESGCM(expand(HPKE_ID, secret, b"key", context, 16)), expand(HPKE_ID, secret, b"base_nonce", context, 12)


def seal_by_hand(pt: bytes, recipient: bytes, info: bytes, aad: bytes, ephemeral: bytes) -> bytes:
    private = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = private.public_key().public_bytes_raw()
    dh = private.exchange(X25519PublicKey.from_public_bytes(recipient))
    aead, nonce = cipher(shared_secret(dh, enc, recipient), info)
    return enc + aead.encrypt(nonce, pt, aad)


def open_by_hand(sealed: bytes, secret: bytes, info: bytes, aad: bytes) -> bytes:
    private = X25519PrivateKey.from_private_bytes(secret)
    dh = private.exchange(X25519PublicKey.from_public_bytes(sealed[:32]))
    aead, nonce = cipher(shared_secret(dh, sealed[:32], private.public_key().public_bytes_raw()), info)
    return aead.decrypt(nonce, sealed[32:], aad)


def test_the_hand_made_one_is_rfc_9180() -> None:
    private = X25519PrivateKey.from_private_bytes(SK_R)
    assert private.public_key().public_bytes_raw() == PK_R
    dh = private.exchange(X25519PublicKey.from_public_bytes(ENC))
    assert shared_secret(dh, ENC, PK_R) == SHARED
    assert seal_by_hand(PT, PK_R, INFO, AAD, SK_E) == ENC + CT
    assert open_by_hand(ENC + CT, SK_R, INFO, AAD) == PT


@given(pt=st.binary(max_size=300), info=st.binary(max_size=100))
def test_ours_and_the_hand_made_one_open_each_others(pt: bytes, info: bytes) -> None:
    private = X25519PrivateKey.from_private_bytes(SK_R)
    assert open_by_hand(SUITE.encrypt(pt, private.public_key(), info), SK_R, info, b"") == pt
    assert SUITE.decrypt(seal_by_hand(pt, PK_R, info, b"", SK_E), private, info) == pt


def sealed_for(keys: LenderKeys, text: bytes = b"hello") -> bytes:
    key = keys.newest
    info = binding(key.key_id, version=1, token_hash=TOKEN)
    return SUITE.encrypt(text, X25519PublicKey.from_public_bytes(key.public), info)


def test_what_is_bound_must_be_the_same() -> None:
    keys = LenderKeys([SK_R, SK_E])
    sealed, key_id = sealed_for(keys), keys.newest.key_id
    assert keys.open(sealed, key_id=key_id, version=1, token_hash=TOKEN) == b"hello"
    other = LenderKey.of(SK_E).key_id
    wrong = [
        (sealed, key_id, 2, TOKEN),
        (sealed, key_id, 1, sha256(b"another session").digest()),
        (sealed, other, 1, TOKEN),
        (sealed[:-1], key_id, 1, TOKEN),
        (sealed[:20], key_id, 1, TOKEN),
        (b"", key_id, 1, TOKEN),
        (bytes(32) + sealed[32:], key_id, 1, TOKEN),  # a point of small order
        *((sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :], key_id, 1, TOKEN) for n in range(0, len(sealed), 7)),
    ]
    for content, key, version, token in wrong:
        with pytest.raises(EnvironmentNotOpened):
            keys.open(content, key_id=key, version=version, token_hash=token)


def test_after_a_rotation_the_newest_is_given_and_the_old_one_still_opens_until_it_is_gone() -> None:
    before = LenderKeys([SK_R])
    sealed, old = sealed_for(before), before.newest.key_id
    both = LenderKeys([SK_E, SK_R])
    assert both.newest.key_id != old
    assert both.open(sealed, key_id=old, version=1, token_hash=TOKEN) == b"hello"
    with pytest.raises(EnvironmentKeyUnknown):
        LenderKeys([SK_E]).open(sealed, key_id=old, version=1, token_hash=TOKEN)


def test_there_is_a_key_and_none_twice() -> None:
    for secrets in ([], [SK_R, SK_R], [b"short"], [os.urandom(32) for _ in range(9)]):
        with pytest.raises(ValueError):
            LenderKeys(secrets)
    assert SK_R.hex() not in repr(LenderKey.of(SK_R))


def test_the_first_key_is_made_once_and_a_further_file_is_a_rotation(tmp_path) -> None:
    settings = Settings(data=tmp_path)
    [first] = settings.read_lender_keys()
    assert settings.read_lender_keys() == [first]
    assert (tmp_path / "lender-1.key").stat().st_mode & 0o777 == 0o600
    for number in (2, 10):
        (tmp_path / f"lender-{number}.key").write_bytes(bytes([number]) * 32)
    assert settings.read_lender_keys() == [bytes([10]) * 32, bytes([2]) * 32, first]
    (tmp_path / "lender-1.key").unlink()
    assert len(settings.read_lender_keys()) == 2
    (tmp_path / "lender-2.key").write_bytes(b"too short")
    with pytest.raises(BadSettings):
        settings.read_lender_keys()


def test_keys_from_the_environment_are_not_repeated_in_a_complaint(tmp_path, monkeypatch) -> None:
    given = Settings(data=tmp_path, lender_keys=f"{SK_E.hex()}, {SK_R.hex()}")
    assert given.read_lender_keys() == [SK_E, SK_R]
    for bad in (f"{SK_E.hex()},{SK_E.hex()}", SK_E.hex()[:-2], f"{SK_E.hex()},"):
        monkeypatch.setenv("GRAINLINE_LENDER_KEYS", bad)
        with pytest.raises(BadSettings) as refused:
            read()
        assert "GRAINLINE_LENDER_KEYS" in str(refused.value)
        assert bad not in str(refused.value)
