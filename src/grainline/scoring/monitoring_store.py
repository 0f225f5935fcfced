"""SQL of the watch over models: a month's drifts and vintages. Worked out again, a month's figures are replaced."""

from datetime import date, datetime

from grainline.kit.db import Tx, record
from grainline.scoring.monitoring import Drift, Report
from grainline.scoring.vintages import Vintage
from grainline.scoring.watching import Population

_DRIFT = "kind, name, psi_e6, chance_e6, rows_reference, rows_current, level"
_VINTAGE = "vintage, decided, known, bad, auc_e6, ks_e6, predicted_e6, observed_e6, low_e6, high_e6, level"


async def keep_report(tx: Tx, report: Report, *, now: datetime) -> None:
    """Insert a month's report, in place of one of the same month, product, model and population."""
    of = (report.month, report.product, bytes.fromhex(report.sha256), report.population)
    async with tx.cursor() as cursor:
        await cursor.executemany(
            f"insert into scoring.monitoring (month, product, sha256, population, {_DRIFT}, computed_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " on conflict (month, product, sha256, population, kind, name)"
            " do update set psi_e6 = excluded.psi_e6, chance_e6 = excluded.chance_e6,"
            " rows_reference = excluded.rows_reference, rows_current = excluded.rows_current,"
            " level = excluded.level, computed_at = excluded.computed_at",
            [(*of, *vars(one).values(), now) for one in report.drifts],
        )
        await cursor.executemany(
            f"insert into scoring.vintages (month, product, sha256, population, {_VINTAGE}, computed_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " on conflict (month, product, sha256, population, vintage) do update set decided = excluded.decided,"
            " known = excluded.known, bad = excluded.bad, auc_e6 = excluded.auc_e6, ks_e6 = excluded.ks_e6,"
            " predicted_e6 = excluded.predicted_e6, observed_e6 = excluded.observed_e6, low_e6 = excluded.low_e6,"
            " high_e6 = excluded.high_e6, level = excluded.level, computed_at = excluded.computed_at",
            [(*of, *vars(one).values(), now) for one in report.vintages],
        )


async def report_of(
    tx: Tx, *, month: date, product: str, sha256: str, population: Population = Population.GIVEN
) -> Report:
    """Read what was reported of a model in a month; nothing was where both parts are empty."""
    of = (month, product, sha256, population)
    where = "where month = %s and product = %s and sha256 = decode(%s, 'hex') and population = %s"
    drifts = await tx.execute(
        f"select {_DRIFT} from scoring.monitoring {where} order by kind desc, psi_e6 desc nulls last, name", of
    )
    vintages = await tx.execute(f"select {_VINTAGE} from scoring.vintages {where} order by vintage", of)
    return Report(
        month,
        product,
        sha256,
        tuple([record(Drift, row) for row in await drifts.fetchall()]),
        tuple([record(Vintage, row) for row in await vintages.fetchall()]),
        population,
    )


async def reports_of(tx: Tx, *, month: date, product: str) -> list[Report]:
    """Read a month's reports that were made from the decisions, by model, applications before reviews."""
    found = await tx.execute(
        "select encode(sha256, 'hex'), population from scoring.monitoring where month = %(month)s"
        " and product = %(product)s and population <> 'given' union"
        " select encode(sha256, 'hex'), population from scoring.vintages where month = %(month)s"
        " and product = %(product)s and population <> 'given' order by 1, 2",
        {"month": month, "product": product},
    )
    return [
        await report_of(tx, month=month, product=product, sha256=sha256, population=Population(population))
        for sha256, population in await found.fetchall()
    ]
