"""What a model and its decisions do to groups of people that it does not see: the fairness report.

By age band, sex and whatever else a table says of people. The groups are told by attributes that no model reads; they
are here only to be looked at, after the fact. Measures:

- approval rate, and its ratio to that of the reference group (disparate impact; below four fifths a flag);
- among those who did not default the share approved (true-positive rate), less the reference group's (equal
  opportunity difference, Hardt, Price and Srebro 2016);
- mean probability of default against the observed rate (calibration within groups).

No decision rule can satisfy all of these at once where groups default at different rates (Kleinberg, Mullainathan and
Raghavan 2016; Chouldechova 2017): the report shows them, it does not say which one must be equal.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from grainline.scoring.arrays import Label, Whole
from grainline.scoring.intervals import difference, ratio, wilson
from grainline.scoring.measures import measure

AGE_BAND = "age_band"


@dataclass(frozen=True)
class FairnessRules:
    """How groups are formed and judged, as fairness.toml explains."""

    version: str
    age_bands: tuple[int, ...]
    least: int
    four_fifths_e6: int


@dataclass(frozen=True)
class Share:
    """A share or a difference or ratio of shares with its 95 % interval, and of how many people."""

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Group:
    """One group's figures; those that would rest on too few people are None, and of a suppressed group all are.

    `impact_ratio` and `opportunity_gap` are held against the reference group, which has none of its own. `flagged`
    says that the impact ratio is below four fifths.
    """

    name: str
    people: int | None
    is_reference: bool = False
    bad: Share | None = None
    predicted: float | None = None
    calibrated: bool | None = None
    auc: float | None = None
    approved: Share | None = None
    impact_ratio: Share | None = None
    approved_of_good: Share | None = None
    opportunity_gap: Share | None = None
    flagged: bool = False


@dataclass(frozen=True)
class AttributeReport:
    """The groups of one attribute, in the order of their names."""

    attribute: str
    groups: tuple[Group, ...]

    @property
    def flagged(self) -> tuple[str, ...]:
        """Return the names of the groups whose approval rate is below four fifths of the reference group's."""
        return tuple(group.name for group in self.groups if group.flagged)


def fairness_of(
    groups: pl.DataFrame,
    *,
    pd_e6: Whole,
    bad: Label,
    approved: Label,
    rules: FairnessRules | None = None,
    known: Label | None = None,
) -> tuple[AttributeReport, ...]:
    """Return one report for each column of `groups`; all of the same people, in the same order.

    A null is a group of its own, "not known". The reference is the group with the highest approval rate among those
    that are large enough, as in the four-fifths rule.

    `known` says of whom there is an outcome, where it is not everybody: of members, some of those approved. Then
    default rates are of these, what needs the outcome of the declined is left out, and where one group alone is too
    small to show, the smallest of the others is not shown either: the first could be told by subtraction.
    """
    by = rules or known_rules()
    people = _People(pd_e6, bad, approved, known)
    return tuple(_attribute(column, people, by) for column in groups.iter_columns())


def age_bands(ages: pl.Series, rules: FairnessRules | None = None) -> pl.Series:
    """Return ages in years as bands: 18-24, 25-34 … 55+; younger ones are "under 18"."""
    starts = (rules or known_rules()).age_bands
    names = [f"{low}-{high - 1}" for low, high in pairwise(starts)]
    labels = [f"under {starts[0]}", *names, f"{starts[-1]}+"]
    place = np.searchsorted(starts, ages.fill_null(0).to_numpy(), side="right")
    bands = pl.Series(AGE_BAND, [labels[n] for n in place.tolist()], dtype=pl.String)
    return bands.set(ages.is_null(), None)


@cache
def known_rules() -> FairnessRules:
    """Return the rules of fairness.toml."""
    told = tomllib.loads(Path(__file__).with_name("fairness.toml").read_text(encoding="utf-8"))
    return FairnessRules(**(told | {"age_bands": tuple(told["age_bands"])}))


@dataclass(frozen=True)
class _People:
    """What is known of people; without `known` the outcome of all."""

    pd_e6: Whole
    bad: Label
    approved: Label
    known: Label | None

    def part(self, name: str, rows: Label) -> "_Part":
        known = rows if self.known is None else rows & self.known
        of = name, self.pd_e6[known], self.bad[known], self.approved[rows]
        return _Part(*of, outcomes_of_all=self.known is None)


@dataclass(frozen=True)
class _Part:
    """The people of a group; `pd_e6` and `bad` are of those whose outcome is known, `approved` of all."""

    name: str
    pd_e6: Whole
    bad: Label
    approved: Label
    outcomes_of_all: bool

    @property
    def of_all(self) -> tuple[int, int]:
        return int(self.approved.sum()), self.approved.size

    @property
    def of_good(self) -> tuple[int, int]:
        if not self.outcomes_of_all:
            return 0, 0
        return int((self.approved & ~self.bad).sum()), int((~self.bad).sum())


def _attribute(column: pl.Series, people: _People, rules: FairnessRules) -> AttributeReport:
    told = column.cast(pl.String).fill_null("not known")
    parts = [people.part(name, (told == name).to_numpy()) for name in sorted(told.unique().to_list())]
    large = sorted((part for part in parts if part.approved.size >= rules.least), key=lambda part: part.approved.size)
    if people.known is not None and len(parts) - len(large) == 1:
        large = large[1:]
    shown = {part.name for part in large}
    reference = max(
        (part for part in parts if part.name in shown), key=lambda part: part.of_all[0] / part.of_all[1], default=None
    )
    return AttributeReport(
        column.name,
        tuple(
            _group(part, reference, rules) if reference and part.name in shown else Group(part.name, None)
            for part in parts
        ),
    )


def _group(part: _Part, reference: _Part, rules: FairnessRules) -> Group:
    has_outcomes = part.outcomes_of_all or part.bad.size >= rules.least
    bad = _share((int(part.bad.sum()), part.bad.size)) if has_outcomes else None
    predicted = float(part.pd_e6.mean()) / 1e6 if has_outcomes else None
    impact = _impact(part, reference)
    return Group(
        name=part.name,
        people=part.approved.size,
        is_reference=part is reference,
        bad=bad,
        predicted=predicted,
        calibrated=None if bad is None or predicted is None else bad.low <= predicted <= bad.high,
        auc=_auc(part, rules),
        approved=_share(part.of_all),
        impact_ratio=impact,
        approved_of_good=_share(part.of_good) if part.of_good[1] >= rules.least else None,
        opportunity_gap=_gap(part, reference, rules.least),
        flagged=impact is not None and impact.value < rules.four_fifths_e6 / 1e6,
    )


def _share(counted: tuple[int, int]) -> Share:
    hits, count = counted
    return Share(hits / count, *wilson(hits, count), count)


def _impact(part: _Part, reference: _Part) -> Share | None:
    (hits, count), (base, of) = part.of_all, reference.of_all
    if part is reference or not base:
        return None
    return Share(hits / count / (base / of), *ratio(hits, count, of=(base, of)), count)


def _gap(part: _Part, reference: _Part, least: int) -> Share | None:
    (hits, count), (base, of) = part.of_good, reference.of_good
    if part is reference or min(count, of) < least:
        return None
    return Share(hits / count - base / of, *difference(hits, count, of=(base, of)), count)


def _auc(part: _Part, rules: FairnessRules) -> float | None:
    bad = int(part.bad.sum())
    if min(bad, part.bad.size - bad) < rules.least:
        return None
    return measure(part.bad, np.asarray(part.pd_e6 / 1e6, dtype=np.float64)).auc
