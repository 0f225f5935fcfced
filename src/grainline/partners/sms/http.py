"""The SMS gateway over signed HTTP."""

from grainline.partners.sms import wire
from grainline.partners.transport import BadAnswer, Link


class HttpSms:
    """Implements Sms over a link whose base is the gateway's address."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def send(self, *, key: str, phone: str, text: str) -> None:
        """Hand over one message, once per key. Raises PartnerUnavailable and KeyConflict."""
        body = await self._link.post("/messages", wire.message(key=key, phone=phone, text=text))
        try:
            wire.read_accepted(body, key=key)
        except BadAnswer as error:
            raise self._link.unknown("unreadable") from error
