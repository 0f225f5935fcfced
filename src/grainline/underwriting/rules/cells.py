"""A cell of a decision table, read into the values that it lets through.

zen-engine knows a whole language; a cell here may say only what can be proved complete: nothing (any value), `true`
or `false`, words in quotes with commas between them, a whole number, `>= 18`, `< 18`, or a range like `[1..80000]` with
round brackets for a bound that is left out. Every kind of fact becomes numbers, so that a cell is a list of closed
ranges.
"""

import re

from grainline.underwriting.rules.facts import Fact, FactKind

Range = tuple[int, int]  # both ends are in it
Ranges = tuple[Range, ...]

COMPARED = re.compile(r"(<=|>=|<|>|==)?\s*(-?\d+)")
BRACKETS = re.compile(r"([\[(])\s*(-?\d+)\s*\.\.\s*(-?\d+)\s*([\])])")
WORDS = re.compile(r'"[a-z0-9_]+"(?:\s*,\s*"[a-z0-9_]+")*')


class BadCell(ValueError):
    """A cell that cannot be read; says why."""


def read_cell(text: str, fact: Fact) -> Ranges:
    """Return the values that a cell lets through, rising and apart; raise BadCell."""
    said = text.strip()
    if not said:
        return ((fact.first, fact.last),)
    match fact.kind:
        case FactKind.TRUTH:
            if said not in {"true", "false"}:
                raise BadCell(f"{said} is neither true nor false")
            return ((int(said == "true"),) * 2,)
        case FactKind.CHOICE:
            return _words(said, fact)
        case FactKind.INTEGER:
            low, high = _numbers(said)
            return (_inside(said, fact, fact.first if low is None else low, fact.last if high is None else high),)


def _words(said: str, fact: Fact) -> Ranges:
    if not WORDS.fullmatch(said):
        raise BadCell(f'{said} is not words like "yes", "unknown"')
    words = [word.strip().strip('"') for word in said.split(",")]
    unknown = [word for word in words if word not in fact.choices]
    if unknown or len(set(words)) != len(words):
        raise BadCell(f"{unknown[0]} is none of {fact.allowed()}" if unknown else f"{said} names a word twice")
    return joined([(place, place) for place in sorted(fact.choices.index(word) for word in words)])


def _numbers(said: str) -> tuple[int | None, int | None]:
    if found := BRACKETS.fullmatch(said):
        opens, low, high, closes = found.groups()
        return int(low) + (opens == "("), int(high) - (closes == ")")
    found = COMPARED.fullmatch(said)
    if found is None:
        raise BadCell(f"{said} is no whole number, comparison or range")
    number = int(found[2])
    match found[1]:
        case "<=":
            return None, number
        case "<":
            return None, number - 1
        case ">=":
            return number, None
        case ">":
            return number + 1, None
        case _:
            return number, number


def _inside(said: str, fact: Fact, low: int, high: int) -> Range:
    if low > high:
        raise BadCell(f"{said} lets no value through")
    if low < fact.first or high > fact.last:
        raise BadCell(f"{said} leaves {fact.name}, which is {fact.allowed()}")
    return low, high


def joined(ranges: list[Range]) -> Ranges:
    """Join rising ranges that touch."""
    whole: list[Range] = []
    for low, high in ranges:
        if whole and low <= whole[-1][1] + 1:
            whole[-1] = (whole[-1][0], max(high, whole[-1][1]))
        else:
            whole.append((low, high))
    return tuple(whole)


def written(fact: Fact, low: int, high: int) -> str:
    """Write a range of a fact as a reader would say it."""
    if (low, high) == (fact.first, fact.last):
        return f"any {fact.name}"
    if fact.kind is not FactKind.INTEGER:
        words = [str(fact.value_of(number)).lower() for number in range(low, high + 1)]
        return f"{fact.name} {' or '.join(words)}"
    return f"{fact.name} {low}" if low == high else f"{fact.name} {low} … {high}"
