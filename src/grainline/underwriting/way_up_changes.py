"""Changes within a person's reach, and what a decision's inputs would be after them.

A month that is to come shifts into the six months of card figures, and the oldest falls out; what was, stays as it was
told. Of the card only what its holder does is changed: what is paid, when, and how much is used. The rest of the card,
and everything a person is, stays: limit, schooling, age. Amounts of the card are whole yuan, told ones fen.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from grainline.products.profile import Profile
from grainline.scoring import features_of_card
from grainline.underwriting.decide import capacity_fen
from grainline.underwriting.deciding import Inputs

MONTHS = range(1, 7)
FEN = 100
PAID_IN_FULL, PAID_IN_PART = -1, 0

Card = Mapping[str, int]


class Step(StrEnum):
    """What a person can do. The first four fill coming months of the card; the others change a fact.

    pay_in_full: pay each bill whole, and use about the amount a month. pay_on_time: pay the amount each month, and use
    as much. pay_down: bring the bill down to the amount in equal parts, without new use. repay_elsewhere: repay the
    amount to other lenders. settle_elsewhere, settle_here: pay what is late. give_consent: the ones that are required.
    """

    PAY_IN_FULL = "pay_in_full"
    PAY_ON_TIME = "pay_on_time"
    PAY_DOWN = "pay_down"
    REPAY_ELSEWHERE = "repay_elsewhere"
    SETTLE_ELSEWHERE = "settle_elsewhere"
    SETTLE_HERE = "settle_here"
    GIVE_CONSENT = "give_consent"


@dataclass(frozen=True)
class Change:
    """One step for so many months, with its amount in fen; 0 where it has none."""

    step: Step
    months: int = 0
    amount_fen: int = 0


@dataclass(frozen=True)
class Situation:
    """Where a person is: inputs of a decision, the card they rest on, the profile that caps what is owed."""

    inputs: Inputs
    card: Card
    profile: Profile

    def after(self, changes: Iterable[Change]) -> Inputs:
        """Return the inputs after changes, in their order."""
        facts, card = dict(self.inputs.facts), dict(self.card)
        for change in changes:
            facts = _facts_after(facts, change)
            for paid, bill, status in _months(change, bill=card["bill_1"]):
                card = rolled(card, paid=paid, bill=bill, status=status)
        means = self.inputs.means
        assert means is not None  # noqa: S101  # where there is a card there are means
        carried = capacity_fen(card["card_limit"] * FEN, [card[f"paid_{month}"] * FEN for month in MONTHS])
        return replace(
            self.inputs,
            facts=facts,
            features=dict(features_of_card(card)),
            means=replace(means, capacity_fen=carried, room_fen=self._room_fen(means.room_fen, facts)),
        )

    def _room_fen(self, before: int | None, after: Mapping[str, int | bool | str]) -> int | None:
        """Return the room that a decision would count: what it counted, and what is repaid on top.

        It counts other lines here in full and not what is drawn on its own line, so it is not the cap less what is
        owed. Where no room was left, nobody wrote down by how much it was missed; what is owed tells it at best.
        """
        owed = int(after["owed_all_fen"])
        repaid = int(self.inputs.facts["owed_all_fen"]) - owed
        if before is None or before > 0 or repaid <= 0:
            return before if before is None else max(0, before + repaid)
        by_lines_here = owed + repaid < self.profile.borrower_max_fen
        return 0 if by_lines_here else min(repaid, self.profile.room_fen(owed))


def rolled(card: Card, *, paid: int, bill: int, status: int) -> dict[str, int]:
    """Return a card's figures a month on: the new month is the first, the sixth is forgotten."""
    older = {f"{stem}_{n + 1}": card[f"{stem}_{n}"] for stem in ("status", "bill", "paid") for n in MONTHS[:-1]}
    return {**card, **older, "status_1": status, "bill_1": bill, "paid_1": paid}


def _months(change: Change, *, bill: int) -> Iterator[tuple[int, int, int]]:
    """Yield what is paid, the bill and the status of each coming month; `bill` is the latest one."""
    amount, owed = change.amount_fen // FEN, max(0, bill)
    match change.step:
        case Step.PAY_IN_FULL:
            for month in range(change.months):
                yield (owed if month == 0 else amount), amount, PAID_IN_FULL
        case Step.PAY_ON_TIME:
            for _ in range(change.months):
                yield amount, bill, PAID_IN_PART
        case Step.PAY_DOWN:
            before = bill
            for month in range(1, change.months + 1):
                left = bill - (bill - amount) * month // change.months
                yield before - left, left, PAID_IN_PART if left > 0 else PAID_IN_FULL
                before = left
        case _:
            return


def _facts_after(facts: dict[str, int | bool | str], change: Change) -> dict[str, int | bool | str]:
    match change.step:
        case Step.REPAY_ELSEWHERE:
            return {**facts, "owed_all_fen": max(0, int(facts["owed_all_fen"]) - change.amount_fen)}
        case Step.SETTLE_ELSEWHERE:
            return {**facts, "overdue_elsewhere": "no"}
        case Step.SETTLE_HERE:
            return {**facts, "overdue_here": False}
        case Step.GIVE_CONSENT:
            return {**facts, "consent": True}
        case _:
            return facts
