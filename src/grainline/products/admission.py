"""How a product admits people: by directed invitation, or from a score upwards.

The score is ours: calibrated probability of default, written on a scale that a pack names and anchors. It is not the
score of the company whose scale it resembles; how those are computed is not public.
"""

from decimal import ROUND_FLOOR, Context, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Self

from pydantic import Field, model_validator

from grainline.products.misfit import Misfit
from grainline.products.part import Days, Part, Text

EXACT = Context(prec=28)
FINE = Decimal("1e-12")
CERTAIN_E6 = 1_000_000
Points = Annotated[int, Field(ge=0, le=10_000)]
AboveNought = Annotated[int, Field(gt=0, le=10_000)]


class AdmissionKind(StrEnum):
    """invitation: whom a tier admits is invited. score: the score must be enough too, and the member sees it."""

    INVITATION = "invitation"
    SCORE = "score"


class ScoreScale(Part):
    """A scale of points, and from how many on people are admitted.

    `points` stand for odds of `odds` good to one bad; `pdo` more points double the odds.
    """

    name: Text
    low: Points
    high: Points
    points: Points
    odds: AboveNought
    pdo: AboveNought
    min: Points

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise Misfit("low", "is not below high")
        for key in ("points", "min"):
            if not self.low <= getattr(self, key) <= self.high:
                raise Misfit(key, "leaves low … high")
        return self

    def points_of(self, pd_e6: int) -> int:
        """Return the points of a probability of default in 10⁻⁶, rounded down and held inside the scale.

        points + pdo ÷ ln 2 × ln(odds of good ÷ odds), in decimals, so that every machine gives the same. Raises
        ValueError outside 0 … 10⁶.
        """
        if not 0 <= pd_e6 <= CERTAIN_E6:
            raise ValueError(f"a probability in 10⁻⁶ cannot be {pd_e6}")
        if pd_e6 in {0, CERTAIN_E6}:
            return self.high if pd_e6 == 0 else self.low
        return max(self.low, min(self.high, self.points + _doublings(pd_e6, self.odds, self.pdo)))


class Admission(Part):
    """Who may be offered the product, and for how many days an offer holds."""

    kind: AdmissionKind
    valid_days: Days
    score: ScoreScale | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.score is not None) is not (self.kind is AdmissionKind.SCORE):
            raise Misfit("score", "must be there where kind is score, and nowhere else")
        return self

    @property
    def invites(self) -> bool:
        """Return whether the whitelist decides who may be offered the product."""
        return self.kind is AdmissionKind.INVITATION

    def admits(self, pd_e6: int) -> bool:
        """Return whether this probability of default in 10⁻⁶ has the points; without a score everybody has."""
        return self.score is None or self.score.points_of(pd_e6) >= self.score.min


@lru_cache(maxsize=1 << 16)
def _doublings(pd_e6: int, odds: int, pdo: int) -> int:
    """Return pdo × log₂(odds of good ÷ odds), rounded down; what is whole to 10⁻¹² is whole."""
    ratio = EXACT.divide(Decimal(CERTAIN_E6 - pd_e6), Decimal(pd_e6 * odds))
    exact = EXACT.divide(EXACT.multiply(pdo, EXACT.ln(ratio)), EXACT.ln(Decimal(2)))
    return int(exact.quantize(FINE, context=EXACT).to_integral_value(ROUND_FLOOR))
