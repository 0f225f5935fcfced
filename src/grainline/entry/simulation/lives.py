"""What people do on a day, drawn from the seed: pure. Whether it is possible is the product's affair.

Each choice is of one day and one purpose, so that a look at one day needs no other, and the order in which things are
carried out decides nothing.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from grainline.entry.simulation.books import LoanSeen
from grainline.entry.simulation.people import Person
from grainline.kit.money import Fen
from grainline.loans import Event, EventKind, LoanState
from grainline.products import Component, Pack, Prepayment, Shape
from grainline.products.pack import DrawRule

Choice = TypeVar("Choice")

DRAW_EARLY, DRAW_LATER, EARLY_DAYS = 0.02, 0.006, 20  # of a member and day
SPELL, LONG_SPELL, FROZEN_SPELL = 0.004, 0.001, 0.002  # of a member and day
BY_HAND = 0.012  # of a loan and day
FAR_BACK, FUTURE, BEFORE_START, BACKDATED = 0.03, 0.02, 0.03, 0.35
OFFICERS = {"running": 0.015, "late": 0.03, "charged_off": 0.04, "written_off": 0.02, "settled": 0.002, "held": 0.1}
WISHES: dict[str, dict[EventKind, int]] = {
    "running": {
        EventKind.FEE: 3,
        EventKind.WAIVER: 3,
        EventKind.COUPON: 2,
        EventKind.DISCOUNT: 2,
        EventKind.REPAYMENT: 4,
        EventKind.REVERSAL: 4,
        EventKind.RESCHEDULE: 1,
        EventKind.REFUND: 1,
    },
    "late": {
        EventKind.FEE: 3,
        EventKind.WAIVER: 4,
        EventKind.REPAYMENT: 3,
        EventKind.REVERSAL: 2,
        EventKind.RESCHEDULE: 4,
        EventKind.CHARGE_OFF: 2,
        EventKind.WRITE_OFF: 1,
    },
    "charged_off": {
        EventKind.WRITE_OFF: 4,
        EventKind.REPAYMENT: 2,
        EventKind.WAIVER: 1,
        EventKind.REVERSAL: 1,
        EventKind.CHARGE_OFF: 1,
    },
    "written_off": {
        EventKind.REPAYMENT: 6,
        EventKind.REVERSAL: 2,
        EventKind.REFUND: 1,
        EventKind.FEE: 1,
        EventKind.WAIVER: 1,
        EventKind.WRITE_OFF: 1,
    },
    "settled": {EventKind.REPAYMENT: 2, EventKind.REVERSAL: 3, EventKind.FEE: 1, EventKind.WRITE_OFF: 1},
    "held": {EventKind.REFUND: 8, EventKind.REVERSAL: 1, EventKind.FEE: 1},
}


class Spell(StrEnum):
    """What is wrong with a card for some days: there is nothing on it, or it is frozen."""

    EMPTY = "empty"
    FROZEN = "frozen"


class Amount(StrEnum):
    """What somebody pays by hand."""

    DUE = "due"
    PART = "part"
    PAYOFF = "payoff"
    ONE_FEN = "one_fen"
    TOO_MUCH = "too_much"


AMOUNTS = {Amount.DUE: 6, Amount.PART: 5, Amount.PAYOFF: 4, Amount.ONE_FEN: 1, Amount.TOO_MUCH: 1}


@dataclass(frozen=True)
class DrawWish:
    """Somebody wants money: how much of which product, for how long, in which shape; and what they do wrong.

    `again` sends the same draw once more under its key; `wrong_code` mistypes the code.
    """

    person: Person
    product: str
    amount_fen: int
    instalments: int
    shape: Shape
    purpose: str
    again: bool
    wrong_code: bool


@dataclass(frozen=True)
class HandWish:
    """Somebody pays by hand. `again` sends it twice under its key, `changed` the second time with another amount."""

    loan: LoanSeen
    amount: Amount
    part: float
    again: bool
    changed: bool


@dataclass(frozen=True)
class EventWish:
    """An officer records an event of a kind, counting from a day; the lot decides the rest once the loan is seen."""

    loan: LoanSeen
    kind: EventKind
    value_on: date
    lot: random.Random
    again: bool


def lots(seed: int, day: date, purpose: str) -> random.Random:
    """Return the generator of a day and purpose."""
    return random.Random(f"{seed}/{day}/{purpose}")  # noqa: S311  (lots, no secrets)


def spells(seed: int, day: date, people: Iterable[Person]) -> dict[Person, tuple[Spell, date]]:
    """Return whose card goes wrong today, how, and until when."""
    lot = lots(seed, day, "spells")
    found: dict[Person, tuple[Spell, date]] = {}
    for person in people:
        chance, days, long = lot.random(), lot.randint(1, 9), lot.randint(40, 300)
        if chance < LONG_SPELL:
            found[person] = Spell.EMPTY, day + timedelta(days=long)
        elif chance < LONG_SPELL + SPELL:
            found[person] = Spell.EMPTY, day + timedelta(days=days)
        elif chance < LONG_SPELL + SPELL + FROZEN_SPELL:
            found[person] = Spell.FROZEN, day + timedelta(days=days)
    return found


def draws(seed: int, day: date, people: Iterable[Person], packs: Sequence[Pack], *, first_day: date) -> list[DrawWish]:
    """Return who wants to draw today; some want more than they may."""
    lot = lots(seed, day, "draws")
    chance = DRAW_EARLY if day < first_day + timedelta(days=EARLY_DAYS) else DRAW_LATER
    wishes = []
    for person in people:
        if lot.random() >= chance:
            continue
        pack = lot.choice(packs)
        rule = pack.draw
        wishes.append(
            DrawWish(
                person=person,
                product=pack.product.code,
                amount_fen=_draw_amount(lot, rule, dict(person.limits_fen)[pack.product.code]),
                instalments=lot.choice(pack.schedule.instalments),
                shape=lot.choice(pack.schedule.shapes),
                purpose=lot.choice(rule.purpose).code,
                again=lot.random() < 0.05,
                wrong_code=lot.random() < 0.03,
            )
        )
    return wishes


def by_hand(seed: int, day: date, loans: Iterable[LoanSeen]) -> list[HandWish]:
    """Return who pays by hand today."""
    lot = lots(seed, day, "by hand")
    return [
        HandWish(loan, _weighed(lot, AMOUNTS), lot.random(), lot.random() < 0.05, lot.random() < 0.3)
        for loan in loans
        if lot.random() < BY_HAND and loan.settled_on is None
    ]


def events(seed: int, day: date, loans: Iterable[LoanSeen]) -> list[EventWish]:
    """Return what officers do today, counting from today, from days before, and sometimes from where they may not."""
    lot = lots(seed, day, "officers")
    wishes = []
    for loan in loans:
        standing = _standing(loan)
        if lot.random() < OFFICERS[standing]:
            kind = _weighed(lot, WISHES[standing])
            own = random.Random(lot.random())  # noqa: S311  (lots, no secrets)
            wishes.append(EventWish(loan, kind, _value_date(lot, loan, day), own, lot.random() < 0.05))
    return wishes


def hand_amount(wish: HandWish, state: LoanState, open_fen: int) -> int:
    """Return what somebody pays by hand on a loan of which so much is being collected already, in fen."""
    payoff = state.payoff_fen - open_fen
    running = state.next_unpaid
    match wish.amount:
        case Amount.DUE:
            return int(state.due_fen or (running.unpaid_fen if running else payoff))
        case Amount.PART:
            return max(int(payoff * wish.part), 1)
        case Amount.PAYOFF:
            return payoff
        case Amount.ONE_FEN:
            return 1
        case Amount.TOO_MUCH:
            return payoff + 1 + int(wish.part * 10_000)


def event_of(wish: EventWish, state: LoanState, known: Sequence[Event], pack: Pack) -> Event | None:
    """Return the event an officer records on a loan in a state; None where there is nothing to reverse."""
    lot, on = wish.lot, wish.value_on
    payoff, number = int(state.payoff_fen), 1
    match wish.kind:
        case EventKind.FEE | EventKind.COUPON:
            return Event(wish.kind, on, number, Fen(lot.randint(1, 5_000)))
        case EventKind.WAIVER:
            component = lot.choice((Component.FEE, Component.PENALTY, Component.INTEREST))
            owed = int(state.unpaid_of(component)) + (int(state.accrued_fen) if component is Component.INTEREST else 0)
            return Event(wish.kind, on, number, Fen(lot.randint(1, max(owed + owed // 20, 1))), component)
        case EventKind.DISCOUNT:
            until = on + timedelta(days=lot.randint(1, 60))
            return Event(wish.kind, on, number, share_e4=lot.randint(1, 10_000), until=until)
        case EventKind.REPAYMENT:
            fen = lot.choice((payoff, payoff + lot.randint(1, 50_000), lot.randint(1, max(payoff, 1))))
            prepayment = lot.choice((None, None, *Prepayment))
            return Event(wish.kind, on, number, Fen(max(fen, 1)), prepayment=prepayment)
        case EventKind.REFUND:
            held = state.totals.suspense
            return Event(wish.kind, on, number, Fen(lot.choice((held or 1, lot.randint(1, held + 1)))))
        case EventKind.RESCHEDULE:
            until = on + timedelta(days=lot.randint(1, 40))
            return Event(wish.kind, on, number, until=until, instalments=lot.choice(pack.schedule.instalments))
        case EventKind.REVERSAL:
            # by what they are, not by their numbers, which depend on what the rail answered first
            target = lot.choice(sorted(known, key=_by_content)) if known else None
            return Event(wish.kind, on, number, reverses=target.number) if target else None
        case EventKind.CHARGE_OFF | EventKind.WRITE_OFF:
            return Event(wish.kind, on, number)


def _draw_amount(lot: random.Random, rule: DrawRule, limit_fen: int) -> int:
    """Draw an amount around a part of the line, in whole steps; it may be above what the line or a draw allows."""
    most = min(limit_fen, rule.max_fen) // rule.step_fen
    least = rule.min_fen // rule.step_fen
    return (least + int(max(most - least, 0) * 1.05 * lot.random() ** 2)) * rule.step_fen


def _by_content(event: Event) -> tuple[str, ...]:
    what = (event.value_on, event.kind, event.amount_fen, event.component, event.share_e4, event.until)
    return tuple(map(str, (*what, event.instalments, event.prepayment)))


def _standing(loan: LoanSeen) -> str:
    if loan.suspense_fen:
        return "held"
    if loan.settled_on is not None:
        return "settled"
    if loan.written_off_on is not None:
        return "written_off"
    if loan.charged_off_on is not None:
        return "charged_off"
    return "late" if loan.late_since is not None else "running"


def _value_date(lot: random.Random, loan: LoanSeen, today: date) -> date:
    chance, near, far = lot.random(), lot.randint(1, 25), lot.randint(31, 60)
    if chance < FAR_BACK:
        return today - timedelta(days=far)
    if chance < FAR_BACK + FUTURE:
        return today + timedelta(days=near)
    if chance < FAR_BACK + FUTURE + BEFORE_START:
        return loan.started_on - timedelta(days=near)
    if chance < FAR_BACK + FUTURE + BEFORE_START + BACKDATED:
        return max(today - timedelta(days=near), loan.started_on)
    return today


def _weighed(lot: random.Random, weights: dict[Choice, int]) -> Choice:
    return lot.choices(list(weights), list(weights.values()))[0]
