"""`grainline review …`: the queue of decisions that a person is to look at, and an officer's answer."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import typer
from rich.console import Console

from grainline.entry import settings as env
from grainline.entry.postgres import database
from grainline.entry.problems import detail_of
from grainline.entry.wiring import Platform, wire
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx, transaction
from grainline.kit.errors import Refusal
from grainline.kit.money import FEN_PER_YUAN
from grainline.loans.apr import simple_percent
from grainline.products import Pack
from grainline.underwriting.deciding import Verdict
from grainline.underwriting.decisions_store import Decision, decision_of
from grainline.underwriting.reviewing import Answer, answer_review
from grainline.underwriting.reviews_store import Review, open_reviews, review_named
from grainline.underwriting.way_up_reading import start_of, ways_from
from grainline.underwriting.way_up_texts import told_way

review_app = typer.Typer(no_args_is_help=True, help="Human review: the queue, one request, an officer's answer.")
out = Console(soft_wrap=True, highlight=False)
Result = TypeVar("Result")

IdArgument = Annotated[
    UUID, typer.Argument(metavar="ID", help="The request's id, as `grainline review list` shows it.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


@review_app.command(name="list")
def list_reviews(as_json: JsonOption = False) -> None:
    """List what waits for an officer, the oldest first."""

    async def look(platform: Platform, tx: Tx) -> list[dict[str, Any]]:
        today = business_date(platform.clock())
        return [_told(one) | {"late": one.answer_by < today} for one in await open_reviews(tx)]

    found = _asked(look)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for one in found:
        by = f"{one['answer_by']}{' (late)' if one['late'] else ''}"
        asked = f"{one['product']:<9} asked by {one['asked_by']} at {one['asked_at'][:16]}"
        out.print(f"{one['review_id']}  member {one['member_id']}  {asked}; answer by {by}")
    if not found:
        out.print("Nobody waits.")


@review_app.command()
def show(review_id: IdArgument, as_json: JsonOption = False) -> None:
    """Show a request: the decision that is to be looked at, why it came out so, and what would change it."""

    async def look(platform: Platform, tx: Tx) -> dict[str, Any]:
        review = await review_named(tx, review_id)
        decision = await decision_of(tx, member_id=review.member_id, decision_id=review.decision_id)
        was, pack = decision.read_outcome(), await _pack_of(platform, tx, decision)
        ways = await ways_from(await start_of(tx, platform.underwriter, decision))
        facts = decision.read_inputs().facts
        return {
            **_told(review),
            "words": review.words,
            "decision": _outcome(pack, decision) | {"facts": facts, "sub_scores": was.sub_scores},
            "ways": [told_way(way, was, pack, "en") for way in ways],
        }

    found = _asked(look)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, value in (found | found.pop("decision")).items():
        out.print(f"{name:<16} {_plain(value)}")


@review_app.command()
def answer(
    review_id: IdArgument,
    verdict: Annotated[Literal["approved", "declined"], typer.Argument(help="What you decide.")],
    by: Annotated[str, typer.Option("--by", help="Your name.")],
    reason: Annotated[str, typer.Option(help="Why; the member reads it word for word.")],
    line: Annotated[int | None, typer.Option(help="Line in whole yuan; left out: as the product prices it.")] = None,
    rate_e8: Annotated[int | None, typer.Option(help="Rate in 10⁻⁸ a day; left out: as the product prices it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a request: a decision that overrides the one that was looked at."""
    typer.echo("The member reads the reason word for word.", err=True)
    said = Answer(
        officer=by,
        verdict=Verdict.APPROVED if verdict == "approved" else Verdict.DECLINED,
        reason=reason,
        line_fen=None if line is None else line * FEN_PER_YUAN,
        rate_e8=rate_e8,
    )

    async def decide(platform: Platform, tx: Tx) -> dict[str, Any]:
        made = await answer_review(tx, platform.underwriter, platform.packs, review_id, said, now=platform.clock())
        return _outcome(await _pack_of(platform, tx, made), made) | {
            "overrides": str(made.overrides),
            "by": made.decided_by,
        }

    found = _asked(decide)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, value in found.items():
        out.print(f"{name:<16} {_plain(value)}")


def _told(one: Review) -> dict[str, Any]:
    return {
        "review_id": str(one.review_id),
        "member_id": one.member_id,
        "product": one.product,
        "decision_id": str(one.decision_id),
        "asked_by": one.asked_by,
        "asked_at": one.asked_at.isoformat(),
        "answer_by": one.answer_by.isoformat(),
        "answered_by": one.answered_by,
        "answer": str(one.answer) if one.answer else None,
    }


async def _pack_of(platform: Platform, tx: Tx, decision: Decision) -> Pack:
    """Return the pack a decision was made by: today's may have other tiers."""
    return await platform.underwriter.shelf.pack_named(tx, decision.read_inputs().pack)


def _outcome(pack: Pack, decision: Decision) -> dict[str, Any]:
    outcome, basis = decision.read_outcome(), pack.schedule.year_basis
    return {
        "decision_id": str(decision.decision_id),
        "result": str(outcome.result),
        "tier": outcome.tier,
        "line_fen": outcome.line_fen,
        "rate_e8": outcome.rate_e8,
        "annual_rate_percent": simple_percent(outcome.rate_e8, basis) if outcome.rate_e8 else None,
        "pd_e6": outcome.pd_e6,
        "reasons": list(outcome.reasons),
        "offer_reasons": list(outcome.offer_reasons),
    }


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(one)}" for name, one in value.items())
    if isinstance(value, list):
        return "\n                 ".join(map(str, value)) or "–"
    return "–" if value is None else str(value)


def _asked(ask: Callable[[Platform, Tx], Awaitable[Result]]) -> Result:
    """Return what is asked of the platform within one transaction; a refusal ends the command with 2."""
    settings = env.load()

    async def work(url: str) -> Result:
        async with wire(settings, url, pool_size=2) as platform, transaction(platform.pool) as tx:
            return await ask(platform, tx)

    try:
        with database(settings) as found:
            return asyncio.run(work(found.app_url))
    except Refusal as refusal:
        typer.echo(f"grainline review: {detail_of(refusal.code, refusal.params, 'en')}", err=True)
        raise typer.Exit(2) from None
