"""`grainline decision show|replay`: what was decided, on what, and that it comes out the same again."""

import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from grainline.entry import settings as env
from grainline.entry.asking import asked
from grainline.entry.model_keys import models_of
from grainline.kit.db import Tx
from grainline.underwriting.decisions_store import Decision, decision_named
from grainline.underwriting.replaying import Difference, Replayed, replay, replay_since, together
from grainline.underwriting.shelf import Shelf

decision = typer.Typer(no_args_is_help=True, help="Decisions on lines: what they rest on, and taking them again.")
_err = Console(stderr=True)
DIFFERENT = 1
SHOWN_MOST = 20

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
IdArgument = Annotated[UUID, typer.Argument(metavar="ID", help="The decision's id.")]


@decision.command()
def show(decision_id: IdArgument, as_json: JsonOption = False) -> None:
    """Show a decision with its inputs, the artefacts it names, and its outcome."""

    async def look(tx: Tx) -> Decision:
        return await decision_named(tx, decision_id)

    found = asked(look, command="decision")
    typer.echo(json.dumps(_written(found), ensure_ascii=False, indent=None if as_json else 2))


@decision.command("replay")
def replay_command(
    decision_id: Annotated[UUID | None, typer.Argument(metavar="[ID]", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="All decisions since --since.")] = False,
    since: Annotated[datetime | None, typer.Option(help="From this day (UTC) on; left out: from the first.")] = None,
    processes: Annotated[
        int, typer.Option(min=1, max=64, show_default="one a core", help="How many work at once.")
    ] = os.cpu_count() or 1,
    as_json: JsonOption = False,
) -> None:
    """Take decisions again with what they name, and compare every bit; ends with 1 where one differs."""
    if (decision_id is None) is not every:
        typer.echo("grainline decision replay: name one decision, or say --all", err=True)
        raise typer.Exit(2)
    started = time.perf_counter()
    if decision_id is None:
        done = _all_again((since or datetime(1970, 1, 1)).replace(tzinfo=UTC), processes)  # noqa: DTZ001
    else:
        done = _one_again(decision_id)
    _tell(done, seconds=round(time.perf_counter() - started, 2), as_json=as_json)
    raise typer.Exit(DIFFERENT if done.differences else 0)


def _one_again(decision_id: UUID) -> Replayed:
    async def again(tx: Tx) -> Replayed:
        shelf = Shelf(models_of(env.load()))
        one = await decision_named(tx, decision_id)
        difference = await replay(tx, shelf, one)
        done = Replayed()
        done.counted[one.occasion] += 1
        done.differences += [difference] if difference else []
        return done

    return asked(again, command="decision")


def _all_again(since: datetime, processes: int) -> Replayed:
    """Take all decisions again, each of several processes those of its share of members."""
    if processes == 1:
        return share_again(since, 0, 1)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        shares = [pool.submit(share_again, since, part, processes) for part in range(processes)]
        return together(share.result() for share in shares)


def share_again(since: datetime, part: int, parts: int) -> Replayed:
    """Take the decisions on a share of members again."""

    async def again(tx: Tx) -> Replayed:
        shelf = Shelf(models_of(env.load()))
        told = _told if part == 0 else lambda _: None
        return await replay_since(tx, shelf, since, part=part, parts=parts, told=told)

    return asked(again, command="decision")


def _told(count: int) -> None:
    _err.print(f"{count:,} …")


def _tell(done: Replayed, *, seconds: float, as_json: bool) -> None:
    if as_json:
        told = {
            "decisions": done.counted.total(),
            "by_occasion": dict(done.counted),
            "differences": len(done.differences),
            "different": [_different(one) for one in done.differences[:SHOWN_MOST]],
            "seconds": seconds,
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(f"{done.counted.total():,} decisions taken again in {seconds} s, {len(done.differences):,} differ.")
    for one in done.differences[:SHOWN_MOST]:
        typer.echo(f"  {one.decision.decision_id}  {one.refused or 'another outcome'}")


def _different(one: Difference) -> dict[str, object]:
    return {
        "decision_id": str(one.decision.decision_id),
        "refused": one.refused,
        "recorded": json.loads(one.decision.outcome),
        "again": json.loads(one.outcome) if one.outcome else None,
    }


def _written(one: Decision) -> dict[str, object]:
    return {
        "decision_id": str(one.decision_id),
        "member_id": one.member_id,
        "product": one.product,
        "occasion": str(one.occasion),
        "decided_at": one.decided_at.isoformat(),
        "latency_us": one.latency_us,
        "overrides": str(one.overrides) if one.overrides else None,
        "decided_by": one.decided_by,
        "inputs": json.loads(one.inputs),
        "outcome": json.loads(one.outcome),
    }
