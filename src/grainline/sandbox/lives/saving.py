"""The money market and wealth products: what is put aside, what is taken out, and what is held after each."""

from dataclasses import dataclass

import numpy as np

from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import Bools, Floats, Ints, logistic
from grainline.sandbox.lives.moments import HOUR_MS, Block, Cells, DayTable, hold_for_payday, instant, scatter
from grainline.sandbox.lives.rows import Rows, told


@dataclass(frozen=True)
class Savings:
    """The events, and what was held before the first of them."""

    rows: list[Rows]
    money_market_opening_fen: Ints
    wealth_opening_fen: Ints


@dataclass(frozen=True)
class _Moves:
    """Moves in order of resident and time. `wish` is fen to put in, or the share of the balance to take out."""

    who: Ints
    at_ms: Ints
    inward: Bools
    wish: Floats


def savings(rng: np.random.Generator, block: Block) -> Savings:
    """Draw the moves of both, and follow the balances: never below nought, each what it was and the move."""
    market_opening = _opening(rng, block, months=p.OPENING_MONTHS, users=p.MONEY_MARKET_USERS)
    wealth_opening = _opening(rng, block, months=p.WEALTH_OPENING_MONTHS, users=p.WEALTH_USERS)
    market = _market_moves(rng, block, users=market_opening >= 0)
    wealth = _wealth_moves(rng, block, users=wealth_opening >= 0)
    market_opening, wealth_opening = np.maximum(market_opening, 0), np.maximum(wealth_opening, 0)
    rows = [
        *_follow(market, market_opening, kinds=("money_market_in", "money_market_out"), step=1),
        *_follow(wealth, wealth_opening, kinds=("wealth_buy", "wealth_redeem"), step=p.WEALTH_STEP_YUAN * 100),
    ]
    return Savings(rows, market_opening, wealth_opening)


def _opening(rng: np.random.Generator, block: Block, *, months: float, users: float) -> Ints:
    """Draw what is held at first, in fen; −1 for who does not use it. Who joins later begins with nought."""
    people = block.people
    held = months * np.exp(p.OPENING_SIGMA * rng.standard_normal(len(block)) + p.OPENING_PRUDENCE * people.prudence)
    yuan = np.rint(people.income_yuan * held * (1.0 - 0.7 * block.course.showing[:, 0]) / 100) * 100
    held_fen = np.where(people.joined_day >= 0, 0, (yuan * 100).astype(np.int64))
    chance = logistic(np.log(users / (1 - users)) + 0.4 * people.prudence)
    return np.where(rng.random(len(block)) < chance, held_fen, -1)


def _market_moves(rng: np.random.Generator, block: Block, *, users: Bools) -> _Moves:
    showing, person = block.course.showing, (block.people.digital * users)[:, None]
    table = DayTable(block.span, (p.Days(1.1, {"june_sale": 1.5, "november_sale": 1.5}),))
    put = scatter(rng, p.MONEY_MARKET_IN * person * table.factors * np.exp(p.SAVING_STRAIN * showing))
    take = scatter(rng, p.MONEY_MARKET_OUT * person * table.factors * np.exp(p.TAKING_STRAIN * showing))
    put_day = hold_for_payday(rng, block, cells=put, day=table.draw(rng, put.month), share=0.5)
    put_ms = instant(rng, block, cells=put, day=put_day, hours=("evening",))
    take_ms = instant(rng, block, cells=take, day=table.draw(rng, take.month))
    fast = rng.random(len(put)) < np.minimum(p.FAST_OUT * np.exp(p.FAST_OUT_STRAIN * showing[put.who, put.month]), 0.9)
    fast_ms = put_ms[fast] + 60_000 + (rng.exponential(p.FAST_MEAN_HOURS, int(fast.sum())) * HOUR_MS).astype(np.int64)
    yuan = _put_yuan(rng, block, put)
    share = np.concatenate([_take_share(rng, block, take), rng.uniform(0.5, 1.0, int(fast.sum()))])
    return _in_order(
        block,
        who=np.concatenate([put.who, take.who, put.who[fast]]),
        at_ms=np.concatenate([put_ms, take_ms, fast_ms]),
        inward=np.arange(len(put) + len(share)) < len(put),
        wish=np.concatenate([np.rint(yuan / 10) * 1_000, share]),
    )


def _put_yuan(rng: np.random.Generator, block: Block, cells: Cells) -> Floats:
    """Draw what is put in at once: a share of the month's income."""
    people, strain = block.people, block.course.showing[cells.who, cells.month]
    spread = p.IN_SIGMA * rng.standard_normal(len(cells)) + p.IN_PRUDENCE * people.prudence[cells.who]
    share = p.IN_SHARE * np.exp(spread + p.SAVING_STRAIN * strain / 2)
    return np.maximum(block.course.income_yuan[cells.who, cells.month] * share, 10.0)


def _take_share(rng: np.random.Generator, block: Block, cells: Cells) -> Floats:
    """Draw what share of the balance is taken out at once: about a quarter, nearly all of it under strain."""
    base = p.OUT_BASE + p.OUT_PRUDENCE * block.people.prudence[cells.who]
    strain = p.OUT_STRAIN * block.course.showing[cells.who, cells.month]
    return logistic(base + strain + 0.8 * rng.standard_normal(len(cells)))


def _wealth_moves(rng: np.random.Generator, block: Block, *, users: Bools) -> _Moves:
    showing, person = block.course.showing, (block.people.digital * users)[:, None]
    table = DayTable(block.span, (p.Days(0.3),))
    buy = scatter(rng, p.WEALTH_BUY * person * table.factors * np.exp(p.SAVING_STRAIN * showing))
    redeem = scatter(rng, p.WEALTH_REDEEM * person * table.factors * np.exp(p.TAKING_STRAIN * showing))
    buy_day = hold_for_payday(rng, block, cells=buy, day=table.draw(rng, buy.month), share=0.4)
    return _in_order(
        block,
        who=np.concatenate([buy.who, redeem.who]),
        at_ms=np.concatenate(
            [
                instant(rng, block, cells=buy, day=buy_day, hours=("office",)),
                instant(rng, block, cells=redeem, day=table.draw(rng, redeem.month), hours=("office",)),
            ]
        ),
        inward=np.arange(len(buy) + len(redeem)) < len(buy),
        wish=np.concatenate([2.5 * 100 * _put_yuan(rng, block, buy), _take_share(rng, block, redeem)]),
    )


def _in_order(block: Block, *, who: Ints, at_ms: Ints, inward: Bools, wish: Floats) -> _Moves:
    kept = np.flatnonzero(told(block, who, at_ms))
    order = kept[np.lexsort((at_ms[kept], who[kept]))]
    who, at_ms = who[order], at_ms[order]
    # Two moves of one resident in one millisecond would have no order.
    at_ms[1:] += (who[1:] == who[:-1]) & (at_ms[1:] == at_ms[:-1])
    return _Moves(who, at_ms, inward[order], wish[order])


def _follow(moves: _Moves, opening: Ints, *, kinds: tuple[str, str], step: int) -> list[Rows]:
    """Turn wishes into amounts (whole steps of fen, no more than there is), one move of everybody after another."""
    balance, held = opening.copy(), np.zeros(len(moves.who), dtype=np.int64)
    amount = np.zeros(len(moves.who), dtype=np.int64)
    first = np.searchsorted(moves.who, np.arange(len(opening) + 1))
    count = np.diff(first)
    for turn in range(int(count.max(initial=0))):
        who = np.flatnonzero(count > turn)
        at = first[who] + turn
        given = np.maximum(np.rint(moves.wish[at] / step).astype(np.int64), 1) * step
        taken = np.rint(balance[who] * np.where(moves.inward[at], 0.0, moves.wish[at])).astype(np.int64)
        amount[at] = np.where(moves.inward[at], given, taken)
        balance[who] += np.where(moves.inward[at], given, -taken)
        held[at] = balance[who]
    both = []
    for kind, chosen in zip(kinds, (moves.inward, ~moves.inward), strict=True):
        kept = chosen & (amount > 0)
        both.append(Rows(kind, moves.who[kept], moves.at_ms[kept], amount_fen=amount[kept], balance_fen=held[kept]))
    return both
