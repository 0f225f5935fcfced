"""What tests stand on: one real PostgreSQL for the session, a fresh database and a sandbox for a module."""

from collections.abc import AsyncIterator, Iterator
from itertools import count

import psycopg
import pytest

from grainline.entry.migrate import migrate
from grainline.entry.postgres import Server, hold
from sandbox_process import SECRET, Running, run_sandbox
from stage import Stage, open_stage

_numbers = count(1)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The embedded server, with the migrated database `grainline` as the pattern of all others."""
    server = hold(tmp_path_factory.mktemp("postgres"))
    migrate(server.owner_url)
    yield server
    server.release()


def _fresh(postgres: Server) -> tuple[str, str]:
    name = f"stage_{next(_numbers)}"
    with psycopg.connect(postgres.owner_url.replace("/grainline?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f"create database {name} template grainline")
    return tuple(url.replace("/grainline?", f"/{name}?") for url in (postgres.owner_url, postgres.app_url))


@pytest.fixture(scope="module")
def databases(postgres: Server) -> tuple[str, str]:
    """A migrated, empty database of the module's own, as its owner's URL and the app's."""
    return _fresh(postgres)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sandbox of the module's own, in its own process, with its own clock."""
    yield from run_sandbox(tmp_path_factory.mktemp("town"))


@pytest.fixture
def environment(databases: tuple[str, str], town: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands that run in this process find the module's database and sandbox."""
    given = {
        "DATABASE_URL": databases[1],
        "DATABASE_OWNER_URL": databases[0],
        "DATA": str(town.folder),
        "PARTNERS_URL": town.url,
        "PARTNER_SECRET": SECRET.hex(),
        "SANDBOX": "yes",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"GRAINLINE_{name}", value)


@pytest.fixture(scope="module")
async def stage(databases: tuple[str, str], town: Running) -> AsyncIterator[Stage]:
    """The whole platform on the module's database and sandbox; the worker's work is done when a test asks."""
    async with open_stage(databases, town) as opened:
        yield opened
