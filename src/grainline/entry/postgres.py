"""The database: an embedded PostgreSQL, started by its first user and stopped by its last, or a named server.

Every process that uses the embedded server holds a shared lock on the file `postgres.users`; who leaves and
can take it exclusively was the last and stops the server. The kernel releases the lock of a process that was
killed, so a crash needs no clean-up: at worst the server goes on running without users, and the next start
takes it over. Starting and stopping happen one at a time, under an exclusive lock on `postgres.start`.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from grainline.entry.account import Unreachable
from grainline.entry.cluster import Cluster, DatabaseUnavailable, find_programs
from grainline.entry.settings import PREFIX, BadSettings, Settings, make_folder

__all__ = ["APP_ROLE", "Database", "DatabaseUnavailable", "Server", "database", "embedded", "hold"]

NAME = "grainline"
OWNER = "postgres"
APP_ROLE = "grainline_app"


@dataclass(frozen=True)
class Database:
    """How to reach the database: as its owner, as the app, and with which programs (psql, pgbench …)."""

    owner_url: str
    app_url: str
    bin: Path | None


class Server:
    """One use of the embedded server: it runs at least until `release`, or until this process ends."""

    def __init__(self, cluster: Cluster, users: int, sockets: Path) -> None:
        self._cluster = cluster
        self._users: int | None = users
        self.sockets = sockets
        self.owner_url = _url(OWNER, sockets)
        self.app_url = _url(APP_ROLE, sockets)
        self.bin = find_programs()

    def release(self) -> None:
        """End this use; the last one out stops the server. A second call does nothing."""
        users, self._users = self._users, None
        if users is not None:
            with _locked(self._cluster.data):
                _leave(self._cluster, users)


def hold(data: Path) -> Server:
    """Use the embedded server of a data folder, starting it when it does not run; end with `release`.

    Raises DatabaseUnavailable when it cannot be started.
    """
    try:
        make_folder(data)
        cluster = Cluster(data.resolve())
        with _locked(cluster.data):
            users = _open_lock(cluster.data / "postgres.users")
            try:
                fcntl.flock(users, fcntl.LOCK_SH)
                sockets = cluster.running() or cluster.start()
                _ensure_database(_url(OWNER, sockets, database="postgres"))
            except BaseException:
                _leave(cluster, users)
                raise
    except Unreachable as error:
        raise DatabaseUnavailable(str(error)) from error
    except PermissionError as error:
        text = f"{error.filename} is closed to this user; run as its owner or set GRAINLINE_DATA"
        raise DatabaseUnavailable(text) from error
    return Server(cluster, users, sockets)


@contextmanager
def embedded(data: Path) -> Iterator[Server]:
    """Use the embedded server of a data folder for the length of a `with` block; see `hold`."""
    server = hold(data)
    try:
        yield server
    finally:
        server.release()


@contextmanager
def database(settings: Settings, *, migrating: bool = False) -> Iterator[Database]:
    """Lend the database that the settings name: a server's, or the embedded one for the length of the block.

    Raises DatabaseUnavailable when the embedded server cannot be started, and BadSettings when the login of a named
    one may not become the application's role. Who is `migrating` makes that role where it is missing.
    """
    if settings.database_url is not None:
        yield _named(settings.database_url, settings.database_owner_url, migrating=migrating)
        return
    with embedded(settings.data) as server:
        yield Database(server.owner_url, server.app_url, server.bin)


def _named(url: str, owner_url: str | None, *, migrating: bool) -> Database:
    """Describe a named server; with one login for both, the app lays down what it may not do by its role."""
    owner_url = owner_url or url
    login = {key: value for key, value in conninfo_to_dict(url).items() if key in {"host", "port", "user"}}
    same = all(conninfo_to_dict(owner_url).get(key) == value for key, value in login.items())
    if same:
        _check_role(url, migrating=migrating)
    return Database(owner_url, _in_role(url) if same else url, find_programs())


def _check_role(url: str, *, migrating: bool) -> None:
    """Try the role that every connection of the app will take: a pool would only try in vain until its time is out."""
    try:
        connection = psycopg.connect(url, autocommit=True)
    except psycopg.OperationalError:
        return  # out of reach now; who needs it says so, and may find it later
    with connection:
        user = sql.Identifier(connection.info.user).as_string()
        try:
            connection.execute(sql.SQL("set role {}").format(sql.Identifier(APP_ROLE)))
        except psycopg.errors.InsufficientPrivilege as error:
            text = f"its login may not become the application's role; as a superuser: grant {APP_ROLE} to {user}"
            raise BadSettings(f"{PREFIX}DATABASE_URL: {text}") from error
        except psycopg.errors.InvalidParameterValue as error:
            if not migrating:
                text = f"the role {APP_ROLE} is not there yet; run `grainline migrate` first"
                raise BadSettings(f"{PREFIX}DATABASE_URL: {text}") from error


def _in_role(url: str) -> str:
    options = f"{conninfo_to_dict(url).get('options') or ''} -c role={APP_ROLE}".strip()
    if "://" not in url or "options=" in url:
        return make_conninfo(url, options=options)
    return f"{url}{'&' if '?' in url else '?'}options={quote(options)}"


def _url(user: str, sockets: Path, *, database: str = NAME) -> str:
    return f"postgresql://{user}@/{database}?host={quote(str(sockets), safe='/')}"


def _ensure_database(url: str) -> None:
    """Create the app's login and the database where they are missing, closed to everybody but these two."""
    with psycopg.connect(url, autocommit=True) as connection:
        roles = connection.execute("select 1 from pg_roles where rolname = %s", (APP_ROLE,)).fetchone()
        if roles is None:
            connection.execute(sql.SQL("create role {} login").format(sql.Identifier(APP_ROLE)))
        closed = connection.execute(
            "select not has_database_privilege('public', oid, 'temp') from pg_database where datname = %s",
            (NAME,),
        ).fetchone()
        name = sql.Identifier(NAME)
        if closed is None:
            connection.execute(sql.SQL("create database {}").format(name))
        if closed is None or not closed[0]:
            grant = sql.SQL("grant connect on database {} to {}").format(name, sql.Identifier(APP_ROLE))
            connection.execute(grant)
            connection.execute(sql.SQL("revoke all on database {} from public").format(name))


def _leave(cluster: Cluster, users: int) -> None:
    """Give up the shared lock, and stop the server when nobody else holds it."""
    try:
        # An explicit unlock, because a forked child that inherited the descriptor would keep the lock alive.
        fcntl.flock(users, fcntl.LOCK_UN)
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    else:
        cluster.stop()
    finally:
        os.close(users)


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Hold the lock under which the server is started and stopped."""
    descriptor = _open_lock(data / "postgres.start")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _open_lock(file: Path) -> int:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    if os.geteuid() == 0:
        # So that the folder's owner can still start the platform after somebody did it for them with sudo.
        folder = file.parent.stat()
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor
