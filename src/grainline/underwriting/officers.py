"""Who may sign as an officer: a person, under a name that is not the platform's own."""

import unicodedata

from grainline.kit.errors import Refusal
from grainline.underwriting.rules_store import SHIPPED, SHIPPED_MAKER

# What the platform signs with what it does by itself, what members ask for, and what it was shipped with.
RESERVED = frozenset({"platform", "member", SHIPPED_MAKER, SHIPPED})


class OfficerNameReserved(Refusal):
    """No person signs by a name under which the platform itself enters something."""

    code = "officer_name_reserved"


def signed_by(name: str) -> str:
    """Return an officer's name without spaces around it; raise OfficerNameReserved, whatever its case and spaces."""
    plain = "".join(unicodedata.normalize("NFKC", name).casefold().split())
    if plain in RESERVED:
        raise OfficerNameReserved(name=name.strip())
    return name.strip()
