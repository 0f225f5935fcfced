"""The card network over signed HTTP."""

from grainline.partners.card_network import wire
from grainline.partners.card_network.port import CardAnswer
from grainline.partners.transport import BadAnswer, Link


class HttpCardNetwork:
    """Implements CardNetwork over a link whose base is the network's address."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def verify(self, *, card_number: str, name: str, national_id: str, phone: str) -> CardAnswer:
        """Check four elements; repeating gives the same agreement. Raises PartnerUnavailable."""
        body = await self._link.post(
            "/verify",
            wire.question(card_number=card_number, name=name, national_id=national_id, phone=phone),
        )
        try:
            return wire.read_answer(body, card_number=card_number)
        except BadAnswer as error:
            raise self._link.unknown("unreadable") from error
