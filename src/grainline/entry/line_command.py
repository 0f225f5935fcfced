"""`grainline line …`: a member's line, its history, and what an officer may do to it."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import uuid4

import typer
from rich.console import Console
from rich.table import Table

from grainline.entry import settings as env
from grainline.entry.asking import asked
from grainline.entry.wiring import PRODUCT, make_clock
from grainline.kit.db import Tx
from grainline.kit.money import yuan
from grainline.kit.sealing import Vault
from grainline.lines import Cause, Hold, Line, NoLine, ask_review, changes_of, close, freeze, line, thaw
from grainline.members import store as members_store
from grainline.underwriting.officers import signed_by

line_app = typer.Typer(no_args_is_help=True, help="A member's line: show, history, freeze, thaw, close, review.")
out = Console(width=140)
Result = TypeVar("Result")
WhoArgument = Annotated[str, typer.Argument(metavar="PHONE|ID", help="The member's phone, or their number.")]
ByOption = Annotated[str, typer.Option(help="Who does it.")]
ReasonOption = Annotated[str, typer.Option(help="Why, for the record.")]
ProductOption = Annotated[str, typer.Option(help="The product.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
PHONE_DIGITS = 11


@line_app.command()
def show(who: WhoArgument, product: ProductOption = PRODUCT, as_json: JsonOption = False) -> None:
    """Show a line as it stands."""
    _tell(_line_after(who, product, None), as_json=as_json)


@line_app.command()
def history(who: WhoArgument, product: ProductOption = PRODUCT, as_json: JsonOption = False) -> None:
    """Show every change of a line, the newest first."""

    async def look(tx: Tx, member_id: int, now: datetime) -> list[dict[str, object]]:
        return [asdict(one) for one in await changes_of(tx, member_id=member_id, product=product)]

    found = _asked(who, look)
    if as_json:
        typer.echo(json.dumps(found, default=str, ensure_ascii=False))
        return
    table = Table("no.", "at", "kind", "limit", "rate 1e-8", "state", "reasons", "by")
    for one in found:
        reasons = one["reasons"]
        words = ", ".join(reasons) if isinstance(reasons, list) else ""
        cells = (one["change_no"], one["made_at"], one["kind"], _yuan(one["to_fen"]), one["to_rate_e8"])
        table.add_row(*map(str, (*cells, one["frozen_for"] or one["state"], words, one["made_by"])))
    out.print(table)


@line_app.command("freeze")
def freeze_command(
    who: WhoArgument, by: ByOption, reason: ReasonOption, product: ProductOption = PRODUCT, as_json: JsonOption = False
) -> None:
    """Freeze a line: no draw passes until an officer lets go of it."""

    async def act(tx: Tx, member_id: int, now: datetime) -> None:
        await freeze(
            tx,
            member_id=member_id,
            product=product,
            key=f"officer/{uuid4()}",
            hold=Hold.OPERATOR,
            reasons=("officer",),
            by=_signed(by, reason),
            now=now,
        )

    _tell(_line_after(who, product, act), as_json=as_json)


@line_app.command("thaw")
def thaw_command(
    who: WhoArgument, by: ByOption, reason: ReasonOption, product: ProductOption = PRODUCT, as_json: JsonOption = False
) -> None:
    """Let go of what an officer or a review froze; a loan that is late or a missing consent still holds a line."""

    async def act(tx: Tx, member_id: int, now: datetime) -> None:
        await thaw(
            tx,
            member_id=member_id,
            product=product,
            key=f"officer/{uuid4()}",
            holds=(Hold.OPERATOR, Hold.REVIEW),
            reasons=("officer",),
            by=_signed(by, reason),
            now=now,
        )

    _tell(_line_after(who, product, act), as_json=as_json)


@line_app.command("close")
def close_command(
    who: WhoArgument, by: ByOption, reason: ReasonOption, product: ProductOption = PRODUCT, as_json: JsonOption = False
) -> None:
    """Close a line for good; what is drawn on it is still repaid."""

    async def act(tx: Tx, member_id: int, now: datetime) -> None:
        signed = _signed(by, reason)
        await close(tx, member_id=member_id, product=product, reasons=("officer",), by=signed, now=now, unused=False)

    _tell(_line_after(who, product, act), as_json=as_json)


@line_app.command()
def review(who: WhoArgument, product: ProductOption = PRODUCT, as_json: JsonOption = False) -> None:
    """Ask that a line be looked at again; the worker does it."""

    async def act(tx: Tx, member_id: int, now: datetime) -> None:
        key = f"asked/{uuid4()}"
        await ask_review(tx, member_id=member_id, product=product, key=key, cause=Cause.ASKED, now=now)

    _tell(_line_after(who, product, act), as_json=as_json)


Act = Callable[[Tx, int, datetime], Awaitable[Result]]


def _line_after(who: str, product: str, act: Act[None] | None) -> Line:
    async def ask(tx: Tx, member_id: int, now: datetime) -> Line:
        if await line(tx, member_id=member_id, product=product) is None:
            raise NoLine
        if act is not None:
            await act(tx, member_id, now)
        found = await line(tx, member_id=member_id, product=product)
        if found is None:
            raise NoLine
        return found

    return _asked(who, ask)


def _asked(who: str, ask: Act[Result]) -> Result:
    given = env.load()
    now = make_clock(given)()

    async def look(tx: Tx) -> Result:
        if not who.isascii() or not who.isdigit():
            raise typer.BadParameter(f"{who!r} is neither a phone nor a member's number")
        member_id: int | None = int(who)
        if len(who) == PHONE_DIGITS:
            handle = Vault(given.read_master_key(), _no_chance).blind_index("phone", who)
            member_id = await members_store.holder_of(tx, kind="phone", handle=handle)
        if member_id is None:
            raise NoLine
        return await ask(tx, member_id, now)

    return asked(look, command="line")


def _no_chance(count: int) -> bytes:
    raise RuntimeError("nothing is sealed here")


def _signed(by: str, reason: str) -> str:
    if not by.strip() or not reason.strip():
        raise typer.BadParameter("say who does it and why")
    return f"{signed_by(by)}: {reason.strip()}"


def _tell(found: Line, *, as_json: bool) -> None:
    facts = asdict(found)
    if as_json:
        typer.echo(json.dumps(facts, default=str, ensure_ascii=False))
        return
    shown = {name: _yuan(value) if name.endswith("_fen") else value for name, value in facts.items()}
    out.print(", ".join(f"{name.removesuffix('_fen')} {value}" for name, value in shown.items()))


def _yuan(value: object) -> str:
    return yuan(value) if isinstance(value, int) else "–"
