"""The lender's keys to which devices seal what they say of themselves, by HPKE (RFC 9180) as `cryptography` does it.

Base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, single-shot. What a sealing is bound to goes into
`info`, which is where RFC 9180, section 8.1, wants it of those who use the single-shot interface.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from grainline.kit.errors import Kind, Refusal

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
# the numbers by which RFC 9180, section 7, knows the three
SUITE_NUMBERS = {"kem": 0x0020, "kdf": 0x0001, "aead": 0x0001}
KEY_ID_BYTES = 8
KEYS_MAX = 8


class EnvironmentKeyUnknown(Refusal):
    """Sealed to a key that is not, or no longer, the lender's: ask for the key and seal anew."""

    code = "environment_key_unknown"
    kind = Kind.CONFLICT


class EnvironmentNotOpened(Refusal):
    """Does not open: changed on the way, cut, sealed to another key, or made in another session."""

    code = "environment_not_opened"


@dataclass(frozen=True)
class LenderKey:
    """One key pair. The id is the beginning of the public key's SHA-256, in hex; the private part is never shown."""

    private: X25519PrivateKey = field(repr=False)
    public: bytes
    key_id: str

    @classmethod
    def of(cls, secret: bytes) -> "LenderKey":
        """Make the pair of 32 random bytes; raise ValueError for another length."""
        private = X25519PrivateKey.from_private_bytes(secret)
        public = private.public_key().public_bytes_raw()
        return cls(private, public, sha256(public).digest()[:KEY_ID_BYTES].hex())


class LenderKeys:
    """The keys that open what devices sealed: the newest is the one handed out, the older ones still open."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """Take secrets of 32 bytes, the newest first; raise ValueError for none, too many, or one twice."""
        keys = [LenderKey.of(secret) for secret in secrets]
        self._known = {key.key_id: key for key in keys}
        if not keys or len(keys) > KEYS_MAX or len(self._known) != len(keys):
            raise ValueError(f"there must be 1 to {KEYS_MAX} lender keys, each once")
        self.newest = keys[0]

    def open(self, sealed: bytes, *, key_id: str, version: int, token_hash: bytes) -> bytes:
        """Open what was sealed in a session; raise EnvironmentKeyUnknown, EnvironmentNotOpened."""
        key = self._known.get(key_id)
        if key is None:
            raise EnvironmentKeyUnknown
        try:
            return SUITE.decrypt(sealed, key.private, binding(key_id, version=version, token_hash=token_hash))
        except (InvalidTag, ValueError):
            raise EnvironmentNotOpened from None


def binding(key_id: str, *, version: int, token_hash: bytes) -> bytes:
    """Return what a sealing is bound to: product and version of the fields, key, session by its token's hash."""
    return f"grainline/environment/{version}\0{key_id}\0".encode("ascii") + token_hash
