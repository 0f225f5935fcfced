"""A way up: up to three changes within a person's reach after which the same decision comes out better.

Every way is taken through `decide_on` with the decision's own artefacts before it is offered, so what is told is what
the rules and models said, all else as it was. Counterfactual explanations in the sense of Wachter, Mittelstadt &
Russell (2018, Harvard JOLT 31(2)), restricted to what can be acted on as Ustun, Spangher & Liu (2019, *Actionable
recourse in linear classification*, FAT*) ask: only `Step`s are tried, so never age, sex, birthplace or schooling.

What is late, and what is above the cap, must be put right first; then single steps on the card are tried. The months
and the amount of each are halved towards the smallest that still does it. Nothing says that more of a step never
makes it worse, so this is a small change that works, not always the smallest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from grainline.scoring import FeatureMissing, FeatureOutOfRange
from grainline.underwriting.deciding import Artefacts, Outcome, Verdict, decide_on
from grainline.underwriting.way_up_changes import FEN, MONTHS, Change, Situation, Step

WAYS_MOST = 3
CALLS_MOST = 60
MONTHS_MOST = 6
# A payment is within reach up to twice the largest of the last six months, or a fifth of the card's limit.
REACH_TIMES, REACH_SHARE = 2, 5
# A card's smallest payment is a tenth of its bill.
SMALLEST_SHARE = 10
# A line is larger, or a rate lower, by at least a tenth: less is not worth the trouble.
WORTH_SHARE = 10
ROUND_YUAN = 100
EIGHTHS = tuple(range(1, 9))
# Of a card's limit: so much is used, and paid whole, each month.
SHARES_USED = (20, 5, 2)

_KNOCKED: tuple[tuple[str, int | bool | str, Step], ...] = (
    ("consent", False, Step.GIVE_CONSENT),
    ("overdue_here", True, Step.SETTLE_HERE),
    ("overdue_elsewhere", "yes", Step.SETTLE_ELSEWHERE),
)


@dataclass(frozen=True)
class Way:
    """Changes to be made together, and what the decision would then be; fen, and 10⁻⁸ a day."""

    changes: tuple[Change, ...]
    result: Verdict
    line_fen: int
    rate_e8: int

    @property
    def months(self) -> int:
        """Return after how many months it is done."""
        return sum(change.months for change in self.changes)


@dataclass
class Search:
    """One person's search: the decision it starts from, and how many decisions it may still take."""

    artefacts: Artefacts
    situation: Situation
    outcome: Outcome
    owed_elsewhere_fen: int
    calls: int = 0
    found: list[Way] = field(default_factory=list)

    def try_(self, changes: tuple[Change, ...]) -> Way | None:
        """Take the decision again after changes; the way, where it can be taken and comes out better."""
        if self.calls >= CALLS_MOST:
            return None
        self.calls += 1
        try:
            came = decide_on(self.artefacts, self.situation.after(changes))
        except (FeatureMissing, FeatureOutOfRange):
            return None  # a card that the model was not made for is no way
        return Way(changes, came.result, came.line_fen, came.rate_e8) if better(came, self.outcome) else None


def ways_up(
    artefacts: Artefacts, situation: Situation, outcome: Outcome, *, owed_elsewhere_fen: int
) -> tuple[Way, ...]:
    """Return the ways, those of fewer changes, fewer months and less money first, each beginning differently.

    None where there is no card to change, where somebody is outside of what the law allows, and where nothing helps.
    Raises RuleInputMissing and RuleInputInvalid as `decide_on` does.
    """
    return searched(artefacts, situation, outcome, owed_elsewhere_fen=owed_elsewhere_fen)[0]


def searched(
    artefacts: Artefacts, situation: Situation, outcome: Outcome, *, owed_elsewhere_fen: int
) -> tuple[tuple[Way, ...], int]:
    """Return what `ways_up` returns, and how many decisions were taken for it, at most `CALLS_MOST`."""
    # shadows are only listened to: nothing in an outcome that counts here depends on them
    search = Search(replace(artefacts, shadows={}), situation, outcome, owed_elsewhere_fen)
    first = _fixes(search)
    if first and (way := search.try_(first)):
        search.found.append(way)
    for family in _families(search):
        if (way := _smallest(search, first, family)) is not None:
            search.found.append(way)
    by_kind: dict[tuple[Step, ...], Way] = {}
    for way in sorted(search.found, key=lambda way: (len(way.changes), way.months, _money(way))):
        # what asks for all that another way does, and more, must bring more
        lesser = (one for one in by_kind.values() if set(one.changes) < set(way.changes))
        if all(_worth(way, one) for one in lesser):
            by_kind.setdefault(tuple(change.step for change in way.changes), way)
    return tuple(by_kind.values())[:WAYS_MOST], search.calls


def better(came: Outcome, was: Outcome) -> bool:
    """Tell whether an outcome is approved where the other was not, or a better offer by at least a tenth."""
    if came.result is not Verdict.APPROVED:
        return False
    if was.result is not Verdict.APPROVED:
        return True
    return _worth(came, was)


def _worth(came: Outcome | Way, was: Outcome | Way) -> bool:
    larger = came.line_fen * WORTH_SHARE >= was.line_fen * (WORTH_SHARE + 1)
    cheaper = came.rate_e8 * WORTH_SHARE <= was.rate_e8 * (WORTH_SHARE - 1)
    return (larger and came.rate_e8 <= was.rate_e8) or (cheaper and came.line_fen >= was.line_fen)


def _fixes(search: Search) -> tuple[Change, ...]:
    """Return what must be put right before anything on the card can count."""
    facts = search.situation.inputs.facts
    fixes = [Change(step) for name, value, step in _KNOCKED if facts.get(name) == value]
    missing = _missing_room(search)
    if missing > 0:
        amount = _up(missing)
        if amount <= search.owed_elsewhere_fen:
            fixes.append(Change(Step.REPAY_ELSEWHERE, amount_fen=amount))
    return tuple(fixes)


def _missing_room(search: Search) -> int:
    """Return what must be repaid in fen before the smallest line fits, and what is owed is not above the cap."""
    inputs, least = search.situation.inputs, search.artefacts.pack.line.min_fen
    above = int(inputs.facts["owed_all_fen"]) - search.situation.profile.borrower_max_fen
    room = inputs.means.room_fen if inputs.means else None
    return above + least if not room else max(above, least - room)


@dataclass(frozen=True)
class Family:
    """Changes that differ in months, or in how far they go: `of(months, far)` with `far` in eighths."""

    of: Callable[[int, int], Change]
    months: tuple[int, ...]
    far: tuple[int, ...] = (8,)


def _families(search: Search) -> Iterator[Family]:
    """Yield what can be tried on this card, within reach."""
    card, every = search.situation.card, tuple(range(1, MONTHS_MOST + 1))
    limit, bill = card["card_limit"], max(0, card["bill_1"])
    reach = max(REACH_TIMES * max(card[f"paid_{month}"] for month in MONTHS), limit // REACH_SHARE)
    if ROUND_YUAN <= bill <= reach:
        yield Family(partial(_in_full, bill), every)
    smallest = _round(-(-bill // SMALLEST_SHARE))
    most = min(reach, bill - 1) // ROUND_YUAN * ROUND_YUAN
    if ROUND_YUAN <= smallest <= most:
        yield Family(partial(_on_time, smallest, smallest), every)
    if smallest < most:
        yield Family(partial(_on_time, smallest, most), (3, 6), EIGHTHS)
    for months in (1, 3, 6):
        target = max(0, bill - months * reach)
        if bill - target > max(ROUND_YUAN, months * smallest):
            yield Family(partial(_down, bill, target), (months,), EIGHTHS)
    for share in SHARES_USED:
        used = _round(limit // share)
        if max(used, bill) <= reach and abs(used - bill) > ROUND_YUAN:
            yield Family(partial(_in_full, used), every)


def _in_full(used: int, months: int, _far: int) -> Change:
    return Change(Step.PAY_IN_FULL, months, used * FEN)


def _on_time(least: int, most: int, months: int, far: int) -> Change:
    return Change(Step.PAY_ON_TIME, months, min(most, _round(least + (most - least) * far // 8)) * FEN)


def _down(bill: int, target: int, months: int, far: int) -> Change:
    left = (bill - (bill - target) * far // 8) // ROUND_YUAN * ROUND_YUAN
    return Change(Step.PAY_DOWN, months, left * FEN)


def _smallest(search: Search, first: tuple[Change, ...], family: Family) -> Way | None:
    """Return a way of a family: the longest and farthest is tried, then halved while it still does it."""
    best = search.try_((*first, family.of(family.months[-1], family.far[-1])))
    if best is None:
        return None
    months, best = _halved(family.months, best, lambda n: search.try_((*first, family.of(n, family.far[-1]))))
    _, best = _halved(family.far, best, lambda far: search.try_((*first, family.of(months, far))))
    return best


def _halved(steps: tuple[int, ...], best: Way, take: Callable[[int], Way | None]) -> tuple[int, Way]:
    """Return the smallest step that was found to do it, and its way; the last step is known to."""
    low, high = 0, len(steps) - 1
    while low < high:
        middle = (low + high) // 2
        way = take(steps[middle])
        if way is None:
            low = middle + 1
        else:
            high, best = middle, way
    return steps[high], best


def _money(way: Way) -> int:
    """Return about how much money a way moves in fen, to rank by."""
    return sum(change.amount_fen * max(1, change.months) for change in way.changes)


def _round(yuan: int) -> int:
    """Return a whole hundred yuan, rounded up."""
    return -(-yuan // ROUND_YUAN) * ROUND_YUAN


def _up(fen: int) -> int:
    return _round(-(-fen // FEN)) * FEN
