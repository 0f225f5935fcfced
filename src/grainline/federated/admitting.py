"""Whom a party may be asked about: whose consent is right, not withdrawn, and not used before."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from grainline.federated.consent import check_consent
from grainline.federated.identity import Identity, consent_checker
from grainline.federated.party_files import Spent, Withdrawals
from grainline.federated.sessions import Opening
from grainline.kit.errors import Kind, Refusal

Admit = Callable[[bytes, bytes | None], None]


class ConsentMissing(Refusal):
    """A question about a member without their consent."""

    code: ClassVar[str] = "consent_missing"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


def by_consent(
    identity: Identity, *, source: str, purpose: str, clock: Callable[[], datetime]
) -> Callable[[Opening], Admit]:
    """Return what gives, for a session, who may be asked about: an id and its consent, or a refusal.

    The refusals are those of `consent`, ConsentMissing, and NotAParty where the lender's consent key is not on file. A
    consent serves one question; only the question under which a party was killed may be put to it once more.
    """
    withdrawals, spent = Withdrawals(identity.folder), Spent(identity.folder, clock())

    def admits(opening: Opening) -> Admit:
        used: set[bytes] = set()

        def admit(member: bytes, consent: bytes | None) -> None:
            if not consent:
                raise ConsentMissing
            taken = check_consent(
                consent,
                consent_checker(identity),
                member=member,
                source=source,
                purpose=purpose,
                now=clock(),
                withdrawn=withdrawals.members(),
                spend=lambda nonce, expires_at: nonce not in used and spent.spend(opening.session, nonce, expires_at),
            )
            used.add(taken.nonce)

        return admit

    return admits
