"""The measures: what is told of the events of one group within one window, each with its unit and its words.

A window of `w` days before a moment is half open, `[moment - w, moment)`. Days, hours, weekends and nights are those of
Asia/Shanghai; a night runs from 00:00 to 06:00. What cannot be told is null: a mean, a share or an entropy of nothing,
a deviation of fewer than two. A number, a sum or a count of days of nothing is nought.
"""

from dataclasses import dataclass
from enum import StrEnum

WINDOWS = (7, 30, 90, 180, 360, 540)  # days


class Unit(StrEnum):
    """What a feature's number counts."""

    EVENTS = "events"
    DAYS = "days"
    MONTHS = "months"
    FEN = "fen"
    SHARE = "share"  # 0 to 1
    BALANCE = "balance"  # -1 to 1
    RATIO = "ratio"
    BIT = "bit"
    COUNT = "count"  # of whatever the name says


@dataclass(frozen=True)
class Measure:
    """One measure; `windowed` is false where it looks at all that went before. `{}` stands for the group's words."""

    name: str
    unit: Unit
    zh: str
    en: str
    windowed: bool = True

    @property
    def adds_up(self) -> bool:
        """Tell whether two windows one after the other would be added to be told together."""
        return self.name in ("count", "active_days", "amount_sum")


COUNT = Measure("count", Unit.EVENTS, "{}次数", "number of {}")
ACTIVE_DAYS = Measure("active_days", Unit.DAYS, "有{}的天数", "days with {}")
ACTIVE_MONTHS = Measure("active_months", Unit.MONTHS, "有{}的自然月数", "calendar months with {}")
DAYS_SINCE_LAST = Measure(
    "days_since_last", Unit.DAYS, "距最近一次{}的天数", "days since the last of {}", windowed=False
)
NIGHT_SHARE = Measure("night_share", Unit.SHARE, "{}中0点至6点的占比", "share of {} between 00:00 and 06:00")
WEEKEND_SHARE = Measure("weekend_share", Unit.SHARE, "{}中周末的占比", "share of {} on Saturday or Sunday")
HOUR_ENTROPY = Measure("hour_entropy", Unit.BIT, "{}的小时分布熵", "entropy of the hours of {}")
GAP_MEAN = Measure("gap_mean", Unit.DAYS, "{}间隔的均值", "mean gap between {}")
GAP_CV = Measure("gap_cv", Unit.RATIO, "{}间隔的变异系数", "deviation over mean of the gaps between {}")

AMOUNT_SUM = Measure("amount_sum", Unit.FEN, "{}金额合计", "total amount of {}")
AMOUNT_MEAN = Measure("amount_mean", Unit.FEN, "{}金额均值", "mean amount of {}")
AMOUNT_MAX = Measure("amount_max", Unit.FEN, "{}最大金额", "largest amount of {}")
AMOUNT_STD = Measure("amount_std", Unit.FEN, "{}金额标准差", "standard deviation of the amounts of {}")

LATE_MEAN = Measure("late_mean", Unit.DAYS, "{}平均逾期天数", "mean days late of {}; early is negative")
LATE_MAX = Measure("late_max", Unit.DAYS, "{}最大逾期天数", "most days late of {}")
LATE_STD = Measure("late_std", Unit.DAYS, "{}逾期天数标准差", "standard deviation of the days late of {}")
LATE_LAST = Measure("late_last", Unit.DAYS, "最近一次{}的逾期天数", "days late of the last of {}")
LATE_SHARE = Measure("late_share", Unit.SHARE, "{}中逾期的占比", "share of {} that were late")

OWED_MEAN = Measure("owed_mean", Unit.FEN, "{}欠款均值", "mean of what is owed by {}")
OWED_MAX = Measure("owed_max", Unit.FEN, "{}最高欠款", "most that is owed by {}")
OWED_LAST = Measure("owed_last", Unit.FEN, "最近一份{}的欠款", "owed by the last of {}")
UTILISATION_MEAN = Measure("utilisation_mean", Unit.RATIO, "{}平均额度使用率", "mean of owed over limit of {}")
UTILISATION_MAX = Measure("utilisation_max", Unit.RATIO, "{}最高额度使用率", "highest of owed over limit of {}")
UTILISATION_LAST = Measure(
    "utilisation_last", Unit.RATIO, "最近一份{}的额度使用率", "owed over limit of the last of {}"
)
CURE_MEAN = Measure("cure_mean", Unit.DAYS, "{}平均所用天数", "mean days from the default to {}")
CURE_MAX = Measure("cure_max", Unit.DAYS, "{}最长所用天数", "most days from the default to {}")

COUNTERPARTIES = Measure("counterparties", Unit.COUNT, "{}的对方数", "different counterparties of {}")
NEW_COUNTERPARTIES = Measure(
    "new_counterparties", Unit.COUNT, "{}中首次出现的对方数", "counterparties first seen in {}"
)
COUNTERPARTY_ENTROPY = Measure("counterparty_entropy", Unit.BIT, "{}对方分布熵", "entropy over counterparties of {}")
TOP_COUNTERPARTY = Measure(
    "top_counterparty_share", Unit.SHARE, "{}中最多一方的占比", "share of {} with the most frequent counterparty"
)
PLACES = Measure("places", Unit.COUNT, "{}的地点数", "different places of {}")
NEW_PLACES = Measure("new_places", Unit.COUNT, "{}中首次出现的地点数", "places first seen in {}")
PLACE_ENTROPY = Measure("place_entropy", Unit.BIT, "{}地点分布熵", "entropy over places of {}")
DEVICES = Measure("devices", Unit.COUNT, "{}的设备数", "different devices of {}")
NEW_DEVICES = Measure("new_devices", Unit.COUNT, "{}中首次出现的设备数", "devices first seen in {}")
TOOL_SWITCHES = Measure(
    "tool_switches", Unit.COUNT, "{}中支付工具切换次数", "changes of tool between one of {} and the next"
)

BALANCE_LAST = Measure("balance_last", Unit.FEN, "{}最新余额", "balance of {} at the moment", windowed=False)
BALANCE_MEAN = Measure("balance_mean", Unit.FEN, "{}日均余额", "mean balance over time of {}")
BALANCE_MIN = Measure("balance_min", Unit.FEN, "{}最低余额", "lowest balance of {}")
BALANCE_MAX = Measure("balance_max", Unit.FEN, "{}最高余额", "highest balance of {}")
HELD_SHARE = Measure("held_share", Unit.SHARE, "{}余额大于零的时间占比", "share of the time with a balance of {}")
