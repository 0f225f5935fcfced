"""Making and reading the keys of either scheme."""

from gmpy2 import mpz

from grainline.federated import okamoto_uchiyama, paillier
from grainline.federated.he import PublicKey, RandomBytes, SecretKey
from grainline.federated.modular_key import HEAD, BadKey, check_size

_SCHEMES = {module.SCHEME: module for module in (okamoto_uchiyama, paillier)}
SCHEMES = tuple(_SCHEMES)


def make_keys(scheme: str, bits: int, random_bytes: RandomBytes, *, random_bits: int | None = None) -> SecretKey:
    """Make a key of `bits` bits, 2048 or more, each of whose ciphertexts hides behind `random_bits`, 224 or more.

    Without `random_bits` the scheme's own number is taken. Raises BadKey, before any work, for a shorter key, fewer
    random bits, or a scheme that is not one of SCHEMES.
    """
    if scheme not in _SCHEMES:
        raise BadKey(f"no scheme {scheme}")
    made_by = _SCHEMES[scheme]
    random_bits = made_by.exponent_bits(bits) if random_bits is None else random_bits
    check_size(bits, random_bits)
    key: SecretKey = made_by.make_key(bits, random_bits, random_bytes)
    return key


def read_public_key(data: bytes) -> PublicKey:
    """Return the key that `dump` wrote.

    Raises BadKey for what is none, or is too weak: a host does not hide its sums behind less than it would itself.
    """
    head, _, numbers = data.partition(b"\n")
    try:
        mark, scheme, bits, random_bits = head.decode("ascii").split(" ")
        made_by, n_bytes, exponent_bits = _SCHEMES[scheme], -(-int(bits) // 8), int(random_bits)
    except (ValueError, KeyError) as error:
        raise BadKey("no key") from error
    if mark.encode() != HEAD or not 0 < n_bytes < len(numbers):
        raise BadKey("no key")
    n, hiding = (int.from_bytes(part, "big") for part in (numbers[:n_bytes], numbers[n_bytes:]))
    key: PublicKey = made_by.public_key(mpz(n), mpz(hiding), exponent_bits)
    if key.dump() != data:
        raise BadKey("a key that is not written as it should be")
    return key
