"""Filling an empty platform: the shipped people as residents of the sandbox, evaluated for each product.

Their figures are real (data/README.md); their names, phones, ids and cards are synthetic and marked so. Everything is
keyed, so that a start that was broken off is finished by the next one. GRAINLINE_TOWN settles only the first so many.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree

import typer

from grainline.entry.model_keys import signer_of
from grainline.entry.postgres import Database, database
from grainline.entry.settings import PROJECT_ROOT, Settings, load
from grainline.entry.whitelist import refresh_this_month
from grainline.entry.wiring import SANDBOX_FILE, Platform, wire
from grainline.invitation import MonthlyEvaluation, add_evaluations
from grainline.invitation.store import count_evaluations
from grainline.invitation.whitelist_store import funnel
from grainline.kit.calendar import add_months, business_date
from grainline.kit.db import transaction
from grainline.members import create_members
from grainline.products import Pack
from grainline.sandbox.lives import generate
from grainline.sandbox.seeding import ages_in, records_in
from grainline.sandbox.seeding import seed as seed_town
from grainline.sandbox.store import Store
from grainline.sandbox.town import Resident, resident
from grainline.scoring import CreditModel, Portfolio, load_portfolio, score_portfolio, train_portfolio_models
from grainline.scoring.registry import register, set_role
from grainline.scoring.routing import Role, RoleChange
from grainline.underwriting import PortfolioDecision, decide_portfolio
from grainline.underwriting.rules_store import SHIPPED

PORTFOLIO = PROJECT_ROOT / "data" / "credit_card_default.parquet"
CHUNK = 2_000
LIVES = 2_000  # residents who have lives that the data parties see; the others have only their cards' figures
LIVES_SEED = 1
MONTHS_BEFORE, MONTHS_AHEAD = 18, 12
CHALLENGED_E4 = 2_000  # the share of members whom the challenger decides on

Say = Callable[[str], None]
Decided = Sequence[tuple[Pack, Sequence[PortfolioDecision]]]


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
        ages = (await asyncio.to_thread(ages_in, PORTFOLIO))[: settings.town]
        async with transaction(platform.pool) as tx:
            known = {code: await count_evaluations(tx, product=code) for code in platform.packs}
        packs = [pack for code, pack in platform.packs.items() if known[code] < len(ages)]
        now = platform.clock()
        if packs:
            await _fill(settings, platform, ages, packs, now=now, say=say)
        await _list(platform, len(ages), now=now, say=say)


async def _fill(
    settings: Settings, platform: Platform, ages: Sequence[int], packs: Sequence[Pack], *, now: datetime, say: Say
) -> None:
    people = [resident(n, age=age, reference=business_date(now)) for n, age in enumerate(ages, start=1)]
    say(f"Settling {len(people):,} residents in the sandbox …")
    await asyncio.to_thread(_settle, settings.data / SANDBOX_FILE, people, settings.read_partner_secret(), now)
    say("Evaluating them for this month (scorecard and boosted trees, out of fold) …")
    decided, model, fitted = await asyncio.to_thread(_decide, packs, len(ages))
    await _cast(settings, platform, fitted, now=now)
    await _enter(platform, people, decided, model=model, now=now)
    for pack, decisions in decided:
        admitted = sum(decision.invited for decision in decisions)
        say(f"{pack.product.name.en}: {admitted:,} of {len(decisions):,} are admitted.")


async def _list(platform: Platform, count: int, *, now: datetime, say: Say) -> None:
    """Give the first residents lives of their own, and refresh this month's whitelist from what they leave behind.

    The files are written a year ahead, so that the clock can be moved; what is to come is not read before its time.
    """
    folder = platform.parties.folder
    if not platform.parties.there:
        lives, until = min(count, LIVES), add_months(business_date(now), MONTHS_AHEAD)
        say(f"Living 18 months of {lives:,} residents' lives, and a year to come …")
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        rmtree(unfinished, ignore_errors=True)
        months = MONTHS_BEFORE + MONTHS_AHEAD
        await asyncio.to_thread(generate, unfinished, residents=lives, seed=LIVES_SEED, until=until, months=months)
        unfinished.rename(folder)
        await refresh_this_month(platform, now=now)
        async with transaction(platform.pool) as tx:
            counted = await funnel(tx, month=business_date(now).replace(day=1))
        say(f"Whitelist: {counted.invited:,} of {counted.judged:,} are invited.")


def _settle(file: Path, people: Sequence[Resident], secret: bytes, now: datetime) -> None:
    town = Store(file)
    try:
        seed_town(town, people, records=records_in(PORTFOLIO), secret=secret, now=now)
    finally:
        town.close()


async def _cast(settings: Settings, platform: Platform, fitted: Sequence[CreditModel], *, now: datetime) -> None:
    """Register the scorecard as every product's champion and the trees as the challenger of a share of members."""
    signer, (champion, challenger) = signer_of(settings), fitted
    models = platform.underwriter.shelf.models
    async with transaction(platform.pool) as tx:
        for model in fitted:
            await register(tx, model.to_bytes(), signer=signer, by=SHIPPED, now=now)
        for product in platform.packs:
            for role, model, share in ((Role.CHAMPION, champion, 0), (Role.CHALLENGER, challenger, CHALLENGED_E4)):
                change = RoleChange(0, product, role, model.sha256, now, share, True, now, SHIPPED)
                await set_role(tx, models, change)


def _decide(packs: Sequence[Pack], count: int) -> tuple[Decided, str, Sequence[CreditModel]]:
    """Decide on the first so many people for each product; the probability of a person is the same for all.

    Returned too are the models that decide on applications: fitted to everybody, worth what is found out of fold.
    """
    portfolio = Portfolio(load_portfolio(PORTFOLIO).frame.sort("person_id").head(count))
    scores = score_portfolio(portfolio)
    decided = [(pack, decide_portfolio(pack, portfolio, scores)) for pack in packs]
    return decided, scores.model_hash, train_portfolio_models(portfolio, scores)


async def _enter(
    platform: Platform, people: Sequence[Resident], decided: Decided, *, model: str, now: datetime
) -> None:
    """Enter people as members with their evaluations, a chunk a transaction."""
    for start in range(0, len(people), CHUNK):
        phones = {person.number: person.phone for person in people[start : start + CHUNK]}
        async with transaction(platform.pool) as tx:
            members = await create_members(tx, platform.vault, list(phones.values()), now=now)
            rows = [
                _evaluation(pack, decision, members[phones[decision.person_id]], model=model, now=now)
                for pack, decisions in decided
                for decision in decisions[start : start + CHUNK]
            ]
            await add_evaluations(tx, rows)


def _evaluation(
    pack: Pack, decision: PortfolioDecision, member_id: int, *, model: str, now: datetime
) -> MonthlyEvaluation:
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
        expires_on=today + timedelta(days=pack.admission.valid_days) if decision.invited else None,
    )


if __name__ == "__main__":
    main()
