"""The lender's signature under a model: Ed25519 (RFC 8032) over its kind and its hash.

The hash says which bytes are meant, the signature that the lender meant them. The kind is signed too, so that
nobody's bytes can be passed off as another kind of artefact. What is signed begins with a line of its own, so that
the key's signatures are of use for nothing else.
"""

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_PURPOSE = b"grainline model signature 1\n"
KEY_BYTES = 32


@dataclass(frozen=True)
class Signer:
    """Who may sign: the lender's private key."""

    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "Signer":
        """Return the signer of a private key of 32 bytes; raise ValueError where it is none."""
        return cls(Ed25519PrivateKey.from_private_bytes(secret))

    @property
    def public_key(self) -> bytes:
        """Return the 32 bytes by which the signature is checked."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, kind: str, sha256: bytes) -> bytes:
        """Return the signature, 64 bytes, of a model of a kind and of the hash of its bytes."""
        return self._key.sign(_signed(kind, sha256))


def is_signed(kind: str, sha256: bytes, *, public_key: bytes, signature: bytes) -> bool:
    """Return whether a signature is that of a public key's owner, of this kind and hash."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _signed(kind, sha256))
    except (InvalidSignature, ValueError):
        return False
    return True


def _signed(kind: str, sha256: bytes) -> bytes:
    return _PURPOSE + kind.encode() + b"\n" + sha256
