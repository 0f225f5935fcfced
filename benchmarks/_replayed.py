"""Ways up taken again from nothing but what was told: steps, months and amounts, by arithmetic of its own.

It shares neither the search nor its months with the product: the six months are lists here, and features are made by
the portfolio's way of many people at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from grainline.products.profile import Profile
from grainline.scoring import Portfolio
from grainline.scoring.features import features_of
from grainline.underwriting.deciding import Artefacts, Inputs, Outcome, decide_on
from grainline.underwriting.pricing import Means
from grainline.underwriting.way_up import Way

Told = Sequence[tuple[str, int, int]]  # step, months, yuan


def told(way: Way) -> list[tuple[str, int, int]]:
    """Return what a person is told to do: step, months, whole yuan."""
    return [(str(one.step), one.months, one.amount_fen // 100) for one in way.changes]


def taken_again(artefacts: Artefacts, profile: Profile, inputs: Inputs, card: Mapping[str, int], do: Told) -> Outcome:
    """Return what is decided on a person who did as they were told."""
    lists = {stem: [card[f"{stem}_{n}"] for n in range(1, 7)] for stem in ("status", "bill", "paid")}
    facts = dict(inputs.facts)
    for step, months, yuan in do:
        _live(lists, step, months, yuan)
        if step == "settle_elsewhere":
            facts["overdue_elsewhere"] = "no"
        elif step == "repay_elsewhere":
            facts["owed_all_fen"] = int(facts["owed_all_fen"]) - yuan * 100
        elif step in {"settle_here", "give_consent"}:
            facts |= {"overdue_here": False} if step == "settle_here" else {"consent": True}
    figures = {f"{stem}_{n}": [value] for stem, values in lists.items() for n, value in enumerate(values, 1)}
    frame = pl.DataFrame({"card_limit": [card["card_limit"]], "education": [card["education"]], **figures})
    middle = sorted(lists["paid"])
    carried = min(card["card_limit"] * 100, card["card_limit"] * 50 + 300 * (middle[2] + middle[3]))
    room = max(0, profile.borrower_max_fen - int(facts["owed_all_fen"]))
    features = features_of(Portfolio(frame)).row(0, named=True)
    return decide_on(artefacts, replace(inputs, facts=facts, features=features, means=Means(carried, room)))


def _live(lists: dict[str, list[int]], step: str, months: int, yuan: int) -> None:
    """Let months pass as a step says: each new one is put first, and the last falls out."""
    start = lists["bill"][0]
    for month in range(1, months + 1):
        last = lists["bill"][0]
        match step:
            case "pay_in_full":
                bill, paid, status = yuan, max(0, last), -1
            case "pay_on_time":
                bill, paid, status = start, yuan, 0
            case "pay_down":
                bill = start - (start - yuan) * month // months
                paid, status = last - bill, (0 if bill > 0 else -1)
            case _:
                raise ValueError(step)
        for stem, value in (("bill", bill), ("paid", paid), ("status", status)):
            lists[stem] = [value, *lists[stem][:5]]
