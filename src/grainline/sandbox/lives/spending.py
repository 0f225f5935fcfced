"""Payments to merchants, and rides."""

import numpy as np

from grainline.behaviour.events import SCENES, TOOLS
from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import NONE, Floats, Ints, fen, logistic, opaque
from grainline.sandbox.lives.calendar_days import DAY_MS
from grainline.sandbox.lives.moments import Block, Cells, DayTable, hold_for_payday, instant, scatter
from grainline.sandbox.lives.rows import Rows

MERCHANT_SCENES = tuple(p.SCENE[name] for name in SCENES["payment"])
HOUR_NAMES = ("day", "meals", "evening", "office")


def payments(rng: np.random.Generator, block: Block) -> Rows:
    """Draw what each pays to merchants: scene by liking and month, price by scene and income."""
    table = DayTable(block.span, tuple(given.days for given in MERCHANT_SCENES))
    rates = _scene_rates(rng, block, table)
    cells = scatter(rng, rates.sum(axis=2))
    share = np.cumsum(rates, axis=2).reshape(-1, len(MERCHANT_SCENES))
    row = cells.who * block.span.months + cells.month
    drawn = rng.random(len(cells)) * share[row, -1]
    scene = np.zeros(len(cells), dtype=np.int64)
    for column in range(len(MERCHANT_SCENES) - 1):
        scene += drawn > share[row, column]
    day = table.draw(rng, cells.month, scene)
    day = hold_for_payday(rng, block, cells=cells, day=day, share=p.PAYDAY_SHARE)
    hours = np.array([HOUR_NAMES.index(given.hours) for given in MERCHANT_SCENES])[scene]
    online = rng.random(len(cells)) < np.array([given.online for given in MERCHANT_SCENES])[scene]
    return Rows(
        "payment",
        cells.who,
        instant(rng, block, cells=cells, day=day, hours=HOUR_NAMES, row=hours),
        amount_fen=_prices(rng, block, cells=cells, scene=scene),
        counterparty=_merchants(rng, block, cells=cells, scene=scene),
        scene=scene,
        tool=_tools(rng, block, cells),
        place=np.where(online, NONE, places(rng, block, cells)),
    )


def _scene_rates(rng: np.random.Generator, block: Block, table: DayTable) -> Floats:
    """Return payments a month by resident, month and scene."""
    people, showing = block.people, block.course.showing
    taste = rng.lognormal(0.0, p.SCENE_TASTE_SIGMA, (len(block), len(MERCHANT_SCENES)))
    rates = np.empty((*showing.shape, len(MERCHANT_SCENES)))
    for column, scene in enumerate(MERCHANT_SCENES):
        person = people.digital * taste[:, column] * np.exp(scene.prudence * people.prudence)
        month = scene.rate * table.factors[column]
        rates[:, :, column] = person[:, None] * month[None, :] * np.exp(scene.strain * showing)
    return rates


def _prices(rng: np.random.Generator, block: Block, *, cells: Cells, scene: Ints) -> Ints:
    """Draw log-normal prices; a third are whole yuan."""
    median = np.array([given.median_yuan for given in MERCHANT_SCENES])[scene]
    sigma = np.array([given.sigma for given in MERCHANT_SCENES])[scene]
    level = (block.people.income_yuan / p.INCOME_MEDIAN_YUAN) ** p.AMOUNT_INCOME
    strain = p.AMOUNT_STRAIN * block.course.showing[cells.who, cells.month]
    yuan = median * level[cells.who] * np.exp(sigma * rng.standard_normal(len(cells)) + strain)
    whole = (rng.random(len(cells)) < 0.35) & (yuan >= 1)
    return fen(np.where(whole, np.rint(yuan), yuan))


def _merchants(rng: np.random.Generator, block: Block, *, cells: Cells, scene: Ints) -> Ints:
    """Draw merchants of the city: mostly a few favourites, the first more than the second and so on."""
    rank = np.floor(p.FAVOURITES * rng.random(len(cells)) ** 2).astype(np.int64)
    favourite = opaque(block.people.number[cells.who], scene, rank) % p.MERCHANTS
    stranger = rng.integers(p.MERCHANTS, size=len(cells))
    merchant = np.where(rng.random(len(cells)) < p.FAVOURITE_SHARE, favourite, stranger)
    return (scene + 1) * 10_000_000 + block.people.city[cells.who] * 10_000 + merchant


def _tools(rng: np.random.Generator, block: Block, cells: Cells) -> Ints:
    """Draw what is paid with: one tool mostly, others the more the greater the strain."""
    mostly = rng.choice(len(TOOLS), size=len(block), p=p.TOOL_WEIGHTS).astype(np.int64)
    base = p.HOP_BASE + p.HOP_PRUDENCE * block.people.prudence + 0.6 * rng.standard_normal(len(block))
    hops = logistic(base[:, None] + p.HOP_STRAIN * block.course.showing)
    hop = rng.random(len(cells)) < hops[cells.who, cells.month]
    return np.where(hop, rng.integers(len(TOOLS), size=len(cells)), mostly[cells.who])


def places(rng: np.random.Generator, block: Block, cells: Cells) -> Ints:
    """Draw districts: home, work, another one of the city, rarely another city."""
    draw = rng.random(len(cells))
    city = np.where(draw > 0.97, rng.integers(p.CITIES, size=len(cells)), block.people.city[cells.who])
    elsewhere = city * 100 + rng.integers(p.DISTRICTS, size=len(cells))
    near_work = np.where(draw < 0.72, block.people.work[cells.who], elsewhere)
    return np.where(draw < 0.45, block.people.home[cells.who], near_work)


def rides(rng: np.random.Generator, block: Block) -> list[Rows]:
    """Draw commutes on working days, to and fro at each one's hours, and other rides on any day."""
    ways = SCENES["ride"]
    found = [_commutes(rng, block)]
    for scene, way in enumerate(ways):
        rate, median, sigma = p.RIDE[way]
        table = DayTable(block.span, (p.RIDE_DAYS.get(way, p.Days()),))
        cells = scatter(rng, rate * block.people.digital[:, None] * table.factors)
        yuan = median * np.exp(sigma * rng.standard_normal(len(cells)))
        found.append(
            Rows(
                "ride",
                cells.who,
                instant(rng, block, cells=cells, day=table.draw(rng, cells.month)),
                amount_fen=fen(np.rint(yuan * 2) / 2),
                scene=np.full(len(cells), scene, dtype=np.int64),
                place=places(rng, block, cells),
            )
        )
    return found


def _commutes(rng: np.random.Generator, block: Block) -> Rows:
    people, span = block.people, block.span
    commutes = (people.has("salaried") | people.student) & (rng.random(len(block)) < p.COMMUTER_SHARE)
    way = np.where(rng.random(len(block)) < 0.65, 0, 1)  # metro or bus
    working = block.course.income_yuan >= people.income_yuan[:, None]
    busy = np.add.reduceat(span.workday.astype(float), span.starts[:-1]) / 21.0
    cells = scatter(rng, p.COMMUTE_RATE * commutes[:, None] * working * busy[None, :])
    workdays = np.flatnonzero(span.workday)
    low, high = (np.searchsorted(workdays, span.starts[cells.month + ahead]) for ahead in (0, 1))
    cells, low, high = cells.those(high > low), low[high > low], high[high > low]
    day = workdays[low + (rng.random(len(cells)) * (high - low)).astype(np.int64)]
    out = rng.random(len(cells)) < 0.5
    usual = np.where(out, 8.0 + 0.6 * people.owl[cells.who], 18.3 + 0.6 * people.owl[cells.who]) * 60
    minutes = np.clip(usual + p.COMMUTE_SIGMA_MINUTES * rng.standard_normal(len(cells)), 330, 1_430)
    at_ms = day * DAY_MS + (minutes * 60_000).astype(np.int64)
    fare = np.where(way == 0, 400, 200)[cells.who] + 100 * rng.integers(0, 3, size=len(cells))
    start = np.where(out, people.home[cells.who], people.work[cells.who])
    return Rows("ride", cells.who, at_ms, amount_fen=fare, scene=way[cells.who], place=start)
