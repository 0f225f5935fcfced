"""The watch over models, from the decisions: each month once, every model that said something of somebody.

    decisions of the month ──features, probabilities──▶ drift against the model's baseline    (applications, reviews)
    decisions of two years ──what loans came of them──▶ vintages: rank and level              (applications)

A model is watched in whatever role it spoke: it decided, it was the second opinion, it was a shadow. The baseline are
its first decisions at the product (`scoring/baseline.py`); what is in it is no part of a month held against it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import polars as pl
import structlog

from grainline.kit.calendar import add_months, at, business_date, first_of_next_month
from grainline.kit.db import Pool, Tx, transaction
from grainline.kit.errors import Refusal
from grainline.scoring.baseline import Baseline, baseline_of, drifts_against
from grainline.scoring.baseline_store import begin_month, keep_baseline, kept_baseline, last_month
from grainline.scoring.monitoring import SCORE, Drift, Report, known_thresholds
from grainline.scoring.monitoring_store import keep_report
from grainline.scoring.registry import Models, inputs_of
from grainline.scoring.registry_store import model_of
from grainline.scoring.vintages import Vintage, vintages_of
from grainline.scoring.watching import Level, Population, Thresholds
from grainline.underwriting.deciding import Occasion
from grainline.underwriting.model_watch_outcomes import outcomes_of
from grainline.underwriting.model_watch_store import (
    ScoredDecision,
    first_decided_at,
    next_applications,
    scored_decisions,
)

log = structlog.get_logger()

OCCASIONS = {Population.APPLICATION: Occasion.APPLICATION, Population.REVIEW: Occasion.REVIEW}
ROWS_AT_ONCE = 5_000
ID = "decision_id"


async def watch_models(
    pool: Pool, models: Models, *, products: Iterable[str], now: datetime, thresholds: Thresholds | None = None
) -> list[Report]:
    """Make the reports of every month that is over and has none yet, the oldest first; log what alarms.

    A product's first month is that of its first decision. Several may do this at once: each month is done once.
    """
    last = add_months(business_date(now).replace(day=1), -1)
    made: list[Report] = []
    for product in products:
        for month in await _open_months(pool, product=product, last=last):
            async with transaction(pool) as tx:
                if not await begin_month(tx, product=product, month=month, now=now):
                    continue
                reports = await watch_month(tx, models, product=product, month=month, now=now, thresholds=thresholds)
            for report in reports:
                if report.level is Level.ALARM:
                    log.error("model_alarm", **report.alarm())
            made += reports
    return made


async def watch_month(
    tx: Tx, models: Models, *, product: str, month: date, now: datetime, thresholds: Thresholds | None = None
) -> list[Report]:
    """Make and keep a month's reports of a product's models; made again they are the same, and replace what was."""
    by = thresholds or known_thresholds()
    until = at(first_of_next_month(month), time(0))
    made: list[Report] = []
    for population, occasion in OCCASIONS.items():
        of_month = await _read(tx, product=product, occasion=occasion, since=at(month, time(0)), until=until)
        vintages: dict[str, tuple[Vintage, ...]] = {}
        if population is Population.APPLICATION:
            vintages = await _vintages(tx, product=product, month=month, thresholds=by)
        for sha256 in sorted({*of_month.pds, *vintages}):
            about = _About(product, sha256, population, await _features_of(tx, models, sha256))
            drifts: tuple[Drift, ...] = ()
            if sha256 in of_month.pds:
                baseline = await _baseline(tx, about, until=until, now=now, thresholds=by)
                current = of_month.of(sha256, after=baseline)
                drifts = drifts_against(baseline, current, about.features, thresholds=by)
            report = Report(month, product, sha256, drifts, vintages.get(sha256, ()), population)
            await keep_report(tx, report, now=now)
            made.append(report)
    return made


async def _open_months(pool: Pool, *, product: str, last: date) -> list[date]:
    """Return the months up to the last one that are to be watched; without a decision yet, the last one alone."""
    async with transaction(pool) as tx:
        done = await last_month(tx, product=product)
        if done is not None:
            first = first_of_next_month(done)
        else:
            began = await first_decided_at(tx, product=product)
            first = min(business_date(began).replace(day=1), last) if began else last
    months = []
    while first <= last:
        months.append(first)
        first = first_of_next_month(first)
    return months


@dataclass(frozen=True)
class _About:
    """Which model is watched at which product on whom, and what it reads: nothing, where it was refused."""

    product: str
    sha256: str
    population: Population
    features: tuple[str, ...]


@dataclass(frozen=True)
class _Window:
    """Decisions of a span: features, moment and id, and by model what it said, null where it did not."""

    frame: pl.DataFrame
    pds: dict[str, pl.Series] = field(default_factory=dict)

    def of(self, sha256: str, *, after: Baseline | None) -> pl.DataFrame:
        """Return the decisions that a model scored, but for those up to the end of its baseline."""
        frame = self.frame.with_columns(self.pds[sha256].alias(SCORE)).filter(pl.col(SCORE).is_not_null())
        if after is None:
            return frame
        moment, last = after.through
        is_after = (pl.col("decided_at") > moment) | ((pl.col("decided_at") == moment) & (pl.col(ID) > str(last)))
        return frame.filter(is_after)


async def _read(tx: Tx, *, product: str, occasion: Occasion, since: datetime, until: datetime) -> _Window:
    """Read a span into columns, so many rows at a time."""
    parts: list[pl.DataFrame] = []
    rows: list[ScoredDecision] = []
    said: list[Mapping[str, int]] = []
    async for one in scored_decisions(tx, product=product, occasion=occasion, since=since, until=until):
        rows.append(one)
        said.append(one.pds_e6)
        if len(rows) == ROWS_AT_ONCE:
            parts.append(_columns(rows))
            rows = []
    parts.append(_columns(rows))
    models = sorted({sha for pds in said for sha in pds})
    pds = {sha: pl.Series(sha, [one.get(sha) for one in said], dtype=pl.Int64) for sha in models}
    return _Window(pl.concat(parts, how="diagonal_relaxed"), pds)


def _columns(rows: Sequence[ScoredDecision]) -> pl.DataFrame:
    names = dict.fromkeys(name for row in rows for name in row.features)
    columns = [_column(name, [row.features.get(name) for row in rows]) for name in names]
    moments = pl.Series("decided_at", [row.decided_at for row in rows], dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame([moments, pl.Series(ID, [str(row.decision_id) for row in rows], dtype=pl.String), *columns])


def _column(name: str, values: Sequence[float | str | None]) -> pl.Series:
    is_text = any(isinstance(value, str) for value in values)
    if is_text:
        return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
    return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)


async def _features_of(tx: Tx, models: Models, sha256: str) -> tuple[str, ...]:
    try:
        return inputs_of(await models.load(tx, sha256))
    except Refusal:  # alarmed by the registry; what it said of people is watched all the same
        return ()


async def _baseline(
    tx: Tx, about: _About, *, until: datetime, now: datetime, thresholds: Thresholds
) -> Baseline | None:
    """Return the baseline that is kept; or make it of the model's first decisions, once there are enough of them."""
    kept = await kept_baseline(tx, product=about.product, sha256=about.sha256, population=about.population)
    if kept is not None:
        return kept
    registered = await model_of(tx, about.sha256)
    if registered is None:
        return None
    first: list[ScoredDecision] = []
    async for one in scored_decisions(
        tx,
        product=about.product,
        occasion=OCCASIONS[about.population],
        since=registered.registered_at,
        until=until,
        naming=about.sha256,
    ):
        first += [one] if about.sha256 in one.pds_e6 else []
        if len(first) == thresholds.baseline_rows:
            break
    if len(first) < thresholds.baseline_rows:
        return None
    frame = _columns(first).with_columns(pl.Series(SCORE, [one.pds_e6[about.sha256] for one in first], dtype=pl.Int64))
    through = first[-1].decided_at, first[-1].decision_id
    made = baseline_of(frame, about.features, through=through, thresholds=thresholds)
    await keep_baseline(tx, made, product=about.product, sha256=about.sha256, population=about.population, now=now)
    return made


async def _vintages(tx: Tx, *, product: str, month: date, thresholds: Thresholds) -> dict[str, tuple[Vintage, ...]]:
    """Return by model the vintages of applications up to a month, as the loans' rows tell them at its end."""
    end = first_of_next_month(month)
    since, until = at(add_months(month, 1 - thresholds.vintage_months), time(0)), at(end, time(0))
    applied = await next_applications(tx, product=product, since=since)
    decisions = [
        one
        async for one in scored_decisions(
            tx, product=product, occasion=Occasion.APPLICATION, since=since, until=until, features=False
        )
    ]
    came = await outcomes_of(
        tx,
        [(one.member_id, one.decided_at) for one in decisions],
        applied,
        product=product,
        as_of=end - timedelta(days=1),
        months=thresholds.outcome_months,
    )
    rows = [(one, one_came.is_bad) for one, one_came in zip(decisions, came, strict=True) if one_came]
    found = {}
    for sha256 in {sha for one, _ in rows for sha in one.pds_e6}:
        told = [(one, bad) for one, bad in rows if sha256 in one.pds_e6]
        outcomes = pl.DataFrame(
            {
                "decided_on": [business_date(one.decided_at) for one, _ in told],
                "pd_e6": [one.pds_e6[sha256] for one, _ in told],
                "bad": pl.Series([bad for _, bad in told], dtype=pl.Boolean),
            }
        )
        found[sha256] = vintages_of(outcomes, month=month, thresholds=thresholds)
    return found
