"""A decision table as boxes: what is left over by its rows, which row is never reached, which two meet. Pure, exact.

A row is a box in the space of its table's facts. Rows are taken out of the space one by one; what remains at the end
is a gap, and a row that takes nothing out is not reachable.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from grainline.underwriting.rules.cells import Range, Ranges, written
from grainline.underwriting.rules.facts import Fact

Box = tuple[Range, ...]
PIECES_MAX = 20_000


class Hit(StrEnum):
    """first: the first row that matches counts. unique: no two match. collect: all that match count, or none does."""

    FIRST = "first"
    UNIQUE = "unique"
    COLLECT = "collect"


class Result(StrEnum):
    """What rules end in, from the mildest to the severest."""

    APPROVE = "approve"
    REVIEW = "review"
    DECLINE = "decline"

    @property
    def severity(self) -> int:
        """Return 0, 1 or 2: of several results the severest counts."""
        return list(Result).index(self)


class TooManyPieces(ValueError):
    """A table whose rows cut its space into more pieces than anybody could check."""


@dataclass(frozen=True)
class Row:
    """A row: its cells as they are written and as ranges, what it says and why; `number` counts from 1."""

    number: int
    cells: tuple[str, ...]
    ranges: tuple[Ranges, ...]
    result: Result
    reason: str | None
    tier: str | None

    def boxes(self) -> Iterable[Box]:
        """Yield the boxes of a row: one, unless a cell names words that do not stand side by side."""
        boxes: list[Box] = [()]
        for ranges in self.ranges:
            boxes = [(*box, one) for box in boxes for one in ranges]
        return boxes


@dataclass(frozen=True)
class Table:
    """A decision table: how rows count, the facts of its columns, its rows."""

    name: str
    hit: Hit
    facts: tuple[Fact, ...]
    rows: tuple[Row, ...]

    def whole(self) -> Box:
        """Return the box that holds everything."""
        return tuple((fact.first, fact.last) for fact in self.facts)

    def say(self, box: Box) -> str:
        """Write a box, leaving out the facts that may be anything."""
        parts = [
            written(fact, *one) for fact, one in zip(self.facts, box, strict=True) if one != (fact.first, fact.last)
        ]
        return ", ".join(parts) or "everything"


def faults(table: Table) -> list[str]:
    """Return what is wrong with a table's rows taken together, each fault with its row numbers or what is left over."""
    found: list[str] = []
    left = [table.whole()]
    for row in table.rows:
        after = [piece for box in left for piece in without(box, row.boxes())]
        if table.hit is not Hit.COLLECT and not any(meets(box, one) for box in left for one in row.boxes()):
            found.append(f"row {row.number} is never reached: the rows above it let everything it names through")
        left = _few(after)
    if left and table.hit is not Hit.COLLECT:
        more = f", and {len(left) - 1} more" if len(left) > 1 else ""
        found.append(f"no row is for {table.say(left[0])}{more}")
    if table.hit is Hit.UNIQUE:
        for one, other in combinations(table.rows, 2):
            both = _meeting(one, other)
            if both:
                found.append(f"rows {one.number} and {other.number} overlap at {table.say(both)}")
    return found


def milder(table: Table, region: Box, least: Result) -> Box | None:
    """Return a part of a region for which the table says something milder than `least`, or None where it never does."""
    left = [region]
    for row in table.rows:
        if row.result.severity >= least.severity:
            left = _few([piece for box in left for piece in without(box, row.boxes())])
        elif table.hit is not Hit.COLLECT:
            for box in left:
                for one in row.boxes():
                    if both := meets(box, one):
                        return both
            left = _few([piece for box in left for piece in without(box, row.boxes())])
    return left[0] if left else None


def meets(one: Box, other: Box) -> Box | None:
    """Return what two boxes have in common, or None."""
    both = tuple((max(a[0], b[0]), min(a[1], b[1])) for a, b in zip(one, other, strict=True))
    return None if any(low > high for low, high in both) else both


def without(box: Box, taken: Iterable[Box]) -> list[Box]:
    """Return what remains of a box when others are taken out of it, as boxes that are apart."""
    left = [box]
    for one in taken:
        left = [piece for each in left for piece in _cut(each, one)]
    return left


def _cut(box: Box, taken: Box) -> list[Box]:
    both = meets(box, taken)
    if both is None:
        return [box]
    pieces: list[Box] = []
    rest = list(box)
    for place, (low, high) in enumerate(both):
        if rest[place][0] < low:
            pieces.append((*rest[:place], (rest[place][0], low - 1), *rest[place + 1 :]))
        if high < rest[place][1]:
            pieces.append((*rest[:place], (high + 1, rest[place][1]), *rest[place + 1 :]))
        rest[place] = (low, high)
    return pieces


def _meeting(one: Row, other: Row) -> Box | None:
    for a in one.boxes():
        for b in other.boxes():
            if both := meets(a, b):
                return both
    return None


def _few(boxes: Sequence[Box]) -> list[Box]:
    if len(boxes) > PIECES_MAX:
        raise TooManyPieces(f"its rows cut it into more than {PIECES_MAX:,} pieces: make it two tables")
    return list(boxes)
