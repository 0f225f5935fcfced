"""The shipped rules as a test changes them, and facts of somebody who passes every table."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from grainline.products import load_packs
from grainline.products.profile import load_profile
from grainline.underwriting.rules import FactKind, Rules, load_rules

FOLDER = Path(__file__).resolve().parents[3] / "packs"
PACKS = load_packs(FOLDER)
PROFILE = load_profile(FOLDER / "profiles" / "cn-2026.toml")
BODIES = {code: (FOLDER / f"{code}.rules.json").read_bytes() for code in PACKS}
RULES = {code: load_rules(body) for code, body in BODIES.items()}

GOOD: dict[str, object] = {
    "invited": True,
    "age": 30,
    "student": "no",
    "identity_verified": True,
    "consent": True,
    "bureau": "answered",
    "negative_list": False,
    "overdue_here": False,
    "overdue_elsewhere": "no",
    "owed_all_fen": 1_000_000,
    "pd_e6": 30_000,
    "pd_gap_e6": 5_000,
    "purpose": "daily",
}


def changed(change: Callable[[dict[str, Any]], object], product: str = "weilidai") -> bytes:
    """Return a product's rules after a change of their JSON."""
    document = json.loads(BODIES[product])
    change(document)
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def rows_of(document: dict[str, Any], table: str) -> list[dict[str, str]]:
    """Return the rows of a table of a document, to be changed in place."""
    [node] = [node for node in document["nodes"] if node["id"] == table]
    rows: list[dict[str, str]] = node["content"]["rules"]
    return rows


def cell(table: str, row: int, column: str, text: str) -> Callable[[dict[str, Any]], object]:
    """Return a change that writes one cell; rows count from 1."""

    def write(document: dict[str, Any]) -> None:
        name = f"{table}_{column}_out" if column in {"result", "reason", "tier"} else f"{table}_{column}"
        assert name in rows_of(document, table)[row - 1]
        rows_of(document, table)[row - 1][name] = text

    return write


def facts_of(rules: Rules) -> st.SearchStrategy[dict[str, object]]:
    """Draw facts within the schema, as often at the edges of the rows as between them."""
    edges: dict[str, set[int]] = {fact.name: {fact.first, fact.last} for fact in rules.facts}
    for table in rules.tables:
        for row in table.rows:
            for fact, ranges in zip(table.facts, row.ranges, strict=True):
                for low, high in ranges:
                    near = (low - 1, low, high, high + 1)
                    edges[fact.name] |= {number for number in near if fact.first <= number <= fact.last}
    drawn = {}
    for fact in rules.facts:
        anything = st.sampled_from(sorted(edges[fact.name]))
        if fact.kind is FactKind.INTEGER:
            anything |= st.integers(fact.first, fact.last)
        drawn[fact.name] = anything.map(fact.value_of)
    return st.fixed_dictionaries(drawn)
