"""The model card: what a model is for and what not, how it does, what it does to groups, and that it is the one.

After Mitchell et al. 2019. A card says only what the model, its facts and the registry say; where they say nothing, it
says so. `card_pages.py` writes it as Markdown and HTML.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grainline.scoring.boosted import Boosted
from grainline.scoring.card_evidence import Evidence, evidence_from
from grainline.scoring.card_plots import calibration_plot, distribution_plot, importance_plot, roc_plot
from grainline.scoring.card_tables import Rows, Section, Table, fairness_sections, feature_table, points_tables
from grainline.scoring.federated_part import FederatedPart
from grainline.scoring.reasons import REASONS
from grainline.scoring.registry import Artefact, inputs_of
from grainline.scoring.registry_store import Registered
from grainline.scoring.scorecard import Scorecard
from grainline.scoring.scored import Loaded

IMPORTANT_MOST = 20
COUNTS = ("rows", "bad")
FOR = (
    "Estimates the probability that an applicant or borrower defaults within the outlook of the data below, as one"
    " input of a credit decision: rules, price and a person's review come after it.",
    "Its reasons are meant to be told to the person; so is how a decision can be contested.",
)
NOT_FOR = (
    "Not for a decision without the rules around it, and not for people unlike those below: their probability is an"
    " extrapolation.",
    "Not for collections, marketing, employment, insurance or housing, and not to be shared as a person's score.",
    "Not to be read as a cause: a feature with points lost is not what made somebody default.",
)
LIMITS = (
    "Those who were refused before have no outcome. Their probability rests on people like them who were accepted.",
    "Intervals show sampling error. Another year, product or region is not in them.",
    "No input is a protected attribute by name. Proxies may remain, which is what the figures by group are for.",
    "It is watched each month: population stability by feature and score, AUC, KS and calibration by vintage.",
)
FEDERATED_LIMITS = (
    "This is the lender's part alone. Without the hosts' parts named below, at the parties that hold them, no score"
    " can be made of it.",
    "The names of the hosts' features are not known to the lender, so they were not checked against the list of"
    " protected attributes here: each party checks its own.",
)


@dataclass(frozen=True)
class Card:
    """A card: its title, its sections, and its plots by file name, as SVG."""

    title: str
    sections: tuple[Section, ...]
    plots: dict[str, str]


def card_of(artefact: Artefact, *, registered: Registered | None = None, evidence: Evidence | None = None) -> Card:
    """Return the card of a model; without `evidence` what its facts hold of it is shown."""
    if isinstance(artefact, FederatedPart):
        name = registered.name if registered else artefact.told
        return Card(f"Model card: {name}", tuple(_federated(artefact, registered)), {})
    shown = evidence or evidence_from(artefact.model.facts.get("evidence"))
    plots = {"importance.svg": _importance(artefact)}
    if shown is not None:
        plots |= {
            "roc.svg": roc_plot(shown),
            "calibration.svg": calibration_plot(shown),
            "distribution.svg": distribution_plot(shown),
        }
    name = registered.name if registered else artefact.model.name
    return Card(f"Model card: {name}", tuple(_sections(artefact, registered, shown)), plots)


def _sections(loaded: Loaded, registered: Registered | None, evidence: Evidence | None) -> Iterator[Section]:
    model = loaded.model
    calibration = type(model.calibration).__name__ if model.calibration else "none"
    made_of = [("kind", model.kind), ("inputs", str(len(model.features))), ("calibration", calibration)]
    yield Section("What it is", tables=(Table(("", ""), made_of),))
    yield Section("What it is for", FOR)
    yield Section("What it is not for", NOT_FOR)
    yield _data(loaded)
    yield _how_well(loaded, evidence)
    if evidence and evidence.fairness:
        yield from fairness_sections(evidence.fairness)
    else:
        yield Section("What it does to groups", ("Not measured: no groups were given with its outcomes.",))
    if isinstance(model.body, Scorecard):
        yield Section("Points", tables=tuple(points_tables(model)), plots=("importance.svg",))
    else:
        yield Section("What weighs most", ("Share of the gain of all splits.",), plots=("importance.svg",))
    yield Section("What it reads", tables=(feature_table(model.features),))
    yield _reasons(loaded)
    yield Section("Limits", LIMITS)
    yield _integrity(model.sha256, registered)


def _federated(part: FederatedPart, registered: Registered | None) -> Iterator[Section]:
    yield Section("What it is", (part.told, part.note))
    yield Section("What it is for", FOR)
    yield Section("What it is not for", NOT_FOR)
    own: Rows = [(name,) for name in inputs_of(part)]
    yield Section("What it reads here", tables=(Table(("feature of the lender",), own),) if own else ())
    yield Section("What it needs", tables=(Table(("SHA-256 of a host's part",), [(host,) for host in part.hosts]),))
    yield Section("Limits", (*FEDERATED_LIMITS, *LIMITS[:2]))
    yield _integrity(part.sha256, registered)


def _data(loaded: Loaded) -> Section:
    rows: list[tuple[str, ...]] = []
    for name, fact in sorted(loaded.model.facts.items()):
        if isinstance(fact, str | int | float) and not isinstance(fact, bool):
            rows.append((name.replace("_", " "), f"{fact:,}" if name in COUNTS else str(fact)))
        elif name == "dropped" and isinstance(fact, dict):
            rows += [(f"column {column} left out", str(why)) for column, why in sorted(fact.items())]
    if not rows:
        return Section("Data", ("The model says nothing of the data it was fitted to.",))
    return Section("Data", tables=(Table(("of what it was fitted to", ""), rows),))


def _how_well(loaded: Loaded, evidence: Evidence | None) -> Section:
    if evidence is None:
        told = loaded.model.facts.get("out_of_fold")
        if not isinstance(told, dict):
            return Section("How well it does", ("Not measured on people it had not seen.",))
        plain: Rows = [(str(name).replace("_", " "), str(value)) for name, value in told.items()]
        return Section("How well it does", ("Out of fold.",), (Table(("measure", "value"), plain),))
    rows: Rows = [
        (
            name.replace("_", " "),
            f"{one.value:.4f}",
            "–" if one.low is None or one.high is None else f"{one.low:.4f} … {one.high:.4f}",
        )
        for name, one in sorted(evidence.measures.items())
    ]
    return Section(
        "How well it does",
        (f"{evidence.told} {evidence.rows:,} people, {evidence.defaulted:,} of whom defaulted.",),
        (Table(("measure", "value", "95 %"), rows),),
        ("roc.svg", "calibration.svg", "distribution.svg"),
    )


def _reasons(loaded: Loaded) -> Section:
    codes = dict.fromkeys(spec.reason for spec in loaded.model.features if spec.reason)
    if not codes:
        return Section("Reasons", ("None of its inputs has a reason code: nothing can be told of what counted.",))
    rows = [(code, REASONS.get(code, {}).get("en", ""), REASONS.get(code, {}).get("zh", "")) for code in codes]
    return Section("Reasons", tables=(Table(("code", "told in English", "told in Chinese"), rows),))


def _integrity(sha256: str, registered: Registered | None) -> Section:
    rows = [("SHA-256", sha256)]
    if registered is None:
        return Section("Hash and signature", ("Not registered: not signed by the lender.",), (Table(("", ""), rows),))
    rows += [
        ("signed by (Ed25519)", registered.signer.hex()),
        ("signature", registered.signature.hex()),
        ("registered", f"{registered.registered_at.isoformat()} by {registered.registered_by}"),
    ]
    return Section("Hash and signature", tables=(Table(("", ""), rows),))


def _importance(loaded: Loaded) -> str:
    names = [spec.name for spec in loaded.model.features]
    weights = _ranges(loaded.model.body) if isinstance(loaded.model.body, Scorecard) else _gains(loaded.model.body)
    ranked = sorted(zip(names, weights, strict=True), key=lambda one: -one[1])[:IMPORTANT_MOST]
    told = "Points between worst and best" if isinstance(loaded.model.body, Scorecard) else "Share of gain"
    return importance_plot(f"{told}, the first {len(ranked)} of {len(names)}", ranked)


def _ranges(card: Scorecard) -> Sequence[float]:
    found = []
    for one in card.characteristics:
        points = [*(part.points for part in one.attributes), *(part.points for part in one.special)]
        found.append(float(max(points, default=0) - min(points, default=0)))
    return found


def _gains(trees: Boosted) -> Sequence[float]:
    gains = [float(gain) for gain in trees.booster.feature_importance("gain")]
    total = sum(gains) or 1.0
    return [gain / total for gain in gains]
