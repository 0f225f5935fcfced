"""Names of what a pack says in codes, in both languages."""

from grainline.products import Audience, Prepayment, Shape

SHAPES: dict[Shape, dict[str, str]] = {
    Shape.EQUAL_PRINCIPAL: {"zh": "等额本金", "en": "Equal principal"},
    Shape.EQUAL_INSTALMENT: {"zh": "等额本息", "en": "Equal instalments"},
    Shape.INTEREST_FIRST: {"zh": "先息后本", "en": "Interest first"},
    Shape.BULLET: {"zh": "到期一次还本付息", "en": "All at the end"},
}
PREPAYMENTS: dict[Prepayment, dict[str, str]] = {
    Prepayment.NEXT: {"zh": "先抵扣最近几期", "en": "Pays the coming instalments"},
    Prepayment.LAST: {"zh": "先抵扣最后几期", "en": "Pays the last instalments"},
    Prepayment.SPREAD: {"zh": "平均抵扣各期", "en": "Pays a part of each instalment"},
    Prepayment.REDUCE_INSTALMENT: {"zh": "期数不变，每期少还", "en": "As many instalments, each smaller"},
    Prepayment.REDUCE_TERM: {"zh": "每期不变，期数减少", "en": "The same instalment, fewer of them"},
}
AUDIENCES: dict[Audience, dict[str, str]] = {
    Audience.RENEWAL: {"zh": "再次借款可享", "en": "For who borrows again"},
    Audience.EVERYONE: {"zh": "人人可享", "en": "For everyone"},
}
# Why a product cannot do what was asked for, by the code of its refusal.
CANNOT: dict[str, dict[str, str]] = {
    "draw_below_minimum": {"zh": "低于单笔最低金额", "en": "Less than its smallest draw"},
    "draw_not_a_multiple": {"zh": "不是起借单位的整数倍", "en": "Not a multiple of its step"},
    "draw_above_maximum": {"zh": "超过单笔最高金额", "en": "More than its largest draw"},
    "no_holiday_table": {"zh": "还款日所在年份的节假日尚未公布", "en": "Holidays of its last year are not known"},
    "unknown_term": {"zh": "没有这个期限", "en": "Not one of its terms"},
}
