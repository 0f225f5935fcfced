"""`grainline simulate`: random lives on the real platform in a folder of its own, proved after every day."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from grainline.entry.logs import set_up
from grainline.entry.simulation.outcome import Order, Outcome
from grainline.entry.simulation.weather import Trouble
from grainline.sandbox.town import RESIDENTS_MAX

DAYS_MAX = 3_660
_out = Console(soft_wrap=True)
_err = Console(stderr=True, soft_wrap=True)


def simulate(
    members: Annotated[int, typer.Option(min=1, max=RESIDENTS_MAX, help="How many members live.")] = 200,
    days: Annotated[int, typer.Option(min=1, max=DAYS_MAX, help="How many days they live through.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="What all chance is drawn from: same seed, same books.")] = 7,
    faults: Annotated[bool, typer.Option("--faults", help="Rail faults, days without a rail, kills -9.")] = False,
    verify_every: Annotated[int, typer.Option(min=1, help="Prove the books every so many days.")] = 1,
    folder: Annotated[Path | None, typer.Option(help="Empty folder to use, and to keep.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Simulate lives on the real platform and prove the books after every day; 1 where something does not agree."""
    # imported when needed: a command that only asks should not wait for what serves
    from grainline.entry.postgres import DatabaseUnavailable  # noqa: PLC0415
    from grainline.entry.simulation.days import Broken  # noqa: PLC0415
    from grainline.entry.simulation.run import simulate as run  # noqa: PLC0415

    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        typer.echo(f"grainline simulate: {folder} is not an empty folder", err=True)
        raise typer.Exit(2)
    order = Order(members, days, seed, Trouble(faults, faults, faults), verify_every, folder)
    set_up("error")  # what the rail lost is counted, and what breaks ends the run
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, transient=True) as bar:
        task = bar.add_task("days", total=days)

        def told(day: date, outcome: Outcome) -> None:
            bar.update(task, description=day.isoformat(), advance=1)
            if (day + timedelta(days=1)).day == 1 and not as_json:
                _out.print(_month(day, outcome), highlight=False)

        try:
            outcome = run(order, told=told)
        except (Broken, DatabaseUnavailable) as error:
            typer.echo(f"grainline simulate: {error}", err=True)
            raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(figures(order, outcome), ensure_ascii=False))
    else:
        _print(order, outcome)
    raise typer.Exit(1 if outcome.findings else 0)


def figures(order: Order, outcome: Outcome) -> dict[str, Any]:
    """Return what is printed as JSON."""
    return {
        "members": order.members,
        "days": order.days,
        "seed": order.seed,
        "faults": order.trouble != Trouble(),
        **outcome.counts,
        "refused": dict(sorted(outcome.refused.items())),
        "kills": outcome.kills,
        "down_days": outcome.down_days,
        "verified": outcome.verified,
        "verify_seconds": round(outcome.verify_seconds, 1),
        "findings": [
            {"day": day, "check": check, "member_id": member_id, "what": what}
            for day, check, member_id, what in outcome.findings
        ],
        "digest": outcome.digest,
        "seconds": outcome.seconds,
    }


def _month(day: date, outcome: Outcome) -> str:
    count = outcome.counts
    return (
        f"{day:%Y-%m}  {count['draws']:>7,} draws  {count['loans'] - count['settled']:>6,} loans running "
        f" {count['overdue']:>5,} overdue  {count['written_off']:>5,} written off  {count['journals']:>9,} journals "
        f" {outcome.kills:>3} kills  {len(outcome.findings)} findings"
    )


def _print(order: Order, outcome: Outcome) -> None:
    for name, value in figures(order, outcome).items():
        if name == "findings":
            continue
        shown = ", ".join(f"{part} {count:,}" for part, count in value.items()) if isinstance(value, dict) else value
        _out.print(f"{name:<15} {shown:,}" if type(shown) is int else f"{name:<15} {shown}", highlight=False)
    for day, check, member_id, what in outcome.findings:
        _out.print(f"[red]{check}[/red] {day} member {member_id}: {what}")
    if not outcome.findings:
        _out.print("Everything agrees.")
    else:
        kept = "" if order.folder else "; --folder keeps what led to them"
        _out.print(f"{len(outcome.findings)} disagreements{kept}.")
