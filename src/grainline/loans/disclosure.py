"""The cost disclosure: every item, no other fees, a reading time that the server keeps (F2).

Pure: makes the content from a quote and hashes it. The rule is the cost disclosure rule in force since 2026-08-01:
pop-up, forced reading time, every item, "no other fees"; counsel must check the wording before real use.
"""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from grainline.kit.money import percent, yuan
from grainline.kit.web import Language
from grainline.loans.campaigns import campaign_words
from grainline.loans.model import Disclosure
from grainline.loans.quote import Quote
from grainline.products import Pack, Shape

TITLES: dict[Language, str] = {"zh": "借款成本告知", "en": "What this loan costs"}
STATEMENTS: dict[Language, str] = {
    "zh": "除上列项目外，本借款不收取任何其他费用。提前还款不收费，利息只计到还款当日。"
    "请理性借款，按时还款；逾期会影响您的信用记录。",
    "en": "There are no other fees than those listed. Early repayment is free of charge, and interest runs only to "
    "the day you repay. Please borrow within your means and repay on time: arrears affect your credit record.",
}
LABELS: dict[Language, tuple[str, ...]] = {
    "zh": (
        "年化利率（单利）",
        "年化利率（内部收益率 IRR）",
        "日利率",
        "借款本金",
        "期数与还款方式",
        "首个还款日",
        "利息合计（按期还款）",
        "本息合计",
        "手续费、服务费、担保费",
        "逾期罚息",
        "收款及扣款银行卡",
        "借款用途",
    ),
    "en": (
        "Annual rate (simple)",
        "Annual rate (IRR)",
        "Daily rate",
        "Principal",
        "Instalments and shape",
        "First due date",
        "Total interest if paid on time",
        "Total to repay",
        "Handling, service and guarantee fees",
        "Penalty interest if overdue",
        "Receiving and debit card",
        "Purpose",
    ),
}

# What a campaign adds, before the total.
CAMPAIGN_LABELS: dict[Language, tuple[str, ...]] = {
    "zh": ("优惠活动", "优惠减免利息（按期还款）", "优惠后利息合计", "优惠后年化利率（内部收益率 IRR）"),
    "en": (
        "Campaign",
        "Interest given back if paid on time",
        "Total interest with the campaign",
        "Annual rate with the campaign (IRR)",
    ),
}
CAMPAIGNS: dict[Language, str] = {"zh": "{}：{}", "en": "{}: {}"}
PENALTIES: dict[Language, str] = {
    "zh": "宽限 {}后，逾期本金按日利率的 {} 倍计息，代替正常利息，不计复利",
    "en": "after {} of grace, {} times the daily rate on principal in arrears instead of it, not compounded",
}
SHAPES: dict[Language, dict[Shape, str]] = {
    "zh": {
        Shape.EQUAL_PRINCIPAL: "{} 期，每月等额本金，按日计息",
        Shape.EQUAL_INSTALMENT: "{} 期，每月等额本息，按日计息",
        Shape.INTEREST_FIRST: "{} 期，每月付息，到期还本，按日计息",
        Shape.BULLET: "{} 个月到期一次还本付息，按日计息",
    },
    "en": {
        Shape.EQUAL_PRINCIPAL: "{} monthly instalments of equal principal, interest by the day",
        Shape.EQUAL_INSTALMENT: "{} equal monthly instalments, interest by the day",
        Shape.INTEREST_FIRST: "{} monthly payments of interest, principal with the last, interest by the day",
        Shape.BULLET: "principal and interest at once after {} months, interest by the day",
    },
}


TOTAL = 7  # the place of the total in LABELS


def content_hash(content: object) -> bytes:
    """Return the SHA-256 of content as canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).digest()


def disclose(
    pack: Pack,
    quote: Quote,
    *,
    disclosure_id: UUID,
    purpose: str,
    card_id: UUID,
    card: str,
    language: Language,
    now: datetime,
) -> Disclosure:
    """Make the disclosure of a quote: annual rate first, then every item of cost; signable after the reading time."""
    content = _content(pack, quote, purpose=purpose, card=card, language=language, now=now)
    return Disclosure(
        disclosure_id=disclosure_id,
        product=pack.product.code,
        terms=quote.terms,
        rules=pack.rules_name(quote.terms.rules.shape),
        funded_within=timedelta(minutes=pack.draw.funded_within_minutes),
        purpose=purpose,
        card_id=card_id,
        content=content,
        content_hash=content_hash(content),
        shown_at=now,
        may_sign_at=now + timedelta(seconds=pack.disclosure.reading_seconds),
        expires_at=now + timedelta(minutes=pack.disclosure.valid_minutes),
        campaign=quote.saving.campaign if quote.saving else None,
    )


def _content(
    pack: Pack, quote: Quote, *, purpose: str, card: str, language: Language, now: datetime
) -> dict[str, object]:
    values = _values(pack, quote, purpose=purpose, card=card, language=language)
    items = list(zip(LABELS[language], values, strict=True))
    items[TOTAL:TOTAL] = _campaign_items(quote, language)
    return {
        "title": TITLES[language],
        "items": [{"label": label, "value": value} for label, value in items],
        "statement": STATEMENTS[language],
        "schedule": [[row.number, row.due_on.isoformat(), row.principal_fen, row.interest_fen] for row in quote.rows],
        "shown_at": now.isoformat(),
    }


def _days(count: int, language: Language) -> str:
    return f"{count} 天" if language == "zh" else f"{count} day{'s' * (count != 1)}"


def _values(pack: Pack, quote: Quote, *, purpose: str, card: str, language: Language) -> tuple[str, ...]:
    """Write the values of LABELS, in their order."""
    terms, named = quote.terms, pack.purpose_named(purpose)
    if named is None:
        raise ValueError(f"a disclosure for the unknown purpose {purpose!r}")
    shape = SHAPES[language][terms.rules.shape].format(terms.instalments)
    return (
        f"{quote.annual_simple_percent}%",
        f"{quote.annual_irr_percent}%",
        f"{percent(terms.rate_e8)}%",
        f"¥{yuan(terms.amount_fen)}",
        shape,
        quote.rows[0].due_on.isoformat(),
        f"¥{yuan(quote.interest_before_fen)}",
        f"¥{yuan(quote.total_fen)}",
        "¥0.00",
        PENALTIES[language].format(
            _days(terms.rules.grace_days, language), f"{Decimal(terms.rules.penalty_e4) / 10_000:f}"
        ),
        card,
        getattr(named.name, language),
    )


def _campaign_items(quote: Quote, language: Language) -> list[tuple[str, str]]:
    """Write what a campaign adds, where the quote has one."""
    saving = quote.saving
    if saving is None:
        return []
    campaign = saving.campaign
    values = (
        CAMPAIGNS[language].format(getattr(campaign.name, language), campaign_words(campaign, language)),
        f"¥{yuan(saving.saved_fen)}",
        f"¥{yuan(quote.interest_fen)}",
        f"{saving.annual_irr_percent}%",
    )
    return list(zip(CAMPAIGN_LABELS[language], values, strict=True))
