"""A way up in plain words: what to do, for how long, with what amount, and what would come of it."""

from grainline.kit.money import yuan
from grainline.kit.web import Language
from grainline.loans.apr import simple_percent
from grainline.products import Pack
from grainline.underwriting.deciding import Outcome, Verdict
from grainline.underwriting.way_up import Way
from grainline.underwriting.way_up_changes import Change, Step

NOTE: dict[Language, str] = {
    "zh": "以上按本次审批所用的规则与模型逐项重新测算，其余情况视为不变，不构成承诺。",
    "en": "Each was worked out anew with the rules and models of this decision, all else unchanged. It is no promise.",
}
_CHANGES: dict[Step, dict[Language, str]] = {
    Step.PAY_IN_FULL: {
        "zh": "连续 {months} 个月按时全额还清信用卡账单，每月用卡约 ¥{amount}",
        "en": "pay the card's bill on time and in full for {months} month(s), using about ¥{amount} a month",
    },
    Step.PAY_ON_TIME: {
        "zh": "连续 {months} 个月按时还信用卡，每月还约 ¥{amount}，账单金额不再增加",
        "en": "pay the card on time for {months} month(s), about ¥{amount} each, with the bill not growing",
    },
    Step.PAY_DOWN: {
        "zh": "在 {months} 个月内按月还款，将信用卡账单降至 ¥{amount}，期间不再新增消费",
        "en": "bring the card's bill down to ¥{amount} within {months} month(s), paid in equal parts, without new use",
    },
    Step.REPAY_ELSEWHERE: {
        "zh": "归还其他机构的贷款约 ¥{amount}",
        "en": "repay about ¥{amount} of what is owed to other lenders",
    },
    Step.SETTLE_ELSEWHERE: {
        "zh": "还清在其他机构的逾期欠款，并待征信更新",
        "en": "pay what is overdue with other lenders, and wait until the bureau shows it",
    },
    Step.SETTLE_HERE: {"zh": "还清在本平台的逾期借款", "en": "pay the loan that is overdue here"},
    Step.GIVE_CONSENT: {"zh": "补充必要的授权", "en": "give the consents that are required"},
}
_AND: dict[Language, str] = {"zh": "，并", "en": ", and "}
_SENTENCES: dict[tuple[bool, Language], str] = {
    (True, "zh"): "若{changes}，申请可获通过：额度约 ¥{line}，年利率 {rate}%（单利）。",
    (True, "en"): "If you {changes}, you would be approved: a line of about ¥{line} at {rate}% a year (simple).",
    (False, "zh"): "若{changes}，额度可为 ¥{line}（现为 ¥{was}），年利率 {rate}%（单利，现为 {rate_was}%）。",
    (False, "en"): (
        "If you {changes}, the line would be ¥{line} (now ¥{was}) at {rate}% a year (simple, now {rate_was}%)."
    ),
}


def told_change(change: Change, language: Language) -> str:
    """Say one change, as part of a sentence."""
    return _CHANGES[change.step][language].format(months=change.months, amount=whole_yuan(change.amount_fen))


def told_way(way: Way, was: Outcome, pack: Pack, language: Language) -> str:
    """Say what to do and what would come of it, in one sentence."""
    basis = pack.schedule.year_basis
    return _SENTENCES[was.result is not Verdict.APPROVED, language].format(
        changes=_AND[language].join(told_change(change, language) for change in way.changes),
        line=whole_yuan(way.line_fen),
        rate=simple_percent(way.rate_e8, basis),
        was=whole_yuan(was.line_fen),
        rate_was=simple_percent(was.rate_e8, basis),
    )


def whole_yuan(fen: int) -> str:
    """Write fen as yuan, without the cents where there are none."""
    return yuan(fen).removesuffix(".00")
