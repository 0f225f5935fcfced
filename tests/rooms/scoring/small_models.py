"""Models small enough to be read: a scorecard of two features, and one of any names."""

from grainline.scoring import Attribute, Characteristic, CreditModel, FeatureSpec, Platt, Scorecard


def card_of_two(name: str = "two", **facts: object) -> CreditModel:
    """Return a scorecard of `used` (a number that may be missing) and `home` (a category)."""
    specs = (
        FeatureSpec("used", low=-10, high=10, missing_allowed=True, dimension="liquidity", reason="high_utilisation"),
        FeatureSpec("home", "category", categories=("own", "rent"), other_allowed=True, dimension="stability"),
    )
    body = Scorecard(
        520,
        (
            Characteristic("used", (Attribute(30), Attribute(0, over=0.3), Attribute(-40, over=0.8)), missing=-10),
            Characteristic("home", (Attribute(10, codes=(0,)), Attribute(-5, codes=(1,))), other=-7),
        ),
    )
    return CreditModel(name, specs, body, Platt(1.0, 0.0), dict(facts))


def card_reading(*features: str) -> CreditModel:
    """Return a scorecard that reads numbers of these names."""
    body = Scorecard(500, tuple(Characteristic(name, (Attribute(0), Attribute(5, over=1.0))) for name in features))
    return CreditModel("any", tuple(FeatureSpec(name) for name in features), body)
