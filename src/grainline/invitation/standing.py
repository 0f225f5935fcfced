"""Where a member stands with a product today: invited until when, or why not, what helps, and when next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from grainline.invitation.preconditions import NO_CARD, NO_REAL_NAME, PRECONDITIONS
from grainline.invitation.rule import SCORE_BELOW_MINIMUM
from grainline.invitation.store import MonthlyEvaluation
from grainline.invitation.whitelist_store import Outcome
from grainline.kit.calendar import first_of_next_month

NO_ACTIVITY = "no_activity"
EXPIRED = "invitation_expired"
CAPACITY_REACHED = "capacity_reached"

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
    CAPACITY_REACHED: {"zh": "本月邀请名额已满", "en": "This month's invitations are all given"},
    "weak_social": {"zh": "社交维度得分偏低", "en": "The social dimension has few points"},
    "weak_consumption": {"zh": "消费维度得分偏低", "en": "The consumption dimension has few points"},
    "weak_assets": {"zh": "资产维度得分偏低", "en": "The assets dimension has few points"},
    "weak_credit": {"zh": "征信维度得分偏低", "en": "The credit-record dimension has few points"},
    **PRECONDITIONS,
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
    NO_REAL_NAME: ("verify_name", {"zh": "先完成实名认证", "en": "Verify your real name first"}),
    NO_CARD: ("bind_card", {"zh": "绑定一张本人银行卡", "en": "Bind a bank card of your own"}),
}


@dataclass(frozen=True)
class Standing:
    """A member's standing; `offer` is the newest evaluation while it admits, and the whitelist with it."""

    newest: MonthlyEvaluation | None
    offer: MonthlyEvaluation | None
    reasons: tuple[str, ...]
    next_evaluation_on: date

    @property
    def invited(self) -> bool:
        """Whether there is an offer."""
        return self.offer is not None


def standing(newest: MonthlyEvaluation | None, today: date, listed: Outcome | None = None) -> Standing:
    """Say where somebody with this newest evaluation stands today; the next one is on the first of the month.

    `listed` is what the whitelist found of them, for a product that invites from it; None where it has not looked yet.
    """
    upcoming = first_of_next_month(today)
    if listed is not None and not listed.holds_on(today):
        return Standing(newest, None, reasons_of(listed, today), upcoming)
    if newest is None:
        return Standing(None, None, (NO_ACTIVITY,), upcoming)
    if not newest.invited or newest.expires_on is None:
        return Standing(newest, None, newest.reasons, upcoming)
    if today > newest.expires_on:
        return Standing(newest, None, (EXPIRED,), upcoming)
    return Standing(newest, newest, newest.reasons, upcoming)


def reasons_of(listed: Outcome, today: date) -> tuple[str, ...]:
    """Return why an outcome does not invite today: what it found, or that the invitation has expired."""
    expired = listed.invited and not listed.holds_on(today)
    return (EXPIRED,) if expired else tuple(listed.reasons)


def in_force(outcomes: Sequence[Outcome], today: date) -> Outcome | None:
    """Return which of a member's outcomes, the newest first, counts today.

    It is the newest, but an invitation that was given holds until its day: fewer points, or a month's capacity, do not
    take it back. A precondition that a newer outcome finds unmet does.
    """
    for one in outcomes:
        if one.holds_on(today):
            return one
        if PRECONDITIONS.keys() & set(one.reasons):
            break
    return outcomes[0] if outcomes else None


def advice_for(reasons: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return what helps against these reasons, each advice once, in the order of the reasons."""
    return dict(ADVICE[reason] for reason in reasons if reason in ADVICE)
