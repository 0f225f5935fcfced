"""The definitions hang together: names, words, operands, and enough of each for what it serves."""

import re
from collections import Counter

from grainline.behaviour import FAMILIES, Party, all_features, features
from grainline.behaviour.events import KINDS, SCENES, TOOLS
from grainline.behaviour.families import Cell, Told
from grainline.behaviour.measures import WINDOWS

NAME = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)*")
WANTED = {"B1", "B2", "B3", "B4", "C3", "C4", "C5", "C6"}


def test_there_are_two_thousand_under_names_of_their_own():
    names = [feature.name for feature in all_features()]
    assert len(names) == len(set(names)) >= 2_000
    assert all(NAME.fullmatch(name) for name in names)
    assert "payment.dining.amount_sum.90d" in names


def test_no_feature_says_in_words_what_another_says():
    for meaning in ("meaning_zh", "meaning_en"):
        said = Counter((feature.party, getattr(feature, meaning)) for feature in all_features())
        assert [what for what, times in said.items() if times > 1] == []
    assert all("{" not in feature.meaning_zh + feature.meaning_en for feature in all_features())


def test_each_serves_a_requirement_and_each_requirement_is_served():
    assert {need for feature in all_features() for need in feature.serves} == WANTED
    assert all(feature.serves and set(feature.serves) <= WANTED for feature in all_features())
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_what_is_told_of_features_is_told_of_features_that_are_there():
    for party in Party:
        before: set[str] = set()
        names = {feature.name for feature in features(party) if isinstance(feature.of, Cell)}
        for feature in features(party):
            if isinstance(feature.of, Told):
                assert set(feature.of.over + feature.of.under) <= names, feature.name
            before.add(feature.name)


def test_groups_and_windows_are_known_ones():
    cells = {feature.name: feature for feature in all_features() if isinstance(feature.of, Cell)}
    groups = {}
    for feature in cells.values():
        group = feature.of.group
        assert set(group.kinds) <= set(KINDS[feature.party]), group.name
        assert set(group.scenes) <= {scene for kind in group.kinds for scene in SCENES[kind]} if group.scenes else True
        assert set(group.tools) <= set(TOOLS), group.name
        assert groups.setdefault(group.name, group) == group
        assert not feature.of.measure.windowed or feature.of.window in WINDOWS


def test_every_kind_of_event_counts_for_something():
    for party in Party:
        seen = {kind for feature in features(party) if isinstance(feature.of, Cell) for kind in feature.of.group.kinds}
        assert seen == set(KINDS[party])
