"""How a product finds a person's line and rate, and what it takes for granted where it weighs profit.

Every figure is an assumption of the lender's, named and dated with the pack; `grainline backtest` sweeps those that no
data of ours can tell. Shares are in 10⁻⁴.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from grainline.products.misfit import Misfit
from grainline.products.part import Part

Share = Annotated[int, Field(ge=0, le=10_000)]
Multiple = Annotated[int, Field(ge=0, le=100_000)]


class PricingMethod(StrEnum):
    """flat: line and rate are functions of the tier. optimised: those of the tier's with the most expected profit."""

    FLAT = "flat"
    OPTIMISED = "optimised"


class Pricing(Part):
    """The method, and the named parameters of a loan's expected profit.

    `used_e4` of a line is drawn at once at the reference rate, over `instalments`, of which who defaults pays
    `paid_before_default`. Use falls by `elasticity_e4` of itself for each doubling of the reference rate that is added.
    Above half of what a person can carry, the probability of default rises, at the whole of it by `pressure_e4` of
    itself. An expected fen of loss counts as 1 + `loss_price_e4` fen: the price that keeps a portfolio inside its loss
    budget. The flat method looks at none of them; what its loans earn is estimated by them.
    """

    method: PricingMethod
    used_e4: Share
    instalments: Annotated[int, Field(gt=0, le=360)]
    paid_before_default: Annotated[int, Field(ge=0, le=359)]
    loss_given_default_e4: Share
    funding_e4: Share
    operating_fen: Annotated[int, Field(ge=0, le=10**9)]
    reference_rate_e8: Annotated[int, Field(gt=0, le=36_500_000)]
    elasticity_e4: Multiple
    pressure_e4: Multiple
    loss_price_e4: Multiple

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.paid_before_default >= self.instalments:
            raise Misfit("paid_before_default", "is not below instalments")
        return self

    def used_at_e4(self, rate_e8: int) -> int:
        """Return the share of a line that is drawn at a rate, in 10⁻⁴, rounded down; from 0 to `used_e4`."""
        risen_e4 = (rate_e8 - self.reference_rate_e8) * 10_000 // self.reference_rate_e8
        kept_e4 = min(10_000, max(0, 10_000 - self.elasticity_e4 * risen_e4 // 10_000))
        return self.used_e4 * kept_e4 // 10_000
