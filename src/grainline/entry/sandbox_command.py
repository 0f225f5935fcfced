"""`grainline sandbox …`: the simulated partners, the inbox, faults, and the clock that can be moved."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, TypeVar

import httpx
import typer
from rich.console import Console
from rich.progress import Progress

from grainline.entry import settings as env
from grainline.entry.logs import SERVER_LOGGING
from grainline.entry.settings import Settings
from grainline.entry.wiring import SANDBOX_FILE, make_clock
from grainline.kit.calendar import SHANGHAI
from grainline.sandbox.client import SandboxClient, SandboxRefused
from grainline.sandbox.clock import SandboxClock

sandbox = typer.Typer(no_args_is_help=True, help="The simulated town: partners, inbox, faults, and its clock.")
out = Console(soft_wrap=True)

Answer = TypeVar("Answer")


@sandbox.command()
def serve() -> None:
    """Serve the simulated partners and the inbox page."""
    from granian import Granian  # noqa: PLC0415
    from granian.constants import Interfaces  # noqa: PLC0415

    given = env.load()
    Granian(
        "grainline.entry.sandbox_command:create_sandbox",
        factory=True,
        interface=Interfaces.ASGI,
        address=given.host,
        port=given.sandbox_port,
        workers=1,
        log_access=False,
        log_dictconfig=SERVER_LOGGING,
        log_level=given.granian_log_level,
    ).serve()


def create_sandbox() -> object:
    """Return the sandbox's application as a server starts it."""
    from grainline.sandbox.server import create_app  # noqa: PLC0415
    from grainline.sandbox.settings import SandboxSettings  # noqa: PLC0415

    given = env.load()
    told = SandboxSettings(
        database=given.data / SANDBOX_FILE,
        secret=given.read_partner_secret(),
        callback_url=f"{given.url}/api/v1/partners/rail/callbacks",
    )
    return create_app(told, make_clock(given))


@sandbox.command()
def advance(days: Annotated[int, typer.Option(min=1, max=3660, help="How many days to move forward.")]) -> None:
    """Move the clock forward, with every day's work on the way: due dates, debits, answers, messages."""
    from grainline.entry.postgres import database  # noqa: PLC0415
    from grainline.entry.sandbox_days import advance as move  # noqa: PLC0415
    from grainline.entry.wiring import wire  # noqa: PLC0415

    given, clock = _in_sandbox()

    async def work(url: str) -> None:
        async with wire(given, url, pool_size=12) as platform:
            with Progress(transient=True) as bar:
                task = bar.add_task("days", total=days)
                await move(platform, clock, days=days, told=lambda _: bar.advance(task))

    with database(given) as found:
        asyncio.run(work(found.app_url))
    out.print(f"It is now {clock().astimezone(SHANGHAI):%Y-%m-%d %H:%M} in the sandbox.")


@sandbox.command()
def now() -> None:
    """Tell the sandbox's time, in Shanghai."""
    _, clock = _in_sandbox()
    out.print(f"{clock().astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}", highlight=False)


@sandbox.command()
def inbox(phone: Annotated[str | None, typer.Argument(help="Only this phone's messages.")] = None) -> None:
    """Show the newest text messages."""
    with _client() as client:
        for message in _asked(lambda: SandboxClient(client).inbox(phone)):
            when = message.received_at.astimezone(SHANGHAI)
            out.print(f"{when:%m-%d %H:%M:%S}  {message.phone}  {message.text}", highlight=False)


@sandbox.command()
def resident(phone: Annotated[str, typer.Argument(help="Of a resident of the town.")]) -> None:
    """Show a resident's papers: name, id, card."""
    with _client() as client:
        papers = _asked(lambda: SandboxClient(client).resident(phone))
        for name, value in papers.model_dump().items():
            out.print(f"{name:<17} {value}", highlight=False)


@sandbox.command()
def fault(
    partner: Annotated[str, typer.Argument(help="rail, sms, card-network or identity-authority.")],
    name: Annotated[str, typer.Argument(help="down, lost_request, lost_answer, stays_processing, reject …")],
    count: Annotated[int | None, typer.Option("--next", min=1, help="Strike the next n times.")] = None,
    probability: Annotated[float | None, typer.Option(min=0, max=1, help="Strike with this probability.")] = None,
) -> None:
    """Turn a partner's fault on; without --next or --probability, off."""
    options: dict[str, float | str] = {}
    mode = "off"
    if count is not None:
        mode, options = "next", {"count": count}
    elif probability is not None:
        mode, options = "probability", {"probability": probability}
    with _client() as client:
        _asked(lambda: SandboxClient(client).set_fault(partner.replace("_", "-"), name, mode=mode, **options))
    out.print(f"{partner} {name}: {mode}")


@sandbox.command()
def town(
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day that is told.")],
    folder: Annotated[Path, typer.Option("--out", help="An empty or new folder.")],
    residents: Annotated[int, typer.Option(help="How many people, numbered from 1.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed is the same town.")] = 1,
    months: Annotated[int, typer.Option(help="Calendar months, the last that of --until.")] = 18,
    processes: Annotated[int, typer.Option(min=1, max=64, help="The rows do not depend on it.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Write a town's lives: each data party's events, what the lender may know, and the truth (docs/town.md)."""
    from grainline.sandbox.lives import generate  # noqa: PLC0415

    began = perf_counter()
    try:
        with Progress(transient=True, disable=as_json) as bar:
            task = bar.add_task("residents", total=residents)
            written = generate(
                folder,
                residents=residents,
                seed=seed,
                until=until.date(),
                months=months,
                processes=processes,
                told=lambda done: bar.update(task, completed=done),
            )
    except (ValueError, FileExistsError) as error:
        typer.echo(f"grainline sandbox: {error}", err=True)
        raise typer.Exit(2) from None
    wall_s, events = perf_counter() - began, sum(written.events.values())
    if as_json:
        told = {"residents": residents, "events": written.events | {"all": events}, "wall_s": round(wall_s, 1)}
        typer.echo(json.dumps(told | {"first": f"{written.first}", "until": f"{written.until}"}))
    else:
        out.print(f"{residents:,} residents and {events:,} events in {folder}, {wall_s:.1f} s.", highlight=False)


def _in_sandbox() -> tuple[Settings, SandboxClock]:
    given = env.load()
    clock = make_clock(given)
    if not isinstance(clock, SandboxClock):
        typer.echo("grainline sandbox: GRAINLINE_SANDBOX is off; time cannot be moved here", err=True)
        raise typer.Exit(2)
    return given, clock


def _client() -> httpx.Client:
    return httpx.Client(base_url=env.load().sandbox_url, trust_env=False)


def _asked(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except SandboxRefused as error:
        typer.echo(f"grainline sandbox: {error}", err=True)
        raise typer.Exit(1) from None
    except httpx.TransportError as error:
        typer.echo(f"grainline sandbox: it does not answer ({error}); is `make run` running?", err=True)
        raise typer.Exit(1) from None
