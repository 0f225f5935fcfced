"""The group in which sets are compared: points of Curve25519 up to their sign, each written as its u, 32 bytes.

`encode_to_curve` is RFC 9380's suite curve25519_XMD:SHA-512_ELL2_NU_ up to the clearing of the cofactor, which the
first multiplication does: every scalar of X25519 (RFC 7748) is a multiple of 8. So what leaves a party is in the
subgroup of prime order 2**252 + 27742317777372353535851937790883648493, whatever came in. The multiplication is
OpenSSL's, by way of `cryptography`, in constant time. What is hashed is no secret from who hashes it, so the map may
take as long as it takes.

An encoding that is not uniform is enough here. The map is invertible and one-to-one up to the sign of its argument, so
a proof may draw points until one lies in its image, and program the hash with the argument.
"""

from collections.abc import Iterable
from hashlib import sha512

import gmpy2
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

POINT_BYTES = 32
SCALAR_BYTES = 32
TAG = b"grainline.psi.1-with-curve25519_XMD:SHA-512_ELL2_NU_"

_P = gmpy2.mpz(2**255 - 19)
_J = gmpy2.mpz(486662)
_HIGH = 2**255
_UNIFORM_BYTES = 48
_BLOCK = sha512(bytes(128))  # of a block of noughts, with which expand_message_xmd begins


class BadPoint(Exception):
    """Bytes that are no point of the curve: out of range, on its twist, or of a small order."""


def encode_to_curve(message: bytes, tag: bytes = TAG) -> bytes:
    """Return the u of a message's point: expand_message_xmd, hash_to_field, Elligator 2 (RFC 9380, 5 and 6.7.1)."""
    ending = tag + bytes((len(tag),))
    first = _BLOCK.copy()
    first.update(message + _UNIFORM_BYTES.to_bytes(2, "big") + b"\0" + ending)
    uniform = sha512(first.digest() + b"\1" + ending).digest()[:_UNIFORM_BYTES]
    return int(_elligator2(gmpy2.mpz(int.from_bytes(uniform, "big")) % _P)).to_bytes(POINT_BYTES, "little")


def _elligator2(argument: gmpy2.mpz) -> gmpy2.mpz:
    """Map a field element to the u of a point; 1 + 2·argument² is never nought, for -1/2 is no square."""
    one = (-_J * gmpy2.invert(1 + 2 * argument * argument, _P)) % _P
    return one if gmpy2.legendre(_square(one), _P) >= 0 else (-one - _J) % _P


def _square(u: gmpy2.mpz) -> gmpy2.mpz:
    return ((u + _J) * u + 1) * u % _P


def check(point: bytes) -> None:
    """Raise BadPoint unless these bytes are the one way to write a point of the curve, other than of order 1 or 2."""
    number = gmpy2.mpz(int.from_bytes(point, "little"))
    if len(point) != POINT_BYTES or number >= _P or gmpy2.legendre(_square(number), _P) != 1:
        raise BadPoint("no point of the curve")


def secret_of(scalar: bytes) -> X25519PrivateKey:
    """Return the secret of 32 random bytes."""
    return X25519PrivateKey.from_private_bytes(scalar)


def multiply(secret: X25519PrivateKey, points: Iterable[bytes]) -> list[bytes]:
    """Return every point multiplied by the secret, in order; raise BadPoint for one of small order."""
    exchange, read = secret.exchange, X25519PublicKey.from_public_bytes
    try:
        return [exchange(read(point)) for point in points]
    except ValueError:
        raise BadPoint("a point of small order") from None
