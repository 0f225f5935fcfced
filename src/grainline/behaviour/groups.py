"""Groups of events: which events a measure looks at, by kind, scene, tool and what is seen beside other events."""

from dataclasses import dataclass
from enum import IntFlag
from functools import cache

import numpy as np
from numpy.typing import NDArray

from grainline.behaviour.events import KINDS, SCENES, TOOLS, Party

LARGE_FEN = 100_000  # a large purchase or outflow: 1,000 yuan


class Mark(IntFlag):
    """What is seen of an event in itself or beside the same resident's others."""

    NONE = 0
    LARGE = 1  # at least LARGE_FEN
    NIGHT = 2  # between 00:00 and 06:00 in Shanghai
    WITHIN_24H = 4  # money out within 24 hours after money came in the same way
    WITHIN_72H = 8


MARKS = 16


@dataclass(frozen=True)
class Group:
    """Events of some kinds; `scenes` and `tools` narrow them where given, and every mark must be there."""

    name: str
    zh: str
    en: str
    kinds: tuple[str, ...]
    scenes: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    marks: Mark = Mark.NONE


def by_scene(kind: str, words: dict[str, tuple[str, str]]) -> tuple[Group, ...]:
    """Return a group for each scene of a kind, in the order of `words` (scene to Chinese and English)."""
    return tuple(Group(f"{kind}.{scene}", zh, en, (kind,), (scene,)) for scene, (zh, en) in words.items())


@dataclass(frozen=True)
class Vocabulary:
    """What a party's words are coded as: their places in these tuples; the place after the last is null."""

    kinds: tuple[str, ...]
    scenes: tuple[str, ...]
    tools: tuple[str, ...] = TOOLS

    @property
    def codes(self) -> int:
        """Return how many different codes there are."""
        return len(self.kinds) * (len(self.scenes) + 1) * (len(self.tools) + 1) * MARKS

    def code(
        self, kind: NDArray[np.int64], scene: NDArray[np.int64], tool: NDArray[np.int64], marks: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return one number for all that decides which groups an event is in."""
        return ((kind * (len(self.scenes) + 1) + scene) * (len(self.tools) + 1) + tool) * MARKS + marks


@cache
def vocabulary(party: Party) -> Vocabulary:
    """Return the words a party's events are written in."""
    scenes = dict.fromkeys(scene for kind in KINDS[party] for scene in SCENES.get(kind, ()))
    return Vocabulary(KINDS[party], tuple(scenes))


def membership(party: Party, groups: tuple[Group, ...]) -> NDArray[np.bool_]:
    """Return which groups (rows) an event of each code (columns) is in."""
    words = vocabulary(party)
    table = np.zeros((len(groups), words.codes), dtype=np.bool_)
    places = table.reshape(len(groups), len(words.kinds), len(words.scenes) + 1, len(words.tools) + 1, MARKS)
    for row, group in enumerate(groups):
        inside = np.ix_(
            _places(words.kinds, group.kinds),
            _places(words.scenes, group.scenes, all_of=len(words.scenes) + 1),
            _places(words.tools, group.tools, all_of=len(words.tools) + 1),
            [mark for mark in range(MARKS) if mark & group.marks == group.marks],
        )
        places[row][inside] = True
    return table


def _places(words: tuple[str, ...], wanted: tuple[str, ...], *, all_of: int = 0) -> list[int]:
    return [words.index(word) for word in wanted] if wanted or not all_of else list(range(all_of))
