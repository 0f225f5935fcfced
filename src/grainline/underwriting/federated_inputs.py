"""What was learned from the data parties for a decision, as its inputs keep it: enough to score again without them."""

from collections.abc import Mapping
from dataclasses import dataclass

from grainline.members import Consent, Source

CONSENT_NEEDED = "consent_needed"
NOT_ASKED = "not_asked"


@dataclass(frozen=True)
class Directions:
    """What a party said of the applicant: where all its splits of the model lead, one bit each, in hex.

    `part` is the SHA-256 of its part of the model, `consent` the member's consent under which it was asked.
    """

    part: str
    consent: str
    lefts: str


@dataclass(frozen=True)
class Asked:
    """What came of asking for one model: `said` by party, and of each that said nothing why, by a code."""

    said: dict[str, Directions]
    silent: dict[str, str]

    @property
    def is_whole(self) -> bool:
        """Return whether all parties answered: with one missing there is no score."""
        return not self.silent

    def told(self) -> dict[str, bytes]:
        """Return the directions by party."""
        return {party: bytes.fromhex(one.lefts) for party, one in self.said.items()}


@dataclass(frozen=True)
class FederatedInputs:
    """What was `asked` for each federated model, by its hash.

    Where such a model decides, `points_by` names the model that points, sub-scores and reasons come from. Where it was
    to decide and has no score, `instead_of` names it, and the decision's role is `fallback`.
    """

    asked: dict[str, Asked]
    points_by: str | None = None
    instead_of: str | None = None


def nobody(parties: tuple[str, ...], why: str) -> Asked:
    """Return that no party said anything."""
    return Asked({}, dict.fromkeys(parties, why))


def still_consented(asked: Asked, consents: Mapping[Source, Consent]) -> Asked:
    """Return what was said under consents that stand; what was withdrawn meanwhile is not kept."""
    now = {str(source): one.reference for source, one in consents.items()}
    said = {party: one for party, one in asked.said.items() if now.get(party) == one.consent}
    gone = {party: CONSENT_NEEDED for party in asked.said if party not in said}
    return Asked(said, asked.silent | gone)
