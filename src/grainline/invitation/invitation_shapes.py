"""What the routes of the invitation say: points in 10⁻², weights in 10⁻⁴, values in their unit and as text."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from grainline.behaviour import features_by_name
from grainline.behaviour.measures import Unit
from grainline.invitation.advice import ADVICE, Change, advise
from grainline.invitation.outcomes import Way
from grainline.invitation.points import NOT_SCORED
from grainline.invitation.policy import FULL_E2, FULL_E4, Dimension, Policy, Supplement, policy_for, policy_named
from grainline.invitation.preconditions import PRECONDITIONS
from grainline.invitation.standing import NO_ACTIVITY, REASONS, reasons_of
from grainline.invitation.supplements import KINDS, State, Submission, clean_statement
from grainline.invitation.whitelist_store import Outcome
from grainline.kit.calendar import business_date, first_of_next_month
from grainline.kit.money import yuan
from grainline.kit.web import Language

DIMENSIONS: dict[Dimension, dict[str, str]] = {
    Dimension.SOCIAL: {"zh": "社交", "en": "Social"},
    Dimension.CONSUMPTION: {"zh": "消费", "en": "Consumption"},
    Dimension.ASSETS: {"zh": "资产", "en": "Assets"},
    Dimension.CREDIT: {"zh": "征信", "en": "Credit record"},
}
UNITS: dict[Unit, dict[str, str]] = {
    Unit.DAYS: {"zh": " 天", "en": " days"},
    Unit.MONTHS: {"zh": " 个月", "en": " months"},
    Unit.EVENTS: {"zh": " 次", "en": " times"},
}


class ToldReason(BaseModel):
    code: str
    text: str


class ItemOut(BaseModel):
    """A feature, what was seen of it (null: nothing), and its points of how many (null: not scored)."""

    feature: str
    meaning: str
    unit: Unit
    value: float | None
    value_text: str | None
    points_e2: int | None
    of_e2: int


class DimensionOut(BaseModel):
    """A dimension: what it counted for in this total, and its points, null and nothing where it is not scored."""

    dimension: Dimension
    name: str
    weight_e4: int
    points_e2: int | None
    items: list[ItemOut]


class ScoredOut(BaseModel):
    """A total, what of it accepted supplements added, and the total from which on people are invited.

    From `delayed_from_e2` on, in so many months in a row without falling, people are invited later than others.
    """

    total_e2: int
    threshold_e2: int
    full_e2: int
    supplement_e2: int
    delayed_from_e2: int
    delayed_months: int
    dimensions: list[DimensionOut]


class ChangeOut(BaseModel):
    """A change that helps: a feature from one value to another, and what the total would gain, scored anew with it."""

    code: str
    text: str
    feature: str
    meaning: str
    unit: Unit
    value: float | None
    value_text: str | None
    wanted: float
    wanted_text: str
    gain_e2: int


class SupplementOut(BaseModel):
    """A kind of proof and what it adds; the rest is null until it is handed in."""

    kind: Supplement
    name: str
    adds_e2: int
    state: State | None
    submitted_at: datetime | None
    answer_by: date | None
    decided_at: datetime | None
    reason: str | None

    @classmethod
    def of(cls, kind: Supplement, held: Submission | None, *, today: date, language: Language) -> "SupplementOut":
        """Shape a kind of proof; what it adds is the next month's policy's to say."""
        return cls(
            kind=kind,
            name=KINDS[kind][language],
            adds_e2=policy_for(first_of_next_month(today)).supplements.points_e2[kind],
            state=held and held.state,
            submitted_at=held and held.submitted_at,
            answer_by=held and held.answer_by,
            decided_at=held and held.decided_at,
            reason=(held.reason or None) if held else None,
        )


class WhitelistOut(BaseModel):
    """What the newest month of the whitelist that judged a member found, and what can be done; `month` null: none did.

    `answered_within_days` are working days.
    """

    month: date | None
    policy: str | None
    invited: bool
    way: Way | None
    expires_on: date | None
    score: ScoredOut | None
    preconditions: list[ToldReason]
    reasons: list[ToldReason]
    advice: list[ChangeOut]
    supplements: list[SupplementOut]
    answered_within_days: int
    next_evaluation_on: date

    @classmethod
    def of(
        cls, found: Outcome | None, held: Mapping[Supplement, Submission], *, now: datetime, language: Language
    ) -> "WhitelistOut":
        """Shape what was found of a member, and what they have handed in."""
        today = business_date(now)
        policy = policy_named(found.policy) if found else policy_for(today)
        reasons = reasons_of(found, today) if found else (NO_ACTIVITY,)
        return cls(
            month=found and found.month,
            policy=found and found.policy,
            invited=found is not None and found.holds_on(today),
            way=found and found.way,
            expires_on=found and found.expires_on,
            score=found and _scored(policy, found, language),
            preconditions=_texts([code for code in reasons if code in PRECONDITIONS], language),
            reasons=_texts([code for code in reasons if code not in PRECONDITIONS], language),
            advice=[_change(change, language) for change in _advice(policy, found)],
            supplements=[SupplementOut.of(kind, held.get(kind), today=today, language=language) for kind in Supplement],
            answered_within_days=policy_for(today).supplements.answered_within_days,
            next_evaluation_on=first_of_next_month(today),
        )


class SupplementIn(BaseModel):
    """A kind of proof, and what the member states of it."""

    model_config = ConfigDict(extra="forbid")

    kind: Supplement
    statement: Annotated[str, AfterValidator(clean_statement)]


def value_text(value: float, unit: Unit, language: Language) -> str:
    """Write a value with its unit: at most two decimals, money in yuan, shares and balances as percentages."""
    if unit is Unit.FEN:
        return f"¥{yuan(round(value)).removesuffix('.00')}"
    if unit in (Unit.SHARE, Unit.BALANCE):
        return f"{_plain(value * 100, 1)}%"
    return _plain(value, 2) + UNITS.get(unit, {}).get(language, "")


def _plain(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _texts(codes: Sequence[str], language: Language) -> list[ToldReason]:
    return [ToldReason(code=code, text=REASONS[code][language]) for code in codes]


def _advice(policy: Policy, found: Outcome | None) -> list[Change]:
    if found is None:
        return []
    social = found.social_e2 is not None
    return advise(policy, found.feature_values, social=social, supplement_e2=found.supplement_e2)


def _scored(policy: Policy, found: Outcome, language: Language) -> ScoredOut:
    points = dict(zip(Dimension, found.dimensions_e2, strict=True))
    whole = sum(policy.weights_e4[dimension] for dimension in Dimension if points[dimension] is not None)
    items = _items(policy, found, language)
    return ScoredOut(
        total_e2=found.total_e2,
        threshold_e2=policy.threshold_e2,
        full_e2=FULL_E2,
        supplement_e2=found.supplement_e2,
        delayed_from_e2=max(0, policy.threshold_e2 - policy.delayed.margin_e2),
        delayed_months=policy.delayed.months,
        dimensions=[
            DimensionOut(
                dimension=dimension,
                name=DIMENSIONS[dimension][language],
                weight_e4=0 if e2 is None else round(policy.weights_e4[dimension] * FULL_E4 / whole),
                points_e2=e2,
                items=items[dimension],
            )
            for dimension, e2 in points.items()
        ],
    )


def _items(policy: Policy, found: Outcome, language: Language) -> dict[Dimension, list[ItemOut]]:
    told: dict[Dimension, list[ItemOut]] = {dimension: [] for dimension in Dimension}
    for item, value, e2 in zip(policy.item, found.feature_values, found.points_e2, strict=True):
        feature = features_by_name()[item.feature]
        told[item.dimension].append(
            ItemOut(
                feature=item.feature,
                meaning=getattr(feature, f"meaning_{language}"),
                unit=feature.unit,
                value=value,
                value_text=None if value is None else value_text(value, feature.unit, language),
                points_e2=None if e2 == NOT_SCORED else e2,
                of_e2=item.points * 100,
            )
        )
    return told


def _change(change: Change, language: Language) -> ChangeOut:
    feature = features_by_name()[change.feature]
    return ChangeOut(
        code=change.advice,
        text=ADVICE[change.advice][language],
        feature=change.feature,
        meaning=getattr(feature, f"meaning_{language}"),
        unit=feature.unit,
        value=change.value,
        value_text=None if change.value is None else value_text(change.value, feature.unit, language),
        wanted=change.wanted,
        wanted_text=value_text(change.wanted, feature.unit, language),
        gain_e2=change.gain_e2,
    )
