"""A portfolio of lines reviewed as a batch: the pure part on many people, the whole review with the database on some.

Pure: models with reasons, rules, line and price, and the policy's bounds, on synthetic people drawn from the shipped
portfolio, in chunks; a sample is decided again one by one and must be equal. With the database: taken from the queue,
the bureau (an answer in this process), decided, recorded, the line changed and told.
"""

import asyncio
import os
import resource
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
import polars as pl
from _stage import Figures, Stage, options, print_figures, stage, tell, telling

from grainline.entry.model_keys import models_of, signer_of
from grainline.entry.settings import PROJECT_ROOT, Settings
from grainline.entry.shipped_rules import shipped_rules
from grainline.entry.wiring import read_pack, read_profiles, ticks
from grainline.kit.db import Pool, make_pool, transaction
from grainline.kit.money import Fen, RateE8
from grainline.kit.sealing import Vault
from grainline.lines import Cause, Line, LineState, ask_review, open_line
from grainline.members import Source, create_members, give
from grainline.members import store as members_store
from grainline.partners.bureau import Changes, CreditReport
from grainline.products import Pack
from grainline.sandbox.town import residents
from grainline.scoring import CreditModel, Loaded, Portfolio, features_of, load_portfolio, train_portfolio_models
from grainline.scoring.registry import register, set_role
from grainline.scoring.routing import Role, RoleChange
from grainline.underwriting.applying import Underwriter
from grainline.underwriting.backtest import capacities_fen
from grainline.underwriting.deciding import Artefacts, Inputs, Occasion, Verdict, decide_on
from grainline.underwriting.line_portfolio import Reviewed, review_many
from grainline.underwriting.line_review import Conduct, policy_on, terms_after
from grainline.underwriting.line_reviewing import review_due
from grainline.underwriting.portfolio_facts import ASSUMED
from grainline.underwriting.pricing import Means
from grainline.underwriting.shelf import Shelf

CHUNK, SAMPLE, TRAINED_ON = 20_000, 300, 6_000
NOW = datetime(2027, 5, 2, 4, tzinfo=UTC)
DB_AT_ONCE = 200
ROOM_FEN = 30_000_000


def main() -> int:
    """Measure, print, and fail where one of many differs from one alone."""
    parser = options(__doc__ or "", seconds=0.0)
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines of the pure part (%(default)s)")
    parser.add_argument("--db-seconds", type=float, default=30.0, help="time of the whole reviews (%(default)s)")
    given = parser.parse_args()
    people = load_portfolio(PROJECT_ROOT / "data" / "credit_card_default.parquet").frame.sort("person_id")
    champion, challenger = train_portfolio_models(Portfolio(people.head(TRAINED_ON)))
    pack = read_pack()
    artefacts = Artefacts(pack, shipped_rules(pack), Loaded(champion), Loaded(challenger))
    chances = np.random.default_rng(42)
    with telling(2 + -(-given.lines // CHUNK)) as progress:
        seconds, cpu, different, verdicts = 0.0, 0.0, 0, dict.fromkeys(Verdict, 0)
        for first in range(0, given.lines, CHUNK):
            tell(progress, f"lines from {first:,}")
            asked = _asked(pack, people, chances, first, min(CHUNK, given.lines - first))
            began, cpu_began = time.perf_counter(), time.process_time()
            found = asked.reviewed(artefacts)
            seconds, cpu = seconds + time.perf_counter() - began, cpu + time.process_time() - cpu_began
            for one in found:
                verdicts[one.verdict] += 1
            if first == 0:
                different = sum(
                    asked.alone(artefacts, place) != found[place] for place in range(min(SAMPLE, len(found)))
                )
        rss_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        tell(progress, "reviews with the database")
        with stage(scale=1) as on:
            reviewing = _with_database(on, pack, (champion, challenger), people, given.db_seconds)
            db_lines, db_seconds, db_cpu = asyncio.run(reviewing)
    figures: Figures = {
        "lines": given.lines,
        "per_s": round(given.lines / seconds),
        "per_cpu_s": round(given.lines / cpu),
        "rss_mb": round(rss_mb),
        **{str(verdict): count for verdict, count in verdicts.items()},
        "sampled": min(SAMPLE, given.lines),
        "different": different,
        "db_lines": db_lines,
        "db_per_s": round(db_lines / db_seconds, 1),
        "db_cpu_ms": round(1_000 * db_cpu / max(db_lines, 1), 2),
    }
    print_figures(figures, as_json=given.json)
    return 1 if different or not db_lines else 0


@dataclass(frozen=True)
class _Asked:
    """A chunk of lines with all that their reviews rest on."""

    features: pl.DataFrame
    facts: pl.DataFrame
    means: list[Means]
    lines: list[Line]
    conducts: list[Conduct]

    def reviewed(self, artefacts: Artefacts) -> list[Reviewed]:
        """Review them all at once."""
        day = NOW.date()
        given = (self.features, self.facts, self.means, self.lines, self.conducts)
        return review_many(artefacts, policy_on(day), *given, day=day)

    def alone(self, artefacts: Artefacts, place: int) -> Reviewed:
        """Review one as the platform does."""
        day = NOW.date()
        inputs = Inputs(
            product=artefacts.pack.product.code,
            occasion=Occasion.REVIEW,
            as_of=NOW.isoformat(),
            facts=self.facts.row(place, named=True),
            features=self.features.row(place, named=True),
            means=self.means[place],
            sources={},
            role="champion",
            model="first",
            second="second",
            shadows=(),
            rules="",
            pack="",
        )
        outcome = decide_on(artefacts, inputs)
        terms = None
        if outcome.result is Verdict.APPROVED:
            line, conduct = self.lines[place], self.conducts[place]
            terms = terms_after(policy_on(day), artefacts.pack, line, outcome, conduct, day=day)
        return Reviewed(outcome.result, outcome.reasons, terms)


def _asked(pack: Pack, people: pl.DataFrame, chances: np.random.Generator, first: int, count: int) -> _Asked:
    """Draw people of the portfolio, with other amounts than theirs, and lines that they may hold."""
    drawn = people[chances.integers(0, len(people), count)].with_columns(person_id=pl.int_range(first, first + count))
    share = pl.Series("share", chances.uniform(0.8, 1.25, count))
    amounts = [f"{stem}_{month}" for stem in ("bill", "paid") for month in range(1, 7)]
    portfolio = Portfolio(drawn.with_columns((pl.col(name) * share).round().cast(pl.Int64) for name in amounts))
    facts = portfolio.frame.select(
        age=pl.col("age"),
        overdue_elsewhere=pl.when(pl.col("status_1") > 0).then(pl.lit("yes")).otherwise(pl.lit("no")),
        owed_all_fen=pl.max_horizontal(pl.col("bill_1"), 0) * 100,
        **{name: pl.lit(value) for name, value in ASSUMED.items()},
    )
    tiers = [pack.tier[place] for place in chances.integers(0, len(pack.tier), count)]
    shares = chances.uniform(0, 1, count)
    lines = [
        _line(pack, first + place, tier.code, tier.line_min_fen + int(share * (tier.line_max_fen - tier.line_min_fen)))
        for place, (tier, share) in enumerate(zip(tiers, shares, strict=True))
    ]
    conducts = [Conduct(int(on_time), 0) for on_time in chances.integers(0, 7, count)]
    means = [Means(int(capacity), ROOM_FEN) for capacity in capacities_fen(portfolio)]
    return _Asked(features_of(portfolio), facts, means, lines, conducts)


def _line(pack: Pack, number: int, tier: str, limit: int) -> Line:
    limit = max(pack.line.min_fen, limit // pack.line.step_fen * pack.line.step_fen)
    rate = RateE8(pack.tier_named(tier).rate_max_e8)
    return Line(number, pack.product.code, LineState.OPEN, tier, Fen(limit), Fen(0), Fen(0), Fen(limit), rate, (), NOW)


class _Bureau:
    """A bureau in this process: everybody has the card of somebody in the portfolio."""

    def __init__(self, cards: list[dict[str, int]]) -> None:
        self.cards = cards

    async def report(self, *, name: str, national_id: str, subject: str, consent: str) -> CreditReport:
        """Answer at once."""
        return CreditReport(NOW, self.cards[int(subject.removeprefix("m-")) % len(self.cards)], 0, 0, 0)

    async def changes(self, *, after: int) -> Changes:
        """Tell of no change."""
        return Changes((), after)


async def _with_database(
    on: Stage, pack: Pack, models: tuple[CreditModel, CreditModel], people: pl.DataFrame, wanted_s: float
) -> tuple[int, float, float]:
    """Review lines for some seconds; return how many, the seconds it took, and those of this process's processor."""
    settings = Settings(data=on.data, sandbox=True)
    vault, product = Vault(settings.read_master_key(), os.urandom), pack.product.code
    cards = people.head(1_000).drop("person_id", "sex", "marriage", "age", "defaulted").to_dicts()
    async with make_pool(on.server.app_url, size_max=8) as pool:
        shelf_models = models_of(settings)
        by = Underwriter(pool, vault, _Bureau(cards), Shelf(shelf_models), read_profiles(), uuid4, ticks)
        async with transaction(pool) as tx:
            for model, role in zip(models, (Role.CHAMPION, Role.CHALLENGER), strict=True):
                await register(tx, model.to_bytes(), signer=signer_of(settings), by="bench", now=NOW)
                share = 5_000 if role is Role.CHALLENGER else 0
                change = RoleChange(0, product, role, model.sha256, NOW, share, True, NOW, "bench")
                await set_role(tx, shelf_models, change)
        seconds, cpu = 0.0, 0.0
        while seconds < wanted_s:
            await _settle(pool, vault, pack)
            began, cpu_began = time.perf_counter(), time.process_time()
            await review_due(by, {product: pack}, now=NOW + timedelta(minutes=1))
            seconds, cpu = seconds + time.perf_counter() - began, cpu + time.process_time() - cpu_began
        async with pool.connection() as connection:
            asked = "select count(*) from lines.reviews where decision_id is not null"
            row = await (await connection.execute(asked)).fetchone()
            done = int(row[0]) if row else 0
    return done, seconds, cpu


async def _settle(pool: Pool, vault: Vault, pack: Pack) -> None:
    """Enter people with a name, a consent and a line that is to be reviewed."""
    town = list(residents((20 + number % 40 for number in range(DB_AT_ONCE)), reference=NOW.date()))
    tier = pack.tier[1]
    async with transaction(pool) as tx:
        for person in town:
            phone = f"139{uuid4().int % 10**8:08d}"
            member_id = (await create_members(tx, vault, [phone], now=NOW))[phone]
            member = await members_store.member(tx, member_id)
            sealed = [
                vault.seal(text, member_id=member_id, wrapped_key=member.wrapped_key)
                for text in (person.name, person.national_id)
            ]
            await members_store.set_identity(tx, member_id=member_id, name=sealed[0], national_id=sealed[1], now=NOW)
            await give(tx, member_id=member_id, sources=[Source.BUREAU], now=NOW)
            await open_line(
                tx,
                member_id=member_id,
                product=pack.product.code,
                tier=tier.code,
                limit_fen=Fen(tier.line_min_fen),
                rate_e8=RateE8(tier.rate_max_e8),
                reasons=("line_by_capacity",),
                now=NOW,
            )
            await ask_review(
                tx,
                member_id=member_id,
                product=pack.product.code,
                key="six_months/2027-05-02",
                cause=Cause.SIX_MONTHS,
                now=NOW,
            )


if __name__ == "__main__":
    raise SystemExit(main())
