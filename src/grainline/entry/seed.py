"""Filling an empty platform: the shipped people as residents of the sandbox, evaluated for this month.

Their figures are real (data/README.md); their names, phones, ids and cards are synthetic and marked so. Everything is
keyed, so that a start that was broken off is finished by the next one. GRAINLINE_TOWN settles only the first so many.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import typer

from grainline.entry.postgres import Database, database
from grainline.entry.settings import PROJECT_ROOT, Settings, load
from grainline.entry.wiring import SANDBOX_FILE, Platform, wire
from grainline.invitation import MonthlyEvaluation, add_evaluations
from grainline.invitation.store import count_evaluations
from grainline.kit.calendar import business_date
from grainline.kit.db import transaction
from grainline.members import create_members
from grainline.products import Pack
from grainline.sandbox.seeding import ages_in
from grainline.sandbox.seeding import seed as seed_town
from grainline.sandbox.store import Store
from grainline.sandbox.town import Resident, resident
from grainline.scoring import Portfolio, load_portfolio, score_portfolio
from grainline.underwriting import Decision, decide_portfolio

PORTFOLIO = PROJECT_ROOT / "data" / "credit_card_default.parquet"
CHUNK = 2_000

Say = Callable[[str], None]


def main() -> None:
    """Fill what is empty as a process of its own, telling how far it is on the standard output."""
    given = load()
    with database(given) as found:
        seed(given, found, typer.echo)


def seed(settings: Settings, found: Database, say: Say) -> None:
    """Fill what is empty; what is there stays as it is. Outside the sandbox there is nothing to fill."""
    if settings.sandbox:
        asyncio.run(_seed(settings, found, say))


async def _seed(settings: Settings, found: Database, say: Say) -> None:
    async with wire(settings, found.app_url) as platform:
        async with transaction(platform.pool) as tx:
            known = await count_evaluations(tx, product=platform.pack.product.code)
        ages = (await asyncio.to_thread(ages_in, PORTFOLIO))[: settings.town]
        if known >= len(ages):
            return
        now = platform.clock()
        people = [resident(n, age=age, reference=business_date(now)) for n, age in enumerate(ages, start=1)]
        say(f"Settling {len(people):,} residents in the sandbox …")
        await asyncio.to_thread(_settle, settings.data / SANDBOX_FILE, people, settings.read_partner_secret(), now)
        say("Evaluating them for this month (scorecard and boosted trees, out of fold) …")
        decisions, model = await asyncio.to_thread(_decide, platform.pack, len(ages))
        await _enter(platform, people, decisions, model=model, now=now)
        invited = sum(decision.invited for decision in decisions)
        say(f"{invited:,} of {len(decisions):,} are invited.")


def _settle(file: Path, people: Sequence[Resident], secret: bytes, now: datetime) -> None:
    town = Store(file)
    try:
        seed_town(town, people, secret=secret, now=now)
    finally:
        town.close()


def _decide(pack: Pack, count: int) -> tuple[tuple[Decision, ...], str]:
    portfolio = Portfolio(load_portfolio(PORTFOLIO).frame.sort("person_id").head(count))
    scores = score_portfolio(portfolio)
    return decide_portfolio(pack, portfolio, scores), scores.model_hash


async def _enter(
    platform: Platform, people: Sequence[Resident], decisions: Sequence[Decision], *, model: str, now: datetime
) -> None:
    """Enter people as members with their evaluation, a chunk a transaction."""
    phones = {person.number: person.phone for person in people}
    for start in range(0, len(decisions), CHUNK):
        chunk = decisions[start : start + CHUNK]
        async with transaction(platform.pool) as tx:
            members = await create_members(tx, platform.vault, [phones[d.person_id] for d in chunk], now=now)
            rows = [
                _evaluation(platform.pack, decision, members[phones[decision.person_id]], model=model, now=now)
                for decision in chunk
            ]
            await add_evaluations(tx, rows)


def _evaluation(pack: Pack, decision: Decision, member_id: int, *, model: str, now: datetime) -> MonthlyEvaluation:
    today = business_date(now)
    return MonthlyEvaluation(
        member_id=member_id,
        product=pack.product.code,
        month=today.replace(day=1),
        pd_e6=decision.pd_e6,
        invited=decision.invited,
        tier=decision.tier,
        line_fen=decision.line_fen if decision.invited else None,
        rate_e8=decision.rate_e8 if decision.invited else None,
        reasons=decision.offer_reasons if decision.invited else decision.reasons,
        model=model,
        evaluated_at=now,
        expires_on=today + timedelta(days=pack.invitation.valid_days) if decision.invited else None,
    )


if __name__ == "__main__":
    main()
