"""Run rules on many people at once, for back-tests: the tables as columns of Polars, with the results of one by one."""

from dataclasses import dataclass

import polars as pl

from grainline.underwriting.rules.facts import Fact, FactKind, RuleInputInvalid, RuleInputMissing
from grainline.underwriting.rules.reading import Rules
from grainline.underwriting.rules.table import Hit, Result, Row, Table

INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)


@dataclass(frozen=True)
class Many:
    """Outcomes of many, one a row: `result`, `tier` (null where there is none), `reasons` (a list, first hit first)."""

    frame: pl.DataFrame

    def counts(self) -> dict[str, int]:
        """Return how many end in each result."""
        found = dict(self.frame.group_by("result").len().iter_rows())
        return {str(result): found.get(str(result), 0) for result in Result}


def run_many(rules: Rules, people: pl.DataFrame) -> Many:
    """Decide everybody by the rules; a column for each fact, others are left out.

    Raises RuleInputMissing, RuleInputInvalid for the first fact that does not fit anybody, before anything is decided.
    """
    told = pl.DataFrame([_column(fact, people) for fact in rules.facts])
    hits = [(row, expr) for table in rules.tables for row, expr in _hits(table)]
    severity = pl.max_horizontal(
        pl.lit(0, dtype=pl.Int8),
        *[pl.when(expr).then(pl.lit(row.result.severity, dtype=pl.Int8)) for row, expr in hits],
    )
    worst = told.with_columns(severity=severity)
    reasons = [_reasons(hits, result) for result in (Result.REVIEW, Result.DECLINE)]
    no_reasons = pl.lit([], dtype=pl.List(pl.String))
    tier = pl.coalesce(
        pl.lit(None, dtype=pl.String), *[pl.when(expr).then(pl.lit(row.tier)) for row, expr in hits if row.tier]
    )
    declined = pl.col("severity") == Result.DECLINE.severity
    reviewed = pl.col("severity") == Result.REVIEW.severity
    return Many(
        worst.select(
            result=_word(declined, reviewed),
            tier=pl.when(~declined).then(tier),
            reasons=pl.when(declined).then(reasons[1]).when(reviewed).then(reasons[0]).otherwise(no_reasons),
        )
    )


def _column(fact: Fact, people: pl.DataFrame) -> pl.Series:
    """Return a fact of everybody as numbers, a choice by its place."""
    if fact.name not in people.columns or people[fact.name].null_count():
        raise RuleInputMissing(fact=fact.name)
    given = people[fact.name]
    match fact.kind:
        case FactKind.INTEGER:
            fits = given.dtype in INTEGERS
            numbers = given.cast(pl.Int64) if fits else given  # a bound may be beyond what a narrow column can hold
            fits = fits and bool(numbers.is_between(fact.first, fact.last).all())
        case FactKind.TRUTH:
            fits, numbers = given.dtype == pl.Boolean, given
        case FactKind.CHOICE:
            fits = given.dtype in (pl.String, pl.Enum, pl.Categorical)
            fits = fits and bool(given.cast(pl.String).is_in(list(fact.choices)).all())
            numbers = given.cast(pl.String).cast(pl.Enum(fact.choices)).to_physical() if fits else given
    if not fits:
        raise RuleInputInvalid(fact=fact.name, value=str(given.dtype), allowed=fact.allowed())
    return numbers.cast(pl.Int64).alias(fact.name)


def _hits(table: Table) -> list[tuple[Row, pl.Expr]]:
    """Return when each row hits: where rows are taken in order, only what no row above it let through."""
    found: list[tuple[Row, pl.Expr]] = []
    taken = pl.lit(value=False)
    for row in table.rows:
        matches = _matches(table, row)
        found.append((row, matches & ~taken if table.hit is Hit.FIRST else matches))
        taken = taken | matches
    return found


def _matches(table: Table, row: Row) -> pl.Expr:
    cells = [
        pl.any_horizontal(*[pl.col(fact.name).is_between(low, high) for low, high in ranges])
        for fact, ranges in zip(table.facts, row.ranges, strict=True)
        if ranges != ((fact.first, fact.last),)
    ]
    return pl.all_horizontal(*cells) if cells else pl.lit(value=True)


def _word(declined: pl.Expr, reviewed: pl.Expr) -> pl.Expr:
    return (
        pl.when(declined)
        .then(pl.lit(str(Result.DECLINE)))
        .when(reviewed)
        .then(pl.lit(str(Result.REVIEW)))
        .otherwise(pl.lit(str(Result.APPROVE)))
    )


def _reasons(hits: list[tuple[Row, pl.Expr]], result: Result) -> pl.Expr:
    texts = [
        pl.when(expr).then(pl.lit(row.reason)) for row, expr in hits if row.result is result and row.reason is not None
    ]
    if not texts:
        return pl.lit([], dtype=pl.List(pl.String))
    return pl.concat_list(*texts).list.drop_nulls().list.unique(maintain_order=True)
