"""What lenders report: accounts with a statement a month, lateness that runs on until it is made good, enquiries."""

from dataclasses import dataclass

import numpy as np

from grainline.behaviour.events import SCENES
from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import Bools, Floats, Ints, fen, logistic, opaque
from grainline.sandbox.lives.calendar_days import DAY_MS
from grainline.sandbox.lives.moments import HOUR_MS, Block, DayTable, each, instant, scatter
from grainline.sandbox.lives.rows import Rows

CREDIT = SCENES["statement"]
LENDERS = 40
MONTH_DAYS = 30


@dataclass(frozen=True)
class _Account:
    """One slot of everybody's: when it is open, and what of it is late."""

    slot: int
    began: Ints  # month in which it was opened, below 0 for before the first, far ahead for never
    opened: Ints  # month, −1 for before the first or never
    is_open: Bools  # residents by months
    missed: Ints  # due dates missed in a row, residents by months


def tradelines(rng: np.random.Generator, block: Block) -> list[Rows]:
    """Draw each slot's account: opened, statements, default, cured, closed."""
    found: list[Rows] = []
    for slot in range(len(p.ACCOUNT_SLOTS)):
        found += _events(rng, block, _account(rng, block, slot))
    return found


def _account(rng: np.random.Generator, block: Block, slot: int) -> _Account:
    people, strain = block.people, block.course.showing
    able = (people.income_z > -1.5) & ~people.student
    held = able & (rng.random(len(block)) < p.SLOT_SHARES[slot] * np.exp(0.15 * people.income_z).clip(0.5, 1.5))
    opened = np.full(len(block), -1)
    months = np.arange(block.span.months)[None, :]
    if p.SLOT_SHARES[slot] == 0.0:
        opens = able[:, None] & (rng.random(strain.shape) < p.OPENING_RATE * np.exp(p.OPENING_STRAIN * strain))
        opened = np.where(opens.any(axis=1), opens.argmax(axis=1), -1)
    began = np.where(opened >= 0, opened, np.where(held, -rng.integers(1, p.LOAN_MONTHS, size=len(block)), 1 << 20))
    is_open = months >= began[:, None]
    if p.ACCOUNT_SLOTS[slot] == "consumer_loan":
        is_open = is_open & (months < began[:, None] + p.LOAN_MONTHS)
    return _Account(slot, began, opened, is_open, _missed(rng, block, is_open))


def _missed(rng: np.random.Generator, block: Block, is_open: Bools) -> Ints:
    """Follow due dates missed in a row: one more, all made good, or as many as before."""
    people, strain = block.people, block.course.showing
    miss = p.MISS_BASE + p.MISS_PRUDENCE * people.prudence[:, None] + p.MISS_STRAIN * strain
    miss = logistic(miss + p.MISS_INSOLVENT * block.course.insolvent)
    missed = np.zeros(strain.shape, dtype=np.int64)
    last = np.zeros(len(block), dtype=np.int64)
    for month in range(block.span.months):
        base = np.where(last >= 3, p.CURE_AFTER_DEFAULT, p.CURE_BASE)
        cure: Floats = logistic(base + p.CURE_STRAIN * strain[:, month]) * ~block.course.insolvent[:, month]
        cured = (rng.random(len(block)) < cure) & (last > 0)
        misses = (rng.random(len(block)) < miss[:, month]) | ((last >= 3) & ~cured)
        last = np.where(cured, 0, last + misses) * is_open[:, month]
        missed[:, month] = last
    return missed


def _events(rng: np.random.Generator, block: Block, account: _Account) -> list[Rows]:
    scene = CREDIT.index(p.ACCOUNT_SLOTS[account.slot])
    limit = block.people.income_yuan * p.LIMIT_INCOMES[account.slot] * rng.lognormal(0.0, 0.35, len(block))
    granted = fen(np.rint(limit / 100) * 100)
    lender = opaque(block.people.number, 7, account.slot) % LENDERS + 1 + LENDERS * scene
    statement_day = rng.integers(1, 27, size=len(block))
    after_due = rng.integers(0, 10, size=len(block))
    found = _statements(rng, block, account=account, limit=limit, lender=lender, statement_day=statement_day,
                        after_due=after_due)  # fmt: skip
    found.append(_opened_before(account, granted=granted, lender=lender, statement_day=statement_day))
    before = np.pad(account.missed, ((0, 0), (1, 0)))[:, :-1]
    fresh = np.pad(account.is_open, ((0, 0), (1, 0)), mode="edge")[:, :-1]
    in_default, was = account.missed >= 3, before >= 3
    closes = fresh & ~account.is_open
    opens = np.arange(block.span.months)[None, :] == account.opened[:, None]
    for kind, happens in (
        ("account_opened", opens),
        ("default", in_default & ~was),
        ("default_cured", was & ~in_default & account.is_open),
        ("account_closed", closes),
    ):
        cells = each(block, happens)
        early = -20 if kind == "account_opened" else 1  # opened before, told of after the month's statement
        day = block.span.starts[cells.month] + np.maximum(statement_day[cells.who] + early, 0)
        at_ms = day * DAY_MS + 10 * HOUR_MS + rng.integers(8 * HOUR_MS, size=len(cells))
        amount = granted[cells.who] if kind in {"account_opened", "default"} else None
        found.append(Rows(kind, cells.who, at_ms, amount_fen=amount, counterparty=lender[cells.who], scene=scene))
    return found


def _opened_before(account: _Account, *, granted: Ints, lender: Ints, statement_day: Ints) -> Rows:
    """Return the openings of accounts that are older than what is told: what the bureau has always known."""
    who = np.flatnonzero(account.began < 0)
    day = account.began[who] * MONTH_DAYS + statement_day[who]
    scene = CREDIT.index(p.ACCOUNT_SLOTS[account.slot])
    at_ms = day.clip(max=-1) * DAY_MS + 12 * HOUR_MS
    return Rows("account_opened", who, at_ms, amount_fen=granted[who], counterparty=lender[who], scene=scene)


def _statements(
    rng: np.random.Generator,
    block: Block,
    *,
    account: _Account,
    limit: Floats,
    lender: Ints,
    statement_day: Ints,
    after_due: Ints,
) -> list[Rows]:
    cells = each(block, account.is_open)
    who, strain = cells.who, block.course.showing[cells.who, cells.month]
    kind = p.ACCOUNT_SLOTS[account.slot]
    if kind == "card":
        used = logistic(-1.3 - 0.3 * block.people.prudence[who] + 2.2 * strain + 0.5 * rng.standard_normal(len(who)))
        owed, due_share = limit[who] * used, 0.35
    else:
        age = cells.month - np.where(account.opened >= 0, account.opened, -6)[who]
        term = p.LOAN_MONTHS + 1 if kind == "consumer_loan" else 360
        owed, due_share = limit[who] * np.clip(1 - age / term, 0.05, 1.0), 1.2 / term
    missed = account.missed[who, cells.month]
    slip = (rng.random(len(who)) < p.SLIP_SHARE) * np.ceil(rng.exponential(p.SLIP_MEAN_DAYS, len(who)))
    late = np.where(missed > 0, 30 * missed + after_due[who], slip.clip(0, 25)).astype(np.int64)
    at_ms = (block.span.starts[cells.month] + statement_day[who]) * DAY_MS
    return [
        Rows(
            "statement",
            who,
            at_ms + 6 * HOUR_MS + rng.integers(2 * HOUR_MS, size=len(who)),
            amount_fen=fen(owed * due_share * (1 + missed)),
            balance_fen=fen(owed),
            counterparty=lender[who],
            scene=CREDIT.index(kind),
            days_late=late,
        )
    ]


def enquiries(rng: np.random.Generator, block: Block) -> Rows:
    """Draw lenders' questions, the more the greater the strain, most of them for loans."""
    person = np.exp(p.ENQUIRY_PRUDENCE * block.people.prudence)[:, None] * ~block.people.student[:, None]
    table = DayTable(block.span, (p.Days(0.3),))
    cells = scatter(rng, p.ENQUIRY_RATE * person * table.factors * np.exp(p.ENQUIRY_STRAIN * block.course.showing))
    scene = rng.choice(len(CREDIT), size=len(cells), p=(0.33, 0.55, 0.08, 0.04)).astype(np.int64)
    lender = rng.integers(LENDERS, size=len(cells)) + 1 + LENDERS * scene
    at_ms = instant(rng, block, cells=cells, day=table.draw(rng, cells.month), hours=("office",))
    return Rows("enquiry", cells.who, at_ms, counterparty=lender, scene=scene)
