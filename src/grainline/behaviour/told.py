"""Features that are told from finished features: shares, trends, balances and mixes."""

from functools import lru_cache

import numpy as np

from grainline.behaviour.columns import Floats, Integers
from grainline.behaviour.events import Party
from grainline.behaviour.families import Told, Way
from grainline.behaviour.features import features


def tell_all(party: Party, names: tuple[str, ...], found: Floats) -> None:
    """Write every told feature's row of `found` (feature, resident), which `names` names, from the rows it needs."""
    for way, rows, over, under, scale in _told(party, names):
        part = found[over[:, 0]] if over.shape[1] == 1 else found[over]
        match way:
            case Way.RATIO:
                found[rows] = _divided(part * scale[:, None], found[under])
            case Way.BALANCE:
                other = found[under]
                found[rows] = _divided(part - other, part + other)
            case Way.ENTROPY:
                found[rows] = _entropy(part)
            case Way.VARIETY:
                found[rows] = (part > 0).sum(axis=1)


def _divided(part: Floats, whole: Floats) -> Floats:
    found: Floats = np.full(part.shape, np.nan)
    np.divide(part, whole, out=found, where=whole != 0)
    return found


def _entropy(parts: Floats) -> Floats:
    """Return the entropy in bits of the shares along the second axis, NaN where all are nought."""
    total = np.zeros((len(parts), parts.shape[2]))
    for place in range(parts.shape[1]):  # one by one: sums of an axis are made in an order that depends on its shape
        total += parts[:, place]
    found = np.where(total > 0, 0.0, np.nan)
    for place in range(parts.shape[1]):
        share = _divided(parts[:, place], total)
        found -= np.where(parts[:, place] > 0, share * np.log2(np.where(parts[:, place] > 0, share, 1)), 0)
    return np.maximum(found, 0)


@lru_cache(64)
def _told(party: Party, names: tuple[str, ...]) -> tuple[tuple[Way, Integers, Integers, Integers, Floats], ...]:
    """Return for each way and number of parts: rows to write, rows of `over` and of `under`, scales."""
    row = {name: place for place, name in enumerate(names)}
    known = [one for one in features(party) if one.name in row]  # in the order of `names`, which is the party's
    kinds: dict[tuple[Way, int], list[tuple[int, Told]]] = {}
    for place, one in enumerate(known):
        if isinstance(one.of, Told):
            kinds.setdefault((one.of.way, len(one.of.over)), []).append((place, one.of))
    return tuple(
        (
            way,
            np.array([place for place, _ in told]),
            np.array([[row[name] for name in one.over] for _, one in told]),
            np.array([row[name] for _, one in told for name in one.under], dtype=np.int64),
            np.array([one.scale for _, one in told]),
        )
        for (way, _), told in kinds.items()
    )
