"""The party's side of sessions: each round answered once, in order, and the same for ever after.

A session is a folder. A request is written down before it is worked on and its answer before it is sent, so a party
that is killed at any moment and started again goes on: it makes the host anew, puts the rounds since the last
checkpoint to it again, and must come to the same bytes. Hosts draw only from the `random_bytes` they are given, which
is a stream keyed by the session's secret seed and the round. A request is fixed before its stream is used, so no stream
serves two requests.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Protocol, runtime_checkable

from grainline.federated.brief_sessions import BriefSessions, WrongRound
from grainline.federated.records import Record, SessionFolder
from grainline.federated.repeatable import RandomBytes, Repeatable
from grainline.federated.session_messages import Answer, Ask, Close, Closed, Declined
from grainline.federated.session_refusals import (
    HostFailed,
    MessageRefused,
    SessionConflict,
    SessionExpired,
    SessionNotYours,
    SessionOutOfOrder,
    SessionReplayed,
)
from grainline.federated.wire import BadMessage, Message, decode, encode, name_of
from grainline.kit.errors import Refusal

RUNNING_MAX = 16  # hosts in memory
ID_BYTES = 16


class Host(Protocol):
    """A party's part in a protocol: a state machine that is asked and answers, and draws only what it is given."""

    def answer(self, message: Message) -> Message:
        """Answer one message; raise a Refusal, which ends the session, or BadMessage for what it does not take."""


@runtime_checkable
class Checkpoints(Protocol):
    """What a host may offer besides, to be spared the rounds before."""

    def checkpoint(self) -> bytes | None:
        """Return all that is needed to go on from here, or None where it is not worth keeping."""


@dataclass(frozen=True)
class Opening:
    """What a host is made of."""

    session: bytes
    peer: str  # the name under which the asking party's certificate is pinned
    random_bytes: RandomBytes
    checkpoint: bytes | None


MakeHost = Callable[[Opening], Host]


@dataclass
class _Running:
    host: Host
    chance: Repeatable


@dataclass
class Sessions:
    """The sessions of a party, in a folder; `hosts` makes a host by the name of a session's first message.

    `brief` names the first messages of those whose hosts keep nothing between rounds (`brief_sessions`).
    """

    folder: Path
    hosts: Mapping[str, MakeHost]
    random_bytes: RandomBytes
    report: Callable[[str, Exception], None]  # is told of what broke, with the session's id in hex
    brief: frozenset[str] = frozenset()
    _brief: BriefSessions = field(default_factory=BriefSessions)
    _running: dict[bytes, _Running] = field(default_factory=dict)
    _locks: dict[bytes, tuple[Lock, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def handle(self, peer: str, request: Message) -> Message:
        """Return the answer to an Ask or a Close of this peer: Answer, Closed or Declined; raise BadMessage.

        Requests of one session wait for each other; those of several may come from several threads.
        """
        if not isinstance(request, Ask | Close):
            raise BadMessage(f"{name_of(request)} asks nothing")
        with self._locked(request.session):
            try:
                return self._close(peer, request) if isinstance(request, Close) else self._answer(peer, request)
            except Refusal as refusal:
                round_ = request.round if isinstance(request, Ask) else 1
                return Declined(request.session, round_, refusal.code, _numbers(refusal))

    def expire(self, before: datetime) -> int:
        """End the sessions that nobody went on with since a moment; return how many. Their ids stay spent."""
        found = [bytes.fromhex(path.name) for path in self.folder.glob("?" * 2 * ID_BYTES) if path.is_dir()]
        return sum(self._expired(session, before.timestamp()) for session in found)

    def _expired(self, session: bytes, before_s: float) -> bool:
        kept = SessionFolder(self.folder, session)
        with self._locked(session):
            if kept.over() is not None or kept.touched_s() >= before_s:
                return False
            self._running.pop(session, None)
            if kept.exists():
                kept.end(SessionExpired.code)
            else:
                kept.remove()
            return True

    @contextmanager
    def _locked(self, session: bytes) -> Iterator[None]:
        """Hold a session; its lock is there as long as somebody holds it or waits."""
        with self._lock:
            lock, waiting = self._locks.get(session, (Lock(), 0))
            self._locks[session] = lock, waiting + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, waiting = self._locks.pop(session)
                if waiting > 1:
                    self._locks[session] = lock, waiting - 1

    def _close(self, peer: str, request: Close) -> Closed:
        if self._brief.opened_by(request.session) == peer:
            self._brief.forget(request.session)
        kept = SessionFolder(self.folder, request.session)
        if kept.exists():
            if kept.record().peer != peer:
                raise SessionNotYours
            kept.end()
            self._running.pop(request.session, None)
        return Closed(request.session)

    def _answer(self, peer: str, ask: Ask) -> Message:
        kept = SessionFolder(self.folder, ask.session)
        if not kept.exists():
            return self._first(peer, ask, kept)
        if kept.record().peer != peer:
            raise SessionNotYours
        if (code := kept.over()) is not None:
            last = kept.last_asked()
            if code and ask.round == last.round and last.asks(ask.body):
                return Declined(ask.session, ask.round, code, "")
            raise SessionReplayed(round=ask.round)
        last_round = kept.last_round()
        if ask.round < last_round:
            raise SessionReplayed(round=ask.round)
        if ask.round > last_round + 1:
            raise SessionOutOfOrder(round=ask.round, expected=last_round + 1)
        if ask.round == last_round:
            return self._again(ask, kept, same=kept.last_asked().asks(ask.body))
        message = _taken(ask)
        running = self._running.pop(ask.session, None) or self._resumed(kept, before=ask.round)
        kept.write_ask(ask.round, ask.body)
        return self._work(ask, kept, running, message)

    def _first(self, peer: str, ask: Ask, kept: SessionFolder) -> Message:
        message = _taken(ask)
        if name_of(message) in self.brief or self._brief.opened_by(ask.session):
            return self._briefly(peer, ask, message)
        if ask.round != 1:
            raise SessionOutOfOrder(round=ask.round, expected=1)
        if name_of(message) not in self.hosts:
            raise MessageRefused
        kept.open(Record(peer=peer, first=name_of(message), seed=self.random_bytes(32)), ask.body)
        return self._work(ask, kept, self._made(kept), message)

    def _briefly(self, peer: str, ask: Ask, message: Message) -> Message:
        def make(draw: RandomBytes) -> Host:
            return self.hosts[name_of(message)](Opening(ask.session, peer, draw, None))

        if self._brief.opened_by(ask.session) not in (None, peer):
            raise SessionNotYours
        try:
            return self._brief.answer(peer, ask, message, make, self.random_bytes)
        except WrongRound as wrong:
            if wrong.taken:
                raise SessionConflict(round=ask.round) from None
            late = ask.round < wrong.expected
            raise (SessionReplayed if late else SessionOutOfOrder)(round=ask.round, expected=wrong.expected) from None
        except Refusal:
            raise
        except Exception as broke:
            self.report(ask.session.hex(), broke)
            raise (MessageRefused if isinstance(broke, BadMessage) else HostFailed) from broke

    def _again(self, ask: Ask, kept: SessionFolder, *, same: bool) -> Message:
        if not same:
            raise SessionConflict(round=ask.round)
        answered = kept.answered(ask.round)
        if answered is not None:
            return Answer(ask.session, ask.round, answered)
        return self._work(ask, kept, self._resumed(kept, before=ask.round), _taken(ask))

    def _made(self, kept: SessionFolder, checkpoint: bytes | None = None) -> _Running:
        record = kept.record()
        chance = Repeatable(record.seed)
        try:
            host = self.hosts[record.first](Opening(kept.session, record.peer, chance.draw, checkpoint))
        except Exception as wrong:
            raise self._ended(kept, wrong) from wrong
        return _Running(host, chance)

    def _resumed(self, kept: SessionFolder, *, before: int) -> _Running:
        """Make the host again and take it to where it was before a round."""
        since, checkpoint = kept.checkpoint()
        running = self._made(kept, checkpoint)
        for round_ in range(since + 1, before):
            running.chance.begin(round_)
            try:
                again = encode(running.host.answer(decode(kept.ask(round_))))
                if (answered := kept.answered(round_)) is not None and answered != again:
                    raise RuntimeError(f"round {round_} came out differently")
            except Exception as wrong:
                raise self._ended(kept, wrong) from wrong
        return running

    def _work(self, ask: Ask, kept: SessionFolder, running: _Running, message: Message) -> Message:
        running.chance.begin(ask.round)
        try:
            answer = encode(running.host.answer(message))
            point = running.host.checkpoint() if isinstance(running.host, Checkpoints) else None
        except Exception as wrong:
            raise self._ended(kept, wrong) from wrong
        kept.write_answer(ask.round, answer)
        if point is not None:
            kept.write_checkpoint(ask.round, point)
        self._running[ask.session] = running
        self._make_room()
        return Answer(ask.session, ask.round, answer)

    def _make_room(self) -> None:
        """Put the oldest out of memory where there are too many; they come back from their folders."""
        with self._lock:
            while len(self._running) > RUNNING_MAX:
                self._running.pop(next(iter(self._running)), None)

    def _ended(self, kept: SessionFolder, wrong: Exception) -> Refusal:
        """End a session that broke or was refused, and return the refusal that says so."""
        self._running.pop(kept.session, None)
        bad = MessageRefused() if isinstance(wrong, BadMessage) else HostFailed()
        refusal = wrong if isinstance(wrong, Refusal) else bad
        self.report(kept.session.hex(), wrong)
        kept.end(refusal.code)
        return refusal


def _taken(ask: Ask) -> Message:
    try:
        return decode(ask.body)
    except BadMessage:
        raise MessageRefused from None


def _numbers(refusal: Refusal) -> str:
    """Word the whole numbers of a refusal; nothing else of it travels."""
    numbers = ((name, value) for name, value in refusal.params.items() if type(value) is int)
    return " ".join(f"{name}={value}" for name, value in numbers)[:200]
