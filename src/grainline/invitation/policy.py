"""The whitelist's policy, dated: what a person is judged by, with which weight, and from how many points on invited."""

import tomllib
from datetime import date
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from grainline.behaviour import Party, features_by_name

FULL_E2 = 10_000
FULL_E4 = 10_000
Points = Annotated[int, Field(ge=0, le=FULL_E2)]
Share = Annotated[int, Field(ge=0, le=FULL_E4)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Dimension(StrEnum):
    """The four dimensions of the invitation score (B1–B4), in the order in which they are told."""

    SOCIAL = "social"
    CONSUMPTION = "consumption"
    ASSETS = "assets"
    CREDIT = "credit"


class Supplement(StrEnum):
    """What a person can prove beyond what is seen of them (A4)."""

    OCCUPATION = "occupation"
    EDUCATION = "education"
    PROPERTY = "property"
    INCOME = "income"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Item(_Part):
    """One feature and how many of its dimension's 100 points it is good for, by a monotone curve."""

    dimension: Dimension
    feature: str
    points: Annotated[int, Field(gt=0, le=100)]
    curve: Annotated[tuple[tuple[Number, Share], ...], Field(min_length=2)]
    missing: Share
    of: Literal["value", "distance"] = "value"
    advice: str | None = None

    @model_validator(mode="after")
    def _monotone(self) -> Self:
        values, shares = zip(*self.curve, strict=True)
        if any(right <= left for left, right in pairwise(values)):
            raise ValueError(f"the values of the curve of {self.feature} must rise")
        steps = [right - left for left, right in pairwise(shares)]
        if min(steps) < 0 < max(steps) or not any(steps):
            raise ValueError(f"the curve of {self.feature} must rise all the way or fall all the way")
        if self.of == "distance" and values[0] < 0:
            raise ValueError(f"the curve of {self.feature} is of a distance, which is never below nought")
        return self


class Negative(_Part):
    """A feature of which more than so much is a negative record (C6)."""

    feature: str
    at_most: Number
    reason: str


class Delayed(_Part):
    """How near the threshold, and for how many months in a row, invites somebody later than others (A5)."""

    margin_e2: Points
    months: Annotated[int, Field(ge=2, le=24)]


class Supplements(_Part):
    """What each accepted proof adds to the total in 10⁻² points, and within how many working days it is answered."""

    answered_within_days: Annotated[int, Field(ge=1, le=30)]
    points_e2: dict[Supplement, Points]


class Policy(_Part):
    """One policy: points and totals in 10⁻², weights and shares in 10⁻⁴, the threshold out of 10 000."""

    version: str
    since: Annotated[date, Field(alias="from")]
    threshold_e2: Points
    valid_days: Annotated[int, Field(ge=1, le=366)]
    capacity: Annotated[int, Field(ge=0)] | None = None  # how many are invited in a month; left out: all who qualify
    delayed: Delayed
    weights_e4: dict[Dimension, Share]
    supplements: Supplements
    negative: tuple[Negative, ...]
    item: tuple[Item, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if set(self.weights_e4) != set(Dimension) or sum(self.weights_e4.values()) != FULL_E4:
            raise ValueError("weights_e4 must name the four dimensions and sum to 10000")
        if self.weights_e4[Dimension.SOCIAL] == FULL_E4:
            raise ValueError("weights_e4 must leave something to score who withholds the social consent by")
        if set(self.supplements.points_e2) != set(Supplement):
            raise ValueError("supplements must name all four kinds")
        for dimension in Dimension:
            if sum(item.points for item in self.item if item.dimension is dimension) != 100:
                raise ValueError(f"the items of {dimension} must be good for 100 points together")
        names = [item.feature for item in self.item]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"there is more than one item of {', '.join(twice)}")
        unknown = set(self.features) - set(features_by_name())
        if unknown:
            raise ValueError(f"there are no such features: {', '.join(sorted(unknown))}")
        return self

    @property
    def features(self) -> tuple[str, ...]:
        """Return what has to be asked for: the items' features in order, then those of negative records."""
        names = [item.feature for item in self.item] + [entry.feature for entry in self.negative]
        return tuple(dict.fromkeys(names))

    def asked_of(self, party: Party) -> tuple[str, ...]:
        """Return what has to be asked of one party."""
        return tuple(name for name in self.features if features_by_name()[name].party is party)


@cache
def policies() -> tuple[Policy, ...]:
    """Read the policies, oldest first. Raises ValueError where they are none."""
    told = tomllib.loads(Path(__file__).with_name("policy.toml").read_text(encoding="utf-8"))
    return tuple(sorted((Policy.model_validate(each) for each in told["policy"]), key=lambda policy: policy.since))


def policy_for(month: date) -> Policy:
    """Return the policy that counts for a month; the oldest where none had begun."""
    begun = [policy for policy in policies() if policy.since <= month]
    return begun[-1] if begun else policies()[0]


def policy_named(version: str) -> Policy:
    """Return a policy by its version; raise KeyError."""
    return {policy.version: policy for policy in policies()}[version]
