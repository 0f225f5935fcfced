"""The sandbox's clock: the machine's, moved forward by an offset that every process of the sandbox shares.

The offset is a small JSON file. A call costs one `stat`; the file is read again only when that
says it changed.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from grainline.kit.calendar import Clock

FILE_NAME = "sandbox-clock.json"


class SandboxClock:
    """Tells the sandbox's time; `base_now` is the machine's clock, handed in by the edge."""

    def __init__(self, file: Path, base_now: Clock) -> None:
        self._file = file
        self._name = os.fspath(file)
        self._base_now = base_now
        self._seen: tuple[int, int] | None = None
        self._offset = timedelta(0)

    def __call__(self) -> datetime:
        """Return the present instant of the sandbox (UTC)."""
        try:
            found = os.stat(self._name)  # noqa: PTH116  (half the cost of Path.stat, on every request)
        except FileNotFoundError:
            return self._base_now()
        # A new offset is a new file renamed into place, so its inode or its time differs.
        seen = (found.st_ino, found.st_mtime_ns)
        if seen != self._seen:
            self._offset = _read(self._file)
            self._seen = seen
        return self._base_now() + self._offset

    def advance_to(self, instant: datetime) -> datetime:
        """Move the clock forward to an aware instant and return the time it then shows.

        Raises ValueError when the instant is before the present one: time that has been lived stays lived.
        """
        if instant.tzinfo is None:
            raise ValueError("an instant without a time zone cannot be advanced to")
        with self._alone():
            if instant < self():
                raise ValueError(f"the sandbox's clock is past {instant.isoformat()} and never goes backwards")
            _write(self._file, instant - self._base_now())
            return self()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second process from moving the clock between our look at it and our write."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _read(file: Path) -> timedelta:
    document = json.loads(file.read_bytes())
    offset = document.get("offset_us") if isinstance(document, dict) else None
    if not isinstance(offset, int) or isinstance(offset, bool) or offset < 0:
        raise ValueError(f"{file} does not hold a clock's offset")
    return timedelta(microseconds=offset)


def _write(file: Path, offset: timedelta) -> None:
    draft = file.with_suffix(".draft")
    with draft.open("w") as out:
        json.dump({"offset_us": offset // timedelta(microseconds=1)}, out)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
