"""Read a rules file: whole, checked, and named by its bytes. A table with a gap or an overlap is no table."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date

import zen
from pydantic import ValidationError

from grainline.products.misfit import Misfit
from grainline.products.part import Text
from grainline.underwriting.rules.cells import BadCell, read_cell
from grainline.underwriting.rules.document import Document, EndNode, TableNode
from grainline.underwriting.rules.facts import Fact
from grainline.underwriting.rules.table import Hit, Result, Row, Table, TooManyPieces, faults

BYTES_MAX = 1_000_000
# What a row may say. `pass` lets somebody through; the whole approves where every table does.
RESULTS = {"pass": Result.APPROVE, "review": Result.REVIEW, "decline": Result.DECLINE}
OUTPUTS = ("result", "reason", "tier")


class BadRules(ValueError):
    """Rules that cannot be used; `problems` says where and what, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Rules:
    """A version of a product's rules. Equal bytes are equal rules; `sha256` names them (hex)."""

    body: bytes
    sha256: str
    product: str
    version: str
    effective_from: date
    profile: str
    facts: tuple[Fact, ...] = field(compare=False)
    reasons: dict[str, Text] = field(compare=False)
    tables: tuple[Table, ...] = field(compare=False)
    decision: zen.ZenDecision = field(compare=False, repr=False)

    def table(self, name: str) -> Table:
        """Return the table with this name; raise KeyError."""
        return {table.name: table for table in self.tables}[name]

    def to_bytes(self) -> bytes:
        """Return the file as it was read."""
        return self.body


def load_rules(body: bytes) -> Rules:
    """Read rules; raise BadRules with everything that is wrong, by table and row."""
    document = _document(body)
    nodes = [node for node in document.nodes if isinstance(node, TableNode)]
    problems = _graph(document, nodes)
    facts = {fact.name: fact for fact in document.facts}
    if len(facts) != len(document.facts):
        problems.append("facts: one is there twice")
    tables: list[Table] = []
    for node in nodes:
        table, wrong = _table(document, node, facts)
        problems += [f"table {node.id}: {what}" for what in wrong]
        if table is not None:
            tables.append(table)
    unused = set(facts) - {fact.name for table in tables for fact in table.facts}
    if unused and not problems:
        problems += [f"facts: no table looks at {name}" for name in sorted(unused)]
    unsaid = set(document.reasons) - {row.reason for table in tables for row in table.rows}
    if unsaid and not problems:
        problems += [f"reasons: no row gives {name}" for name in sorted(unsaid)]
    if problems:
        raise BadRules(problems)
    return Rules(
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        product=document.product,
        version=document.version,
        effective_from=document.effective_from,
        profile=document.profile,
        facts=document.facts,
        reasons=document.reasons,
        tables=tuple(tables),
        decision=_compiled(body),
    )


def _document(body: bytes) -> Document:
    if len(body) > BYTES_MAX:
        raise BadRules([f"is larger than {BYTES_MAX:,} bytes"])
    try:
        json.loads(body, object_pairs_hook=_once, parse_constant=_no_constant)
        return Document.model_validate_json(body)
    except ValidationError as error:
        problems = []
        for fault in error.errors():
            place = ".".join(str(part) for part in fault["loc"])
            misfit = fault.get("ctx", {}).get("error")
            problems.append(f"{place}.{misfit}" if isinstance(misfit, Misfit) else f"{place}: {fault['msg']}")
        raise BadRules(problems) from error
    except (ValueError, RecursionError) as error:
        raise BadRules([f"not JSON: {error}"]) from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no number")


def _graph(document: Document, tables: list[TableNode]) -> list[str]:
    """Every table sees the facts and nothing else, and all of them end in the answer."""
    ends = [node for node in document.nodes if isinstance(node, EndNode)]
    ids = [node.id for node in document.nodes]
    problems = [f"nodes: {name} is there twice" for name in sorted({name for name in ids if ids.count(name) > 1})]
    if sorted(node.type for node in ends) != ["inputNode", "outputNode"]:
        return [*problems, "nodes: there must be one inputNode and one outputNode"]
    start, end = (next(node.id for node in ends if node.type == kind) for kind in ("inputNode", "outputNode"))
    wanted = {(start, node.id) for node in tables} | {(node.id, end) for node in tables}
    there = [(edge.sourceId, edge.targetId) for edge in document.edges]
    problems += [f"edges: {one} → {other} is missing" for one, other in sorted(wanted - set(there))]
    problems += [f"edges: {one} → {other} may not be" for one, other in sorted(set(there) - wanted)]
    if len(there) != len(set(there)):
        problems.append("edges: one is there twice")
    if set(document.tables) != {node.id for node in tables}:
        problems.append("tables: must name every table of the graph, and nothing else")
    return problems


def _table(document: Document, node: TableNode, facts: dict[str, Fact]) -> tuple[Table | None, list[str]]:
    """Return a table as it is to be understood, or None, and what is wrong with it."""
    content, hit = node.content, document.tables.get(node.id, Hit.FIRST)
    fields = [column.field for column in content.inputs]
    wrong = [f"column {name}: there is no such fact" for name in fields if name not in facts]
    if len(set(fields)) != len(fields):
        wrong.append("two columns look at one fact")
    outputs = [column.field for column in content.outputs]
    if outputs not in (list(OUTPUTS[:2]), list(OUTPUTS)):
        wrong.append("its outputs must be result and reason, and after them tier if it gives one")
    if (content.hitPolicy == "collect") is not (hit is Hit.COLLECT) or content.outputPath != node.id:
        wrong.append(f"is run as {content.hitPolicy} into {content.outputPath}, and meant as {hit} into {node.id}")
    ids = [column.id for column in (*content.inputs, *content.outputs)]
    if len(set(ids)) != len(ids):
        wrong.append("two columns have one id")
    if wrong:
        return None, wrong
    columns = tuple(facts[name] for name in fields)
    rows: list[Row] = []
    for number, cells in enumerate(content.rules, start=1):
        row, bad = _row(document, node, number, cells)
        wrong += [f"row {number}: {what}" for what in bad]
        rows += [row] if row is not None else []
    if wrong:
        return None, wrong
    table = Table(node.id, hit, columns, tuple(rows))
    try:
        return table, faults(table)
    except TooManyPieces as error:
        return table, [str(error)]


def _row(document: Document, node: TableNode, number: int, cells: dict[str, str]) -> tuple[Row | None, list[str]]:
    content, facts = node.content, {fact.name: fact for fact in document.facts}
    known = {column.id for column in (*content.inputs, *content.outputs)} | {"_id", "_description"}
    wrong = [f"{name} is no column" for name in sorted(set(cells) - known)]
    written = tuple(cells.get(column.id, "") for column in content.inputs)
    ranges = []
    for column, text in zip(content.inputs, written, strict=True):
        try:
            ranges.append(read_cell(text, facts[column.field]))
        except BadCell as error:
            wrong.append(f"{column.field}: {error}")
    said = {column.field: _literal(cells.get(column.id, "")) for column in content.outputs}
    result, reason, tier = (said.get(name) for name in OUTPUTS)
    if result not in RESULTS:
        return None, [*wrong, f"result: {result} is none of pass, review, decline"]
    if (reason is None) is not (result == "pass"):
        wrong.append("reason: must be there unless the row passes, and not where it does")
    if reason is not None and reason not in document.reasons:
        wrong.append(f"reason: {reason} has no text")
    if tier is not None and result == "decline":
        wrong.append("tier: who is declined has none")
    if wrong:
        return None, wrong
    return Row(number, written, tuple(ranges), RESULTS[result], reason, tier), []


def _literal(text: str) -> str | None:
    """Return the word of an output cell, written in quotes; an empty cell says nothing."""
    said = text.strip()
    if not said:
        return None
    word = said[1:-1]
    quoted = len(said) > 2 and said[0] == said[-1] == '"'
    return word if quoted and word.replace("_", "").isalnum() and word.isascii() else said


def _compiled(body: bytes) -> zen.ZenDecision:
    try:
        decision = zen.ZenEngine().create_decision(body.decode())
        decision.validate()
    except Exception as error:  # the engine raises whatever its Rust says
        raise BadRules([f"the engine does not take it: {error}"]) from error
    return decision
