"""What two versions of rules differ in, as lines a reader can follow: facts, tables, rows, cells."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from grainline.underwriting.rules.reading import Rules
from grainline.underwriting.rules.table import Result, Row, Table

NOTHING = "–"


def diff(old: Rules, new: Rules) -> tuple[str, ...]:
    """Return every difference, one line each; rows are numbered as in their own version."""
    return (*_named(old, new), *_facts(old, new), *_reasons(old, new), *_tables(old, new))


def _named(old: Rules, new: Rules) -> Iterator[str]:
    for name in ("product", "effective_from", "profile"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield f"{name}: {before} → {after}"


def _facts(old: Rules, new: Rules) -> Iterator[str]:
    before, after = ({fact.name: fact for fact in rules.facts} for rules in (old, new))
    for name in sorted(before.keys() - after.keys()):
        yield f"fact {name}: is gone"
    for name, fact in after.items():
        if name not in before:
            yield f"fact {name}: is new, {fact.allowed()}"
        elif before[name].allowed() != fact.allowed():
            yield f"fact {name}: {before[name].allowed()} → {fact.allowed()}"


def _reasons(old: Rules, new: Rules) -> Iterator[str]:
    for name in sorted(old.reasons.keys() & new.reasons.keys()):
        for language in ("zh", "en"):
            before, after = getattr(old.reasons[name], language), getattr(new.reasons[name], language)
            if before != after:
                yield f"text of {name} ({language}): {before} → {after}"


def _tables(old: Rules, new: Rules) -> Iterator[str]:
    before, after = ({table.name: table for table in rules.tables} for rules in (old, new))
    for name in sorted(before.keys() - after.keys()):
        yield f"table {name}: is gone, with {len(before[name].rows)} rows"
    for name, table in after.items():
        if name not in before:
            yield f"table {name}: is new"
            yield from (f"table {name} row {row.number}: + {_said(table, row)}" for row in table.rows)
            continue
        if before[name].hit is not table.hit:
            yield f"table {name}: rows count as {before[name].hit} → {table.hit}"
        yield from _rows(before[name], table)


def _rows(old: Table, new: Table) -> Iterator[str]:
    lines = [[tuple(_cells(table, row).items()) for row in table.rows] for table in (old, new)]
    for kind, a, b, c, d in SequenceMatcher(a=lines[0], b=lines[1], autojunk=False).get_opcodes():
        if kind == "replace" and b - a == d - c:
            for before, after in zip(old.rows[a:b], new.rows[c:d], strict=True):
                yield from _changed(old, before, new, after)
        elif kind != "equal":
            yield from (f"table {new.name} row {row.number}: - {_said(old, row)}" for row in old.rows[a:b])
            yield from (f"table {new.name} row {row.number}: + {_said(new, row)}" for row in new.rows[c:d])


def _changed(old: Table, before: Row, new: Table, after: Row) -> Iterator[str]:
    one, other = _cells(old, before), _cells(new, after)
    for name in {**one, **other}:
        if one.get(name, NOTHING) != other.get(name, NOTHING):
            yield f"table {new.name} row {after.number}: {name} {one.get(name, NOTHING)} → {other.get(name, NOTHING)}"


def _cells(table: Table, row: Row) -> dict[str, str]:
    inputs = {fact.name: cell.strip() or NOTHING for fact, cell in zip(table.facts, row.cells, strict=True)}
    result = "pass" if row.result is Result.APPROVE else str(row.result)
    return {**inputs, "result": result, "reason": row.reason or NOTHING, "tier": row.tier or NOTHING}


def _said(table: Table, row: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in _cells(table, row).items() if value != NOTHING)
