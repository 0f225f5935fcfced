"""What parties compare instead of people: the hash of a number they all know a person by.

The hash is no protection, for all numbers can be tried; it only gives every id one length and keeps the number itself
out of files and of programs that have no need of it. What protects is the comparison (`psi.py`).
"""

import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import ClassVar

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from grainline.kit.errors import Kind, Refusal

ID_BYTES = 32
MOBILE_DIGITS = 11


class IdKind(StrEnum):
    """By what number people are known."""

    NATIONAL_ID = "national_id"
    PHONE = "phone"
    ANY = "any"  # whatever the files have in common


class BadId(Refusal):
    """An id that is none of its kind; which one, only its owner is told."""

    code: ClassVar[str] = "bad_id"
    kind: ClassVar[Kind] = Kind.INVALID


class DuplicateIds(Refusal):
    """A set in which an id occurs more than once."""

    code: ClassVar[str] = "duplicate_ids"
    kind: ClassVar[Kind] = Kind.CONFLICT


def row_id(kind: IdKind, text: str) -> bytes:
    """Return the id of a row: SHA-256 of the kind and the number in its one form; raise BadId.

    A national id is 18 characters with a right check digit; a phone number is a mainland mobile number without +86.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if kind is not IdKind.ANY:
        plain = "".join(plain.split()).replace("-", "").upper()
    if kind is IdKind.PHONE:
        plain = plain.removeprefix("+86").removeprefix("0086")
    if not _is(kind, plain):
        raise BadId
    return sha256(f"grainline.id.1:{kind}:{plain}".encode()).digest()


def row_ids(kind: IdKind, texts: Iterable[str]) -> list[bytes]:
    """Return the ids of rows, in order; raise BadId, and DuplicateIds if two come out the same."""
    ids = [row_id(kind, text) for text in texts]
    if (twice := len(ids) - len(set(ids))) > 0:
        raise DuplicateIds(count=twice)
    return ids


def _is(kind: IdKind, plain: str) -> bool:
    match kind:
        case IdKind.NATIONAL_ID:
            try:
                return bool(ric.validate(plain) == plain)
            except ValidationError:
                return False
        case IdKind.PHONE:
            return len(plain) == MOBILE_DIGITS and plain.isdecimal() and plain.isascii() and plain.startswith("1")
        case IdKind.ANY:
            return bool(plain)
