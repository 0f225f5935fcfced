"""How principal is laid out over instalments, by shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from grainline.loans.interest import Period, rounded
from grainline.products import Remainder, Rounding, Rules, Shape

EXACT = Context(prec=34)
MODES = {Rounding.HALF_UP: ROUND_HALF_UP, Rounding.HALF_EVEN: ROUND_HALF_EVEN}


class Ahead(NamedTuple):
    """What is ahead of one instalment: the days from `start` to `due_on` of its period."""

    period: Period
    start: date
    due_on: date

    def factor(self, rate_e8: int) -> Decimal:
        """Return the interest on 1 over these days."""
        weight = self.period.weight(self.start, self.due_on)
        return EXACT.divide(Decimal(rate_e8 * weight), Decimal(self.period.unit))

    def interest(self, rules: Rules, balance: int, rate_e8: int) -> int:
        """Return the interest on a balance over these days, in fen, rounded as the rules say."""
        units = self.period.interest(balance * rate_e8, self.start, self.due_on, rules)
        return rounded(units, self.period.unit, rules.rounding)


@dataclass(frozen=True)
class Layout:
    """Principal of each instalment, and what is equal in them (instalment or principal; 0 where nothing is), in fen."""

    principals: list[int]
    instalment_fen: int = 0


def lay_out(
    rules: Rules, amount: int, rate_e8: int, ahead: Sequence[Ahead], *, free: int, first: Ahead | None
) -> Layout:
    """Lay an amount in fen out over the instalments ahead, the first `free` of which have no principal.

    `first` is the loan's first period, if it sets the rate of the equal instalment.
    """
    if rules.shape in (Shape.INTEREST_FIRST, Shape.BULLET):
        return Layout([0] * (len(ahead) - 1) + [amount])
    none, paying = [0] * free, ahead[free:]
    if rules.shape is Shape.EQUAL_PRINCIPAL:
        shares = equal_shares(rules, amount, len(paying))
        return Layout(none + shares, shares[-1 if rules.remainder is Remainder.FIRST else 0])
    instalment = equal_instalment(rules, amount, rate_e8, paying, first)
    return Layout(none + _principals(rules, amount, rate_e8, paying, instalment), instalment)


def lay_out_shorter(
    rules: Rules, amount: int, rate_e8: int, ahead: Sequence[Ahead], *, free: int, instalment: int
) -> list[int]:
    """Lay an amount in fen out in instalments (or principal parts) as large as before: the later ones have nothing."""
    principals, paying = [0] * free, ahead[free:]
    if rules.shape is Shape.EQUAL_INSTALMENT:
        return principals + _principals(rules, amount, rate_e8, paying, instalment)
    for _ in paying[:-1]:
        principals.append(min(instalment, amount))
        amount -= principals[-1]
    return [*principals, amount]


def equal_shares(rules: Rules, amount: int, count: int) -> list[int]:
    """Divide fen into equal whole shares, rounded down or as rules say; the first or last takes what is left over."""
    share = rounded(amount, count, rules.rounding) if rules.shares_rounded else amount // count
    shares = [int(min(share, amount // max(count - 1, 1)))] * count
    shares[0 if rules.remainder is Remainder.FIRST else -1] += amount - sum(shares)
    return shares


def equal_instalment(rules: Rules, amount: int, rate_e8: int, ahead: Sequence[Ahead], first: Ahead | None) -> int:
    """Return the equal instalment in fen: amount × Π(1 + f) ÷ Σ Π, over the periods' factors f (the annuity formula).

    Source: the annuity with unequal periods; `instalment_evened` is Apache Fineract's progressive loan, which tries
    once to spread the last instalment's difference over all.
    """
    factors = [(first or period).factor(rate_e8) for period in ahead]
    growth, divisor = Decimal(1), Decimal(0)
    for factor in factors:
        grown = EXACT.add(factor, 1)
        divisor = EXACT.add(EXACT.multiply(divisor, grown), 1)
        growth = EXACT.multiply(growth, grown)
    instalment = _to_multiple(rules, EXACT.divide(EXACT.multiply(Decimal(amount), growth), divisor))
    return _evened(rules, amount, rate_e8, ahead, instalment) if rules.instalment_evened else instalment


def _evened(rules: Rules, amount: int, rate_e8: int, ahead: Sequence[Ahead], instalment: int) -> int:
    gap = _gap(rules, amount, rate_e8, ahead, instalment)
    if abs(gap) <= len(ahead) // 2:
        return instalment
    other = _to_multiple(rules, Decimal(instalment) + EXACT.divide(Decimal(gap), Decimal(len(ahead))))
    return other if abs(_gap(rules, amount, rate_e8, ahead, other)) < abs(gap) else instalment


def _gap(rules: Rules, amount: int, rate_e8: int, ahead: Sequence[Ahead], instalment: int) -> int:
    """Return by how much the last instalment is above the others, in fen."""
    last = _principals(rules, amount, rate_e8, ahead, instalment)[-1]
    return last + ahead[-1].interest(rules, last, rate_e8) - instalment


def _principals(rules: Rules, amount: int, rate_e8: int, ahead: Sequence[Ahead], instalment: int) -> list[int]:
    left, principals = amount, []
    for period in ahead[:-1]:
        part = min(max(instalment - period.interest(rules, left, rate_e8), 0), left)
        principals.append(part)
        left -= part
    return [*principals, left]


def _to_multiple(rules: Rules, instalment: Decimal) -> int:
    multiple = rules.instalment_multiple_fen
    return int(EXACT.divide(instalment, Decimal(multiple)).quantize(Decimal(1), MODES[rules.rounding])) * multiple
