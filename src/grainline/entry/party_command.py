"""`grainline party …`: a data party's process, its keys, and whom it trusts."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from grainline.entry.federated_tables import BadFile, read_table
from grainline.entry.problems import detail_of
from grainline.federated.admitting import by_consent
from grainline.federated.identity import Identity, Role, keep_consent_key, make_identity, trust
from grainline.federated.ids import IdKind
from grainline.federated.message_page import page
from grainline.federated.party import psi_host, serve
from grainline.federated.party_model import directions_host, training_host
from grainline.federated.psi_sets import Sizes
from grainline.federated.sessions import MakeHost
from grainline.kit.errors import Refusal

party = typer.Typer(no_args_is_help=True, help="A party to the federated model: its keys, and its process.")
out = Console(soft_wrap=True)

RUNS_PER_DAY = 8
IDS_MIN = 100
PURPOSE = "underwriting"  # the only one that members are asked to consent to
BRIEF = frozenset({"directions-asked"})

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
    table: Annotated[Path, typer.Option(help="CSV or Parquet: a column `id`, and features.", exists=True)],
    id_kind: Annotated[IdKind, typer.Option(help="What the ids are.")] = IdKind.ANY,
    runs_per_day: Annotated[
        int, typer.Option(min=0, help="Comparisons of sets a day, for each lender.")
    ] = RUNS_PER_DAY,
    ids_min: Annotated[int, typer.Option(min=1, help="The smallest set to be compared with.")] = IDS_MIN,
) -> None:
    """Answer the lender, until stopped; started again after any end, it goes on where it was."""
    identity = Identity(data)
    with _refusals():
        if identity.role() is not role:
            raise typer.BadParameter(f"{data} belongs to a party of the role {identity.role()}", param_hint="--role")
        own = read_table(table, id_kind)
    sizes = Sizes(ids_min=ids_min)
    hosts = {
        "psi-offer": psi_host(identity, lambda: own.ids, clock=_now, runs_per_day=runs_per_day, sizes=sizes),
        "training-begins": training_host(identity, lambda: own),
        "directions-asked": directions_host(
            identity, lambda: own, by_consent(identity, source=role, purpose=PURPOSE, clock=_now)
        ),
    }
    asyncio.run(_serve(identity, listen, hosts))


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


async def _serve(identity: Identity, address: str, hosts: Mapping[str, MakeHost]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stopped.set)
    log = structlog.get_logger()

    def report(session: str, wrong: Exception) -> None:
        log.warning("session ended", session=session, wrong=type(wrong).__name__, code=getattr(wrong, "code", None))

    server = await serve(identity, address, hosts, random_bytes=os.urandom, report=report, brief=BRIEF)
    host, port = server.sockets[0].getsockname()[:2]
    typer.echo(json.dumps({"listening": f"{host}:{port}", "role": identity.role(), "peers": sorted(identity.names())}))
    await stopped.wait()
    server.close()


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except BadFile as wrong:
        typer.echo(f"grainline: {wrong}", err=True)
        raise typer.Exit(2) from None
    except Refusal as refusal:
        typer.echo(f"grainline: {detail_of(refusal.code, refusal.params, 'en')}", err=True)
        raise typer.Exit(1) from None
