"""What a product pack may say. Every key is named here; an unknown one is an error."""

from collections.abc import Sequence
from datetime import date, time
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from grainline.kit.holidays import holiday_versions
from grainline.kit.money import E8, percent
from grainline.products.admission import CERTAIN_E6, Admission
from grainline.products.campaign import Campaign, check_campaigns
from grainline.products.misfit import Misfit
from grainline.products.part import Amount, Code, Days, Part, Text
from grainline.products.pricing import Pricing
from grainline.products.rules import (
    AllocateBy,
    BusinessDayConvention,
    Component,
    Count,
    DueDay,
    FirstPeriod,
    MinDays,
    Prepayment,
    Remainder,
    RoundedPer,
    Rounding,
    Rules,
    Shape,
    YearBasis,
)
from grainline.products.tier import LineRange, RateBand, Tier, check_bounds, check_order

# For how many days a rate is quoted; the other bases quote a year of 365.
DAYS_QUOTED = {YearBasis.DAILY: 1, YearBasis.DAYS_360: 360, YearBasis.DAYS_364: 364}
Minutes = Annotated[int, Field(gt=0, le=10_080)]
Term = Annotated[int, Field(gt=0, le=360)]


class RateMethod(StrEnum):
    """Which annualised cost a regulatory cap binds: daily × 365, or the internal rate of return."""

    SIMPLE = "simple"
    IRR = "irr"


class Product(Part):
    code: Code
    name: Text
    version: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Purpose(Part):
    code: Code
    name: Text


class DrawRule(Part):
    """Limits of one draw and of one Shanghai day's draws, in fen; within a minute is called at once."""

    min_fen: Amount
    step_fen: Amount
    max_fen: Amount
    day_max_fen: Amount
    funded_within_minutes: Minutes
    purpose: Annotated[tuple[Purpose, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for key in ("min_fen", "max_fen", "day_max_fen"):
            if getattr(self, key) % self.step_fen:
                raise Misfit(key, "is not a multiple of step_fen")
        if self.min_fen > self.max_fen:
            raise Misfit("min_fen", "is above max_fen")
        if self.max_fen > self.day_max_fen:
            raise Misfit("max_fen", "is above day_max_fen")
        _check_codes("purpose", self.purpose)
        return self


class ScheduleRule(Part):
    """Shapes offered, the first one by default, and how many months each may run; how interest is counted.

    When instalments fall due: on the draw's day of the month, or on a `due_day`; on working days by a `holiday_table`.
    """

    shapes: Annotated[tuple[Shape, ...], Field(min_length=1)]
    instalments: Annotated[tuple[Term, ...], Field(min_length=1)]
    year_basis: YearBasis
    rounding: Rounding
    rounded_per: RoundedPer
    remainder: Remainder
    due_day: DueDay | None = None
    first_period: FirstPeriod = FirstPeriod.SHORT
    first_period_min_days: MinDays = 0
    business_day_convention: BusinessDayConvention = BusinessDayConvention.NONE
    holiday_table: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.shapes)) != len(self.shapes):
            raise Misfit("shapes", "names a shape twice")
        _check_rising("instalments", self.instalments)
        if self.year_basis is YearBasis.THIRTY_360:
            raise Misfit("year_basis", "thirty_360 reproduces other systems' loans; a product counts actual days")
        self._check_due_dates()
        return self

    def _check_due_dates(self) -> None:
        if self.due_day is None and self.first_period is not FirstPeriod.SHORT:
            raise Misfit("first_period", "needs a due_day")
        if self.due_day is None and self.first_period_min_days:
            raise Misfit("first_period_min_days", "needs a due_day")
        moves, versions = self.business_day_convention is not BusinessDayConvention.NONE, holiday_versions()
        if moves and self.holiday_table not in versions:
            raise Misfit("holiday_table", f"business_day_convention needs one of {', '.join(versions)}")
        if self.holiday_table is not None and not moves:
            raise Misfit("holiday_table", "needs a business_day_convention")


class RepaymentRule(Part):
    """What pays what first, what a partial prepayment does, and how far back an event may count, in days."""

    allocation: tuple[Component, ...]
    allocate_by: AllocateBy
    prepayment: Prepayment
    backdating_days: Count

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if sorted(self.allocation) != sorted(Component):
            raise Misfit("allocation", "must name fee, penalty, interest and principal once each")
        return self


class ArrearsRule(Part):
    """Days of grace; penalty as a multiple of the rate in 10⁻⁴; from how many days late interest is no income."""

    grace_days: Count
    penalty_e4: Annotated[int, Field(ge=10_000, le=20_000)]
    charge_off_after_days: Days

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.charge_off_after_days <= self.grace_days:
            raise Misfit("charge_off_after_days", "is not above grace_days")
        return self


class DisclosureRule(Part):
    reading_seconds: Annotated[int, Field(gt=0, le=3_600)]
    valid_minutes: Minutes

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.reading_seconds >= self.valid_minutes * 60:
            raise Misfit("reading_seconds", "is not over before valid_minutes are")
        return self


class DebitRule(Part):
    """When automatic debits are tried, wall-clock in Shanghai, on the due date and every day after it."""

    times: Annotated[tuple[time, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(moment.tzinfo or moment.second or moment.microsecond for moment in self.times):
            raise Misfit("times", "must be whole minutes without a zone, which is Shanghai's")
        _check_rising("times", [moment.hour * 60 + moment.minute for moment in self.times])
        return self


class Regulation(Part):
    """The regulatory profile: cap on the annualised cost in 10⁻⁴ (2_400 is 24 %) and which method it binds."""

    profile: Annotated[str, Field(min_length=1)]
    annual_rate_max_e4: Annotated[int, Field(gt=0, le=100_000)]
    annual_rate_method: RateMethod

    def annual_rate_e4(self, rate_e8: int, basis: YearBasis) -> int:
        """Return a rate's annual cost by the method that binds, in 10⁻⁴, rounded up.

        By IRR: compounded monthly over months of 365/12 days, which is what XIRR gives for monthly instalments.
        """
        daily = Decimal(rate_e8) / E8 / DAYS_QUOTED.get(basis, 365)
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
    rate: RateBand
    admission: Admission
    tier: Annotated[tuple[Tier, ...], Field(min_length=1)]
    draw: DrawRule
    schedule: ScheduleRule
    repayment: RepaymentRule
    arrears: ArrearsRule
    disclosure: DisclosureRule
    debit: DebitRule
    regulation: Regulation
    pricing: Pricing
    campaign: tuple[Campaign, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _check_codes("tier", self.tier)
        _check_codes("campaign", self.campaign)
        check_campaigns(self.campaign, draw_max_fen=self.draw.max_fen)
        if (
            self.regulation.annual_rate_e4(self.rate.max_e8, self.schedule.year_basis)
            > self.regulation.annual_rate_max_e4
        ):
            raise Misfit("rate.max_e8", "costs more a year than regulation.annual_rate_max_e4")
        for place, tier in enumerate(self.tier):
            check_bounds(f"tier.{place}", tier, self.line, self.rate)
        for place, (better, worse) in enumerate(pairwise(self.tier), start=1):
            check_order(f"tier.{place}", better, worse)
        last = self.tier[-1].pd_max_e6
        if self.admission.score and self.admission.admits(min(last + 1, CERTAIN_E6)):
            raise Misfit(f"tier.{len(self.tier) - 1}.pd_max_e6", "leaves out people whom admission.score.min admits")
        return self

    def rules(self, shape: Shape) -> Rules:
        """Return what a loan of this shape, made now, is computed by for its whole life."""
        return Rules(
            shape=shape,
            year_basis=self.schedule.year_basis,
            rounding=self.schedule.rounding,
            rounded_per=self.schedule.rounded_per,
            remainder=self.schedule.remainder,
            due_day=self.schedule.due_day,
            first_period=self.schedule.first_period,
            first_period_min_days=self.schedule.first_period_min_days,
            business_day_convention=self.schedule.business_day_convention,
            holiday_table=self.schedule.holiday_table,
            prepayment=self.repayment.prepayment,
            allocation=self.repayment.allocation,
            allocate_by=self.repayment.allocate_by,
            grace_days=self.arrears.grace_days,
            penalty_e4=self.arrears.penalty_e4,
        )

    def rules_name(self, shape: Shape) -> str:
        """Return the name under which the rules of a shape are kept for the life of its loans."""
        return f"{self.product.code}/{self.product.version}/{shape}"

    def yearly_e8(self, rate_e8: int) -> int:
        """Return what a rate is for 365 days, simple, in 10⁻⁸, rounded down."""
        return rate_e8 * 365 // DAYS_QUOTED.get(self.schedule.year_basis, 365)

    def daily_percent(self, rate_e8: int) -> str:
        """Write a rate as percent a day; what is quoted for a year is rounded half-up to six places."""
        days = DAYS_QUOTED.get(self.schedule.year_basis, 365)
        return percent(rate_e8) if days == 1 else percent((rate_e8 * 2 + days) // (2 * days))

    def tier_named(self, code: str) -> Tier:
        """Return the tier with this code; raise KeyError where there is none."""
        return {tier.code: tier for tier in self.tier}[code]

    def purpose_named(self, code: str) -> Purpose | None:
        """Return the purpose with this code, or None: a purpose that is not listed is not allowed."""
        return next((purpose for purpose in self.draw.purpose if purpose.code == code), None)

    def campaigns_on(self, day: date) -> tuple[Campaign, ...]:
        """Return the campaigns that run on a business date, in the pack's order."""
        return tuple(campaign for campaign in self.campaign if campaign.runs_on(day))


def _check_codes(key: str, parts: Sequence[Tier | Purpose | Campaign]) -> None:
    known: set[str] = set()
    for place, part in enumerate(parts):
        if part.code in known:
            raise Misfit(f"{key}.{place}.code", f"{part.code} is there twice")
        known.add(part.code)


def _check_rising(key: str, values: Sequence[int]) -> None:
    if list(values) != sorted(set(values)):
        raise Misfit(key, "must rise, each value once")
