"""The decision: one pure function from frozen inputs and artefacts to an outcome, the same to the bit whenever it runs.

    features ──model──▶ probability, points, sub-scores, reasons
    facts + probability ──rules──▶ approved, declined, or a person must look; the tier
    probability + means ──pricing──▶ line and rate

No clock, no SQL, no chance. Inputs name their artefacts by hash, and an outcome carries what a reader needs to follow
it: the rows of the tables that hit, points by feature, the second opinion. Sources: C8, D1–D4, PIPL Art. 24.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Self

from pydantic import TypeAdapter

from grainline.products import Pack
from grainline.scoring import FeatureMissing, Loaded, Scored, Value, score_one
from grainline.scoring.federated_part import FederatedPart
from grainline.underwriting.federated_inputs import FederatedInputs
from grainline.underwriting.pricing import Means, price
from grainline.underwriting.rules import Result, Rules, run

NO_RECORD = "no_credit_record"
FEDERATED = "federated"  # what is missing where parties did not answer and their model was to decide all the same
BY_OFFICER = "officer"
DECISION_REASONS: dict[str, dict[str, str]] = {
    BY_OFFICER: {"zh": "由审批人员人工复核后决定", "en": "Decided by an officer who looked at it"},
    NO_RECORD: {
        "zh": "征信机构没有您的记录，转人工审核",
        "en": "The credit bureau has no record of you: an officer looks",
    },
    "line_above_cap": {
        "zh": "在所有机构的贷款合计加上最小额度会超过上限",
        "en": "With the smallest line the loans of all lenders together would be above the cap",
    },
}


class Occasion(StrEnum):
    """Why it was decided: an application, a review of a line, or a person's answer that overrides."""

    APPLICATION = "application"
    REVIEW = "review"
    HUMAN = "human"


class Verdict(StrEnum):
    """What a decision ends in."""

    APPROVED = "approved"
    DECLINED = "declined"
    REVIEW = "review"


VERDICTS = {Result.APPROVE: Verdict.APPROVED, Result.DECLINE: Verdict.DECLINED, Result.REVIEW: Verdict.REVIEW}


@dataclass(frozen=True)
class Inputs:
    """Everything a decision rests on, as of an instant in UTC.

    `facts` are what the rules are told, but for the probability; `features` what the models read, None where there is
    no record to read; `sources` the snapshots by source with their hash and consent. Artefacts are named by SHA-256 in
    hex: `model` decides, in `role`; `second` is the other of champion and challenger; `shadows` are only listened to.
    `federated` is what the data parties said, where any of these models asks them.
    """

    product: str
    occasion: Occasion
    as_of: str
    facts: dict[str, int | bool | str]
    features: dict[str, float | str | None] | None
    means: Means | None
    sources: dict[str, dict[str, str]]
    role: str
    model: str
    second: str | None
    shadows: tuple[str, ...]
    rules: str
    pack: str
    federated: FederatedInputs | None = None

    def text(self) -> str:
        """Return canonical JSON; what only a federated model needs is left out where there is none."""
        told = INPUTS.dump_python(self, mode="json")
        return canonical({name: value for name, value in told.items() if name != "federated" or value is not None})

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `text` wrote; raise ValueError."""
        found = INPUTS.validate_json(text)
        assert isinstance(found, cls)  # noqa: S101  # for the type checker
        return found


@dataclass(frozen=True)
class Outcome:
    """What was decided: line in fen, rate in 10⁻⁸ a day, probabilities in 10⁻⁶, points more is better.

    `reasons` say why it was not approved, the rules' before the model's; where it was, what weighs against the person.
    `offer_reasons` say why this line and rate. `lost` is by how many points each feature is worse than the average.
    `answered` says by whom and why, where a person decided.
    """

    result: Verdict
    tier: str | None
    line_fen: int
    rate_e8: int
    pd_e6: int | None
    points: int | None
    sub_scores: dict[str, int]
    reasons: tuple[str, ...]
    offer_reasons: tuple[str, ...]
    lost: dict[str, float]
    second_pd_e6: int | None
    shadow_pds_e6: dict[str, int]
    rules: dict[str, object] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return canonical JSON."""
        return canonical(OUTCOME.dump_python(self, mode="json"))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `text` wrote; raise ValueError."""
        found = OUTCOME.validate_json(text)
        assert isinstance(found, cls)  # noqa: S101  # for the type checker
        return found


INPUTS = TypeAdapter(Inputs)
OUTCOME = TypeAdapter(Outcome)


@dataclass(frozen=True)
class Artefacts:
    """What inputs name by hash, loaded; `points_by` gives points and reasons where `model` is a federated one."""

    pack: Pack
    rules: Rules
    model: Loaded | FederatedPart
    second: Loaded | FederatedPart | None = None
    shadows: Mapping[str, Loaded | FederatedPart] = field(default_factory=dict)
    points_by: Loaded | None = None


def canonical(content: object) -> str:
    """Write JSON of sorted keys and no spaces; raise ValueError for what JSON cannot say, NaN and infinities too."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def hash_of(text: str) -> bytes:
    """Return the SHA-256 of a canonical text."""
    return sha256(text.encode()).digest()


def decide_on(artefacts: Artefacts, inputs: Inputs) -> Outcome:
    """Decide.

    Raises what the parts refuse: FeatureMissing, FeatureOutOfRange, FeatureUnknownCategory of a model, RuleInputMissing
    and RuleInputInvalid of the rules. None of these is a decision, and none falls into a branch.
    """
    if inputs.features is None or inputs.means is None:
        return _unscored(NO_RECORD)
    scored = _explained(artefacts, inputs.features)
    pd_e6 = _probability(artefacts.model, inputs.model, inputs) if artefacts.points_by else scored.pd_e6
    if pd_e6 is None:
        raise FeatureMissing(feature=FEDERATED)
    second = _probability(artefacts.second, inputs.second, inputs)
    shadows = {sha: _probability(loaded, sha, inputs) for sha, loaded in sorted(artefacts.shadows.items())}
    gap = abs(pd_e6 - second) if second is not None else 0
    told: dict[str, object] = {**inputs.facts, "pd_e6": pd_e6, "pd_gap_e6": gap}
    if (scale := artefacts.pack.admission.score) is not None:
        told["score_points"] = scale.points_of(pd_e6)
    ruled = run(artefacts.rules, told)
    verdict, reasons, offer = VERDICTS[ruled.result], ruled.reasons, None
    if verdict is Verdict.APPROVED:
        if inputs.means.room_fen is not None and inputs.means.room_fen < artefacts.pack.line.min_fen:
            verdict, reasons = Verdict.DECLINED, ("line_above_cap",)
        else:
            offer = price(artefacts.pack, pd_e6=pd_e6, means=inputs.means)
    return Outcome(
        result=verdict,
        tier=offer.tier if offer else None,
        line_fen=offer.line_fen if offer else 0,
        rate_e8=offer.rate_e8 if offer else 0,
        pd_e6=pd_e6,
        points=scored.points,
        sub_scores=scored.by_dimension,
        reasons=_reasons(verdict, reasons, scored),
        offer_reasons=offer.reasons if offer else (),
        lost={name: round(points, 3) for name, points in scored.by_feature.items()},
        second_pd_e6=second,
        shadow_pds_e6={sha: one for sha, one in shadows.items() if one is not None},
        rules=ruled.to_json(),
    )


def _explained(artefacts: Artefacts, features: Mapping[str, Value]) -> Scored:
    """Return what the model says that can name its reasons: the deciding one, or who stands in for a federated one."""
    by = artefacts.points_by or artefacts.model
    if not isinstance(by, Loaded):
        raise FeatureMissing(feature=FEDERATED)
    return score_one(by, features)


def _probability(model: Loaded | FederatedPart | None, sha256: str | None, inputs: Inputs) -> int | None:
    """Return a model's probability, None where there is no model, or one whose parties did not all answer."""
    features: Mapping[str, Value] = inputs.features or {}
    if model is None or sha256 is None:
        return None
    if isinstance(model, Loaded):
        return score_one(model, features).pd_e6
    asked = inputs.federated.asked.get(sha256) if inputs.federated else None
    return model.pd_e6(features, asked.told()) if asked and asked.is_whole else None


def _reasons(verdict: Verdict, ruled: tuple[str, ...], scored: Scored) -> tuple[str, ...]:
    """Return the rules' reasons, and the model's where the risk was one of them or everything was passed."""
    of_risk = verdict is not Verdict.DECLINED or "risk_above_limit" in ruled or "score_below_minimum" in ruled
    return tuple(dict.fromkeys((*ruled, *(scored.reasons if of_risk else ()))))


def _unscored(reason: str) -> Outcome:
    return Outcome(Verdict.REVIEW, None, 0, 0, None, None, {}, (reason,), (), {}, None, {})
