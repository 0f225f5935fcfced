"""docs/features.md is what the code defines, and every feature is on it."""

import re
from pathlib import Path

from grainline.behaviour import all_features
from grainline.behaviour.catalogue import page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "features.md"
ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)


def spelled_out(name: str) -> list[str]:
    """Return the names that one row stands for."""
    found = re.fullmatch(r"(.*)\{([^}]*)\}(.*)", name)
    return [f"{found[1]}{window}{found[3]}" for window in found[2].split(",")] if found else [name]


def test_the_page_is_what_the_code_defines():
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(), "run grainline features catalogue --out docs/features.md, and read what changed"


def test_every_feature_is_on_the_page_once():
    listed = [name for row in ROW.findall(page()) for name in spelled_out(row)]
    assert sorted(listed) == sorted(feature.name for feature in all_features())
