"""`grainline invite supplements …`: the proofs members handed in, and an officer's answer to them."""

import json
import os
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from grainline.entry import settings as env
from grainline.entry.asking import asked
from grainline.entry.wiring import make_clock
from grainline.invitation.policy import Supplement
from grainline.invitation.supplementing import accept_supplement, read_statement, refuse_supplement
from grainline.invitation.supplements import State, Submission
from grainline.invitation.supplements_store import supplements_in
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.sealing import Vault

supplements = typer.Typer(no_args_is_help=True, help="Proofs that members handed in: list, accept, refuse.")
out = Console(width=140)
Result = TypeVar("Result")

MemberArgument = Annotated[int, typer.Argument(metavar="MEMBER", help="The member's number.")]
KindArgument = Annotated[Supplement, typer.Argument(help="Which proof.")]
ByOption = Annotated[str, typer.Option(help="Who decides.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@supplements.command("list")
def show(
    state: Annotated[State, typer.Option(help="Only those in this state.")] = State.SUBMITTED,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List proofs with what their members state, those to be answered first at the head."""
    vault = Vault(env.load().read_master_key(), os.urandom)

    async def look(tx: Tx, now: datetime) -> list[dict[str, object]]:
        found = await supplements_in(tx, state, limit=limit)
        return [_told(one, business_date(now), await read_statement(tx, vault, one)) for one in found]

    rows = _asked(look)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("member", "kind", "state", "answer by", "statement", "reason", box=None, pad_edge=False)
    for row in rows:
        by = f"{row['answer_by']}{' late' if row['late'] else ''}"
        table.add_row(
            str(row["member_id"]), str(row["kind"]), str(row["state"]), by, str(row["statement"]), str(row["reason"])
        )
    out.print(table)


@supplements.command()
def accept(
    member: MemberArgument,
    kind: KindArgument,
    by: ByOption,
    reason: Annotated[str, typer.Option(help="What the member reads of it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Accept a proof: it counts from the next refresh of the whitelist on, and the member is told."""
    _decided(
        lambda tx, now: accept_supplement(tx, member_id=member, kind=kind, decided_by=by, reason=reason, now=now),
        as_json,
    )


@supplements.command()
def refuse(
    member: MemberArgument,
    kind: KindArgument,
    by: ByOption,
    reason: Annotated[str, typer.Option(help="Why; the member reads it.")],
    as_json: JsonOption = False,
) -> None:
    """Refuse a proof: the member is told, and may hand in another."""
    _decided(
        lambda tx, now: refuse_supplement(tx, member_id=member, kind=kind, decided_by=by, reason=reason, now=now),
        as_json,
    )


def _decided(decide: Callable[[Tx, datetime], Awaitable[Submission]], as_json: bool) -> None:
    done = _asked(decide)
    if as_json:
        told = {"member_id": done.member_id, "kind": done.kind, "state": done.state, "decided_at": str(done.decided_at)}
        typer.echo(json.dumps(told))
    else:
        out.print(f"{done.kind} of member {done.member_id} is {done.state}.", highlight=False)


def _told(one: Submission, today: date, statement: str) -> dict[str, object]:
    return {
        "member_id": one.member_id,
        "kind": one.kind,
        "state": one.state,
        "submitted_at": one.submitted_at.isoformat(),
        "answer_by": one.answer_by.isoformat(),
        "late": one.state is State.SUBMITTED and today > one.answer_by,
        "statement": statement,
        "decided_by": one.decided_by,
        "reason": one.reason,
    }


def _asked(ask: Callable[[Tx, datetime], Awaitable[Result]]) -> Result:
    now = make_clock(env.load())()
    return asked(lambda tx: ask(tx, now), command="invite supplements")
