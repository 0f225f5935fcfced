"""Income, transfers between people, and red packets."""

import numpy as np

from grainline.behaviour.events import SCENES
from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import Floats, Ints, fen, opaque
from grainline.sandbox.lives.moments import HOUR_MS, Block, Cells, DayTable, each, instant, scatter
from grainline.sandbox.lives.rows import Rows

SALARY, PERSON, BUSINESS = (SCENES["transfer_in"].index(name) for name in ("salary", "person", "business"))


def friends(rng: np.random.Generator, block: Block, cells: Cells) -> Ints:
    """Draw counterparties among a resident's friends, the first much more often than the last."""
    rank = np.floor(p.FRIENDS * rng.random(len(cells)) ** 3).astype(np.int64)
    return opaque(block.people.number[cells.who], 1, rank)


def sociable(block: Block, rate: float, month: Floats) -> Floats:
    """Return a rate by resident and month that grows with sociability and with how much goes through the app."""
    person = rate * block.people.digital * np.exp(p.SOCIABLE * block.people.sociability)
    rates: Floats = person[:, None] * month
    return rates


def incomes(rng: np.random.Generator, block: Block) -> list[Rows]:
    """Draw incomes by their rhythm: a salary or pension on the payday, or several smaller sums a month."""
    people, income = block.people, block.course.income_yuan
    monthly = (people.has("salaried") | people.has("pension"))[:, None]
    cells = each(block, monthly & (income >= people.income_yuan[:, None]))
    bonus = np.where(block.span.month_of_year == 1, 1.8, 1.0)[cells.month]
    yuan = income[cells.who, cells.month] * bonus * np.exp(0.04 * rng.standard_normal(len(cells)))
    day = block.payday[cells.who, cells.month]
    at_ms = day * 24 * HOUR_MS + 9 * HOUR_MS + rng.integers(8 * HOUR_MS, size=len(cells))
    payer = opaque(people.number[cells.who], 2)
    found = [_incoming(cells, at_ms, amount=fen(yuan), payer=payer, scene=SALARY)]
    sums = {"irregular": (5.0, PERSON), "business": (11.0, BUSINESS), "allowance": (1.5, PERSON)}
    table = DayTable(block.span, (p.Days(0.7),))
    for rhythm, (count, scene) in sums.items():
        cells = scatter(rng, count * people.has(rhythm)[:, None] * table.factors)
        yuan = income[cells.who, cells.month] / count * np.exp(0.5 * rng.standard_normal(len(cells)) - 0.125)
        at_ms = instant(rng, block, cells=cells, day=table.draw(rng, cells.month))
        found.append(_incoming(cells, at_ms, amount=fen(yuan), payer=friends(rng, block, cells), scene=scene))
    return found


def transfers(rng: np.random.Generator, block: Block) -> list[Rows]:
    """Draw transfers from and to friends, and money that is passed on within hours."""
    more = np.exp(p.TRANSFER_STRAIN * block.course.showing)
    table = DayTable(block.span, (p.Days(1.1, {"spring": 2.0}),))
    level = (block.people.income_yuan / p.INCOME_MEDIAN_YUAN) ** 0.5
    found = []
    for kind in ("transfer_in", "transfer_out"):
        cells = scatter(rng, sociable(block, p.TRANSFER_RATE, table.factors) * more)
        yuan = p.TRANSFER_MEDIAN_YUAN * level[cells.who] * np.exp(p.TRANSFER_SIGMA * rng.standard_normal(len(cells)))
        at_ms = instant(rng, block, cells=cells, day=table.draw(rng, cells.month), hours=("evening",))
        amount, friend = fen(np.maximum(np.rint(yuan / 10) * 10, 1)), friends(rng, block, cells)
        if kind == "transfer_in":
            found.append(_incoming(cells, at_ms, amount=amount, payer=friend, scene=PERSON))
        else:
            found.append(Rows(kind, cells.who, at_ms, amount_fen=amount, counterparty=friend))
    return [*found, *_passed_on(rng, block)]


def _passed_on(rng: np.random.Generator, block: Block) -> tuple[Rows, Rows]:
    people = block.people
    person = p.PASS_FRAUD * people.fraud + p.PASS_BUSINESS * people.has("business")
    table = DayTable(block.span, (p.Days(),))
    rate = p.PASS_RATE * np.exp(person[:, None] + p.PASS_STRAIN * block.course.showing)
    cells = scatter(rng, rate * table.factors)
    amount = fen(np.rint(p.PASS_MEDIAN_YUAN * np.exp(p.PASS_SIGMA * rng.standard_normal(len(cells)))))
    came = instant(rng, block, cells=cells, day=table.draw(rng, cells.month))
    left = came + 60_000 + (rng.exponential(p.PASS_MEAN_HOURS, len(cells)) * HOUR_MS).astype(np.int64)
    rest = np.rint(amount * rng.uniform(0.85, 1.0, len(cells))).astype(np.int64)
    to = friends(rng, block, cells)
    return (
        _incoming(cells, came, amount=amount, payer=friends(rng, block, cells), scene=PERSON),
        Rows("transfer_out", cells.who, left, amount_fen=np.maximum(rest, 1), counterparty=to),
    )


def red_packets(rng: np.random.Generator, block: Block) -> list[Rows]:
    """Draw red packets in lucky amounts, most of them at the Spring Festival; who is generous sends more."""
    generous = np.exp(0.5 * rng.standard_normal(len(block)))[:, None]
    table = DayTable(block.span, (p.RED_PACKET_DAYS,))
    weights = np.array(p.RED_PACKET_WEIGHTS, dtype=float)
    found = []
    for kind, gives in (("red_packet_sent", generous), ("red_packet_received", np.ones_like(generous))):
        cells = scatter(rng, sociable(block, p.RED_PACKET_RATE, table.factors) * gives)
        yuan = rng.choice(np.array(p.RED_PACKET_YUAN), size=len(cells), p=weights / weights.sum())
        at_ms = instant(rng, block, cells=cells, day=table.draw(rng, cells.month), hours=("evening",))
        found.append(Rows(kind, cells.who, at_ms, amount_fen=fen(yuan), counterparty=friends(rng, block, cells)))
    return found


def _incoming(cells: Cells, at_ms: Ints, *, amount: Ints, payer: Ints, scene: int) -> Rows:
    scenes = np.full(len(cells), scene, dtype=np.int64)
    return Rows("transfer_in", cells.who, at_ms, amount_fen=amount, counterparty=payer, scene=scenes)
