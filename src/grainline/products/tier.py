"""The tiers of a product, and the bounds of its lines and rates that they keep."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from grainline.products.misfit import Misfit
from grainline.products.part import Amount, Code, Part, Text

# Of a day or, where the schedule quotes one, a year; what it may cost a year is the regulatory profile's.
Rate = Annotated[int, Field(gt=0, le=36_500_000)]


class LineRange(Part):
    """Bounds of any line, in fen; every line is a multiple of the step."""

    min_fen: Amount
    max_fen: Amount
    step_fen: Amount

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_fen > self.max_fen:
            raise Misfit("min_fen", "is above max_fen")
        return self


class RateBand(Part):
    """Bounds of any rate, in 10⁻⁸ of what `schedule.year_basis` quotes: a day, unless it says otherwise."""

    min_e8: Rate
    max_e8: Rate

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_e8 > self.max_e8:
            raise Misfit("min_e8", "is above max_e8")
        return self


class Tier(Part):
    """Who is admitted by probability of default (10⁻⁶) and what may be offered: line in fen, rate in 10⁻⁸."""

    code: Code
    name: Text
    pd_max_e6: Annotated[int, Field(gt=0, le=1_000_000)]
    line_min_fen: Amount
    line_max_fen: Amount
    rate_min_e8: Rate
    rate_max_e8: Rate

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.line_min_fen > self.line_max_fen:
            raise Misfit("line_min_fen", "is above line_max_fen")
        if self.rate_min_e8 > self.rate_max_e8:
            raise Misfit("rate_min_e8", "is above rate_max_e8")
        return self


def check_bounds(key: str, tier: Tier, line: LineRange, rate: RateBand) -> None:
    """Refuse a tier that leaves the product's lines or rates; raise Misfit."""
    for bound in ("line_min_fen", "line_max_fen"):
        if not line.min_fen <= getattr(tier, bound) <= line.max_fen:
            raise Misfit(f"{key}.{bound}", "leaves line.min_fen … line.max_fen")
    for bound in ("rate_min_e8", "rate_max_e8"):
        if not rate.min_e8 <= getattr(tier, bound) <= rate.max_e8:
            raise Misfit(f"{key}.{bound}", "leaves rate.min_e8 … rate.max_e8")
    if tier.line_max_fen // line.step_fen * line.step_fen < tier.line_min_fen:
        raise Misfit(f"{key}.line_max_fen", "leaves no multiple of line.step_fen above line_min_fen")


def check_order(key: str, better: Tier, worse: Tier) -> None:
    """Refuse two tiers that overlap, or in which more risk would bring a larger line or a lower rate.

    Raises Misfit.
    """
    if worse.pd_max_e6 <= better.pd_max_e6:
        raise Misfit(f"{key}.pd_max_e6", f"is not above that of tier {better.code}: the tiers overlap")
    for bound in ("line_min_fen", "line_max_fen"):
        if getattr(worse, bound) > getattr(better, bound):
            raise Misfit(f"{key}.{bound}", f"is above that of tier {better.code}")
    for bound in ("rate_min_e8", "rate_max_e8"):
        if getattr(worse, bound) < getattr(better, bound):
            raise Misfit(f"{key}.{bound}", f"is below that of tier {better.code}")
