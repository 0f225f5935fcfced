"""What we ask the identity authority."""

from enum import StrEnum
from typing import Protocol


class IdentityAnswer(StrEnum):
    """What the authority says of a name and a national id."""

    MATCHES = "matches"
    MISMATCH = "mismatch"  # the id exists and belongs to another name
    NOT_FOUND = "not_found"


class IdentityAuthority(Protocol):
    """Knows who a national id belongs to."""

    async def verify(self, name: str, national_id: str) -> IdentityAnswer:
        """Ask whether this name belongs to this 18-character id.

        Raises PartnerUnavailable, which is no answer and never a match.
        """
        ...
