"""Where a member stands with a product today: invited until when, or why not, what helps, and when next."""

from dataclasses import dataclass
from datetime import date

from grainline.invitation.store import MonthlyEvaluation
from grainline.kit.calendar import first_of_next_month

NO_ACTIVITY = "no_activity"
EXPIRED = "invitation_expired"

REASONS: dict[str, dict[str, str]] = {
    NO_ACTIVITY: {
        "zh": "暂无足够的使用记录可供评估",
        "en": "There is not enough activity yet to evaluate",
    },
    EXPIRED: {"zh": "上次邀请已过有效期", "en": "The last invitation has expired"},
}
PAY_ON_TIME = {
    "zh": "按时还清信用卡账单，保持连续几个月无逾期",
    "en": "Pay card bills on time and stay without a late month for several months",
}
USE_LESS = {
    "zh": "降低信用卡额度使用率，例如先还一部分账单",
    "en": "Use less of your card's limit, for example by paying part of the bill down",
}
PAY_MORE = {
    "zh": "每月多还一些账单，不只还最低还款额",
    "en": "Pay more of the bill each month than the minimum",
}
BE_ACTIVE = {
    "zh": "多场景使用支付、适度持有零钱通或理财，积累使用记录",
    "en": "Pay in varied scenes and hold some savings steadily, so that a record builds up",
}
ADVICE: dict[str, tuple[str, dict[str, str]]] = {
    "recent_delay": ("pay_on_time", PAY_ON_TIME),
    "repeated_delays": ("pay_on_time", PAY_ON_TIME),
    "earlier_delays": ("pay_on_time", PAY_ON_TIME),
    "high_utilisation": ("use_less", USE_LESS),
    "little_headroom": ("use_less", USE_LESS),
    "small_payments": ("pay_more", PAY_MORE),
    "missed_payments": ("pay_more", PAY_MORE),
    "risk_above_limit": ("pay_on_time", PAY_ON_TIME),
    NO_ACTIVITY: ("be_active", BE_ACTIVE),
}


@dataclass(frozen=True)
class Standing:
    """A member's standing; `evaluation` is there when invited."""

    invited: bool
    evaluation: MonthlyEvaluation | None
    reasons: tuple[str, ...]
    next_evaluation_on: date


def standing(evaluation: MonthlyEvaluation | None, today: date) -> Standing:
    """Say where somebody with this newest evaluation stands today; the next one is on the first of the month."""
    upcoming = first_of_next_month(today)
    if evaluation is None:
        return Standing(False, None, (NO_ACTIVITY,), upcoming)
    if not evaluation.invited or evaluation.expires_on is None:
        return Standing(False, None, evaluation.reasons, upcoming)
    if today > evaluation.expires_on:
        return Standing(False, None, (EXPIRED,), upcoming)
    return Standing(True, evaluation, evaluation.reasons, upcoming)


def advice_for(reasons: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return what helps against these reasons, each advice once, in the order of the reasons."""
    return dict(ADVICE[reason] for reason in reasons if reason in ADVICE)
