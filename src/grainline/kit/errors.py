"""The one base of everything we refuse on purpose.

A refusal is anticipated: a person or a partner asked for something that may not be. It has a stable `code`
(the client's handle), a `kind` (which `entry/http.py` alone maps to a status) and parameters for its text.
A broken invariant is not a refusal: it raises whatever it raises and is an incident.
"""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """Why a request was refused, in the terms of HTTP's families but not bound to its numbers."""

    MALFORMED = "malformed"  # the request itself cannot be read
    INVALID = "invalid"  # it can be read, and what it asks cannot be
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"  # it could be at another moment, or was, differently
    TOO_LARGE = "too_large"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"  # a partner did not answer: never a pass


class Refusal(Exception):
    """A refusal with a stable code; subclasses live beside who raises them.

    `keep` says that what the transaction wrote on the way must be committed all the same: a counted wrong
    try that was rolled back would be no count.
    """

    code: ClassVar[str]
    kind: ClassVar[Kind] = Kind.INVALID
    keep: ClassVar[bool] = False

    def __init__(self, **params: object) -> None:
        super().__init__(self.code, params)
        self.params = params
