"""`grainline score register|roles|promote`: which models there are, and which one scores whom."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from grainline.entry import settings as env
from grainline.entry.asking import asked
from grainline.entry.model_keys import models_of, signer_of
from grainline.entry.problems import detail_of
from grainline.entry.wiring import make_clock, read_packs
from grainline.kit.db import Tx
from grainline.kit.errors import Refusal
from grainline.scoring import registry_store as store
from grainline.scoring.registry import find_model, read_artefact, register, set_role
from grainline.scoring.registry_store import Registered
from grainline.scoring.routing import SLOTS, Cast, Role, RoleChange, cast_of

registry = typer.Typer()
out = Console(soft_wrap=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
ByOption = Annotated[str, typer.Option(help="Who does it; kept with it.")]
ShaArgument = Annotated[
    str, typer.Argument(metavar="SHA256", help="The model's hash, or its first digits (8 or more).")
]


@registry.command("register")
def register_model(
    file: Annotated[Path, typer.Argument(help="A model's file, as `score train --out` writes it.")],
    by: ByOption,
    name: Annotated[str | None, typer.Option(help="What to call it; left out: its own name.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Sign a model with the lender's key and keep it; the same file again changes nothing."""
    given = env.load()
    content, now, signer = read_file(file), make_clock(given)(), signer_of(given)
    try:
        read_artefact(content)  # what is no model need not wait for a database
    except Refusal as refusal:
        raise stop(f"{file}: {detail_of(refusal.code, refusal.params, 'en')}") from None
    kept = asked(lambda tx: register(tx, content, signer=signer, by=by, now=now, name=name), command="score")
    if as_json:
        typer.echo(json.dumps(_model(kept), ensure_ascii=False))
    else:
        out.print(
            f"{kept.sha256}\n{kept.kind} {kept.name}, signed by {kept.signer.hex()}.", highlight=False, markup=False
        )


@registry.command()
def roles(
    product: Annotated[str | None, typer.Option(help="Code of one product; left out: all.")] = None,
    at: Annotated[datetime | None, typer.Option(help="As of this moment (UTC); left out: now.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the registered models, which product each one scores for, and how that came to be."""
    moment = _moment(at)

    async def look(tx: Tx) -> tuple[list[Registered], list[RoleChange]]:
        return await store.models(tx), await store.changes_of(tx, product)

    models, changes = asked(look, command="score")
    products = sorted({change.product for change in changes})
    casts = {one: cast_of(changes, product=one, as_of=moment) for one in products}
    if as_json:
        told = {
            "as_of": moment.isoformat(),
            "models": [_model(model) for model in models],
            "products": {one: vars(cast) for one, cast in casts.items()},
            "changes": [_change(change) for change in changes],
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    _show(models, casts, changes)


@registry.command()
def promote(
    model: ShaArgument,
    role: Annotated[Role, typer.Option(help="What it becomes.")],
    by: ByOption,
    product: Annotated[str, typer.Option(help="Code of the product.")] = "weilidai",
    share: Annotated[
        float | None, typer.Option(min=0.0001, max=1, help="Of a challenger: the share of members it decides for.")
    ] = None,
    begins: Annotated[datetime | None, typer.Option("--from", help="From this moment on (UTC); left out: now.")] = None,
    off: Annotated[
        bool, typer.Option("--off", help="Take the role away instead; a champion is only replaced.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Give a registered model a role of a product, after its hash and signature were checked."""
    given = env.load()
    if product not in read_packs():
        raise stop(f"there is no product {product!r}; there are {', '.join(sorted(read_packs()))}")
    now, models = make_clock(given)(), models_of(given)
    begins_at = now if begins is None else _moment(begins)

    async def work(tx: Tx) -> RoleChange:
        sha256 = await find_model(tx, model)
        share_e4 = 0 if share is None or off else round(share * SLOTS)
        change = RoleChange(0, product, role, sha256, begins_at, share_e4, not off, now, by)
        return await set_role(tx, models, change)

    done = asked(work, command="score")
    if as_json:
        typer.echo(json.dumps(_change(done)))
    else:
        out.print(_told(done), highlight=False, markup=False)


def read_file(file: Path) -> bytes:
    """Return a file's bytes; end the command in one line where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise stop(f"{file}: {error.strerror}") from None


def stop(message: str) -> typer.Exit:
    """Return the end of a command, with 2 and one line."""
    typer.echo(f"grainline score: {message}", err=True)
    return typer.Exit(2)


def _moment(told: datetime | None) -> datetime:
    if told is None:
        return make_clock(env.load())()
    return told.replace(tzinfo=UTC)


def _show(models: Sequence[Registered], casts: dict[str, Cast], changes: Sequence[RoleChange]) -> None:
    table = Table("model", "kind", "name", "registered", "by", box=None, pad_edge=False)
    for model in models:
        table.add_row(
            model.sha256[:12], model.kind, model.name, f"{model.registered_at:%Y-%m-%d %H:%M}", model.registered_by
        )
    out.print(table)
    for product, cast in casts.items():
        out.print(f"\n{product}: champion {_short(cast.champion)}", highlight=False)
        if cast.challenger is not None:
            out.print(
                f"  challenger {_short(cast.challenger)} for {cast.share_e4 / 100:g} % of members", highlight=False
            )
        for shadow in cast.shadows:
            out.print(f"  shadow {_short(shadow)}", highlight=False)
    for change in changes:
        out.print(_told(change), highlight=False, markup=False)


def _short(sha256: str | None) -> str:
    return "none" if sha256 is None else sha256[:12]


def _told(change: RoleChange) -> str:
    share = f" for {change.share_e4 / 100:g} % of members" if change.share_e4 else ""
    verb = "is" if change.is_on else "is no longer"
    begins = f"from {change.begins_at:%Y-%m-%d %H:%M}"
    return f"{begins} {change.sha256[:12]} {verb} {change.role} of {change.product}{share}, set by {change.set_by}"


def _model(model: Registered) -> dict[str, object]:
    return {
        "sha256": model.sha256,
        "kind": model.kind,
        "name": model.name,
        "signer": model.signer.hex(),
        "signature": model.signature.hex(),
        "registered_at": model.registered_at.isoformat(),
        "registered_by": model.registered_by,
    }


def _change(change: RoleChange) -> dict[str, object]:
    moments = {"begins_at": change.begins_at.isoformat(), "set_at": change.set_at.isoformat()}
    return vars(change) | moments
