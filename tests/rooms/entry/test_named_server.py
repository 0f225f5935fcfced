"""A PostgreSQL of one's own whose login may not become the application's role: said at once, with what to grant."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from grainline.entry import postgres as ours
from grainline.entry.postgres import APP_ROLE, Server, database
from grainline.entry.settings import BadSettings, Settings
from sandbox_process import SECRET

ADVICE = f'grant {APP_ROLE} to "lender"'


@pytest.fixture(scope="module")
def lender(postgres: Server) -> Iterator[str]:
    """The URL of an empty database, whose owner is an ordinary login; the role exists, and is not granted to it."""
    with psycopg.connect(postgres.owner_url, autocommit=True) as connection:
        connection.execute("create role lender login")
        connection.execute("create database lent owner lender")
        yield postgres.owner_url.replace("postgres@/grainline?", "lender@/lent?")
        connection.execute("drop database lent with (force)")
        connection.execute("drop role lender")


@pytest.fixture
def run(lender: str, tmp_path):
    """Run `grainline …` on that database."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = [probe.getsockname()[1] for probe in (one, other)]
    given = {
        "DATABASE_URL": lender,
        "DATA": str(tmp_path),
        "PARTNER_SECRET": SECRET.hex(),
        "PORT": str(ports[0]),
        "SANDBOX_PORT": str(ports[1]),
    }
    environment = os.environ | {f"GRAINLINE_{name}": value for name, value in given.items()}

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "grainline.entry.cli", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return run


@pytest.mark.parametrize("command", ["migrate", "up", "serve", "worker", "verify", "sandbox advance --days 1"])
def test_a_role_that_was_not_granted_is_named_in_one_line(run, command):
    done = run(*command.split())
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("grainline: GRAINLINE_DATABASE_URL: its login may not become the application's role")
    assert line.endswith(f"as a superuser: {ADVICE}")


def test_what_was_advised_helps(run, postgres):
    with psycopg.connect(postgres.owner_url, autocommit=True) as connection:
        connection.execute(ADVICE)
    try:
        done = run("migrate")
        assert done.returncode == 0, done.stderr
        done = run("verify")
        assert (done.returncode, "Everything agrees." in done.stdout) == (0, True), done.stderr
    finally:
        with psycopg.connect(postgres.owner_url, autocommit=True) as connection:
            connection.execute(f"revoke {APP_ROLE} from lender")


def test_a_role_that_is_not_there_is_for_migrating_to_make(lender, monkeypatch):
    monkeypatch.setattr(ours, "APP_ROLE", "nobodys_role")
    settings = Settings(database_url=lender)
    with pytest.raises(BadSettings, match="run `grainline migrate` first"), database(settings):
        pass
    with database(settings, migrating=True) as found:
        assert found.owner_url == lender


def test_a_server_out_of_reach_is_not_mistaken_for_a_missing_grant():
    settings = Settings(database_url="postgresql://lender@127.0.0.1:1/lent")
    with database(settings) as found:
        assert found.app_url.endswith(f"options=-c%20role%3D{APP_ROLE}")
