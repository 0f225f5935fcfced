"""How a loan is computed: every convention by name. A loan freezes the rules it was made under."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=0, le=1_200)]
Share = Annotated[int, Field(ge=0, le=10_000)]
DueDay = Annotated[int, Field(ge=1, le=31)]
MinDays = Annotated[int, Field(ge=0, le=60)]


class Shape(StrEnum):
    """How principal returns: in equal parts, in equal instalments, at the end with interest before, all at the end."""

    EQUAL_PRINCIPAL = "equal_principal"
    EQUAL_INSTALMENT = "equal_instalment"
    INTEREST_FIRST = "interest_first"
    BULLET = "bullet"


class YearBasis(StrEnum):
    """What the rate is for, and how days become parts of a year.

    DAILY: the rate is for one day. The others quote a year: of 360, 364 or 365 days; of its own length, each day in the
    year in which it ends; or of twelve months of 30 days, a part of a month by actual days.
    """

    DAILY = "daily"
    DAYS_360 = "days_360"
    DAYS_364 = "days_364"
    DAYS_365 = "days_365"
    ACTUAL = "actual"
    THIRTY_360 = "thirty_360"


class FirstPeriod(StrEnum):
    """Which first due date a fixed due day gives: the next such day, or the first after one whole period."""

    SHORT = "short"
    LONG = "long"


class BusinessDayConvention(StrEnum):
    """What becomes of a due date that is no working day: it stays, or moves to the working day that follows."""

    NONE = "none"
    FOLLOWING = "following"


class Rounding(StrEnum):
    """Which way a half goes: up (四舍五入), or to the even fen."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"


class RoundedPer(StrEnum):
    """Where interest becomes fen: over a whole instalment's period, over each stretch of one balance, or each day.

    A penalty becomes fen over its instalment's whole life.
    """

    INSTALMENT = "instalment"
    SUB_PERIOD = "sub_period"
    DAY = "day"


class Remainder(StrEnum):
    """Which instalment takes what equal shares of principal leave over; of equal instalments it is always the last."""

    FIRST = "first"
    LAST = "last"


class Prepayment(StrEnum):
    """What a partial prepayment does.

    NEXT and LAST pay the coming instalments from the front or from the back; SPREAD pays a part of each. The other two
    plan the rest anew: as many instalments, each smaller; or the same instalment, fewer of them. Whatever pays off
    everything is no prepayment in part and follows none of these.
    """

    NEXT = "next"
    LAST = "last"
    SPREAD = "spread"
    REDUCE_INSTALMENT = "reduce_instalment"
    REDUCE_TERM = "reduce_term"


class Component(StrEnum):
    """A part of the debt."""

    FEE = "fee"
    PENALTY = "penalty"
    INTEREST = "interest"
    PRINCIPAL = "principal"


class AllocateBy(StrEnum):
    """Whether money pays the oldest instalment whole first, or the first component of all of them."""

    INSTALMENT = "instalment"
    COMPONENT = "component"


class Rules(BaseModel):
    """The conventions of a loan's arithmetic. Amounts in fen, shares in 10⁻⁴ (15_000 is 1.5 times)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shape: Shape
    every_months: Count = 1
    every_days: Count = 0  # instead of months
    due_day: DueDay | None = None  # of a month, clamped to its end; None: the day of the month of the draw
    first_period: FirstPeriod = FirstPeriod.SHORT  # with a due day
    first_period_min_days: MinDays = 0  # with a due day: so many days at least between the draw and the first one
    business_day_convention: BusinessDayConvention = BusinessDayConvention.NONE
    holiday_table: str | None = None  # by which version of `kit.holidays` due dates move
    year_basis: YearBasis = YearBasis.DAILY
    rounding: Rounding = Rounding.HALF_UP
    rounded_per: RoundedPer = RoundedPer.INSTALMENT
    remainder: Remainder = Remainder.LAST
    instalment_multiple_fen: Annotated[int, Field(gt=0)] = 1
    instalment_at_first_rate: bool = False  # the equal instalment is computed at the first period's rate for all
    instalment_evened: bool = False  # the equal instalment moves where that brings the last one nearer to it
    instalment_holds: bool = False  # more interest in a period is less principal in it: the instalment stays
    shares_rounded: bool = False  # equal principal: a share is the nearest fen, and not the whole fen below
    principal_free: Count = 0  # instalments before the first one with principal
    interest_free: Count = 0  # instalments before the first one with interest, which takes the interest of all of them
    down_payment_e4: Share = 0  # due on the first day
    prepayment: Prepayment = Prepayment.NEXT
    prepayment_settles_row: bool = False  # it counts towards the instalment of its period; the rest is planned after
    prepayment_pays_interest: bool = True  # interest to date comes before principal
    allocation: tuple[Component, ...] = tuple(Component)
    allocate_by: AllocateBy = AllocateBy.INSTALMENT
    grace_days: Count = 0
    penalty_e4: Annotated[int, Field(ge=0, le=100_000)] = 0  # times the rate, on late principal; 0: the rate runs on

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if sorted(self.allocation) != sorted(Component):
            raise ValueError("allocation must name fee, penalty, interest and principal once each")
        if bool(self.every_months) == bool(self.every_days):
            raise ValueError("either every_months or every_days must be above 0")
        if self.year_basis is YearBasis.THIRTY_360 and not self.every_months:
            raise ValueError("year_basis thirty_360 needs every_months")
        moves = self.business_day_convention is not BusinessDayConvention.NONE
        if (self.due_day or moves) and (self.every_days or self.year_basis is YearBasis.THIRTY_360):
            raise ValueError("due_day and business_day_convention need every_months and actual days")
        if self.due_day is None and (self.first_period is not FirstPeriod.SHORT or self.first_period_min_days):
            raise ValueError("first_period and first_period_min_days need due_day")
        if moves != (self.holiday_table is not None):
            raise ValueError("holiday_table goes with a business_day_convention")
        return self
