"""The tables of a model card, as cells of text: inputs, points, figures by group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grainline.scoring.fairness import AttributeReport, Group, Share, known_rules
from grainline.scoring.feature_spec import FeatureSpec
from grainline.scoring.model import CreditModel
from grainline.scoring.scorecard import Attribute, Characteristic, Scorecard

Rows = Sequence[tuple[str, ...]]
CATEGORIES_SHOWN = 6


@dataclass(frozen=True)
class Table:
    """A table of text; where all of `head` is empty it has no heading."""

    head: tuple[str, ...]
    rows: Rows


@dataclass(frozen=True)
class Section:
    """A heading, sentences, tables, and the names of plots, in this order."""

    title: str
    says: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    plots: tuple[str, ...] = ()


def feature_table(features: Sequence[FeatureSpec]) -> Table:
    """Return what a model reads: of each input what it may be, and what it is told as."""
    rows = [
        (
            spec.name,
            _range(spec),
            "allowed" if spec.missing_allowed else "refused",
            spec.dimension or "–",
            spec.reason or "–",
        )
        for spec in features
    ]
    return Table(("input", "values", "missing", "sub-score", "reason"), rows)


def points_tables(model: CreditModel) -> Iterator[Table]:
    """Yield the points of a scorecard, one table a characteristic, after the base points."""
    if not isinstance(model.body, Scorecard):
        return
    yield Table(("base points", str(model.body.base)), [])
    for spec, characteristic in zip(model.features, model.body.characteristics, strict=True):
        yield Table((spec.name, "points"), list(_points(spec, characteristic)))


def fairness_sections(reports: Sequence[AttributeReport]) -> Iterator[Section]:
    """Yield a section for each attribute by which people were looked at."""
    least = known_rules().least
    for report in reports:
        flagged = ", ".join(report.flagged)
        says = (
            "Held against the group with the highest approval rate. Below four fifths of it is a flag to look at, not"
            f" a law of lending here. Groups of fewer than {least} are not shown. Intervals are of 95 %.",
            f"Flagged: {flagged}." if flagged else "No group is flagged.",
        )
        rows = [_group(group) for group in report.groups]
        head = ("group", "people", "defaulted", "predicted", "AUC", "approved", "ratio", "of good approved", "gap")
        yield Section(f"By {report.attribute.replace('_', ' ')}", says, (Table(head, rows),))


def _group(group: Group) -> tuple[str, ...]:
    if group.people is None:
        return (group.name, "not shown", *("–",) * 7)
    off = "" if group.calibrated or group.predicted is None else " (outside)"
    return (
        f"{group.name} (reference)" if group.is_reference else group.name,
        f"{group.people:,}",
        _percent(group.bad),
        "–" if group.predicted is None else f"{group.predicted:.1%}{off}",
        "–" if group.auc is None else f"{group.auc:.3f}",
        _percent(group.approved),
        _number(group.impact_ratio, "{:.2f}") + (" flag" if group.flagged else ""),
        _percent(group.approved_of_good),
        _number(group.opportunity_gap, "{:+.3f}"),
    )


def _percent(share: Share | None) -> str:
    return _number(share, "{:.1%}")


def _number(share: Share | None, form: str) -> str:
    if share is None:
        return "–"
    return f"{form.format(share.value)} ({form.format(share.low)} … {form.format(share.high)})"


def _range(spec: FeatureSpec) -> str:
    if spec.kind == "category":
        more = " …" if len(spec.categories) > CATEGORIES_SHOWN else ""
        other = ", or another" if spec.other_allowed else ""
        return ", ".join(spec.categories[:CATEGORIES_SHOWN]) + more + other
    low, high = ("any" if end is None else f"{end:g}" for end in (spec.low, spec.high))
    return "any number" if low == high == "any" else f"{low} … {high}"


def _points(spec: FeatureSpec, characteristic: Characteristic) -> Iterator[tuple[str, ...]]:
    attributes = characteristic.attributes
    for n, attribute in enumerate(attributes):
        upper = attributes[n + 1].over if n + 1 < len(attributes) else None
        yield _attribute(spec, attribute, upper), str(attribute.points)
    for special in characteristic.special:
        yield f"exactly {special.value:g}", str(special.points)
    if spec.missing_allowed:
        yield "missing", str(characteristic.missing)
    if spec.other_allowed:
        yield "another category", str(characteristic.other)


def _attribute(spec: FeatureSpec, attribute: Attribute, upper: float | None) -> str:
    if attribute.codes:
        return ", ".join(spec.categories[code] for code in attribute.codes if code < len(spec.categories))
    low = "" if attribute.over is None else f"from {attribute.over:g}"
    high = "" if upper is None else f"below {upper:g}"
    return " ".join(part for part in (low, high) if part) or "any"
