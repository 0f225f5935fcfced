"""What lets the database be distributed by member later: the member leads every key of what is theirs."""

import re
from dataclasses import dataclass

import house
import pytest

TABLE = re.compile(r"\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?([\w.]+)\s*\(")
UNIQUE_INDEX = re.compile(r"\bcreate\s+unique\s+index\s+.*?\bon\s+([\w.]+)\s*(?:using\s+\w+\s*)?\(([^()]*)", re.DOTALL)
LATER_UNIQUE = re.compile(
    r"\balter\s+table\s+([\w.]+)\s+add\s+(?:constraint\s+\w+\s+)?(?:unique|primary\s+key)\s*\(([^()]*)\)"
)
TRIGGER = re.compile(r"\bcreate\s+(?:or\s+replace\s+)?(?:constraint\s+)?trigger\s+(\w+)")
KEY = re.compile(r"(?:constraint\s+\w+\s+)?(primary\s+key|unique|foreign\s+key)\s*\(([^()]*)\)")
CONSTRAINT = re.compile(r"(?:constraint\s|primary\s+key|unique|foreign\s+key|check\s*\(|exclude\s|like\s)")


@dataclass(frozen=True)
class Table:
    """A table as a migration creates it: columns with what follows their names, keys as (kind, columns)."""

    name: str
    where: str
    columns: dict[str, str]
    keys: tuple[tuple[str, tuple[str, ...]], ...]


def tables(path: str, text: str) -> list[Table]:
    """Read the tables that a script creates."""
    found = []
    for start in TABLE.finditer(text):
        columns: dict[str, str] = {}
        keys = []
        for part in _parts(text, start.end()):
            if key := KEY.match(part):
                keys.append((" ".join(key[1].split()), _names(key[2])))
            elif not CONSTRAINT.match(part):
                name, _, rest = part.partition(" ")
                columns[name] = " ".join(rest.split())
                keys += [
                    (kind, (name,)) for kind in ("primary key", "unique") if re.search(rf"\b{kind}\b", columns[name])
                ]
        where = f"{path}:{house.line_of(text, start.start())}: {start[1]}"
        found.append(Table(start[1], where, columns, tuple(keys)))
    return found


def breaches(path: str, text: str) -> list[str]:
    """Report keys of members' tables that do not begin with the member, triggers, and money that is no bigint."""
    found = []
    made = tables(path, text)
    owned = {table.name for table in made if "member_id" in table.columns}
    for table in made:
        if table.name in owned:
            if "primary key" not in {kind for kind, _ in table.keys}:
                found.append(f"{table.where}: a member's table needs a primary key")
            for kind, names in table.keys:
                if names[0] != "member_id":
                    found.append(f"{table.where}: {kind} ({', '.join(names)}) must begin with member_id")
        for name, rest in table.columns.items():
            if name.endswith("_fen") and not rest.startswith("bigint"):
                found.append(f"{table.where}: {name} is money, which is bigint and not {rest.split()[0]}")
    for pattern in (UNIQUE_INDEX, LATER_UNIQUE):
        for key in pattern.finditer(text):
            if key[1] in owned and _names(key[2])[0] != "member_id":
                found.append(f"{path}:{house.line_of(text, key.start())}: a unique key must begin with member_id")
    for trigger in TRIGGER.finditer(text):
        found.append(f"{path}:{house.line_of(text, trigger.start())}: trigger {trigger[1]}: privileges hold it instead")
    return found


def _parts(text: str, begin: int) -> list[str]:
    """Split what stands between the parentheses of a table at its outer commas."""
    parts, depth, last = [], 1, begin
    for position in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0 or (depth == 1 and text[position] == ","):
            parts.append(text[last:position].strip())
            last = position + 1
        if depth == 0:
            return [part for part in parts if part]
    raise ValueError("a table that is never closed")


def _names(columns: str) -> tuple[str, ...]:
    return tuple(name.split()[0] for name in columns.split(",") if name.strip()) or ("an expression",)


def migrations() -> list[tuple[str, str]]:
    """Return the migrations as one script, so that an index of a later file knows the tables of an earlier one."""
    found = [(path, text) for path, text in house.scripts() if path.startswith("migrations/")]
    if not found:
        pytest.skip("there are no migrations yet")
    return found


def test_the_member_leads_every_key_of_what_is_theirs() -> None:
    scripts = migrations()
    together = breaches("migrations", "\n".join(text for _, text in scripts))
    found = [breach for path, text in scripts for breach in breaches(path, text)]
    assert not (found or together), house.show(found or together)


def test_migrations_hold_the_tables_that_the_rules_are_about() -> None:
    made = [table for path, text in migrations() for table in tables(path, text)]
    assert sum("member_id" in table.columns for table in made) >= 10


def test_bad_tables_are_found() -> None:
    good = """
        create table a.b (
            member_id bigint not null, n int check (n in (1, 2)), paid_fen bigint not null,
            primary key (member_id, n), unique (member_id, paid_fen)
        );
        create unique index on a.b (member_id) where n > 1;
        create table house (code text primary key);
    """
    assert breaches("m.sql", house.plain_sql(good)) == []
    for bad, what in (
        ("create table t (member_id bigint, n int, primary key (n, member_id))", "must begin"),
        ("create table t (member_id bigint primary key, phone text unique)", "unique (phone)"),
        ("create table t (member_id bigint primary key, n int, constraint u unique (n))", "unique (n)"),
        ("create table t (member_id bigint)", "needs a primary key"),
        ("create table t (member_id bigint primary key); create unique index i on t (n)", "must begin"),
        ("create table t (member_id bigint primary key); alter table t add unique (n)", "must begin"),
        ("create table t (code text primary key, due_fen numeric(12, 2))", "bigint"),
        ("create trigger guard_it before update on t", "trigger"),
    ):
        [breach] = breaches("m.sql", bad)
        assert what in breach
