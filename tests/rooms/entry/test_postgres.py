"""The embedded PostgreSQL: started by the first, shared, stopped by the last, not lost when anybody is killed."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from grainline.entry import account
from grainline.entry.postgres import APP_ROLE, DatabaseUnavailable, database, embedded, hold
from grainline.entry.settings import Settings

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are counted in /proc")

HOLDER = """
import sys
from pathlib import Path
from grainline.entry.postgres import embedded
with embedded(Path(sys.argv[1])) as server:
    print(server.owner_url, flush=True)
    sys.stdin.readline()
"""
ROOT = os.geteuid() == 0
SOURCE = Path(__file__).resolve().parents[3] / "src"


class Holder:
    """A process that uses the database until told to leave."""

    def __init__(self, data: Path, user: pwd.struct_passwd | None) -> None:
        switch = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        packages = os.pathsep.join([str(SOURCE), sysconfig.get_paths()["purelib"]])
        self.process = subprocess.Popen(
            [python_for(user), "-c", HOLDER, str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PATH": os.environ["PATH"], "PYTHONPATH": packages},
            **switch,
        )

    def url(self) -> str:
        """Wait until the database is there and return its address."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line, f"the holder ended with {self.process.wait()}"
        return line

    def leave(self) -> None:
        self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)


def python_for(user: pwd.struct_passwd | None) -> str:
    """Return an interpreter that the user can run; one installed under /root is none for others."""
    if user is None:
        return sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        probe = [candidate, "-c", f"import os; os.stat({str(SOURCE)!r})"]
        try:
            done = subprocess.run(probe, user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd="/")
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    pytest.skip("no interpreter of this version, or no way to the sources, for an ordinary user")


@pytest.fixture(params=["ourselves", "ordinary user"] if ROOT else ["ourselves"])
def user(request: pytest.FixtureRequest) -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if request.param == "ordinary user" else None


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder that other users may enter, as a project's own folder usually is."""
    folder = Path(tempfile.mkdtemp(prefix="gl-", dir="/tmp")).resolve()
    folder.chmod(0o755)
    yield folder
    for pid in servers(folder):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)


@pytest.fixture
def data(folder: Path, user: pwd.struct_passwd | None) -> Path:
    data = folder / "data"
    data.mkdir(mode=0o711)
    if user:
        os.chown(data, user.pw_uid, user.pw_gid)
    return data


@pytest.fixture
def holder(data: Path, user: pwd.struct_passwd | None) -> Iterator[Callable[[], Holder]]:
    made: list[Holder] = []

    def make() -> Holder:
        made.append(Holder(data, user))
        return made[-1]

    yield make
    for each in made:
        each.kill()


def servers(folder: Path) -> list[int]:
    """Return the pids of the postmasters whose cluster lies under a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[0].endswith("/postgres") and any(word.startswith(f"{folder}/") for word in words[1:]):
            found.append(int(entry.name))
    return found


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def remember(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("create table promise (kept text)")
        connection.execute("insert into promise values ('yes')")


def compute_for_ever(connection: psycopg.Connection, lost: list[psycopg.OperationalError]) -> None:
    try:
        connection.execute("select sum(sqrt(n)) from generate_series(1, 10000000000) n")
    except psycopg.OperationalError as error:
        lost.append(error)


def test_first_start_makes_a_durable_database_that_only_the_socket_reaches(data: Path, folder: Path) -> None:
    with embedded(data) as server:
        assert ask(server.owner_url, "select current_user || '@' || current_database()") == "postgres@grainline"
        assert ask(server.owner_url, "show fsync") == "on"
        assert ask(server.owner_url, "show listen_addresses") == ""
        assert ask(server.owner_url, "show server_encoding") == "UTF8"
        assert ask(server.owner_url, "show shared_buffers") == "256MB"
        assert ask(server.owner_url, "select datlocale from pg_database where datname = 'grainline'") == "C.UTF-8"
        assert ask(server.owner_url, "show data_checksums") == "on"
        assert (server.sockets.stat().st_mode & 0o077) == 0
        assert server.bin is not None
        for program in ("psql", "pgbench", "pg_dump"):
            assert (server.bin / program).exists()
        done = subprocess.run([server.bin / "psql", server.owner_url, "-Atc", "select 7"], capture_output=True)
        assert done.stdout == b"7\n"
        assert len(servers(folder)) == 1
    assert servers(folder) == []


def test_app_may_connect_and_nothing_else(data: Path) -> None:
    with embedded(data) as server, psycopg.connect(server.app_url, autocommit=True) as connection:
        assert connection.info.user == APP_ROLE
        for forbidden in ("create table t (n int)", "create temp table t (n int)", "create role r"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(forbidden)


def test_second_process_shares_the_server_and_the_last_one_out_stops_it(
    holder: Callable[[], Holder], folder: Path
) -> None:
    first = holder()
    url = first.url()
    started = servers(folder)
    assert len(started) == 1
    second = holder()
    assert second.url() == url
    assert servers(folder) == started
    first.leave()
    assert servers(folder) == started
    assert ask(url, "select 1") == 1
    second.leave()
    assert servers(folder) == []


def test_killed_holder_leaves_one_server_which_the_next_takes_over(holder: Callable[[], Holder], folder: Path) -> None:
    first = holder()
    remember(first.url())
    started = servers(folder)
    first.kill()
    second = holder()
    assert ask(second.url(), "select kept from promise") == "yes"
    assert servers(folder) == started
    second.leave()
    assert servers(folder) == []


def test_killed_postmaster_is_followed_by_a_new_one_with_every_committed_row(
    holder: Callable[[], Holder], folder: Path
) -> None:
    first = holder()
    url = first.url()
    remember(url)
    # A session deep in computing does not notice that its postmaster is gone, and holds the shared memory.
    busy = psycopg.connect(url)
    lost: list[psycopg.OperationalError] = []
    thread = threading.Thread(target=compute_for_ever, args=(busy, lost))
    thread.start()
    while ask(url, "select count(*) from pg_stat_activity where query like '%generate_series%'") != 2:
        pass
    [postmaster] = servers(folder)
    os.kill(postmaster, signal.SIGKILL)
    first.kill()
    second = holder()
    assert ask(second.url(), "select kept from promise") == "yes"
    assert len(servers(folder)) == 1
    assert servers(folder) != [postmaster]
    thread.join(timeout=10)
    assert len(lost) == 1
    busy.close()
    second.leave()
    assert servers(folder) == []


def test_killing_everything_while_it_starts_does_not_spoil_the_next_start(
    holder: Callable[[], Holder], data: Path, folder: Path
) -> None:
    moments = ("postgres.new-*", "postgres.new-*/PG_VERSION", "postgres/postmaster.pid", "postgres/postmaster.pid")
    for moment in moments:
        starter = holder()
        while not list(data.glob(moment)):
            assert starter.process.poll() is None
        starter.kill()
    last = holder()
    assert ask(last.url(), "select current_database()") == "grainline"
    assert len(servers(folder)) == 1
    last.leave()
    assert servers(folder) == []


def test_two_that_start_at_the_same_instant_get_one_server(holder: Callable[[], Holder], folder: Path) -> None:
    first, second = holder(), holder()
    assert first.url() == second.url()
    assert len(servers(folder)) == 1
    second.leave()
    first.leave()
    assert servers(folder) == []


def test_stale_lock_files_that_name_another_program_are_no_obstacle(data: Path, folder: Path) -> None:
    with embedded(data):
        lines = (data / "postgres" / "postmaster.pid").read_text().splitlines()
    # A program of the same user: one of another's, or PostgreSQL's own parent, it would not take for a server.
    uid = (data / "postgres").stat().st_uid
    other = subprocess.Popen(["sleep", "600"], cwd="/", **({"user": uid} if ROOT else {}))
    for lock in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (data / "postgres" / lock).write_text("\n".join([str(other.pid), *lines[1:], ""]))
    try:
        with embedded(data) as server:
            assert ask(server.owner_url, "select 1") == 1
            assert len(servers(folder)) == 1
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_dead_postmaster_that_nobody_reaped_is_no_obstacle(data: Path, folder: Path) -> None:
    server = hold(data)
    remember(server.owner_url)
    [postmaster] = servers(folder)
    os.kill(postmaster, signal.SIGKILL)
    while Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        pass
    # Its parent is this process, which lives and has not asked for its end: for kill(2) the pid still exists.
    again = Holder(data, None)
    assert ask(again.url(), "select kept from promise") == "yes"
    again.leave()
    server.release()
    assert servers(folder) == []


def test_path_too_long_for_a_socket_gets_a_short_private_one(folder: Path, user: pwd.struct_passwd | None) -> None:
    data = folder / ("long" * 30)
    data.mkdir(mode=0o711)
    if user:
        os.chown(data, user.pw_uid, user.pw_gid)
    holder = Holder(data, user)
    url = holder.url()
    sockets = Path(url.rpartition("host=")[2])
    assert len(str(sockets / ".s.PGSQL.5432")) <= 100
    assert (sockets.stat().st_mode & 0o777) == 0o700
    assert ask(url, "select 1") == 1
    again = Holder(data, user)
    assert again.url() == url
    holder.leave()
    again.leave()
    assert servers(folder) == []
    sockets.rmdir()


def test_server_that_dies_at_the_start_shows_its_last_words(data: Path, folder: Path) -> None:
    with embedded(data):
        pass
    with (data / "postgres" / "postgresql.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")
    with pytest.raises(DatabaseUnavailable, match="no_such_setting"):
        hold(data)
    assert servers(folder) == []


def test_cluster_of_another_version_is_refused_untouched(data: Path) -> None:
    (data / "postgres").mkdir(mode=0o700)
    (data / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(DatabaseUnavailable, match="made by PostgreSQL 15"):
        hold(data)
    assert sorted(path.name for path in (data / "postgres").iterdir()) == ["PG_VERSION"]


@pytest.mark.skipif(not ROOT, reason="only root switches to another user")
def test_root_takes_over_what_an_ordinary_user_began_and_gives_it_back(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    data = folder / "data"
    data.mkdir(mode=0o700)
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    with embedded(data) as server:
        remember(server.owner_url)
    holder = Holder(data, nobody)
    with pytest.raises(psycopg.errors.UndefinedTable):
        ask(holder.url(), "select kept from no_promise")
    holder.leave()


@pytest.mark.skipif(not ROOT or not shutil.which("setpriv"), reason="needs root and setpriv")
def test_root_runs_below_a_folder_that_is_closed_to_others(folder: Path) -> None:
    folder.chmod(0o700)
    with embedded(folder / "data") as server:
        remember(server.owner_url)
        [postmaster] = servers(folder)
        status = Path(f"/proc/{postmaster}/status").read_text()
        assert "Uid:\t0\t" not in status
        [effective] = [line.split()[1] for line in status.splitlines() if line.startswith("CapEff")]
        assert int(effective, 16).bit_count() == 1
    assert servers(folder) == []


@pytest.mark.skipif(not ROOT, reason="only root switches to another user")
def test_closed_folder_without_the_capability_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "CAPABILITIES", ())
    folder.chmod(0o700)
    # Where the project itself is closed to others, that is what must be said first.
    with pytest.raises(DatabaseUnavailable, match=r"cannot enter .*(GRAINLINE_DATA|move the project)"):
        hold(folder / "data")


def test_named_server_is_used_as_owner_and_in_the_role_of_the_app(data: Path) -> None:
    with embedded(data) as server:
        with database(Settings(data=data / "unused", database_url=server.owner_url)) as one_login:
            assert one_login.owner_url == server.owner_url
            assert ask(one_login.app_url, "select current_user") == APP_ROLE
        settings = Settings(database_url=server.app_url, database_owner_url=server.owner_url)
        with database(settings) as two_logins:
            assert two_logins.app_url == server.app_url
            assert ask(two_logins.owner_url, "select current_user") == "postgres"
    assert not (data / "unused").exists()
