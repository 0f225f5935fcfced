"""The pure decision: what follows from what, and that nothing falls into a branch that was not meant."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from deciding_stage import models
from grainline.entry.shipped_rules import shipped_rules
from grainline.products import load_pack
from grainline.scoring import FeatureMissing, FeatureOutOfRange, Loaded, features_of_card
from grainline.underwriting.deciding import Artefacts, Inputs, Occasion, Outcome, Verdict, decide_on
from grainline.underwriting.pricing import Means
from grainline.underwriting.rules import RuleInputInvalid, RuleInputMissing

PACKS = Path(__file__).resolve().parents[3] / "packs"
GOOD = {
    **{f"status_{month}": -1 for month in range(1, 7)},
    **{f"bill_{month}": 20_000 for month in range(1, 7)},
    **{f"paid_{month}": 20_000 for month in range(1, 7)},
    "card_limit": 400_000,
    "education": 1,
}
FACTS: dict[str, int | bool | str] = {
    "invited": True,
    "age": 35,
    "student": "no",
    "identity_verified": True,
    "consent": True,
    "bureau": "answered",
    "negative_list": False,
    "overdue_here": False,
    "overdue_elsewhere": "no",
    "owed_all_fen": 2_000_000,
    "purpose": "unstated",
}


@cache
def artefacts(product: str = "weilidai") -> Artefacts:
    """The shipped pack and rules, the small models: the scorecard decides, the trees are the second opinion."""
    pack = load_pack(PACKS / f"{product}.toml")
    champion, challenger = models()
    return Artefacts(pack, shipped_rules(pack), Loaded(champion), Loaded(challenger), {"s": Loaded(challenger)})


def inputs(product: str = "weilidai", **changed: object) -> Inputs:
    """Somebody who pays in full each month; what is changed is a fact, or a field of the inputs."""
    facts = {**FACTS, **{name: value for name, value in changed.items() if name in FACTS}}
    return Inputs(
        product=product,
        occasion=Occasion.APPLICATION,
        as_of="2026-11-02T04:00:00+00:00",
        facts=facts,  # type: ignore[arg-type]
        features=dict(features_of_card(GOOD)),
        means=Means(20_000_000, room_fen=40_000_000),
        sources={},
        role="champion",
        model="m",
        second="c",
        shadows=("s",),
        rules="r",
        pack="p",
    )


def test_who_pays_in_full_is_approved_with_a_line_a_rate_and_reasons() -> None:
    found = decide_on(artefacts(), inputs())
    assert found.result is Verdict.APPROVED
    pack = artefacts().pack
    tier = pack.tier_named(found.tier or "")
    assert tier.line_min_fen <= found.line_fen <= min(tier.line_max_fen, 20_000_000)
    assert tier.rate_min_e8 <= found.rate_e8 <= tier.rate_max_e8
    assert found.offer_reasons
    assert found.second_pd_e6 == found.shadow_pds_e6["s"]
    assert found.points is not None


@pytest.mark.parametrize(
    ("fact", "value", "reason"),
    [
        ("age", 17, "minor"),
        ("student", "yes", "student"),
        ("invited", False, "not_invited"),
        ("identity_verified", False, "identity_not_verified"),
        ("consent", False, "consent_missing"),
        ("negative_list", True, "negative_list"),
        ("overdue_here", True, "overdue_here"),
        ("overdue_elsewhere", "yes", "overdue_elsewhere"),
        ("owed_all_fen", 60_000_000, "owed_above_cap"),
        ("purpose", "gambling", "purpose_forbidden"),
    ],
)
def test_a_knock_out_declines_whatever_the_score(fact: str, value: object, reason: str) -> None:
    found = decide_on(artefacts(), inputs(**{fact: value}))
    assert found.result is Verdict.DECLINED
    assert reason in found.reasons
    assert (found.tier, found.line_fen, found.rate_e8, found.offer_reasons) == (None, 0, 0, ())


@pytest.mark.parametrize(("fact", "value"), [("student", "unknown"), ("bureau", "unavailable")])
def test_what_is_not_known_is_looked_at_by_a_person_and_never_passes(fact: str, value: str) -> None:
    assert decide_on(artefacts(), inputs(**{fact: value})).result is Verdict.REVIEW


def test_of_whom_the_bureau_has_no_record_a_person_looks() -> None:
    found = decide_on(artefacts(), replace(inputs(), features=None, means=None))
    assert (found.result, found.reasons, found.pd_e6) == (Verdict.REVIEW, ("no_credit_record",), None)


def test_who_has_no_room_for_the_smallest_line_is_declined() -> None:
    found = decide_on(artefacts(), replace(inputs(), means=Means(20_000_000, room_fen=40_000)))
    assert (found.result, found.reasons) == (Verdict.DECLINED, ("line_above_cap",))


@pytest.mark.parametrize("fact", sorted(FACTS))
def test_a_missing_fact_refuses(fact: str) -> None:
    given = inputs()
    with pytest.raises(RuleInputMissing):
        decide_on(artefacts(), replace(given, facts={name: one for name, one in given.facts.items() if name != fact}))


@pytest.mark.parametrize(
    ("fact", "value"), [("age", -1), ("age", 40.0), ("student", "maybe"), ("invited", 1), ("owed_all_fen", True)]
)
def test_an_ill_fact_refuses(fact: str, value: object) -> None:
    with pytest.raises(RuleInputInvalid):
        decide_on(artefacts(), inputs(**{fact: value}))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30, "three"])
def test_a_feature_out_of_range_refuses(value: object) -> None:
    given = inputs()
    assert given.features is not None
    with pytest.raises(FeatureOutOfRange):
        decide_on(artefacts(), replace(given, features={**given.features, "delay_now": value}))  # type: ignore[dict-item]


def test_a_missing_feature_refuses() -> None:
    given = inputs()
    assert given.features is not None
    features = {name: value for name, value in given.features.items() if name != "delay_now"}
    with pytest.raises(FeatureMissing):
        decide_on(artefacts(), replace(given, features=features))


def test_texts_read_back_are_the_same_to_the_byte() -> None:
    given = inputs()
    found = decide_on(artefacts(), given)
    assert Inputs.read(given.text()).text() == given.text()
    assert Outcome.read(found.text()).text() == found.text()
    assert decide_on(artefacts(), Inputs.read(given.text())).text() == found.text()


def test_a_product_with_a_score_admits_by_points_of_the_deciding_model() -> None:
    given = inputs("jiebei")
    facts = {name: one for name, one in given.facts.items() if name != "invited"}
    found = decide_on(artefacts("jiebei"), replace(given, facts=facts))
    assert found.result is Verdict.APPROVED
    told = found.rules["facts"]
    assert isinstance(told, dict)
    scale = artefacts("jiebei").pack.admission.score
    assert scale is not None
    assert told["score_points"] == scale.points_of(found.pd_e6 or 0)
