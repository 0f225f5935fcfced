"""What a party keeps besides its sessions: who ran how many comparisons, who withdrew, which consents are spent.

All are plain text files in the party's folder, a line each, to be read by who answers for them.
"""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import ClassVar

from grainline.federated.ids import ID_BYTES
from grainline.kit.errors import Kind, Refusal

DAY = timedelta(days=1)


class TooManyRuns(Refusal):
    """More comparisons of sets in a day than the party takes part in: by many, one could ask after one person."""

    code: ClassVar[str] = "psi_too_many_runs"
    kind: ClassVar[Kind] = Kind.THROTTLED


class NotAligned(Refusal):
    """A session in which no common table was agreed."""

    code: ClassVar[str] = "not_aligned"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


class Runs:
    """The comparisons of sets a party took part in: `psi_runs`, lines of time, peer and session."""

    def __init__(self, folder: Path, runs_per_day: int) -> None:
        self._path = folder / "psi_runs"
        self._most = runs_per_day
        self._lock = Lock()

    def note(self, peer: str, session: bytes, now: datetime) -> None:
        """Count a run, once for its session; raise TooManyRuns when the peer had its share in the last 24 hours."""
        with self._lock:
            lines = [line.split(" ") for line in _lines(self._path)]
            if any(line[2] == session.hex() for line in lines):
                return
            recent = sum(who == peer and now - datetime.fromisoformat(at) < DAY for at, who, _ in lines)
            if recent >= self._most:
                raise TooManyRuns(runs=recent, most=self._most)
            _append(self._path, f"{now.isoformat()} {peer} {session.hex()}")


class Withdrawals:
    """The members who withdrew at this party: `withdrawn`, lines of ids in hex. Read anew at every question."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "withdrawn"

    def members(self) -> frozenset[bytes]:
        """Return the ids of all who withdrew."""
        return frozenset(bytes.fromhex(line) for line in _lines(self._path))

    def add(self, member: bytes) -> None:
        """Note that a member withdrew."""
        if member not in self.members():
            _append(self._path, member.hex())


class Spent:
    """The consents that were used: `spent`, lines of expiry, nonce and session.

    They are not waited for until they are on the disk: a power cut may lose the last ones, killing the party does not.
    """

    def __init__(self, folder: Path, now: datetime) -> None:
        self._path = folder / "spent"
        self._lock = Lock()
        lines = [line for line in _lines(self._path) if datetime.fromisoformat(line.split(" ")[0]) > now]
        if self._path.exists():
            self._path.write_text("".join(f"{line}\n" for line in lines))
        self._session_by_nonce = {bytes.fromhex(line.split(" ")[1]): line.split(" ")[2] for line in lines}

    def spend(self, session: bytes, nonce: bytes, expires_at: datetime) -> bool:
        """Take a nonce for a session; tell whether no other session took it before.

        The same session may take it again: it is the same question, put again after an interruption.
        """
        with self._lock:
            taken = self._session_by_nonce.get(nonce)
            if taken is None:
                self._session_by_nonce[nonce] = session.hex()
                _append(self._path, f"{expires_at.isoformat()} {nonce.hex()} {session.hex()}", sync=False)
            return taken in (None, session.hex())


def write_alignment(folder: Path, session: bytes, ids: Sequence[bytes]) -> None:
    """Keep the common table that a session agreed on: its ids in order, of 32 bytes each."""
    (folder / "aligned").mkdir(mode=0o700, exist_ok=True)
    path = folder / "aligned" / session.hex()
    beside = path.with_suffix(".new")
    beside.write_bytes(b"".join(ids))
    beside.replace(path)


def read_alignment(folder: Path, session: bytes) -> list[bytes]:
    """Return the ids of the common table of a session, in order; raise NotAligned."""
    path = folder / "aligned" / session.hex()
    if not path.exists():
        raise NotAligned
    data = path.read_bytes()
    return [data[start : start + ID_BYTES] for start in range(0, len(data), ID_BYTES)]


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line] if path.exists() else []


def _append(path: Path, line: str, *, sync: bool = True) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        file.write(line + "\n")
        file.flush()
        if sync:
            os.fsync(file.fileno())
