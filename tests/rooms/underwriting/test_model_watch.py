"""The watch over models, from the decisions: moves are found, and what came of loans is held against what was said."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from uuid import UUID

import numpy as np
import psycopg
import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from grainline.entry.cli import app
from grainline.kit.calendar import add_months
from grainline.kit.db import Pool, make_pool, transaction
from grainline.kit.sealing import Vault
from grainline.members import create_members
from grainline.members.store import member, set_identity
from grainline.scoring import Attribute, Characteristic, CreditModel, FeatureSpec, Loaded, Platt, Scorecard, score_one
from grainline.scoring.monitoring import Report
from grainline.scoring.monitoring_store import report_of
from grainline.scoring.registry import Models, register
from grainline.scoring.signing import Signer
from grainline.scoring.watching import Level, Population
from grainline.underwriting.deciding import Inputs, Occasion, Outcome, Verdict
from grainline.underwriting.decisions_store import Decision, add_decision
from grainline.underwriting.model_watch import watch_models, watch_month
from grainline.underwriting.model_watch_groups import fairness_of_decisions

pytestmark = pytest.mark.anyio

SIGNER = Signer.of(bytes.fromhex("07" * 32))
OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
NOW = datetime(2027, 1, 5, 4, tzinfo=UTC)
_ids = count(1)


def card(name: str, base: int) -> CreditModel:
    specs = (FeatureSpec("used", low=-10, high=10), FeatureSpec("home", "category", categories=("own", "rent")))
    body = Scorecard(
        base,
        (
            Characteristic("used", (Attribute(30), Attribute(0, over=0.3), Attribute(-40, over=0.8))),
            Characteristic("home", (Attribute(10, codes=(0,)), Attribute(-5, codes=(1,)))),
        ),
    )
    return CreditModel(name, specs, body, Platt(1.0, 0.0), {})


CHAMPION, CHALLENGER, SHADOW = card("first", 520), card("second", 530), card("beside", 540)


def decided(
    member_id: int,
    moment: datetime,
    *,
    used: float = 0.5,
    home: str = "own",
    occasion: Occasion = Occasion.APPLICATION,
    product: str = "weilidai",
    result: Verdict = Verdict.APPROVED,
    pd_e6: int | None = None,
    overrides: UUID | None = None,
) -> Decision:
    """A decision of the champion, with the challenger's opinion and a shadow's."""
    features: dict[str, float | str | None] = {"used": used, "home": home}
    said = [score_one(Loaded(one), features).pd_e6 for one in (CHAMPION, CHALLENGER, SHADOW)]
    inputs = Inputs(
        product=product,
        occasion=occasion,
        as_of=moment.isoformat(),
        facts={},
        features=features,
        means=None,
        sources={},
        role="champion",
        model=CHAMPION.sha256,
        second=CHALLENGER.sha256,
        shadows=(SHADOW.sha256,),
        rules="r",
        pack="p",
    )
    outcome = Outcome(result, None, 0, 0, pd_e6 or said[0], 500, {}, (), (), {}, said[1], {SHADOW.sha256: said[2]})
    n = next(_ids)
    officer = "ann" if occasion is Occasion.HUMAN else None
    return Decision(
        *(member_id, UUID(int=n), product, occasion, f"k{n}", inputs.text(), outcome.text()),
        *(overrides, officer, moment, 1),
    )


def applicants(month: date, people: int, *, seed: int, shift: float = 0.0) -> Iterable[Decision]:
    draw = np.random.default_rng(seed)
    began = datetime(month.year, month.month, month.day, 12, tzinfo=UTC)
    for n in range(people):
        home = "rent" if draw.random() < 0.5 else "own"
        used = draw.normal(0.5 + shift, 0.3)
        yield decided(next(_ids), began + timedelta(minutes=30 * n), used=used, home=home)


@pytest.fixture
async def pool(databases: tuple[str, str]) -> AsyncIterator[Pool]:
    async with make_pool(databases[1], size_max=3) as opened:
        yield opened


@pytest.fixture
async def models(pool: Pool) -> Models:
    early = datetime(2025, 1, 1, tzinfo=UTC)
    async with transaction(pool) as tx:
        for one in (CHAMPION, CHALLENGER, SHADOW):
            await register(tx, one.to_bytes(), signer=SIGNER, by="test", now=early)
    return Models({SIGNER.public_key})


async def keep(pool: Pool, decisions: Iterable[Decision]) -> None:
    async with transaction(pool) as tx:
        for one in decisions:
            await add_decision(tx, one)


def levels(report: Report) -> dict[str, Level]:
    return {one.name: one.level for one in report.drifts}


async def test_months_are_caught_up_once_and_who_moved_is_found_for_every_model(
    pool: Pool, models: Models, databases: tuple[str, str]
) -> None:
    # 700 in October make the baseline of 500 and a window of 200; in December people moved
    await keep(pool, applicants(OCTOBER, 700, seed=1))
    await keep(pool, applicants(NOVEMBER, 400, seed=2))
    await keep(pool, applicants(DECEMBER, 400, seed=3, shift=0.4))
    reviews = [decided(n, NOW - timedelta(days=20), used=5.0, occasion=Occasion.REVIEW) for n in range(9_000, 9_060)]
    await keep(pool, reviews)
    with capture_logs() as logs:
        made = await asyncio.gather(*(watch_models(pool, models, products=["weilidai"], now=NOW) for _ in range(3)))
    reports = {(one.month, one.sha256, one.population): one for each in made for one in each}
    assert sum(map(len, made)) == len(reports) == 3 * 3 + 3  # each month once, whoever came first
    for model in (CHAMPION, CHALLENGER, SHADOW):
        of = {month: reports[month, model.sha256, Population.APPLICATION] for month in (OCTOBER, NOVEMBER, DECEMBER)}
        assert [(one.rows_reference, one.rows_current) for one in of[OCTOBER].drifts] == [(500, 200)] * 3
        assert set(levels(of[OCTOBER]).values()) == set(levels(of[NOVEMBER]).values()) == {Level.STABLE}
        assert levels(of[DECEMBER]) == {"pd_e6": Level.ALARM, "used": Level.ALARM, "home": Level.STABLE}
        # reviews are people of another kind: not held against applicants, and too few for a baseline of their own
        apart = reports[DECEMBER, model.sha256, Population.REVIEW]
        assert set(levels(apart).values()) == {Level.TOO_FEW}
        assert {(one.rows_reference, one.rows_current) for one in apart.drifts} == {(0, 60)}
    alarms = [one for one in logs if one["event"] == "model_alarm"]
    assert {(one["sha256"], one["month"], one["log_level"]) for one in alarms} == {
        (model.sha256, "2026-12", "error") for model in (CHAMPION, CHALLENGER, SHADOW)
    }
    assert all(one["moved"] == ["pd_e6", "used"] for one in alarms)

    # the day's work comes again and does nothing; a report made again is the same
    assert await watch_models(pool, models, products=["weilidai"], now=NOW) == []
    async with transaction(pool) as tx:
        again = await watch_month(tx, models, product="weilidai", month=NOVEMBER, now=NOW + timedelta(days=1))
        kept = await report_of(
            tx, month=NOVEMBER, product="weilidai", sha256=SHADOW.sha256, population=Population.APPLICATION
        )
    assert again == [reports[NOVEMBER, one.sha256, one.population] for one in again]
    assert set(kept.drifts) == set(reports[NOVEMBER, SHADOW.sha256, Population.APPLICATION].drifts)

    code, told = await shown(databases, "--month", "2026-11")
    assert code == 0 and [one["level"] for one in told["reports"]] == ["stable"] * 3
    code, told = await shown(databases)
    assert code == 1 and told["month"] == "2026-12" and len(told["reports"]) == 6
    code, told = await shown(databases, "--product", "jiebei")
    assert (code, told["reports"]) == (0, [])


async def shown(databases: tuple[str, str], *words: str) -> tuple[int, dict]:
    environment = {"GRAINLINE_DATABASE_URL": databases[1], "GRAINLINE_DATABASE_OWNER_URL": databases[0]}
    command = ["score", "monitor", *words, "--json"]
    done = await asyncio.to_thread(lambda: CliRunner().invoke(app, command, env=environment))
    return done.exit_code, json.loads(done.stdout)


async def lend(databases: tuple[str, str], member_id: int, product: str, day: date, *, default_on: date | None) -> None:
    """A loan's row and its classes, as the day's work writes them."""
    loan_id = UUID(int=next(_ids))
    async with await psycopg.AsyncConnection.connect(databases[0], autocommit=True) as owner:
        await owner.execute(
            "insert into loans.loans (member_id, loan_id, product, card_id, purpose, amount_fen, instalments, rate_e8,"
            " started_on, principal_fen, booked_through, rules)"
            " select %s, %s, %s, %s, 'travel', 100000, 5, 50000, %s, 100000, %s, name from loans.rule_sets limit 1",
            (member_id, loan_id, product, loan_id, day, day),
        )
        for stage, from_on in ((2, day), (3, default_on)):
            if from_on:
                await owner.execute(
                    "insert into loans.classifications values (%s, %s, %s, 'M2', 'normal', %s)",
                    (member_id, loan_id, from_on, stage),
                )


async def test_vintages_come_from_the_loans_of_the_decision_and_of_its_time(
    pool: Pool, models: Models, databases: tuple[str, str]
) -> None:
    moment, product = datetime(2025, 3, 10, 4, tzinfo=UTC), "jintiao"
    day, horizon = date(2025, 3, 10), date(2026, 3, 10)
    people = {
        "good": [(day, None)],
        "bad": [(day, date(2025, 9, 1))],
        "second loan bad": [(day, None), (date(2025, 6, 1), horizon)],
        "bad too late": [(day, horizon + timedelta(days=1))],
        "never drew": [],
        "drew too late": [(horizon + timedelta(days=1), date(2026, 6, 20))],
    }
    numbers = {name: 20_000 + n for n, name in enumerate(people)}
    for name, loans in people.items():
        await keep(pool, [decided(numbers[name], moment, product=product)])
        for begun, default_on in loans:
            await lend(databases, numbers[name], product, begun, default_on=default_on)
    # declined in March, and approved in April, whose loan it is
    for when, result in ((moment, Verdict.DECLINED), (moment + timedelta(days=30), Verdict.APPROVED)):
        await keep(pool, [decided(30_000, when, product=product, result=result)])
    await lend(databases, 30_000, product, date(2025, 4, 9), default_on=date(2025, 8, 1))

    async def counts(month: date) -> dict[date, tuple[int, int, int]]:
        async with transaction(pool) as tx:
            made = await watch_month(tx, models, product=product, month=month, now=NOW)
        [report] = [one for one in made if one.sha256 == CHALLENGER.sha256]
        return {one.vintage: (one.decided, one.known, one.bad) for one in report.vintages}

    march, april = date(2025, 3, 1), date(2025, 4, 1)
    assert await counts(date(2025, 9, 1)) == {march: (4, 1, 1), april: (1, 1, 1)}
    assert await counts(date(2026, 2, 1)) == {march: (4, 1, 1), april: (1, 1, 1)}
    assert await counts(date(2026, 3, 1)) == {march: (4, 4, 2), april: (1, 1, 1)}
    assert await counts(add_months(march, 23)) == {march: (4, 4, 2), april: (1, 1, 1)}


async def test_groups_are_counted_from_ids_that_stay_sealed_and_small_ones_are_not_shown(
    pool: Pool, models: Models, databases: tuple[str, str]
) -> None:
    vault, product = Vault(bytes(32), os.urandom), "jiebei"
    began = datetime(2026, 12, 2, 4, tzinfo=UTC)
    phones = [f"139{n:08d}" for n in range(200)]
    async with transaction(pool) as tx:
        numbers = await create_members(tx, vault, phones, now=began)
        for n, phone in enumerate(phones):
            # 95 women of 110000 and 95 men of 310000, born 1990; ten men of 440000, born 2005
            born, region = ("20050101", "44") if n >= 190 else ("19900101", "31" if n % 2 else "11")
            number = f"{region}0101{born}00{1 if n % 2 or n >= 190 else 2}X"
            one = await member(tx, numbers[phone])
            sealed = {
                name: vault.seal(text, member_id=one.member_id, wrapped_key=one.wrapped_key)
                for name, text in (("name", "王小明"), ("national_id", number))
            }
            await set_identity(tx, member_id=one.member_id, **sealed, now=began)
    decisions = [
        # every third woman is declined, men never; the last ten wait for an officer, of whom two are answered
        decided(
            numbers[phone],
            began + timedelta(minutes=n),
            product=product,
            result=Verdict.REVIEW if n >= 195 else Verdict.DECLINED if n % 6 == 0 else Verdict.APPROVED,
        )
        for n, phone in enumerate(phones)
    ]
    answered = [
        decided(
            one.member_id,
            one.decided_at + timedelta(days=1),
            product=product,
            occasion=Occasion.HUMAN,
            overrides=one.decision_id,
        )
        for one in decisions[195:197]
    ]
    await keep(pool, [*decisions, *answered])
    async with transaction(pool) as tx:
        found = await fairness_of_decisions(tx, vault, product=product, since=began, until=NOW)
    assert (found.people, found.waiting, found.outcomes) == (197, 3, 0)
    by = {report.attribute: {group.name: group for group in report.groups} for report in found.attributes}
    women, men = by["sex"]["female"], by["sex"]["male"]
    assert (women.people, men.people) == (95, 102)
    assert women.approved is not None and women.impact_ratio is not None
    assert women.approved.value == pytest.approx(63 / 95)
    assert women.flagged and not men.flagged and men.is_reference
    assert women.bad is None and women.approved_of_good is None
    # seven of 44 could be told by subtraction if the others were both shown
    assert {name: group.people for name, group in by["region"].items()} == {"11": None, "31": 95, "44": None}
    assert {name: group.people for name, group in by["age_band"].items()} == {"18-24": None, "35-44": None}
    assert await telling_tables(pool) == []

    environment = {
        "GRAINLINE_DATABASE_URL": databases[1],
        "GRAINLINE_DATABASE_OWNER_URL": databases[0],
        "GRAINLINE_MASTER_KEY": "00" * 32,
    }
    command = ["score", "fairness", "--product", product, "--since", "2026-11-30", "--json"]
    done = await asyncio.to_thread(lambda: CliRunner().invoke(app, command, env=environment))
    # the command counts up to the machine's own day, before or after these decisions
    assert done.exit_code == 0 and json.loads(done.stdout.splitlines()[-1])["product"] == product, done.output


async def telling_tables(pool: Pool) -> list[str]:
    """Return the tables of scoring and underwriting that hold an id or what it tells."""
    found = []
    async with transaction(pool) as tx:
        rows = await tx.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_schema in ('scoring', 'underwriting')"
        )
        for (name,) in await rows.fetchall():
            hits = await tx.execute(f"select count(*) from {name} t where t::text ~ '(11|31|44)0101(1990|2005)0101'")
            if (await hits.fetchone()) != (0,):
                found.append(name)
    return found
