"""Bills by the month, each with its due day, and how punctually they are paid."""

import numpy as np

from grainline.behaviour.events import SCENES
from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import Bools, Ints, fen, logistic
from grainline.sandbox.lives.calendar_days import DAY_MS
from grainline.sandbox.lives.moments import HOUR_MS, Block, Cells, each, instant
from grainline.sandbox.lives.rows import Rows


def bills(rng: np.random.Generator, block: Block) -> list[Rows]:
    """Draw the bills of each kind that each resident has; one that is paid beyond the last day is not there."""
    autopay = rng.random(len(block)) < logistic(p.AUTOPAY_BASE + p.AUTOPAY_PRUDENCE * block.people.prudence)
    return [
        _paid(rng, block, autopay=autopay, scene=scene, bill=p.BILL[name])
        for scene, name in enumerate(SCENES["bill_paid"])
    ]


def _paid(rng: np.random.Generator, block: Block, *, autopay: Bools, scene: int, bill: p.Bill) -> Rows:
    people, span = block.people, block.span
    has = (rng.random(len(block)) < bill.share * np.minimum(people.digital + 0.25, 1.0)) & ~(
        people.student & (bill.every_months > 1)
    )
    due_day = rng.integers(3, 27, size=len(block))
    level = rng.lognormal(0.0, bill.sigma, len(block)) * (people.income_yuan / p.INCOME_MEDIAN_YUAN) ** 0.3
    turn = (np.arange(span.months)[None, :] + due_day[:, None]) % bill.every_months == 0
    cells = each(block, has[:, None] & turn)
    skips = block.course.insolvent[cells.who, cells.month] & (rng.random(len(cells)) < p.UNPAID_WHILE_INSOLVENT)
    cells = cells.those(~skips)
    late = _days_late(rng, block, cells)
    late = np.where(autopay[cells.who] & (late <= 0), 0, late)
    due = span.starts[cells.month] + due_day[cells.who]
    at_ms = instant(rng, block, cells=cells, day=due + late, hours=("evening",))
    itself = autopay[cells.who] & (late == 0)
    at_ms = np.where(itself, due * DAY_MS + 8 * HOUR_MS + rng.integers(2 * HOUR_MS, size=len(cells)), at_ms)
    season = np.isin(span.month_of_year, (1, 7, 8, 9))[cells.month]
    yuan = bill.median_yuan * level[cells.who] * np.where(season, bill.summer, 1.0)
    yuan *= np.exp((0.02 if scene == SCENES["bill_paid"].index("rent") else 0.2) * rng.standard_normal(len(cells)))
    return Rows("bill_paid", cells.who, at_ms, amount_fen=fen(yuan), scene=scene, days_late=late)


def _days_late(rng: np.random.Generator, block: Block, cells: Cells) -> Ints:
    """Draw days after the due date: some before it, the prudent earlier; late ones exponential, longer under strain."""
    prudence, strain = block.people.prudence[cells.who], block.course.showing[cells.who, cells.month]
    strain = np.maximum(strain, 0.8 * block.course.insolvent[cells.who, cells.month])
    is_late = rng.random(len(cells)) < logistic(p.LATE_BASE + p.LATE_STRAIN * strain + p.LATE_PRUDENCE * prudence)
    early = p.EARLY_MEAN_DAYS + p.EARLY_PRUDENCE * prudence + p.EARLY_SIGMA * rng.standard_normal(len(cells))
    late = 1 + rng.exponential(1.0, len(cells)) * (p.LATE_MEAN_DAYS + p.LATE_MEAN_STRAIN * strain)
    days = np.where(is_late, np.minimum(late, p.LATE_MOST_DAYS), -np.maximum(early, 0.0))
    return np.trunc(days).astype(np.int64)
