"""The few changes that would move a person's total most, each verified by scoring the person anew (B1–B4, H1)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grainline.invitation.points import score
from grainline.invitation.policy import Item, Policy

MOST = 3
WORTHWHILE_E4 = 1_000  # of an item's points

ADVICE: dict[str, dict[str, str]] = {
    "stay_in_touch": {"zh": "保持适度的日常社交联系", "en": "Keep in touch with people in a moderate way"},
    "join_groups": {"zh": "适度参与群聊互动", "en": "Take part in group chats now and then"},
    "keep_hours": {"zh": "保持规律作息，减少深夜活动", "en": "Keep regular hours, with less going on at night"},
    "pay_in_app": {"zh": "日常消费多用本应用支付", "en": "Pay everyday purchases in the app"},
    "vary_scenes": {
        "zh": "在更多场景使用支付，如餐饮、出行、缴费",
        "en": "Pay in more scenes, such as dining, travel and bills",
    },
    "balance_red_packets": {"zh": "红包有收有发，保持大致平衡", "en": "Give about as many red packets as you receive"},
    "borrow_less_elsewhere": {"zh": "减少在其他机构的借款和查询", "en": "Borrow and enquire less with other lenders"},
    "pay_bills_on_time": {"zh": "按时缴纳水电燃气等账单", "en": "Pay utility bills on time"},
    "hold_savings": {"zh": "在零钱通保持稳定余额", "en": "Hold a steady balance in the money-market account"},
    "keep_savings_longer": {"zh": "资金转入零钱通后多留存一段时间", "en": "Leave money longer after you put it aside"},
    "invest_steadily": {"zh": "稳健配置理财产品", "en": "Invest steadily in wealth products"},
    "pay_cards_on_time": {"zh": "按时还清信用卡和贷款账单", "en": "Pay card and loan bills on time"},
}


@dataclass(frozen=True)
class Change:
    """A change of one feature, and how many points (10⁻²) the total would rise with it; the value may not be known."""

    advice: str
    feature: str
    value: float | None
    wanted: float
    gain_e2: int


def advise(
    policy: Policy, values: Sequence[float | None], *, social: bool, supplement_e2: int, most: int = MOST
) -> list[Change]:
    """Return up to so many changes, the one with the greatest gain first, at most one of each advice.

    `values` are the items' in the policy's order. A change takes a feature to the nearest knot of its curve that is
    worth a tenth of the item's points more, or to the best one where none is, and not to the far end of it.
    """
    known = np.array([[float("nan") if value is None else value for value in values]])
    wanted = [_next_knot(item, value) for item, value in zip(policy.item, values, strict=True)]
    places = [place for place, value in enumerate(wanted) if value is not None and policy.item[place].advice]
    changed = np.repeat(known, len(places) + 1, axis=0)
    for row, place in enumerate(places):
        changed[row, place] = wanted[place]
    people = np.full(len(changed), social)
    totals = score(policy, changed, social=people, supplement_e2=np.full(len(changed), supplement_e2)).total
    found = [
        Change(str(policy.item[place].advice), policy.item[place].feature, values[place], float(value), int(gain))
        for place, gain, value in zip(
            places, totals[:-1] - totals[-1], changed[range(len(places)), places], strict=True
        )
        if gain > 0
    ]
    best: dict[str, Change] = {}
    for change in sorted(found, key=lambda change: -change.gain_e2):
        best.setdefault(change.advice, change)
    return list(best.values())[:most]


def _next_knot(item: Item, value: float | None) -> float | None:
    """Return the nearest value of the curve that is worth WORTHWHILE more, else the best; None at the best."""
    at, shares = zip(*item.curve, strict=True)
    if value is None:
        worth, near = float(item.missing), sorted(zip(at, shares, strict=True), key=lambda knot: knot[1])
    else:
        seen = abs(value) if item.of == "distance" else value
        worth, near = (
            float(np.interp(seen, at, shares)),
            sorted(zip(at, shares, strict=True), key=lambda k: abs(k[0] - seen)),
        )
    better = [knot for knot, share in near if share >= worth + WORTHWHILE_E4] or [
        knot for knot, share in near if share > worth and share == max(shares)
    ]
    knot = float(better[0]) if better else None
    # a distance is shortened or lengthened on the side on which it is
    return -knot if knot is not None and value is not None and item.of == "distance" and value < 0 else knot
