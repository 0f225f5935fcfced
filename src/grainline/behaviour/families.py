"""What a family of features is, and the features it spells out: each has one name, one meaning and one definition.

A cell feature is `group.measure` or `group.measure.90d`. The others are told from finished features: a share of a
group in a whole, a trend between two windows, a mix over groups, or a ratio that is written out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from grainline.behaviour.events import Party
from grainline.behaviour.groups import Group
from grainline.behaviour.measures import Measure, Unit


@dataclass(frozen=True)
class Cell:
    """A measure of a group's events within a window of days, or of all of them."""

    group: Group
    measure: Measure
    window: int | None


class Way(StrEnum):
    """How a feature is told from others: `over` and `under` are sums of features, null where a part is null."""

    RATIO = "ratio"  # scale x over / under; null where under is nought
    BALANCE = "balance"  # (over - under) / (over + under); null where both are nought
    ENTROPY = "entropy"  # of the shares of `over`, in bits; null where all are nought
    VARIETY = "variety"  # how many of `over` are above nought


@dataclass(frozen=True)
class Told:
    """A feature told from the features named in `over` and `under`."""

    way: Way
    over: tuple[str, ...]
    under: tuple[str, ...] = ()
    scale: float = 1.0


@dataclass(frozen=True)
class Feature:
    """One figure about a resident. Its value is a 64-bit float or null, in `unit`; `serves` are requirements' ids.

    `windows` are days; a trend has two. What `zh` and `en` say does not name them; `meaning_zh` and `meaning_en` do.
    """

    stem: str
    party: Party
    family: str
    windows: tuple[int, ...]
    unit: Unit
    zh: str
    en: str
    serves: tuple[str, ...]
    of: Cell | Told

    @property
    def name(self) -> str:
        """Return the stable name: the stem, and the windows where there are any."""
        return named(self.stem, self.windows)

    @property
    def meaning_zh(self) -> str:
        """Return the meaning in Chinese."""
        return "、".join(f"近{window}天" for window in self.windows) + self.zh

    @property
    def meaning_en(self) -> str:
        """Return the meaning in English."""
        return self.en + (f", last {' and '.join(map(str, self.windows))} days" if self.windows else "")


@dataclass(frozen=True)
class Cells:
    """Every measure of every group in every window."""

    groups: tuple[Group, ...]
    measures: tuple[Measure, ...]
    windows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Shares:
    """What part each group has in a whole, by each measure."""

    groups: tuple[Group, ...]
    whole: Group
    measures: tuple[Measure, ...]
    windows: tuple[int, ...]


@dataclass(frozen=True)
class Trends:
    """A short window over a long one, by the day where the measure adds up over days: above 1 is growing."""

    groups: tuple[Group, ...]
    measures: tuple[Measure, ...]
    spans: tuple[tuple[int, int], ...] = ((30, 180), (90, 360))


@dataclass(frozen=True)
class Mix:
    """How evenly, and over how many groups, a measure spreads."""

    name: str
    zh: str
    en: str
    groups: tuple[Group, ...]
    measure: Measure
    windows: tuple[int, ...]


@dataclass(frozen=True)
class Ratio:
    """One group's measure held against another's: `way` is RATIO or BALANCE. `by_days` makes an inflow a daily one."""

    name: str
    zh: str
    en: str
    over: tuple[Group, Measure]
    under: tuple[Group, Measure]
    windows: tuple[int, ...]
    way: Way = Way.RATIO
    unit: Unit = Unit.RATIO
    by_days: bool = False


Part = Cells | Shares | Trends | Mix | Ratio


@dataclass(frozen=True)
class Family:
    """Features that belong together: of one party, serving the same requirements."""

    name: str
    party: Party
    zh: str
    en: str
    serves: tuple[str, ...]
    parts: tuple[Part, ...]


def named(stem: str, windows: tuple[int, ...]) -> str:
    """Return a feature's name."""
    return ".".join((stem, "_".join(f"{window}d" for window in windows))) if windows else stem


def name_of(group: Group, measure: Measure, window: int) -> str:
    """Return the name of a measure of a group; a window says nothing where the measure has none."""
    return named(f"{group.name}.{measure.name}", (window,) if measure.windowed else ())


def spell_out(family: Family) -> Iterator[Feature]:
    """Yield the features of a family, in the order of their definition."""
    for part in family.parts:
        match part:
            case Cells():
                yield from _cells(family, part)
            case Shares():
                yield from _shares(family, part)
            case Trends():
                yield from _trends(family, part)
            case Mix():
                yield from _mix(family, part)
            case Ratio():
                yield from _ratio(family, part)


def _cells(family: Family, part: Cells) -> Iterator[Feature]:
    for group in part.groups:
        for measure in part.measures:
            stem = f"{group.name}.{measure.name}"
            for window in part.windows if measure.windowed else (None,):
                windows = () if window is None else (window,)
                of = Cell(group, measure, window)
                yield _feature(family, stem, windows, measure.unit, _words(group, measure), of)


def _shares(family: Family, part: Shares) -> Iterator[Feature]:
    for group in part.groups:
        for measure in part.measures:
            zh, en = _words(group, measure)
            words = f"{zh}占{part.whole.zh}的比例", f"{en}, as a share of {part.whole.en}"
            for window in part.windows:
                told = Told(Way.RATIO, (name_of(group, measure, window),), (name_of(part.whole, measure, window),))
                yield _feature(family, f"{group.name}.{measure.name}_share", (window,), Unit.SHARE, words, told)


def _trends(family: Family, part: Trends) -> Iterator[Feature]:
    for group in part.groups:
        for measure in part.measures:
            zh, en = _words(group, measure)
            words, scales = _TREND_WORDS[measure.adds_up]
            for short, long in part.spans:
                over, under = (name_of(group, measure, window) for window in (short, long))
                told = Told(Way.RATIO, (over,), (under,), long / short if scales else 1.0)
                meant = words[0].format(zh), words[1].format(en)
                yield _feature(family, f"{group.name}.{measure.name}_trend", (short, long), Unit.RATIO, meant, told)


# What adds up over days is compared by the day, what does not as it is.
_TREND_WORDS = {
    True: (("{}的日均值之比", "{}: by the day, the short window over the long one"), True),
    False: (("{}之比", "{}: the short window over the long one"), False),
}


def _mix(family: Family, part: Mix) -> Iterator[Feature]:
    for window in part.windows:
        over = tuple(name_of(group, part.measure, window) for group in part.groups)
        for way, unit, words in (
            (Way.ENTROPY, Unit.BIT, (f"{part.zh}分布熵", f"entropy over {part.en}")),
            (Way.VARIETY, Unit.COUNT, (f"{part.zh}种类数", f"how many different {part.en}")),
        ):
            yield _feature(family, f"{part.name}_{way}", (window,), unit, words, Told(way, over))


def _ratio(family: Family, part: Ratio) -> Iterator[Feature]:
    for window in part.windows:
        over, under = name_of(*part.over, window), name_of(*part.under, window)
        told = Told(part.way, (over,), (under,), float(window) if part.by_days else 1.0)
        yield _feature(family, part.name, (window,), part.unit, (part.zh, part.en), told)


def _words(group: Group, measure: Measure) -> tuple[str, str]:
    return measure.zh.format(group.zh), measure.en.format(group.en)


def _feature(
    family: Family, stem: str, windows: tuple[int, ...], unit: Unit, words: tuple[str, str], of: Cell | Told
) -> Feature:
    zh, en = words
    return Feature(stem, family.party, family.name, windows, unit, zh, en[0].upper() + en[1:], family.serves, of)
