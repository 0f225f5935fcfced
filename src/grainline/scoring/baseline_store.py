"""SQL of the watch over models that never changes once written: baselines, and the months that are done."""

from datetime import date, datetime

from grainline.kit.db import Tx
from grainline.scoring.baseline import Baseline
from grainline.scoring.watching import Population


async def keep_baseline(
    tx: Tx, baseline: Baseline, *, product: str, sha256: str, population: Population, now: datetime
) -> None:
    """Insert a model's baseline, once."""
    await tx.execute(
        "insert into scoring.baselines (product, sha256, population, content, through_at, through_id, made_at)"
        " values (%s, decode(%s, 'hex'), %s, %s, %s, %s, %s)",
        (product, sha256, population, baseline.text(), *baseline.through, now),
    )


async def kept_baseline(tx: Tx, *, product: str, sha256: str, population: Population) -> Baseline | None:
    """Read a model's baseline, or None."""
    found = await tx.execute(
        "select content, through_at, through_id from scoring.baselines"
        " where product = %s and sha256 = decode(%s, 'hex') and population = %s",
        (product, sha256, population),
    )
    row = await found.fetchone()
    return Baseline.read(row[0], (row[1], row[2])) if row else None


async def begin_month(tx: Tx, *, product: str, month: date, now: datetime) -> bool:
    """Take a month to be watched; tell whether it is still to be done. Of two takers the second waits and hears no."""
    added = await tx.execute(
        "insert into scoring.watched_months (month, product, watched_at) values (%s, %s, %s) on conflict do nothing",
        (month, product, now),
    )
    return added.rowcount == 1


async def last_month(tx: Tx, *, product: str) -> date | None:
    """Return the newest month of a product that is watched, or None."""
    row = await (
        await tx.execute("select max(month) from scoring.watched_months where product = %s", (product,))
    ).fetchone()
    return row[0] if row else None
