"""What an SMS says of each piece of news. Chinese, short, the amount first; a code names what it is for."""

from collections.abc import Mapping

from grainline.invitation.policy import Supplement
from grainline.invitation.supplements import KINDS
from grainline.kit.money import percent, yuan
from grainline.lines import LINE_REASONS
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
LINE_TOPICS = {
    "line.raised": "您的额度已由 ¥{from_limit} 提升至 ¥{limit}，原因：{why}。请理性借款。",
    "line.lowered": "您的额度已由 ¥{from_limit} 调整为 ¥{limit}，原因：{why}。已借款项按原计划归还。",
    "line.repriced": "您新借款的日利率由 {from_rate}% 调整为 {rate}%，原因：{why}。已有借款利率不变。",
    "line.temporary": "您获得临时额度 ¥{moved}，总额度 ¥{limit}，{until} 起自动恢复，原因：{why}。请理性借款。",
    "line.returned": "您的临时额度 ¥{moved} 已到期，总额度恢复为 ¥{limit}。已借款项按原计划归还。",
    "line.frozen": "您的额度 ¥{limit} 已暂停使用，原因：{why}。已有借款请按期归还，如有疑问可申请人工复核。",
    "line.thawed": "您的额度 ¥{limit} 已恢复使用，新借款日利率 {rate}%，原因：{why}。请理性借款。",
    "line.closed": "您的额度 ¥{limit} 已关闭，原因：{why}。已有借款请按期归还。",
}
APPLICATION_TOPICS = {
    "application.declined": "您的额度申请暂未通过。原因、可改进之处及人工复核入口请在「借钱」页面查看。",
    "application.review": "您的额度申请已转人工复核，结果将以短信通知。",
    "application.answered": "您申请的人工复核已有结果：{said}。审批意见及告知书请在「借钱」页面查看。",
}
VERDICTS = {"approved": "已获通过", "declined": "维持原决定"}
OVERDUE = "额度暂停使用。请尽快还款，以免产生更多罚息并影响信用记录。"
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
        case _ if topic in LINE_TOPICS:
            return SIGN + _of_line(topic, payload)
        case _ if topic in APPLICATION_TOPICS:
            return SIGN + APPLICATION_TOPICS[topic].format(said=VERDICTS.get(str(payload.get("result"))))
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
            return f"{SIGN}您有 ¥{_yuan(payload, 'due_fen')} 借款已逾期 {payload['days']} 天，{OVERDUE}"
        case "loan.changed":
            changed = CHANGES[str(payload["kind"])]
            return f"{SIGN}您的借款有一笔变更：{changed}。详情请在借款页面查看，有疑问请联系我们。"
        case "supplement.accepted" | "supplement.refused":
            return f"{SIGN}您提交的{_supplement(payload)}{ANSWERS[topic]}。"
    raise UnknownTopic(topic)


def _of_line(topic: str, payload: Payload) -> str:
    """Say what changed of a line; the reason in the words that came along, or in those of its code."""
    moved = abs(int(payload["limit_fen"] or 0) - int(payload["from_fen"] or 0))
    return LINE_TOPICS[topic].format(
        from_limit=_yuan(payload, "from_fen"),
        limit=_yuan(payload, "limit_fen"),
        moved=yuan(moved),
        from_rate=percent(int(payload["from_rate_e8"] or 0)),
        rate=percent(int(payload["rate_e8"] or 0)),
        until=payload["until"],
        why=payload["words"] or LINE_REASONS[str(payload["reason"])]["zh"],
    )


def _yuan(payload: Payload, key: str) -> str:
    return yuan(int(payload[key] or 0))


def _supplement(payload: Payload) -> str:
    return KINDS[Supplement(str(payload["kind"]))]["zh"]


def _why(payload: Payload) -> str:
    return failure_text(str(payload["reason"]), "zh")
