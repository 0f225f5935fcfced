"""Sessions whose hosts keep nothing from one round to the next, as questions about one applicant are.

Nothing of them is written down, which would take longer than to answer. A party that was restarted goes on with
whichever round comes next; what it answered before is answered anew, if the host will (a consent serves one session).
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import Protocol

from grainline.federated.repeatable import RandomBytes
from grainline.federated.session_messages import Answer, Ask
from grainline.federated.wire import Message, encode

SESSIONS_MAX = 1024  # the one that was not asked for longest makes room


class Answering(Protocol):
    """What answers."""

    def answer(self, message: Message) -> Message:
        """Answer one message."""


@dataclass
class _Brief:
    peer: str
    host: Answering
    round: int = 0
    digest: bytes = b""
    answer: bytes = b""
    wrong: Exception | None = None  # what the host raised instead


class WrongRound(Exception):
    """A round that is not the next; says which would be, and whether its number is taken by another message."""

    def __init__(self, expected: int, *, taken: bool = False) -> None:
        super().__init__(expected)
        self.expected = expected
        self.taken = taken


class BriefSessions:
    """Such sessions, in memory; one caller at a time for each session."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[bytes, _Brief] = OrderedDict()
        self._lock = Lock()

    def opened_by(self, session: bytes) -> str | None:
        """Return who opened a session, None for one that is not there."""
        known = self._sessions.get(session)
        return known.peer if known else None

    def answer(
        self, peer: str, ask: Ask, message: Message, make: Callable[[RandomBytes], Answering], draw: RandomBytes
    ) -> Answer:
        """Answer a round, the same one in the same bytes; raise WrongRound, or what the host raises.

        A round that the host refuses is over like any other, and the session goes on with the next.
        """
        with self._lock:
            known = self._sessions.get(ask.session) or _Brief(peer, make(draw), ask.round - 1)
            self._sessions[ask.session] = known
            self._sessions.move_to_end(ask.session)
            while len(self._sessions) > SESSIONS_MAX:
                self._sessions.popitem(last=False)
        digest = sha256(ask.body).digest()
        if ask.round == known.round and digest != known.digest:
            raise WrongRound(known.round + 1, taken=True)
        if ask.round not in (known.round, known.round + 1):
            raise WrongRound(known.round + 1)
        if ask.round > known.round:
            known.round, known.digest, known.wrong = ask.round, digest, None
            try:
                known.answer = encode(known.host.answer(message))
            except Exception as wrong:
                known.wrong = wrong
        if known.wrong is not None:
            raise known.wrong
        return Answer(ask.session, ask.round, known.answer)

    def forget(self, session: bytes) -> None:
        """Let go of a session."""
        with self._lock:
            self._sessions.pop(session, None)
