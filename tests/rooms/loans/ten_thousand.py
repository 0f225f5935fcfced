"""The loan that examples are about: ten thousand over five months at 0.05 % a day, drawn on 2018-09-11."""

from dataclasses import replace
from datetime import date

from grainline.loans.terms import Terms
from grainline.products import Rules, Shape

SEPTEMBER = date(2018, 9, 11)
RULES = Rules(shape=Shape.EQUAL_PRINCIPAL, grace_days=1, penalty_e4=15_000)
TEN_THOUSAND = Terms(1_000_000, 50_000, 5, SEPTEMBER, RULES)


def under(terms=TEN_THOUSAND, **rules):
    """Return the terms under changed rules."""
    return replace(terms, rules=RULES.model_copy(update=rules))


def columns(state, *names):
    """Return figures of the instalments, in fen, by name."""
    return [tuple(getattr(row, f"{name}_fen") for name in names) for row in state.instalments]
