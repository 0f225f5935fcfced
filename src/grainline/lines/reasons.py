"""Why a line was changed, in words; the reasons of a decision are told by the decision."""

LINE_REASONS: dict[str, dict[str, str]] = {
    "overdue": {"zh": "有借款逾期", "en": "A loan is overdue"},
    "cured": {"zh": "逾期款项已还清", "en": "What was overdue has been paid"},
    "paid_on_time": {"zh": "您按时还款", "en": "You paid on time"},
    "review_passed": {"zh": "重新评估已通过", "en": "The line was reviewed and passed"},
    "festival": {"zh": "节日临时提额", "en": "A raise for the season"},
    "temporary_over": {"zh": "临时额度已到期", "en": "The temporary raise is over"},
    "consent_missing": {
        "zh": "征信查询授权已撤回，重新授权后将再次评估",
        "en": "The consent to ask the credit bureau was withdrawn; given again, the line is reviewed",
    },
    "officer": {"zh": "经人工处理", "en": "An officer decided it"},
    "member": {"zh": "应您本人要求", "en": "You asked for it"},
    "too_few_payments": {
        "zh": "按时还款次数尚不足以提额",
        "en": "Too few instalments were paid on time for a raise",
    },
    "raised_lately": {"zh": "近期已提额", "en": "The line was raised not long ago"},
    "early_repayments": {
        "zh": "多笔借款很快提前结清，本次暂不提额",
        "en": "Several loans were settled long before their end: no raise this time",
    },
}
