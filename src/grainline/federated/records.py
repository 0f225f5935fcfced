"""What a party keeps of a session, as files of a folder that only it can read.

`record` who opened it, with what, and the seed; `<round>.ask` the requests since the checkpoint, and the last; `answer`
the last answer; `checkpoint` what the host wants to go on from; `over` why it ended, `asked` the number and hash of the
last request then. Each is written beside its place, brought to the disk, and renamed into it, so none is ever half.
"""

import json
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

_ROUND_BYTES = 4


@dataclass(frozen=True)
class Record:
    """How a session began."""

    peer: str  # the name under which the certificate of who opened it is pinned
    first: str  # the name of its first message
    seed: bytes  # of all that the host draws


@dataclass(frozen=True)
class LastAsked:
    """The last request that was taken down."""

    round: int
    digest: bytes

    def asks(self, body: bytes) -> bool:
        """Tell whether it was this one."""
        return self.digest == sha256(body).digest()


class SessionFolder:
    """The files of one session."""

    def __init__(self, folder: Path, session: bytes) -> None:
        self.session = session
        self._path = folder / session.hex()

    def exists(self) -> bool:
        """Tell whether the session was ever opened."""
        return (self._path / "record").exists()

    def touched_s(self) -> float:
        """Return when a file of it was last written, in seconds since 1970."""
        return max(path.stat().st_mtime for path in (self._path, *self._path.iterdir()))

    def remove(self) -> None:
        """Take away what is left of one that was never wholly opened."""
        for path in self._path.iterdir():
            path.unlink()
        self._path.rmdir()

    def open(self, record: Record, body: bytes) -> None:
        """Begin it, with the request of round 1."""
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.write_ask(1, body)
        text = json.dumps({"peer": record.peer, "first": record.first, "seed": record.seed.hex()})
        self._write("record", text.encode())

    def record(self) -> Record:
        """Return how it began."""
        told = json.loads((self._path / "record").read_bytes())
        return Record(told["peer"], told["first"], bytes.fromhex(told["seed"]))

    def write_ask(self, round_: int, body: bytes) -> None:
        """Take a request down, before it is worked on."""
        self._write(f"{round_}.ask", body)

    def ask(self, round_: int) -> bytes:
        """Return the request of a round since the checkpoint, or of the last."""
        return (self._path / f"{round_}.ask").read_bytes()

    def last_asked(self) -> LastAsked:
        """Return the last request that was taken down."""
        ended = self._path / "asked"
        if ended.exists():
            data = ended.read_bytes()
            return LastAsked(int.from_bytes(data[:_ROUND_BYTES], "big"), data[_ROUND_BYTES:])
        round_ = self.last_round()
        return LastAsked(round_, sha256(self.ask(round_)).digest())

    def last_round(self) -> int:
        """Return the number of the last request that was taken down, of a session that is not over."""
        return max(int(path.stem) for path in self._path.glob("*.ask"))

    def write_answer(self, round_: int, body: bytes) -> None:
        """Keep the answer of a round in place of the one before."""
        self._write("answer", round_.to_bytes(_ROUND_BYTES, "big") + body)

    def answered(self, round_: int) -> bytes | None:
        """Return the answer of a round, if it is the last that was answered."""
        path = self._path / "answer"
        data = path.read_bytes() if path.exists() else b""
        return data[_ROUND_BYTES:] if int.from_bytes(data[:_ROUND_BYTES], "big") == round_ else None

    def write_checkpoint(self, round_: int, state: bytes) -> None:
        """Keep what the host can go on from after a round, and drop the requests before that."""
        self._write("checkpoint", round_.to_bytes(_ROUND_BYTES, "big") + state)
        for path in self._path.glob("*.ask"):
            if int(path.stem) < round_:
                path.unlink()

    def checkpoint(self) -> tuple[int, bytes | None]:
        """Return the round of the last checkpoint and what was kept; 0 and None where there is none."""
        path = self._path / "checkpoint"
        if not path.exists():
            return 0, None
        data = path.read_bytes()
        return int.from_bytes(data[:_ROUND_BYTES], "big"), data[_ROUND_BYTES:]

    def end(self, code: str = "") -> None:
        """Note that it is over, by which refusal if by one, and drop what it held; the id stays spent."""
        if self.over() is None:
            last = self.last_asked()
            self._write("asked", last.round.to_bytes(_ROUND_BYTES, "big") + last.digest)
            self._write("over", code.encode())
        for path in self._path.iterdir():
            if path.name not in ("record", "asked", "over"):
                path.unlink()
        record = self.record()
        self._write("record", json.dumps({"peer": record.peer, "first": record.first, "seed": ""}).encode())

    def over(self) -> str | None:
        """Return the code of the refusal that ended it, nothing for a close, None while it runs."""
        path = self._path / "over"
        return path.read_text() if path.exists() else None

    def _write(self, name: str, data: bytes) -> None:
        beside = self._path / f"{name}.new"
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path / name)
