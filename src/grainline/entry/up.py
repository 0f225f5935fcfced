"""Bring the whole platform up on this machine, keep it up, take it down: what `make run` does."""

import errno
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from threading import Event

import httpx

from grainline.entry.postgres import Database, DatabaseUnavailable, database
from grainline.entry.processes import NotStarted, Processes, Program, Say, run_to_end
from grainline.entry.settings import PREFIX, Settings

READY_SECONDS_MAX = 90.0

Prepare = Callable[[Settings, Database, Say], None]


class CannotListen(Exception):
    """A port cannot be had; the message names it and how to choose another."""


class _Interrupted(BaseException):
    """A signal arrived while the database was being prepared; no `except Exception` may keep it."""


class _Signals:
    """Turns SIGINT, SIGTERM and SIGHUP into `stop`, and a second one into `hurry`."""

    def __init__(self) -> None:
        self.stop = Event()
        self.hurry = Event()
        self.interruptible = False

    def received(self, number: int, frame: object) -> None:
        """Note a signal; raise out of a long preparation, which polls nothing."""
        if self.stop.is_set():
            self.hurry.set()
        self.stop.set()
        if self.interruptible:
            self.interruptible = False
            raise _Interrupted


def prepare(settings: Settings, found: Database, say: Say) -> None:
    """Bring the database up to date and fill it where it is empty. Raises NotStarted."""
    # Loaded only here: a port that is taken should be reported at once.
    import_module("grainline.entry.migrate").migrate(found.owner_url)
    if settings.sandbox:
        # In a process of its own: the model libraries are large, and would stay with us as long as we live.
        run_to_end(Program("filling the sandbox", (sys.executable, "-m", "grainline.entry.seed")), say=say)


def programs(settings: Settings) -> list[Program]:
    """Return the processes that make up the platform: partners (in the sandbox), app, worker."""
    grainline = (sys.executable, "-m", "grainline.entry.cli")
    sandbox = [Program("sandbox", (*grainline, "sandbox", "serve"))] if settings.sandbox else []
    return [*sandbox, Program("app", (*grainline, "serve")), Program("worker", (*grainline, "worker"))]


def up(
    settings: Settings,
    *,
    say: Say,
    on_ready: Callable[[Database], None],
    prepare: Prepare = prepare,
    programs: Callable[[Settings], Sequence[Program]] = programs,
) -> int:
    """Run the platform until SIGINT or SIGTERM and return the exit code: 0, or 1 when it could not start.

    `say` gets a line for every event worth one; `on_ready` is called once, when the app answers. Raises BadSettings.
    """
    with _handled() as signals:
        try:
            _check_ports(settings)
            with database(settings, migrating=True) as found:
                _prepare(prepare, settings, found, say=say, signals=signals)
                _run(settings, found, programs(settings), say=say, on_ready=on_ready, signals=signals)
        except _Interrupted:
            return 0
        except (CannotListen, DatabaseUnavailable, NotStarted) as error:
            say(str(error))
            return 1
    return 0


def _prepare(prepare: Prepare, settings: Settings, found: Database, *, say: Say, signals: _Signals) -> None:
    signals.interruptible = True
    if signals.stop.is_set():  # while the database was starting
        raise _Interrupted
    try:
        prepare(settings, found, say)
    finally:
        signals.interruptible = False


def _run(
    settings: Settings,
    found: Database,
    programs: Sequence[Program],
    *,
    say: Say,
    on_ready: Callable[[Database], None],
    signals: _Signals,
) -> None:
    processes = Processes(programs, say=say)
    try:
        processes.start()
        if processes.wait_until(lambda: _answers(settings), stop=signals.stop, seconds=READY_SECONDS_MAX):
            on_ready(found)
            processes.watch(signals.stop)
    finally:
        processes.stop(signals.hurry)


def _answers(settings: Settings) -> bool:
    try:
        # trust_env: a proxy named in the environment has no part in a call to our own machine.
        healthy = httpx.get(f"{settings.url}/healthz", timeout=5.0, trust_env=False).is_success
        if settings.sandbox:
            httpx.get(settings.sandbox_url, timeout=5.0, trust_env=False)
    except httpx.TransportError:
        return False
    return healthy


def _check_ports(settings: Settings) -> None:
    """Raise CannotListen for a port that is taken, before anything is started that would have to be undone."""
    wanted = [("PORT", settings.port)] + ([("SANDBOX_PORT", settings.sandbox_port)] if settings.sandbox else [])
    for name, port in wanted:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(settings.host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
        except socket.gaierror as error:
            raise CannotListen(f"{PREFIX}HOST={settings.host}: {error.strerror}") from error
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            why = "is already in use" if taken else f"cannot be used ({error.strerror})"
            text = f"port {port} on {settings.host} {why}; choose another: {PREFIX}{name}={port % 55536 + 10000}"
            raise CannotListen(text) from error


@contextmanager
def _handled() -> Iterator[_Signals]:
    """Handle the signals that end us for the length of the block; must be in the main thread."""
    signals = _Signals()
    before = {
        number: signal.signal(number, signals.received) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
