"""Run rules on one person's facts: which rows hit, what they end in, and why. The same bytes in any process."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from grainline.underwriting.rules.facts import Value, checked
from grainline.underwriting.rules.reading import Rules
from grainline.underwriting.rules.table import Hit, Result, Row, Table


class EngineDisagrees(RuntimeError):
    """The engine did not do what the table says: a defect, never a decision."""


@dataclass(frozen=True)
class RowHit:
    """A row that hit: table, number from 1, what it says."""

    table: str
    row: int
    result: Result
    reason: str | None
    tier: str | None


@dataclass(frozen=True)
class Trace:
    """What was run on what: the rules' name, the facts as they were told, every row that hit, table by table."""

    sha256: str
    version: str
    facts: tuple[tuple[str, Value], ...]
    hits: tuple[RowHit, ...]


@dataclass(frozen=True)
class RulesOutcome:
    """What rules end in; the tier unless that is a decline; the reasons of the result, first hit first."""

    result: Result
    tier: str | None
    reasons: tuple[str, ...]
    trace: Trace

    def to_json(self) -> dict[str, object]:
        """Return the outcome with its trace, as what JSON can hold."""
        return {
            "result": str(self.result),
            "tier": self.tier,
            "reasons": list(self.reasons),
            "rules": self.trace.sha256,
            "version": self.trace.version,
            "facts": dict(self.trace.facts),
            "hits": [
                {"table": hit.table, "row": hit.row, "result": str(hit.result), "reason": hit.reason, "tier": hit.tier}
                for hit in self.trace.hits
            ],
        }

    def to_bytes(self) -> bytes:
        """Return the outcome as canonical JSON: sorted keys, no spaces, UTF-8."""
        return json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def run(rules: Rules, facts: Mapping[str, object]) -> RulesOutcome:
    """Decide by the rules. What a table does not ask for may be among the facts and is left out.

    Of all rows that hit the severest result counts. Raises RuleInputMissing, RuleInputInvalid before the engine sees
    anything, and EngineDisagrees where the engine hits a row whose cells, read by us, do not let the facts through.
    """
    told = checked(rules.facts, facts)
    traced = rules.decision.evaluate(dict(told), {"trace": True})["trace"]
    hits = [row for table in rules.tables for row in _hits(table, told, traced[table.name])]
    return concluded(rules, told, hits)


def concluded(rules: Rules, told: Mapping[str, Value], hits: list[tuple[Table, Row]]) -> RulesOutcome:
    """Return what rows that hit end in, taken together."""
    result = max((row.result for _, row in hits), key=lambda one: one.severity, default=Result.APPROVE)
    reasons = dict.fromkeys(row.reason for _, row in hits if row.result is result and row.reason is not None)
    tier = next((row.tier for _, row in hits if row.tier is not None), None)
    return RulesOutcome(
        result=result,
        tier=None if result is Result.DECLINE else tier,
        reasons=tuple(reasons),
        trace=Trace(
            sha256=rules.sha256,
            version=rules.version,
            facts=tuple(told.items()),
            hits=tuple(RowHit(table.name, row.number, row.result, row.reason, row.tier) for table, row in hits),
        ),
    )


def _hits(table: Table, told: Mapping[str, Value], traced: Mapping[str, Any]) -> Iterator[tuple[Table, Row]]:
    """Yield the rows that the engine hit, each held against what the row says by our reading of it."""
    data = traced["traceData"]
    found = (data if isinstance(data, list) else [data]) if data is not None else []
    if table.hit is not Hit.COLLECT and len(found) != 1:
        raise EngineDisagrees(f"table {table.name}: {len(found)} rows hit, and one must")
    numbers = [fact.number_of(told[fact.name]) for fact in table.facts]
    for one in found:
        row = table.rows[one["index"]]
        for number, ranges in zip(numbers, row.ranges, strict=True):
            if not any(low <= number <= high for low, high in ranges):
                raise EngineDisagrees(f"table {table.name}: row {row.number} was hit by what it does not let through")
        yield table, row
