"""A campaign of a pack: interest that is given back on the draws of some days. It is no part of a loan's rules."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from itertools import combinations
from typing import Annotated, Self

from pydantic import Field, model_validator

from grainline.products.misfit import Misfit
from grainline.products.part import Amount, Code, Days, Part, Text

ShareGiven = Annotated[int, Field(gt=0, le=10_000)]


class Audience(StrEnum):
    """renewal: whom an earlier loan of the product was paid out to. everyone: renewals too."""

    RENEWAL = "renewal"
    EVERYONE = "everyone"


class Campaign(Part):
    """Draws disclosed from `from_on` until `until_on`, that day excluded, get interest back (business dates).

    Either `discount_e4` (10⁻⁴) of the ordinary interest of the loan's first `days` days, or up to `coupon_fen` of its
    interest. `min_draw_fen` is the least amount of a draw that has it.
    """

    code: Code
    name: Text
    from_on: Annotated[date, Field(alias="from")]
    until_on: Annotated[date, Field(alias="until")]
    audience: Annotated[Audience, Field(alias="for")]
    min_draw_fen: Amount | None = None
    discount_e4: ShareGiven | None = None
    days: Days | None = None
    coupon_fen: Amount | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.until_on <= self.from_on:
            raise Misfit("until", "is not after from")
        if (self.discount_e4 is None) is (self.coupon_fen is None):
            raise Misfit("discount_e4", "or coupon_fen must be there, and not both")
        if (self.discount_e4 is None) is not (self.days is None):
            raise Misfit("days", "must be there where discount_e4 is, and nowhere else")
        return self

    def runs_on(self, day: date) -> bool:
        """Return whether what is disclosed on a business date may have it."""
        return self.from_on <= day < self.until_on

    def reaches(self, amount_fen: int) -> bool:
        """Return whether a draw of so many fen is large enough."""
        return self.min_draw_fen is None or amount_fen >= self.min_draw_fen

    def overlaps(self, other: "Campaign") -> bool:
        """Return whether both are for the same people on some day."""
        return self.audience is other.audience and self.from_on < other.until_on and other.from_on < self.until_on


def check_campaigns(campaigns: Sequence[Campaign], *, draw_max_fen: int) -> None:
    """Refuse two for the same people at a time, and one that no draw is large enough for; raise Misfit."""
    for place, one in enumerate(campaigns):
        if not one.reaches(draw_max_fen):
            raise Misfit(f"campaign.{place}.min_draw_fen", "is above draw.max_fen")
    for (_, earlier), (place, one) in combinations(enumerate(campaigns), 2):
        if one.overlaps(earlier):
            raise Misfit(f"campaign.{place}.from", f"overlaps campaign {earlier.code}, which is for {one.audience} too")
