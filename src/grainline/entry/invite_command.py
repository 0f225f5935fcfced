"""`grainline invite …`: the monthly whitelist, its funnel, and how well it chooses."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.console import Console

from grainline.behaviour import Fault, Party
from grainline.entry import settings as env
from grainline.entry.asking import asked
from grainline.entry.parties import Parties
from grainline.entry.postgres import database
from grainline.entry.problems import detail_of
from grainline.entry.supplements_command import supplements
from grainline.entry.whitelist import refresh_month
from grainline.entry.wiring import make_clock, parties_of, wire
from grainline.invitation import Policy, Refresh, policy_for
from grainline.invitation.judging import Verdict, hold_against
from grainline.invitation.outcomes import judge
from grainline.invitation.whitelist_store import Funnel, funnel
from grainline.kit.calendar import add_months, at, business_date, first_of_next_month
from grainline.kit.db import transaction
from grainline.kit.errors import Refusal

invite = typer.Typer(no_args_is_help=True, help="The monthly whitelist: who is invited, and why others are not.")
invite.add_typer(supplements, name="supplements")
out = Console(soft_wrap=True)

OUTLOOK_MONTHS = 12  # how long afterwards a default counts
EARLIEST = date(2000, 1, 1)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
MonthOption = Annotated[str, typer.Option("--month", help="The month, YYYY-MM.")]
PartiesOption = Annotated[
    Path | None, typer.Option("--parties", help="Folder of the parties' files; left out: `parties` in the data folder.")
]


@invite.command()
def run(
    month: MonthOption,
    capacity: Annotated[int | None, typer.Option(min=0, help="Invite so many at most; left out: the policy's.")] = None,
    parties: PartiesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Refresh the whitelist of a month; broken off, the same command goes on, and finished, it changes nothing."""
    given = env.load()
    first, now = _month(month), make_clock(given)()
    if first > first_of_next_month(business_date(now)):
        raise _bad(f"{month} is too far ahead: a month is refreshed in the month before it at the earliest")
    where = Parties(parties) if parties else parties_of(given)
    most = policy_for(first).capacity if capacity is None else capacity
    set_aside: dict[str, dict[str, int]] = {}

    def told(party: Party, faults: Mapping[Fault, int]) -> None:
        if faults:
            set_aside[str(party)] = {str(fault): count for fault, count in faults.items()}

    async def work(url: str) -> tuple[Refresh, Funnel]:
        async with wire(given, url) as platform:
            done = await refresh_month(platform, where, month=first, capacity=most, now=now, told=told)
            async with transaction(platform.pool) as tx:
                return done, await funnel(tx, month=first)

    try:
        with database(given) as found:
            done, counted = asyncio.run(work(found.app_url))
    except Refusal as refusal:
        raise _refused(refusal) from None
    more = {"policy": done.policy, "as_of": done.as_of, "capacity": done.capacity, "set_aside": set_aside}
    _tell(done.month, counted, as_json=as_json, **more)
    if not as_json:
        for party, faults in set_aside.items():
            for fault, count in faults.items():
                out.print(f"set aside at {party}: {fault} {count:,}", highlight=False)


@invite.command(name="funnel")
def show_funnel(month: MonthOption, as_json: JsonOption = False) -> None:
    """Show how far the people of a month came, and where the others stopped."""
    first = _month(month)
    counted = asked(lambda tx: funnel(tx, month=first), command="invite")
    _tell(first, counted, as_json=as_json)


@invite.command()
def evaluate(
    parties: PartiesOption = None,
    as_of: Annotated[str | None, typer.Option(help="A date; left out: a year before today.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Hold the policy against the simulated truth: who defaults within a year after a date, of those it would invite.

    People who had defaulted before, or had not joined yet, are left out.
    """
    given = env.load()
    now = make_clock(given)()
    day = _date(as_of) if as_of is not None else add_months(business_date(now), -OUTLOOK_MONTHS)
    if not EARLIEST <= day <= business_date(now):
        raise _bad(f"--as-of must be a day from {EARLIEST} to today, not {day}")
    policy, told = policy_for(day.replace(day=1)), Parties(parties) if parties else parties_of(given)
    try:
        found = _held(policy, told, day, now=now)
    except Refusal as refusal:
        raise _refused(refusal) from None
    except ValueError as error:
        raise _bad(str(error)) from None
    if as_json:
        typer.echo(json.dumps({"as_of": day.isoformat(), "policy": policy.version, **asdict(found)}))
        return
    out.print(
        f"As of {day}, policy {policy.version}: {found.invited:,} of {found.people:,} would be invited.\n"
        f"Within {OUTLOOK_MONTHS} months {_percent(found.bad_rate_invited)} of them default, "
        f"{_percent(found.bad_rate_rest)} of the rest, {_percent(found.bad_rate_all)} of all. "
        f"AUC of the total {found.auc:.3f}.",
        highlight=False,
    )
    for dimension, gini in found.gini_by_dimension.items():
        out.print(f"Gini of {dimension}: {'–' if gini is None else f'{gini:.3f}'}", highlight=False)


def _held(policy: Policy, told: Parties, day: date, *, now: datetime) -> Verdict:
    people = pl.concat(told.people(policy, as_of=at(day, time(0)), now=now)).join(told.defaults(), on="resident")
    open_ = people.filter(
        pl.col("default_on").is_null() | (pl.col("default_on") >= day),
        pl.col("joined_on").is_null() | (pl.col("joined_on") < day),
    ).with_columns(member_id=pl.col("resident"), supplement_e2=pl.lit(0, dtype=pl.Int64))
    bad = open_.select((pl.col("default_on") < add_months(day, OUTLOOK_MONTHS)).fill_null(value=False))
    return hold_against(judge(policy, open_, day, {}), bad.to_series().to_numpy())


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.2%}"


def _tell(month: date, counted: Funnel, *, as_json: bool, **more: object) -> None:
    if as_json:
        told = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in more.items()}
        typer.echo(json.dumps({"month": f"{month:%Y-%m}", **told, **asdict(counted)}))
        return
    out.print(
        f"{month:%Y-%m}: {counted.judged:,} judged, {counted.eligible:,} eligible, {counted.qualified:,} qualified "
        f"({counted.delayed:,} by sustained activity), {counted.invited:,} invited.",
        highlight=False,
    )
    for name, mean in counted.means_e2.items():
        out.print(f"mean of {name:<12} {'–' if mean is None else f'{mean / 100:.2f}'}", highlight=False)
    for reason, count in counted.stopped_by.items():
        out.print(f"stopped by {reason:<20} {count:,}", highlight=False)


def _month(text: str) -> date:
    try:
        found = date.fromisoformat(f"{text}-01")
        if found >= EARLIEST:
            return found
        raise _bad(f"{text} is before {EARLIEST:%Y-%m}, when no party kept events")
    except ValueError:
        raise _bad(f"a month is written like 2026-12, not {text!r}") from None


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _bad(f"--as-of must be a date like 2026-11-30, not {text!r}") from None


def _bad(message: str) -> typer.Exit:
    typer.echo(f"grainline invite: {message}", err=True)
    return typer.Exit(2)


def _refused(refusal: Refusal) -> typer.Exit:
    return _bad(detail_of(refusal.code, refusal.params, "en"))
