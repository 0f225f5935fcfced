"""What an SMS says: Chinese, the amount first, a code naming what it is for."""

import pytest

from grainline.notices.texts import UnknownTopic, text_of

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
