"""What an SMS says: Chinese, the amount first, a code naming what it is for."""

import pytest

from grainline.notices.texts import UnknownTopic, text_of

LINE = {
    "product": "weilidai",
    "from_fen": 1_000_000,
    "limit_fen": 1_200_000,
    "from_rate_e8": 50_000,
    "rate_e8": 40_000,
    "until": None,
    "reason": "paid_on_time",
    "words": None,
}
CASES = [
    ("code.sign_in", {}, "012345", "【Grainline】登录验证码 012345，5分钟内有效。请勿告诉任何人。"),
    (
        "code.sign_contract",
        {"amount_fen": 1_000_000, "product": "weilidai"},
        "012345",
        "【Grainline】您正在签署 ¥10,000.00 借款合同，验证码 012345，5分钟内有效。请勿告诉任何人。",
    ),
    (
        "line.opened",
        {"limit_fen": 1_500_000, "rate_e8": 35_000},
        None,
        "【Grainline】您的额度 ¥15,000.00 已开通，日利率 0.035%。请理性借款。",
    ),
    (
        "line.raised",
        LINE | {"words": "您按时还款"},
        None,
        "【Grainline】您的额度已由 ¥10,000.00 提升至 ¥12,000.00，原因：您按时还款。请理性借款。",
    ),
    (
        "line.lowered",
        LINE | {"from_fen": 1_500_000, "words": "额度取决于对您的风险评估"},
        None,
        "【Grainline】您的额度已由 ¥15,000.00 调整为 ¥12,000.00，原因：额度取决于对您的风险评估。"
        "已借款项按原计划归还。",
    ),
    (
        "line.repriced",
        LINE | {"words": "日利率取决于对您的风险评估"},
        None,
        "【Grainline】您新借款的日利率由 0.05% 调整为 0.04%，原因：日利率取决于对您的风险评估。已有借款利率不变。",
    ),
    (
        "line.temporary",
        LINE | {"reason": "festival", "until": "2027-02-22"},
        None,
        "【Grainline】您获得临时额度 ¥2,000.00，总额度 ¥12,000.00，2027-02-22 起自动恢复，"
        "原因：节日临时提额。请理性借款。",
    ),
    (
        "line.returned",
        LINE | {"from_fen": 1_400_000, "reason": "temporary_over"},
        None,
        "【Grainline】您的临时额度 ¥2,000.00 已到期，总额度恢复为 ¥12,000.00。已借款项按原计划归还。",
    ),
    (
        "line.frozen",
        LINE | {"reason": "consent_missing"},
        None,
        "【Grainline】您的额度 ¥12,000.00 已暂停使用，原因：征信查询授权已撤回，重新授权后将再次评估。"
        "已有借款请按期归还，如有疑问可申请人工复核。",
    ),
    (
        "line.thawed",
        LINE | {"reason": "cured"},
        None,
        "【Grainline】您的额度 ¥12,000.00 已恢复使用，新借款日利率 0.04%，原因：逾期款项已还清。请理性借款。",
    ),
    (
        "line.closed",
        LINE | {"reason": "member"},
        None,
        "【Grainline】您的额度 ¥12,000.00 已关闭，原因：应您本人要求。已有借款请按期归还。",
    ),
    (
        "draw.paid",
        {"amount_fen": 10_000, "first_due_on": "2026-12-24"},
        None,
        "【Grainline】借款 ¥100.00 已到账，首个还款日 2026-12-24，届时将自动扣款。",
    ),
    (
        "draw.failed",
        {"amount_fen": 10_000, "reason": "account_frozen"},
        None,
        "【Grainline】借款 ¥100.00 未能到账：银行卡被冻结或状态异常。额度已恢复，可重新申请。",
    ),
    (
        "draw.failed",
        {"amount_fen": 10_000, "reason": "never_heard_of"},
        None,
        "【Grainline】借款 ¥100.00 未能到账：银行未能完成这笔交易。额度已恢复，可重新申请。",
    ),
    (
        "repayment.collected",
        {"amount_fen": 205_001, "kind": "automatic", "left_fen": 800_000, "settled": False},
        None,
        "【Grainline】已还款 ¥2,050.01，剩余本金 ¥8,000.00。",
    ),
    (
        "repayment.collected",
        {"amount_fen": 1, "kind": "by_hand", "left_fen": 0, "settled": True},
        None,
        "【Grainline】已还款 ¥0.01，本笔借款已结清。",
    ),
    (
        "refund.paid",
        {"amount_fen": 7_300, "card_last4": "0007"},
        None,
        "【Grainline】溢缴款 ¥73.00 已退回您尾号 0007 的银行卡。",
    ),
    (
        "refund.failed",
        {"amount_fen": 7_300, "reason": "account_frozen"},
        None,
        "【Grainline】溢缴款 ¥73.00 退款未成功：银行卡被冻结或状态异常。款项仍为您保留。",
    ),
    (
        "supplement.accepted",
        {"kind": "income"},
        None,
        "【Grainline】您提交的收入证明已通过审核，将计入下次月度评估。",
    ),
    (
        "supplement.refused",
        {"kind": "education"},
        None,
        "【Grainline】您提交的学历证明未通过审核，原因请在「借钱」页面查看，可补充后重新提交。",
    ),
    (
        "repayment.failed",
        {"amount_fen": 205_000, "kind": "automatic", "reason": "insufficient_funds"},
        None,
        "【Grainline】还款 ¥2,050.00 扣款未成功：银行卡余额不足。请存入足够余额或手动还款。",
    ),
]


@pytest.mark.parametrize(("topic", "payload", "code", "text"), CASES)
def test_every_topic_says_what_happened(topic, payload, code, text):
    assert text_of(topic, payload, code) == text


@pytest.mark.parametrize("topic", ["", "draw", "draw.paid.twice", "code.other"])
def test_news_nobody_wrote_a_text_for_is_an_error(topic):
    with pytest.raises(UnknownTopic, match=topic or None):
        text_of(topic, {}, None)


def test_news_without_what_its_text_needs_is_an_error():
    with pytest.raises(KeyError):
        text_of("draw.paid", {"amount_fen": 1}, None)
