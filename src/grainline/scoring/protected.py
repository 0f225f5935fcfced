"""What a model may never read of a person, by the names in protected.toml.

A list of names keeps out what is called by its name. It cannot see a proxy: a feature that tells somebody's sex under
another name. For that there is the fairness report.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from grainline.kit.errors import Refusal

_GAP = re.compile(r"[\W_]+")


class ProtectedInput(Refusal):
    """A model has an input that no model may have."""

    code = "protected_input"


def protected_among(features: Iterable[str]) -> list[str]:
    """Return which of these names are of protected attributes, in their order."""
    words, names = _listed()
    found = []
    for feature in features:
        parts = [part for part in _GAP.split(_spaced(feature).lower()) if part]
        if words & set(parts) or " ".join(parts) in names:
            found.append(feature)
    return found


def refuse_protected(features: Iterable[str]) -> None:
    """Raise ProtectedInput where one of these names is of a protected attribute."""
    found = protected_among(features)
    if found:
        raise ProtectedInput(features=", ".join(found))


def _spaced(name: str) -> str:
    """Return camelCase with gaps."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)


@cache
def _listed() -> tuple[frozenset[str], frozenset[str]]:
    told = tomllib.loads(Path(__file__).with_name("protected.toml").read_text(encoding="utf-8"))
    return frozenset(told["words"]), frozenset(told["names"])
