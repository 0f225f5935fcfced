"""What an SMS says of each piece of news. Chinese, short, the amount first; a code names what it is for."""

from collections.abc import Mapping

from grainline.invitation.policy import Supplement
from grainline.invitation.supplements import KINDS
from grainline.kit.money import percent, yuan
from grainline.loans.shapes import failure_text

SIGN = "【Grainline】"
CHANGES = {
    "reschedule": "还款计划已调整",
    "fee": "新增一笔费用",
    "discount": "利息优惠已生效",
    "coupon": "利息券已入账",
    "waiver": "部分欠款已减免",
    "repayment": "还款已入账",
    "refund": "溢缴款已退回",
    "charge_off": "借款状态已变更",
    "write_off": "借款状态已变更",
    "reversal": "此前的一笔记录已冲正",
}
ANSWERS = {
    "supplement.accepted": "已通过审核，将计入下次月度评估",
    "supplement.refused": "未通过审核，原因请在「借钱」页面查看，可补充后重新提交",
}
Payload = Mapping[str, str | int | bool | None]


class UnknownTopic(LookupError):
    """News that nobody wrote a text for."""


def text_of(topic: str, payload: Payload, code: str | None) -> str:
    """Write the SMS for a piece of news; `code` is the one-time code where it carries one. Raise UnknownTopic."""
    match topic:
        case "code.sign_in":
            return f"{SIGN}登录验证码 {code}，5分钟内有效。请勿告诉任何人。"
        case "code.sign_contract":
            amount = _yuan(payload, "amount_fen")
            return f"{SIGN}您正在签署 ¥{amount} 借款合同，验证码 {code}，5分钟内有效。请勿告诉任何人。"
        case "line.opened":
            return (
                f"{SIGN}您的额度 ¥{_yuan(payload, 'limit_fen')} 已开通，"
                f"日利率 {percent(int(payload['rate_e8'] or 0))}%。请理性借款。"
            )
        case "draw.paid":
            return (
                f"{SIGN}借款 ¥{_yuan(payload, 'amount_fen')} 已到账，"
                f"首个还款日 {payload['first_due_on']}，届时将自动扣款。"
            )
        case "draw.failed":
            return f"{SIGN}借款 ¥{_yuan(payload, 'amount_fen')} 未能到账：{_why(payload)}。额度已恢复，可重新申请。"
        case "repayment.collected":
            settled = "本笔借款已结清" if payload["settled"] else f"剩余本金 ¥{_yuan(payload, 'left_fen')}"
            return f"{SIGN}已还款 ¥{_yuan(payload, 'amount_fen')}，{settled}。"
        case "repayment.failed":
            return f"{SIGN}还款 ¥{_yuan(payload, 'amount_fen')} 扣款未成功：{_why(payload)}。请存入足够余额或手动还款。"
        case "refund.paid":
            return f"{SIGN}溢缴款 ¥{_yuan(payload, 'amount_fen')} 已退回您尾号 {payload['card_last4']} 的银行卡。"
        case "refund.failed":
            return f"{SIGN}溢缴款 ¥{_yuan(payload, 'amount_fen')} 退款未成功：{_why(payload)}。款项仍为您保留。"
        case "loan.overdue":
            return (
                f"{SIGN}您有 ¥{_yuan(payload, 'due_fen')} 借款已逾期 {payload['days']} 天，额度暂停使用。"
                "请尽快还款，以免产生更多罚息并影响信用记录。"
            )
        case "loan.changed":
            return (
                f"{SIGN}您的借款有一笔变更：{CHANGES[str(payload['kind'])]}。详情请在借款页面查看，有疑问请联系我们。"
            )
        case "supplement.accepted" | "supplement.refused":
            return f"{SIGN}您提交的{_supplement(payload)}{ANSWERS[topic]}。"
    raise UnknownTopic(topic)


def _yuan(payload: Payload, key: str) -> str:
    return yuan(int(payload[key] or 0))


def _supplement(payload: Payload) -> str:
    return KINDS[Supplement(str(payload["kind"]))]["zh"]


def _why(payload: Payload) -> str:
    return failure_text(str(payload["reason"]), "zh")
