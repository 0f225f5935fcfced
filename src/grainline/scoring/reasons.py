"""Reasons in plain words: stable codes, and what each says in Chinese and English.

A code never changes its meaning; a text may be bettered. The words speak to the person, say what was seen and
nothing more, and promise nothing.
"""

REASONS: dict[str, dict[str, str]] = {
    "recent_delay": {
        "zh": "最近一个月有逾期还款",
        "en": "A payment was late in the latest month",
    },
    "repeated_delays": {
        "zh": "近六个月内有多个月逾期",
        "en": "Payments were late in several of the last six months",
    },
    "earlier_delays": {
        "zh": "四至六个月前有逾期还款",
        "en": "A payment was late four to six months ago",
    },
    "high_utilisation": {
        "zh": "信用卡额度使用率较高",
        "en": "Much of the card's limit is in use",
    },
    "little_headroom": {
        "zh": "信用卡剩余可用额度较少",
        "en": "Little is left of the card's limit",
    },
    "small_payments": {
        "zh": "每月还款金额较小",
        "en": "Monthly payments are small",
    },
    "missed_payments": {
        "zh": "近六个月内有若干个月几乎没有还款",
        "en": "Hardly anything was paid in some of the last six months",
    },
    "risk_above_limit": {
        "zh": "综合评估的风险高于本产品可接受的范围",
        "en": "The risk, all things weighed, is above what this product accepts",
    },
}


def reason_text(code: str, language: str) -> str:
    """Return the text of a code in "zh" or "en"; raise KeyError where there is none."""
    return REASONS[code][language]
