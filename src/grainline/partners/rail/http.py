"""The payment rail over signed HTTP."""

from collections.abc import Mapping
from datetime import datetime

from grainline.kit.money import Fen
from grainline.partners.rail import wire
from grainline.partners.rail.port import Answer, Callback, Direction, NoAnswer
from grainline.partners.transport import BadAnswer, KeyConflict, Link, PartnerUnavailable


class HttpRail:
    """Implements Rail over a link whose base is the rail's address; callbacks are under the link's secret."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def pay_out(self, *, key: str, agreement: str, amount_fen: Fen) -> Answer:
        """Order a payout in positive fen. Raises NotTaken, OutcomeUnknown, KeyConflict."""
        return await self._order(Direction.PAYOUT, key=key, agreement=agreement, amount_fen=amount_fen)

    async def payout(self, key: str) -> Answer:
        """Ask what became of a payout. Raises NoAnswer."""
        return await self._ask(Direction.PAYOUT, key)

    async def collect(self, *, key: str, agreement: str, amount_fen: Fen) -> Answer:
        """Order a collection in positive fen. Raises NotTaken, OutcomeUnknown, KeyConflict."""
        return await self._order(Direction.COLLECTION, key=key, agreement=agreement, amount_fen=amount_fen)

    async def collection(self, key: str) -> Answer:
        """Ask what became of a collection. Raises NoAnswer."""
        return await self._ask(Direction.COLLECTION, key)

    def verify_callback(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Callback:
        """Read a callback that is signed and fresh. Raises BadCallbackSignature, MalformedCallback."""
        return wire.read_callback(headers, body, now=now, secret=self._link.secret)

    async def _order(self, direction: Direction, *, key: str, agreement: str, amount_fen: Fen) -> Answer:
        payload = wire.order(key=key, agreement=agreement, amount_fen=amount_fen)
        body = await self._link.post(wire.path(direction), payload)
        try:
            return wire.read_ordered(body, direction=direction, key=key)
        except BadAnswer as error:
            raise self._link.unknown("unreadable") from error

    async def _ask(self, direction: Direction, key: str) -> Answer:
        try:
            return wire.read_asked(await self._link.get(wire.path(direction, key)), direction=direction, key=key)
        except (PartnerUnavailable, KeyConflict) as error:
            raise NoAnswer(**error.params) from error
        except BadAnswer as error:
            raise NoAnswer(partner=self._link.partner, reason="unreadable") from error
