"""Why a party answers no round of a session."""

from typing import ClassVar

from grainline.kit.errors import Kind, Refusal


class SessionReplayed(Refusal):
    """A round that was answered long ago, or any round of a session that is over."""

    code: ClassVar[str] = "session_replayed"
    kind: ClassVar[Kind] = Kind.CONFLICT


class SessionConflict(Refusal):
    """Another message under the number of a round that is taken."""

    code: ClassVar[str] = "session_conflict"
    kind: ClassVar[Kind] = Kind.CONFLICT


class SessionOutOfOrder(Refusal):
    """A round whose predecessor has not been."""

    code: ClassVar[str] = "session_out_of_order"
    kind: ClassVar[Kind] = Kind.CONFLICT


class SessionNotYours(Refusal):
    """A session that another party opened."""

    code: ClassVar[str] = "session_not_yours"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class MessageRefused(Refusal):
    """A message that is not on the allow-list, or not one this party takes here."""

    code: ClassVar[str] = "message_refused"
    kind: ClassVar[Kind] = Kind.MALFORMED


class HostFailed(Refusal):
    """The party broke at this session; what broke stays in its own log."""

    code: ClassVar[str] = "host_failed"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class SessionExpired(Refusal):
    """A session that was never closed and not gone on with for as long as the party keeps one."""

    code: ClassVar[str] = "session_expired"
    kind: ClassVar[Kind] = Kind.CONFLICT
