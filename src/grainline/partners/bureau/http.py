"""The credit bureau over signed HTTP."""

from grainline.partners.bureau import wire
from grainline.partners.bureau.port import Changes, ReportAnswer
from grainline.partners.transport import BadAnswer, Link


class HttpBureau:
    """Implements Bureau over a link whose base is the bureau's address."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def report(self, *, name: str, national_id: str, subject: str, consent: str) -> ReportAnswer:
        """Read a person's report under a consent. Raises PartnerUnavailable."""
        question = wire.question(name=name, national_id=national_id, subject=subject, consent=consent)
        body = await self._link.post("/report", question)
        try:
            return wire.read_answer(body, subject=subject)
        except BadAnswer as error:
            raise self._link.unknown("unreadable") from error

    async def changes(self, *, after: int) -> Changes:
        """Tell whose record changed since. Raises PartnerUnavailable."""
        body = await self._link.get(f"/changes?after={after}")
        try:
            return wire.read_changes(body, after=after)
        except BadAnswer as error:
            raise self._link.unknown("unreadable") from error
