"""Asking data parties about one applicant from the running platform: sessions that stay open, and short patience."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from grainline.federated import messages as says
from grainline.federated.channel import PartyAway, PartyChannel, PartyDeclined, Patience
from grainline.federated.consent import NONCE_BYTES, UNDERWRITING, Consent, sign
from grainline.federated.identity import Identity, consent_signer
from grainline.federated.inference import directions_of
from grainline.federated.transport import connector
from grainline.kit.calendar import Clock

WAIT_S = 2.0  # for an answer, with everything that comes before it
PATIENCE = Patience(silence_s=1.0, away_s=WAIT_S, backoff_s=0.1, backoff_max_s=0.5)
AT_ONCE_MOST = 8  # sessions with one party; a party takes 32 connections in all
SESSION_BYTES = 16
TOKEN_LASTS = timedelta(minutes=5)


class AskedParties:
    """The data parties as the platform asks them: the lender is `identity`, `addresses` tells where each one listens.

    `clock` is the machine's, as the parties' clocks are, and no sandbox's. Of use in one event loop. A session whose
    question was left without an answer is given up; the next question has a new one.
    """

    def __init__(
        self,
        identity: Identity,
        addresses: Callable[[], Mapping[str, str]],
        *,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._identity = identity
        self._addresses = addresses
        self._clock = clock
        self._random_bytes = random_bytes
        self._idle: defaultdict[tuple[str, str], list[PartyChannel]] = defaultdict(list)
        self._places: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE_MOST))

    async def directions(self, party: str, part: bytes, splits: int, *, member: bytes) -> bytes:
        """Return where a party's splits of a model lead for a member, under a consent signed for this question.

        Raises PartyAway, PartyDeclined, PartyGarbled, PartyStranger, NotAParty, TimeoutError after WAIT_S, BadMessage.
        """
        address = self._addresses().get(party)
        if address is None:
            raise PartyAway(party=party, seconds=0)
        async with asyncio.timeout(WAIT_S), self._places[party]:
            message = says.DirectionsAsked(part, (member,), (self._token(party, member),))
            idle = self._idle[party, address]
            channel = idle.pop() if idle else self._channel(party, address)
            try:
                answer = await channel.ask(message)
            except PartyDeclined:
                idle.append(channel)
                raise
            except BaseException:
                channel.drop()
                raise
            idle.append(channel)
        return directions_of(answer, splits)

    def close(self) -> None:
        """Let go of all connections."""
        for channels in self._idle.values():
            for channel in channels:
                channel.drop()
        self._idle.clear()

    def _channel(self, party: str, address: str) -> PartyChannel:
        connect = connector(self._identity, party, address)
        return PartyChannel(party, connect, self._random_bytes(SESSION_BYTES), PATIENCE)

    def _token(self, party: str, member: bytes) -> bytes:
        now = self._clock().replace(microsecond=0)
        nonce = self._random_bytes(NONCE_BYTES)
        return sign(Consent(member, party, UNDERWRITING, now, now + TOKEN_LASTS, nonce), self._signer)

    @cached_property
    def _signer(self) -> Ed25519PrivateKey:
        return consent_signer(self._identity)
