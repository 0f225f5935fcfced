"""`grainline sandbox parties`: the town's data parties at work, and a federated model that looks on."""

import signal
from threading import Event
from typing import Annotated

import typer
from rich.console import Console

from grainline.entry import settings as env
from grainline.entry.asking import asked
from grainline.entry.federated_remote import RemoteOutcome
from grainline.entry.model_keys import models_of, signer_of
from grainline.entry.problems import detail_of
from grainline.entry.processes import NotStarted, Processes
from grainline.entry.sandbox_parties import (
    Town,
    all_listen,
    make_identities,
    programs,
    tell_platform,
    town_of,
    train,
    untell_platform,
)
from grainline.entry.settings import Settings
from grainline.entry.wiring import PRODUCT, machine_now, make_clock, parties_of
from grainline.federated.binning import BadTable
from grainline.federated.signed_parts import signing_key, write_part
from grainline.kit.db import Tx
from grainline.kit.errors import Refusal
from grainline.scoring.registry import register, set_role
from grainline.scoring.routing import Role, RoleChange

READY_S = 120.0  # a party makes its features before it listens
BY = "grainline sandbox parties"
NAME = "town federated"
out = Console(soft_wrap=True)

PortOption = Annotated[
    int | None, typer.Option(min=1, max=65533, help="The first of three; else GRAINLINE_SANDBOX_PORT + 1.")
]


def parties(
    port: PortOption = None,
    trees: Annotated[int, typer.Option(min=1, max=400)] = 20,
    depth: Annotated[int, typer.Option(min=1, max=8)] = 4,
    again: Annotated[bool, typer.Option("--again", help="Train another model although there is one.")] = False,
) -> None:
    """Run the three data parties on the town's files until Ctrl-C; the first time a model is trained and registered.

    It becomes a shadow of the default product: it scores who consents to all three, beside the champion, without
    effect. The running platform finds the parties by itself.
    """
    given = env.load()
    if not given.sandbox:
        raise _stop("GRAINLINE_SANDBOX is off; the town's parties are the sandbox's")
    town = town_of(given, first_port=port or given.sandbox_port + 1)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        parties_of(given).check()
        make_identities(town, now=machine_now())
        if again or not town.is_trained:
            _train(given, town, stop, trees=trees, depth=depth)
        _serve(town, stop)
    except Refusal as refusal:
        raise _stop(detail_of(refusal.code, refusal.params, "en")) from None
    except (NotStarted, BadTable, OSError) as error:
        raise _stop(str(error)) from None


def _train(given: Settings, town: Town, stop: Event, *, trees: int, depth: int) -> None:
    """Train with the parties, register what comes of it, and make it a shadow. They are started anew to serve it."""
    running = Processes(programs(town), say=out.print)
    try:
        running.start()
        if not running.wait_until(lambda: all_listen(town), stop=stop, seconds=READY_S):
            raise typer.Exit(0)
        out.print(f"Training {trees} trees with three parties, on who of the residents defaulted within a year …")
        made = train(town, now=machine_now(), trees=trees, depth=depth)
    finally:
        running.stop(Event())
    sha256 = _registered(given, town, made)
    for name, value in made.figures.items():
        out.print(f"  {name:<18} {value}", highlight=False)
    out.print(f"Registered as {sha256[:12]}, and a shadow of {PRODUCT}.", highlight=False)


def _registered(given: Settings, town: Town, made: RemoteOutcome) -> str:
    signed = write_part(made.part.dump(), signing_key(town.lender))
    signer, models, now = signer_of(given), models_of(given), make_clock(given)()

    async def work(tx: Tx) -> str:
        kept = await register(tx, signed, signer=signer, by=BY, now=now, name=NAME)
        await set_role(tx, models, RoleChange(0, PRODUCT, Role.SHADOW, kept.sha256, now, 0, True, now, BY))
        return kept.sha256

    return asked(work, command="sandbox")


def _serve(town: Town, stop: Event) -> None:
    running = Processes(programs(town), say=out.print)
    try:
        running.start()
        if running.wait_until(lambda: all_listen(town), stop=stop, seconds=READY_S):
            path = tell_platform(town)
            out.print(f"The parties listen; {path} tells the running platform where.", highlight=False)
            running.watch(stop)
    finally:
        untell_platform(town)
        running.stop(Event())


def _stop(message: str) -> typer.Exit:
    typer.echo(f"grainline sandbox: {message}", err=True)
    return typer.Exit(2)
