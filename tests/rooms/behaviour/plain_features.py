"""Every feature told a second time, in plain Python on lists of dicts, straight from what the catalogue says.

Nothing here is fast, shares code with the kernel, or knows of rings, blocks and arrays. It reads the definitions
(`Feature`, `Cell`, `Told`) because they are what is asked for; how an answer comes to be is written anew.
"""

import math
import statistics
from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

from grainline.behaviour.families import Cell, Feature, Told
from grainline.behaviour.groups import Group, Mark

SHANGHAI = timezone(timedelta(hours=8))
DAY = timedelta(days=1)
Event = dict[str, object]


def tell(
    events: list[Event], wanted: tuple[Feature, ...], *, as_of: datetime, known_by: datetime
) -> dict[str, float | None]:
    """Return one resident's features."""
    known = sorted(
        (one for one in events if one["at"] < as_of and one["ingested_at"] <= known_by),
        key=lambda one: (one["at"], one["event_id"]),
    )
    mine = {feature.name: feature for feature in wanted}
    found: dict[str, float | None] = {}

    def value(name: str) -> float | None:
        if name not in found:
            of = mine[name].of
            found[name] = _cell(of, known, as_of) if isinstance(of, Cell) else _told(of, value)
        return found[name]

    return {name: value(name) for name in mine}


def _told(of: Told, value) -> float | None:
    over, under = [value(name) for name in of.over], [value(name) for name in of.under]
    if of.way == "variety":
        return sum(1 for part in over if part)
    if of.way == "entropy":
        return _entropy(over) if sum(over) else None
    if None in (over[0], under[0]):
        return None
    if of.way == "ratio":
        return of.scale * over[0] / under[0] if under[0] else None
    return (over[0] - under[0]) / (over[0] + under[0]) if over[0] + under[0] else None


def _cell(of: Cell, known: list[Event], as_of: datetime) -> float | None:
    inside = [one for one in known if _belongs(one, of.group, known)]
    if of.measure.name == "days_since_last":
        return (as_of - inside[-1]["at"]) / DAY if inside else None
    if of.measure.name in ("balance_last", "balance_mean", "balance_min", "balance_max", "held_share"):
        return _balance(of, inside, as_of)
    since = as_of - of.window * DAY
    before = [one for one in inside if one["at"] < since]
    return _measure(of.measure.name, [one for one in inside if one["at"] >= since], before, known)


def _belongs(one: Event, group: Group, known: list[Event]) -> bool:
    if one["kind"] not in group.kinds:
        return False
    if (group.scenes and one["scene"] not in group.scenes) or (group.tools and one["tool"] not in group.tools):
        return False
    if Mark.LARGE in group.marks and (one["amount_fen"] is None or one["amount_fen"] < 1_000_00):
        return False
    if Mark.NIGHT in group.marks and not 0 <= _local(one).hour < 6:
        return False
    for mark, hours in ((Mark.WITHIN_24H, 24), (Mark.WITHIN_72H, 72)):
        if mark in group.marks:
            came = [x for x in known if x["kind"] == one["kind"].replace("_out", "_in") and _order(x) < _order(one)]
            if not came or one["at"] - came[-1]["at"] > timedelta(hours=hours):
                return False
    return True


def _order(one: Event) -> tuple[object, object]:
    return one["at"], one["event_id"]


def _local(one: Event) -> datetime:
    return one["at"].astimezone(SHANGHAI)


def _measure(name: str, inside: list[Event], before: list[Event], known: list[Event]) -> float | None:
    days = [_local(one).date() for one in inside]
    match name:
        case "count":
            return len(inside)
        case "active_days":
            return len(set(days))
        case "active_months":
            return len({(day.year, day.month) for day in days})
        case "night_share":
            return _share([_local(one).hour < 6 for one in inside])
        case "weekend_share":
            return _share([day.weekday() >= 5 for day in days])
        case "hour_entropy":
            return _entropy(list(Counter(_local(one).hour for one in inside).values())) if inside else None
        case "gap_mean" | "gap_cv":
            gaps = [(later["at"] - one["at"]) / DAY for one, later in pairwise(inside)]
            if name == "gap_mean":
                return statistics.fmean(gaps) if gaps else None
            return statistics.stdev(gaps) / statistics.fmean(gaps) if len(gaps) > 1 and sum(gaps) else None
        case "tool_switches":
            return sum(one["tool"] != later["tool"] for one, later in pairwise(inside))
    for column, stem in (("counterparty", "counterparties"), ("place", "places"), ("device", "devices")):
        if name in (stem, f"new_{stem}", f"{column}_entropy", f"top_{column}_share"):
            return _spread(name, column, inside, before)
    return _numbers(name, inside, known)


def _spread(name: str, column: str, inside: list[Event], before: list[Event]) -> float | None:
    seen = Counter(one[column] for one in inside if one[column] is not None)
    if name.startswith("new_"):
        return len(set(seen) - {one[column] for one in before})
    if name.endswith("_entropy"):
        return _entropy(list(seen.values())) if seen else None
    if name.startswith("top_"):
        return max(seen.values()) / seen.total() if seen else None
    return len(seen)


def _numbers(name: str, inside: list[Event], known: list[Event]) -> float | None:
    what, _, how = name.rpartition("_")
    of = {"amount": lambda one: one["amount_fen"], "late": lambda one: one["days_late"],
          "owed": lambda one: one["balance_fen"], "cure": lambda one: _cure(one, known),
          "utilisation": lambda one: _utilisation(one, known)}[what]  # fmt: skip
    values = [of(one) for one in inside if of(one) is not None]
    match how:
        case "sum":
            return sum(values)
        case "share":
            return _share([value > 0 for value in values])
        case "std":
            return statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean, "max": max, "last": lambda all_of: all_of[-1]}[how](values) if values else None


def _account(one: Event, known: list[Event], kind: str) -> list[Event]:
    same = ("scene", "counterparty")
    return [
        x for x in known if x["kind"] == kind and _order(x) < _order(one) and all(x[key] == one[key] for key in same)
    ]


def _cure(one: Event, known: list[Event]) -> float | None:
    fell = _account(one, known, "default")
    return (one["at"] - fell[-1]["at"]) / DAY if one["kind"] == "default_cured" and fell else None


def _utilisation(one: Event, known: list[Event]) -> float | None:
    opened = _account(one, known, "account_opened")
    if not opened or not opened[-1]["amount_fen"] or one["balance_fen"] is None:
        return None
    return one["balance_fen"] / opened[-1]["amount_fen"]


def _balance(of: Cell, inside: list[Event], as_of: datetime) -> float | None:
    steps = [one for one in inside if one["balance_fen"] is not None]
    if not steps:
        return None
    if of.measure.name == "balance_last":
        return steps[-1]["balance_fen"]
    since = as_of - of.window * DAY
    ends = [one["at"] for one in steps[1:]] + [as_of]
    held = [
        (one["balance_fen"], max(timedelta(), end - max(one["at"], since)))
        for one, end in zip(steps, ends, strict=True)
        if end > since
    ]
    match of.measure.name:
        case "balance_min":
            return min(balance for balance, _ in held)
        case "balance_max":
            return max(balance for balance, _ in held)
    spanned = (as_of - max(steps[0]["at"], since)) / DAY
    weigh = (lambda balance: balance) if of.measure.name == "balance_mean" else (lambda balance: balance > 0)
    return sum(weigh(balance) * (lasted / DAY) for balance, lasted in held) / spanned


def _share(truths: list[bool]) -> float | None:
    return sum(truths) / len(truths) if truths else None


def _entropy(counts: list[float]) -> float:
    total = sum(counts)
    return -sum(count / total * math.log2(count / total) for count in counts if count)


def first_instant(day: date) -> datetime:
    """Return the first instant of a day in Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
