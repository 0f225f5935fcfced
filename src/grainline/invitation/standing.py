"""Where a member stands with a product today: invited until when, or why not, what helps, and when next."""

from dataclasses import dataclass
from datetime import date

from grainline.invitation.rule import SCORE_BELOW_MINIMUM
from grainline.invitation.store import MonthlyEvaluation
from grainline.kit.calendar import first_of_next_month

NO_ACTIVITY = "no_activity"
EXPIRED = "invitation_expired"

REASONS: dict[str, dict[str, str]] = {
    NO_ACTIVITY: {
        "zh": "暂无足够的使用记录可供评估",
        "en": "There is not enough activity yet to evaluate",
    },
    SCORE_BELOW_MINIMUM: {
        "zh": "信用分未达到本产品的开通要求",
        "en": "Your score is below what this product asks for",
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
    SCORE_BELOW_MINIMUM: ("pay_on_time", PAY_ON_TIME),
    NO_ACTIVITY: ("be_active", BE_ACTIVE),
}


@dataclass(frozen=True)
class Standing:
    """A member's standing; `offer` is the newest evaluation while it admits."""

    newest: MonthlyEvaluation | None
    offer: MonthlyEvaluation | None
    reasons: tuple[str, ...]
    next_evaluation_on: date

    @property
    def invited(self) -> bool:
        """Whether there is an offer."""
        return self.offer is not None


def standing(newest: MonthlyEvaluation | None, today: date) -> Standing:
    """Say where somebody with this newest evaluation stands today; the next one is on the first of the month."""
    upcoming = first_of_next_month(today)
    if newest is None:
        return Standing(None, None, (NO_ACTIVITY,), upcoming)
    if not newest.invited or newest.expires_on is None:
        return Standing(newest, None, newest.reasons, upcoming)
    if today > newest.expires_on:
        return Standing(newest, None, (EXPIRED,), upcoming)
    return Standing(newest, newest, newest.reasons, upcoming)


def advice_for(reasons: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return what helps against these reasons, each advice once, in the order of the reasons."""
    return dict(ADVICE[reason] for reason in reasons if reason in ADVICE)
