"""Personal data at rest: a data key per member, wrapped by the master key; blind indexes for look-ups.

AES-256-GCM with a random 96-bit nonce before the ciphertext (NIST SP 800-38D). The member's id is the associated
data, so that one member's sealed value cannot be put in another's row. Blind indexes are HMAC-SHA256 under keys
derived from the master key by HKDF, one per purpose (RFC 5869). Deleting a member's wrapped key makes every value
sealed under it unreadable, in backups too.
"""

import hmac
from collections.abc import Callable
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

RandomBytes = Callable[[int], bytes]
NONCE_BYTES = 12


class Vault:
    """Holds the master key and does what may be done with it."""

    def __init__(self, master_key: bytes, random_bytes: RandomBytes) -> None:
        if len(master_key) != 32:
            raise ValueError("the master key must have 32 bytes")
        self._random_bytes = random_bytes
        self._wrap = AESGCM(_derive(master_key, b"wrap"))
        self._index_key = _derive(master_key, b"index")
        self._code_key = _derive(master_key, b"code")

    def new_member_key(self, member_id: int) -> bytes:
        """Return a fresh data key for a member, wrapped; only this form is stored."""
        nonce = self._random_bytes(NONCE_BYTES)
        return nonce + self._wrap.encrypt(nonce, self._random_bytes(32), _member(member_id))

    def seal(self, text: str, *, member_id: int, wrapped_key: bytes) -> bytes:
        """Encrypt text under the member's key."""
        nonce = self._random_bytes(NONCE_BYTES)
        key = self._unwrap(wrapped_key, member_id)
        return nonce + key.encrypt(nonce, text.encode(), _member(member_id))

    def unseal(self, sealed: bytes, *, member_id: int, wrapped_key: bytes) -> str:
        """Decrypt what `seal` made; raise cryptography's InvalidTag if it was altered or is another member's."""
        key = self._unwrap(wrapped_key, member_id)
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _member(member_id)).decode()

    def blind_index(self, kind: str, value: str) -> bytes:
        """Return the 32-byte index under which a value of this kind can be found again, and not read."""
        return hmac.digest(self._index_key, f"{kind}\0{value}".encode(), "sha256")

    def code_hash(self, code: str, *, member_id: int, purpose: str, subject: str) -> bytes:
        """Hash a one-time code so that it is good for one member, purpose and subject only."""
        return hmac.digest(self._code_key, f"{member_id}\0{purpose}\0{subject}\0{code}".encode(), "sha256")

    def _unwrap(self, wrapped_key: bytes, member_id: int) -> AESGCM:
        nonce, wrapped = wrapped_key[:NONCE_BYTES], wrapped_key[NONCE_BYTES:]
        return AESGCM(self._wrap.decrypt(nonce, wrapped, _member(member_id)))


def token_hash(token: bytes) -> bytes:
    """Hash a bearer token's 32 random bytes: what is stored cannot be presented."""
    return sha256(token).digest()


def _derive(master_key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"grainline/" + purpose).derive(master_key)


def _member(member_id: int) -> bytes:
    return f"member/{member_id}".encode()
