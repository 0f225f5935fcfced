"""What a product pack may say. Every key is named here; an unknown one is an error."""

from datetime import time
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from grainline.kit.money import E8

Positive = Annotated[int, Field(gt=0)]
DailyRate = Annotated[int, Field(gt=0, le=100_000)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,31}$")]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Text(Part):
    """A name or sentence in both languages."""

    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class Shape(StrEnum):
    """How principal returns over the instalments."""

    EQUAL_PRINCIPAL = "equal_principal"


class Rounding(StrEnum):
    """Where interest becomes fen."""

    HALF_UP_PER_INSTALMENT = "half_up_per_instalment"


class RateMethod(StrEnum):
    """Which annualised cost a regulatory cap binds: daily × 365, or the internal rate of return."""

    SIMPLE = "simple"
    IRR = "irr"


class Product(Part):
    code: Code
    name: Text
    version: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class LineRange(Part):
    """Bounds of any line, in fen; every line is a multiple of the step."""

    min_fen: Positive
    max_fen: Positive
    step_fen: Positive


class Tier(Part):
    """Who is admitted by probability of default (10⁻⁶) and what may be offered: line in fen, rate in 10⁻⁸ a day."""

    code: Code
    name: Text
    pd_max_e6: Annotated[int, Field(gt=0, le=1_000_000)]
    line_min_fen: Positive
    line_max_fen: Positive
    rate_min_e8: DailyRate
    rate_max_e8: DailyRate

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.line_min_fen > self.line_max_fen:
            raise ValueError("line_min_fen is above line_max_fen")
        if self.rate_min_e8 > self.rate_max_e8:
            raise ValueError("rate_min_e8 is above rate_max_e8")
        return self


def _check_order(better: Tier, worse: Tier) -> None:
    """Refuse two tiers in which more risk would bring a larger line or a lower rate."""
    for key in ("line_min_fen", "line_max_fen"):
        if getattr(worse, key) > getattr(better, key):
            raise ValueError(f"tier {worse.code}: {key} is above that of tier {better.code}")
    for key in ("rate_min_e8", "rate_max_e8"):
        if getattr(worse, key) < getattr(better, key):
            raise ValueError(f"tier {worse.code}: {key} is below that of tier {better.code}")


class InvitationRule(Part):
    valid_days: Positive


class Purpose(Part):
    code: Code
    name: Text


class DrawRule(Part):
    """Limits of one draw and of one Shanghai day's draws, in fen."""

    min_fen: Positive
    step_fen: Positive
    max_fen: Positive
    day_max_fen: Positive
    funded_within_minutes: Positive
    purpose: Annotated[tuple[Purpose, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _steps(self) -> Self:
        for key in ("min_fen", "max_fen", "day_max_fen"):
            if getattr(self, key) % self.step_fen:
                raise ValueError(f"{key} is not a multiple of step_fen")
        if not self.min_fen <= self.max_fen <= self.day_max_fen:
            raise ValueError("min_fen, max_fen and day_max_fen must not fall")
        return self


class ScheduleRule(Part):
    shape: Shape
    instalments: Annotated[tuple[Positive, ...], Field(min_length=1)]
    rounding: Rounding


class DisclosureRule(Part):
    reading_seconds: Positive
    valid_minutes: Positive


class DebitRule(Part):
    """When automatic debits are tried, wall-clock in Shanghai, on the due date and every day after it."""

    times: Annotated[tuple[time, ...], Field(min_length=1)]


class Regulation(Part):
    """The regulatory profile: cap on the annualised cost in 10⁻⁴ (2_400 is 24 %) and which method it binds."""

    profile: Annotated[str, Field(min_length=1)]
    annual_rate_max_e4: Positive
    annual_rate_method: RateMethod

    def annual_rate_e4(self, rate_e8: int) -> int:
        """Return a daily rate's annual cost by the method that binds, in 10⁻⁴, rounded up.

        By IRR: compounded monthly over months of 365/12 days, which is what XIRR gives for monthly instalments.
        """
        daily = Decimal(rate_e8) / E8
        match self.annual_rate_method:
            case RateMethod.SIMPLE:
                annual = daily * 365
            case RateMethod.IRR:
                annual = (1 + daily * 365 / 12) ** 12 - 1
        return int((annual * 10_000).to_integral_value(ROUND_CEILING))


class Pack(Part):
    """One product, whole: the only thing the platform knows about it."""

    product: Product
    line: LineRange
    tier: Annotated[tuple[Tier, ...], Field(min_length=1)]
    invitation: InvitationRule
    draw: DrawRule
    schedule: ScheduleRule
    disclosure: DisclosureRule
    debit: DebitRule
    regulation: Regulation

    @model_validator(mode="after")
    def _tiers_fit(self) -> Self:
        last = 0
        for tier in self.tier:
            if tier.pd_max_e6 <= last:
                raise ValueError(f"tier {tier.code}: pd_max_e6 must rise from tier to tier")
            last = tier.pd_max_e6
            if tier.line_min_fen < self.line.min_fen or tier.line_max_fen > self.line.max_fen:
                raise ValueError(f"tier {tier.code}: its lines leave line.min_fen … line.max_fen")
            if self.regulation.annual_rate_e4(tier.rate_max_e8) > self.regulation.annual_rate_max_e4:
                raise ValueError(f"tier {tier.code}: rate_max_e8 is above regulation.annual_rate_max_e4")
            step = self.line.step_fen
            if tier.line_max_fen // step * step < tier.line_min_fen:
                raise ValueError(f"tier {tier.code}: line_min_fen … line_max_fen holds no multiple of line.step_fen")
        for better, worse in pairwise(self.tier):
            _check_order(better, worse)
        return self

    def tier_named(self, code: str) -> Tier:
        """Return the tier with this code; raise KeyError where there is none."""
        return {tier.code: tier for tier in self.tier}[code]

    def purpose_named(self, code: str) -> Purpose | None:
        """Return the purpose with this code, or None: a purpose that is not listed is not allowed."""
        return next((purpose for purpose in self.draw.purpose if purpose.code == code), None)
