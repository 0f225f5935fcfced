"""`grainline party …`: a data party's process, its keys, and whom it trusts."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from grainline.entry.federated_tables import BadFile
from grainline.entry.he_backend import choose
from grainline.entry.party_source import Source, source_of
from grainline.entry.problems import detail_of
from grainline.federated.admitting import by_consent
from grainline.federated.consent import UNDERWRITING
from grainline.federated.identity import Identity, Role, keep_consent_key, make_identity, trust
from grainline.federated.ids import IdKind
from grainline.federated.kernel import NoKernel
from grainline.federated.message_page import page
from grainline.federated.party import psi_host, sessions_of
from grainline.federated.party_model import directions_host, training_host
from grainline.federated.psi_sets import Sizes
from grainline.federated.scorecard_party import points_host, scorecard_host
from grainline.federated.sessions import MakeHost, Sessions
from grainline.federated.transport import listen as listen_at
from grainline.kit.calendar import business_date
from grainline.kit.errors import Refusal

party = typer.Typer(no_args_is_help=True, help="A party to the federated model: its keys, and its process.")
out = Console(soft_wrap=True)

RUNS_PER_DAY = 8
IDS_MIN = 100
LOOK_S = 60.0  # between two looks at the date
BRIEF = frozenset({"directions-asked", "points-asked"})

DataOption = Annotated[Path, typer.Option("--data", help="The party's own folder.")]


@party.command()
def init(role: Annotated[Role, typer.Option(help="What the party is.")], data: DataOption) -> None:
    """Make a party's folder with its keys; prints the fingerprint that the others compare."""
    with _refusals():
        made = make_identity(data, role, now=_now(), random_bytes=os.urandom)
        out.print(f"{made.certificate}: hand this file to the others; its fingerprint is", made.fingerprint(), sep="\n")
        if role is Role.LENDER:
            out.print(f"{made.consent_public}: hand this one to the parties that are asked about members")


@party.command(name="trust")
def trust_(
    name: Annotated[str, typer.Argument(help="What this party calls the other.")],
    certificate: Annotated[Path, typer.Argument(help="The other's certificate.pem.", exists=True)],
    data: DataOption,
    consent_key: Annotated[Path | None, typer.Option(help="The lender's consent_public.pem.", exists=True)] = None,
) -> None:
    """Pin another party's certificate; compare the fingerprint that is printed with what the other reads out."""
    with _refusals():
        identity = Identity(data)
        identity.role()
        out.print(trust(identity, name, certificate.read_bytes()))
        if consent_key is not None:
            keep_consent_key(identity, consent_key.read_bytes())


@party.command(name="serve")
def serve_(
    role: Annotated[Role, typer.Option(help="What the party is; must be what its keys were made for.")],
    data: DataOption,
    listen: Annotated[str, typer.Option(help="HOST:PORT.")],
    table: Annotated[
        Path | None, typer.Option(help="CSV or Parquet: a column `id`, and features.", exists=True)
    ] = None,
    events: Annotated[
        Path | None, typer.Option(help="Where event files are to make features of; else the party's folder.")
    ] = None,
    id_kind: Annotated[IdKind, typer.Option(help="What the ids are.")] = IdKind.ANY,
    runs_per_day: Annotated[
        int, typer.Option(min=0, help="Comparisons of sets a day, for each lender.")
    ] = RUNS_PER_DAY,
    ids_min: Annotated[int, typer.Option(min=1, help="The smallest set to be compared with.")] = IDS_MIN,
) -> None:
    """Answer the lender, until stopped; started again after any end, it goes on where it was.

    Without --table it takes `table.parquet` or `table.csv` of its folder, or else makes features of its event files.
    """
    identity = Identity(data)
    with _refusals():
        if identity.role() is not role:
            raise typer.BadParameter(f"{data} belongs to a party of the role {identity.role()}", param_hint="--role")
        choose()
        source = source_of(identity, table=table, events=events, kind=id_kind, clock=_now)
        hosts = _hosts(identity, source, runs_per_day, Sizes(ids_min=ids_min))
        asyncio.run(_serve(identity, listen, source, hosts))


def _hosts(identity: Identity, source: Source, runs_per_day: int, sizes: Sizes) -> dict[str, MakeHost]:
    admit = by_consent(identity, source=identity.role(), purpose=UNDERWRITING, clock=_now)
    return {
        "psi-offer": psi_host(identity, source.ids, clock=_now, runs_per_day=runs_per_day, sizes=sizes),
        "training-begins": training_host(identity, source.table, as_of=source.as_of),
        "directions-asked": directions_host(identity, source.now, admit),
        "scorecard-begins": scorecard_host(identity, source.table, as_of=source.as_of),
        "points-asked": points_host(identity, source.now, admit),
    }


def _now() -> datetime:
    return datetime.now(UTC)


@party.command()
def messages(
    target: Annotated[Path | None, typer.Option("--out", help="File to write; left out: printed.")] = None,
) -> None:
    """Tell every message that may pass between parties: the page docs/federated-messages.md."""
    if target is None:
        typer.echo(page(), nl=False)
    else:
        target.write_text(page(), encoding="utf-8")


async def _serve(identity: Identity, address: str, source: Source, hosts: Mapping[str, MakeHost]) -> None:
    stopped = asyncio.Event()
    _when_told_to_stop(stopped.set)
    log = structlog.get_logger()

    def report(session: str, wrong: Exception) -> None:
        log.warning("session ended", session=session, wrong=type(wrong).__name__, code=getattr(wrong, "code", None))

    sessions = sessions_of(identity, hosts, random_bytes=os.urandom, report=report, brief=BRIEF)
    _daily(source, sessions)
    server = await listen_at(identity, address, sessions.handle)
    host, port = server.sockets[0].getsockname()[:2]
    told = {"role": identity.role(), "peers": sorted(identity.names()), "features_from": source.kind}
    typer.echo(json.dumps({"listening": f"{host}:{port}"} | told))
    days = asyncio.create_task(_each_day(lambda: _daily(source, sessions)))
    await stopped.wait()
    days.cancel()
    server.close()


def _daily(source: Source, sessions: Sessions) -> None:
    """Do what is to be done at the start and once a day: make features, end the sessions that nobody goes on with."""
    before = _now() - source.settings.sessions
    source.prepare(before)
    if ended := sessions.expire(before):
        structlog.get_logger().info("sessions_expired", sessions=ended)


async def _each_day(work: Callable[[], None]) -> None:
    """Do the work when the business date changes, beside everything else; what breaks is told and tried again."""
    done = business_date(_now())
    while True:
        await asyncio.sleep(LOOK_S)
        today = business_date(_now())
        if today != done:
            try:
                await asyncio.to_thread(work)
            except Exception:  # the party goes on answering
                structlog.get_logger().exception("day_broken")
            else:
                done = today


def _when_told_to_stop(stop: Callable[[], None]) -> None:
    """Have `stop` called on an interrupt or a request to end; where the loop has no signals, as on Windows, by it."""
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(one, stop)
        except NotImplementedError:
            signal.signal(one, lambda *_: loop.call_soon_threadsafe(stop))


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except BadFile as wrong:
        typer.echo(f"grainline: {wrong}", err=True)
        raise typer.Exit(2) from None
    except NoKernel as wrong:
        typer.echo(f"grainline: {wrong}", err=True)
        raise typer.Exit(2) from None
    except Refusal as refusal:
        typer.echo(f"grainline: {detail_of(refusal.code, refusal.params, 'en')}", err=True)
        raise typer.Exit(1) from None
