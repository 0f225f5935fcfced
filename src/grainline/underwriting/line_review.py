"""What a review makes of a line, purely: the dated policy, and from a line with an offer to the line after it.

A review moves a line towards what is decided, in bounds: up by a share at a time and only for who has paid on time,
down at once, and by little or not at all. The rate is of new draws; a loan keeps its own (D2).
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from grainline.lines import Line
from grainline.products import Pack
from grainline.products.misfit import Misfit
from grainline.products.part import Amount, Code, Days, Part, Text
from grainline.underwriting.deciding import Outcome

FILE = Path(__file__).with_suffix(".toml")
E4 = 10_000
Share = Annotated[int, Field(ge=0, le=E4)]
Count = Annotated[int, Field(ge=0, le=1_000)]


class Festival(Part):
    """A raise for a time: a share of a line's own limit, at most `max_fen`; `until_on` is the first day without it."""

    code: Code
    name: Text
    from_on: Annotated[date, Field(alias="from")]
    until_on: Annotated[date, Field(alias="until")]
    raise_e4: Share
    max_fen: Amount
    on_time_payments: Count

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.until_on <= self.from_on:
            raise Misfit("until", "is not after from")
        return self

    def runs_on(self, day: date) -> bool:
        """Return whether it may begin on a business date."""
        return self.from_on <= day < self.until_on


class ReviewPolicy(Part):
    """How lines are looked at again; the file says what each key means."""

    version: str
    since: Annotated[date, Field(alias="from")]
    every_months: Annotated[int, Field(gt=0, le=60)]
    idle_days: Days
    on_time_payments: Annotated[int, Field(gt=0, le=1_000)]
    raise_max_e4: Share
    raises_apart_days: Count
    bureau_change_fen: Amount
    least_change_e4: Share
    least_change_fen: Amount
    least_rate_change_e8: Annotated[int, Field(ge=0)]
    early_repayments_weigh: bool
    early_repayments_most: Count
    festival_report_days: Days
    festival: tuple[Festival, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        codes = [one.code for one in self.festival]
        if len(set(codes)) != len(codes):
            raise Misfit("festival", "names a code twice")
        return self


@cache
def policies() -> tuple[ReviewPolicy, ...]:
    """Read the policies, oldest first; raise ValueError where the file is wrong."""
    told = tomllib.loads(FILE.read_text(encoding="utf-8"))["policy"]
    read = (ReviewPolicy.model_validate_json(json.dumps(one, default=str)) for one in told)
    return tuple(sorted(read, key=lambda one: one.since))


def policy_on(day: date) -> ReviewPolicy:
    """Return the policy that counts on a day; the oldest where none had begun."""
    begun = [one for one in policies() if one.since <= day]
    return begun[-1] if begun else policies()[0]


@dataclass(frozen=True)
class Conduct:
    """How a line was used: instalments paid on time, loans settled before half of their time, the last raise."""

    on_time: int
    early: int
    raised_on: date | None = None


@dataclass(frozen=True)
class LineTerms:
    """A line's own limit in fen, its rate in 10⁻⁸ a day and tier; why the limit is so, or why it was not raised."""

    own_fen: int
    rate_e8: int
    tier: str
    reasons: tuple[str, ...]
    held_back: str | None = None


def most_own_fen(pack: Pack, line: Line, *, room_fen: int | None) -> int:
    """Return the largest own limit a line may have, in fen, in whole steps, and never less than the product's smallest.

    With what raises it for a time it stays within the product's largest line and within `room_fen`, what the cap per
    borrower leaves beside what is owed elsewhere and here on other lines; None: not known, and it bounds nothing.
    """
    most = pack.line.max_fen if room_fen is None else min(pack.line.max_fen, room_fen)
    step = pack.line.step_fen
    return max(pack.line.min_fen, (most - line.temporary_fen) // step * step)


def terms_after(
    policy: ReviewPolicy,
    pack: Pack,
    line: Line,
    outcome: Outcome,
    conduct: Conduct,
    *,
    day: date,
    room_fen: int | None = None,
) -> LineTerms:
    """Return a line's terms after a review that approved of it; raise ValueError where it did not.

    A line above what `most_own_fen` lets it have is lowered, however little that is.
    """
    if outcome.tier is None:
        raise ValueError("nothing was approved")
    own, step, held_back = line.own_fen, pack.line.step_fen, None
    bound = most_own_fen(pack, line, room_fen=room_fen)
    wanted, why = min(outcome.line_fen, bound), (*outcome.offer_reasons, *outcome.reasons)
    if wanted > own:
        held_back = _held_back(policy, conduct, day)
        most = own if held_back is not None else own + own * policy.raise_max_e4 // E4
        wanted, why = max(own, min(wanted, most) // step * step), ("paid_on_time", *outcome.offer_reasons)
    if own <= bound and abs(wanted - own) < max(policy.least_change_fen, own * policy.least_change_e4 // E4):
        wanted = own
    return LineTerms(wanted, _rate(policy, pack, line, outcome), outcome.tier, why, held_back)


def _held_back(policy: ReviewPolicy, conduct: Conduct, day: date) -> str | None:
    """Return why nothing is raised now, or None where it may be."""
    if conduct.on_time < policy.on_time_payments:
        return "too_few_payments"
    if conduct.raised_on is not None and (day - conduct.raised_on).days < policy.raises_apart_days:
        return "raised_lately"
    if policy.early_repayments_weigh and conduct.early > policy.early_repayments_most:
        return "early_repayments"
    return None


def _rate(policy: ReviewPolicy, pack: Pack, line: Line, outcome: Outcome) -> int:
    """Return the rate of new draws: the offered one where it is far enough from today's, within the offer's tier."""
    if abs(outcome.rate_e8 - line.rate_e8) >= policy.least_rate_change_e8:
        return outcome.rate_e8
    tier = pack.tier_named(outcome.tier or line.tier)
    return min(max(line.rate_e8, tier.rate_min_e8), tier.rate_max_e8)


def changed_enough(policy: ReviewPolicy, before: Mapping[str, object] | None, after: Mapping[str, object]) -> bool:
    """Return whether what the bureau says has changed so much that a line is decided on anew."""
    if before is None or before.get("record") != after.get("record"):
        return True
    if not after.get("record"):
        return False
    if bool(before["overdue_days"]) != bool(after["overdue_days"]) or before["card"] != after["card"]:
        return True
    return abs(_fen(after) - _fen(before)) >= policy.bureau_change_fen


def festival_fen(festival: Festival, pack: Pack, line: Line, conduct: Conduct, *, room_fen: int) -> int:
    """Return by how much a festival raises a line, in fen, in whole steps; nought where it does not.

    `room_fen` is how much more the borrower may owe to all lenders; what may be drawn anyhow is within it.
    """
    if conduct.on_time < festival.on_time_payments:
        return 0
    wanted = min(line.own_fen * festival.raise_e4 // E4, festival.max_fen)
    bounded = min(wanted, pack.line.max_fen - line.limit_fen, room_fen - line.available_fen)
    return max(0, bounded // pack.line.step_fen * pack.line.step_fen)


def _fen(content: Mapping[str, object]) -> int:
    value = content["owed_elsewhere_fen"]
    if type(value) is not int:
        raise TypeError(f"an amount was meant, not {value!r}")
    return value
