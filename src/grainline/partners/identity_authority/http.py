"""The identity authority over signed HTTP."""

from grainline.partners.identity_authority import wire
from grainline.partners.identity_authority.port import IdentityAnswer
from grainline.partners.transport import BadAnswer, Link


class HttpIdentityAuthority:
    """Implements IdentityAuthority over a link whose base is the authority's address."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def verify(self, name: str, national_id: str) -> IdentityAnswer:
        """Ask whether this name belongs to this 18-character id. Raises PartnerUnavailable."""
        body = await self._link.post("/verify", wire.question(name, national_id))
        try:
            return wire.read_answer(body)
        except BadAnswer as error:
            raise self._link.unknown("unreadable") from error
