"""What we ask the SMS gateway."""

from typing import Protocol


class Sms(Protocol):
    """Carries text messages to phones."""

    async def send(self, *, key: str, phone: str, text: str) -> None:
        """Hand over one message; the same key again is the same message and is not sent twice.

        Raises PartnerUnavailable (send again under the same key) and KeyConflict (same key, other message).
        """
        ...
