"""All features by party, in a fixed order, and what computing them needs."""

from functools import cache

from grainline.behaviour import bureau, payment, social
from grainline.behaviour.events import Party
from grainline.behaviour.families import Family, Feature, spell_out

FAMILIES: tuple[Family, ...] = (*social.FAMILIES, *payment.FAMILIES, *bureau.FAMILIES)


@cache
def features(party: Party) -> tuple[Feature, ...]:
    """Return a party's features; raise ValueError where a name is given twice."""
    found = tuple(feature for family in FAMILIES if family.party is party for feature in spell_out(family))
    names = [feature.name for feature in found]
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"features defined twice: {', '.join(twice)}")
    return found


def all_features() -> tuple[Feature, ...]:
    """Return the features of all parties."""
    return tuple(feature for party in Party for feature in features(party))


@cache
def features_by_name() -> dict[str, Feature]:
    """Return the features of all parties by their names."""
    return {feature.name: feature for feature in all_features()}
