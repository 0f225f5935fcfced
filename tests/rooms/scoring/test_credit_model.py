"""A model is its bytes: they name it, they give the same scores wherever they go, and what does not fit is refused."""

import json
import subprocess
import sys
from math import inf, nan
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grainline.kit.errors import Refusal
from grainline.scoring import (
    Attribute,
    BadModelFile,
    Boosted,
    Characteristic,
    CreditModel,
    FeatureMissing,
    FeatureOutOfRange,
    FeatureSpec,
    FeatureUnknownCategory,
    Isotonic,
    Loaded,
    Platt,
    Scorecard,
    Special,
    Value,
    score_many,
    score_one,
)
from grainline.scoring.boosted import FEW, fit_boosted
from grainline.scoring.feature_spec import encoded_rows

SPECS = (
    FeatureSpec("used", low=0, high=10, dimension="liquidity", reason="high_utilisation", reason_low=0.3),
    FeatureSpec("late", low=0, high=99, missing_allowed=True, dimension="negative", reason="recent_delay"),
    FeatureSpec("home", "category", categories=("rents", "owns"), missing_allowed=True, other_allowed=True),
    FeatureSpec("work", "category", categories=("no", "yes"), dimension="stability"),
)
CARD = Scorecard(
    500,
    (
        Characteristic("used", (Attribute(30), Attribute(10, 0.5), Attribute(-5, 0.9)), average=12),
        Characteristic("late", (Attribute(20), Attribute(-40, 1)), missing=-3, special=(Special(99, 7),), average=9),
        Characteristic("home", (Attribute(-6, codes=(0,)), Attribute(8, codes=(1,))), missing=2, other=1, average=1),
        Characteristic("work", (Attribute(-9, codes=(0,)), Attribute(4, codes=(1,))), average=3),
    ),
)
SCORECARD = CreditModel("card", SPECS, CARD, Platt(1.1, -0.2), {"rows": 3})
PERSON: dict[str, Value] = {"used": 0.95, "late": 2, "home": "rents", "work": "yes"}

people = st.fixed_dictionaries(
    {
        "used": st.floats(0, 10),
        "late": st.none() | st.integers(0, 99).map(float),
        "home": st.none() | st.sampled_from(["rents", "owns", "with parents"]),
        "work": st.sampled_from(["no", "yes"]),
    }
)


@pytest.fixture(scope="module")
def boosted() -> CreditModel:
    rng = np.random.default_rng(8)
    frame = pl.DataFrame(
        {
            "used": rng.uniform(0, 1.5, 1_000),
            "late": rng.integers(0, 5, 1_000),
            "home": rng.choice(["rents", "owns", "other", None], 1_000).tolist(),
            "work": rng.choice(["no", "yes"], 1_000),
        }
    ).with_columns(pl.when(pl.col("late") == 4).then(None).otherwise("late").alias("late"))
    rows = encoded_rows(SPECS, frame)
    odds = 3 * rows[:, 0] + np.nan_to_num(rows[:, 1], nan=6) - (rows[:, 2] == 1) * 3 - rows[:, 3] * 2 - 2
    label = rng.random(1_000) < 1 / (1 + np.exp(-odds))
    trees = fit_boosted(rows, label, growth=FEW, categories=(2, 3))
    return CreditModel("trees", SPECS, trees, Isotonic((-2, 0, 3), (0.02, 0.3, 0.9)))


def test_a_card_by_hand() -> None:
    found = score_one(SCORECARD, PERSON)
    assert found.points == 500 - 5 - 40 - 6 + 4  # 453
    # 600 points are 50 to 1, 20 double it: log-odds of default (487.12 - 453) / 28.85 = 1.18, and Platt's on top
    odds_of_default = 2 ** ((600 - 453) / 20) / 50
    calibrated = odds_of_default**1.1 * np.exp(-0.2)
    assert found.pd_e6 == pytest.approx(1e6 * calibrated / (1 + calibrated), abs=1)
    assert found.by_feature == {"used": 17, "late": 49, "home": 7, "work": -1}  # under the averages
    assert found.by_dimension == {"liquidity": -17, "negative": -49, "stability": 1}
    assert found.reasons == ("recent_delay", "high_utilisation")  # what has no code is not told


@pytest.mark.parametrize(
    ("change", "points"),
    [
        ({"late": None}, -3),
        ({"late": 99}, 7),  # a special code is no number of months
        ({"late": 98}, -40),
        ({"late": 0}, 20),
    ],
)
def test_a_missing_value_and_a_special_code_have_points_of_their_own(change: dict[str, Value], points: int) -> None:
    assert score_one(SCORECARD, PERSON | change).points == 500 - 5 - 6 + 4 + points


@pytest.mark.parametrize(("home", "points"), [("rents", -6), ("owns", 8), ("with parents", 1), (None, 2)])
def test_a_category_an_unknown_one_and_none(home: Value, points: int) -> None:
    assert score_one(SCORECARD, PERSON | {"home": home}).points == 500 - 5 - 40 + 4 + points


@given(st.lists(people, min_size=1, max_size=30))
@settings(deadline=None, max_examples=60)
def test_one_is_one_of_many_bit_for_bit(boosted: CreditModel, rows: list[dict[str, Value]]) -> None:
    schema = {"used": pl.Float64, "late": pl.Float64, "home": pl.String, "work": pl.String}
    for model in (Loaded(SCORECARD), Loaded(boosted)):
        many = score_many(model, pl.DataFrame(rows, schema=schema))
        assert list(many) == [score_one(model, row) for row in rows]
        assert all(1 <= one <= 999_999 for one in many.pd_e6.tolist())


def test_another_process_finds_the_same(boosted: CreditModel, tmp_path: Path) -> None:
    for model in (SCORECARD, boosted):
        (tmp_path / "model").write_bytes(model.to_bytes())
        told = (
            "import sys; from pathlib import Path; from grainline.scoring import CreditModel, score_one\n"
            f"model = CreditModel.from_bytes(Path(sys.argv[1]).read_bytes(), sha256={model.sha256!r})\n"
            f"print(repr(score_one(model, {PERSON!r})))"
        )
        asked = [sys.executable, "-c", told, str(tmp_path / "model")]
        found = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        assert found.strip() == repr(score_one(model, PERSON))


def test_what_trees_say_of_features_adds_up_to_what_they_say_of_a_person(boosted: CreditModel) -> None:
    """SHAP: beyond an average that is the same for all, the contributions are the log-odds."""
    frame = pl.DataFrame([PERSON, PERSON | {"used": 0.1}, PERSON | {"home": "owns"}])
    many = score_many(boosted, frame)
    assert isinstance(boosted.body, Boosted)
    log_odds = boosted.body.log_odds(encoded_rows(SPECS, frame))
    average = log_odds - np.array([sum(one.by_feature.values()) for one in many]) / (20 / np.log(2))
    assert average == pytest.approx(np.full(3, average[0]))
    assert many[0].by_feature["used"] > many[1].by_feature["used"]
    assert "high_utilisation" in many[0].reasons


def test_a_reason_that_is_not_true_of_the_person_is_not_told() -> None:
    losing = Characteristic("used", (Attribute(-30), Attribute(10, 0.2)), average=0)
    model = CreditModel("odd", SPECS[:1], Scorecard(500, (losing,)))
    assert score_one(model, {"used": 0.1}).by_feature["used"] == 30
    assert score_one(model, {"used": 0.1}).reasons == ()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"used": None}, FeatureMissing),
        ({"work": None}, FeatureMissing),
        ({"used": nan}, FeatureOutOfRange),
        ({"used": inf}, FeatureOutOfRange),
        ({"late": nan}, FeatureOutOfRange),
        ({"late": -inf}, FeatureOutOfRange),
        ({"used": 10.000001}, FeatureOutOfRange),
        ({"used": -0.000001}, FeatureOutOfRange),
        ({"used": "0.5"}, FeatureOutOfRange),
        ({"work": "perhaps"}, FeatureUnknownCategory),
        ({"work": 1.0}, FeatureUnknownCategory),
        ({"home": 1.0}, FeatureUnknownCategory),
    ],
)
def test_what_a_model_was_not_made_for_is_refused(change: dict[str, Value], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal) as one:
        score_one(SCORECARD, PERSON | change)
    with pytest.raises(refusal) as many:
        score_many(SCORECARD, pl.DataFrame([PERSON | change]))
    assert one.value.params == many.value.params
    assert one.value.params["feature"] in change


def test_a_feature_that_is_not_among_the_values_is_missing() -> None:
    without = {name: value for name, value in PERSON.items() if name != "used"}
    with pytest.raises(FeatureMissing):
        score_one(SCORECARD, without)
    with pytest.raises(FeatureMissing):
        score_many(SCORECARD, pl.DataFrame([without]))
    assert score_one(SCORECARD, PERSON | {"unread": "x"}) == score_one(SCORECARD, PERSON)


def test_an_infinite_value_is_refused_where_the_range_is_open() -> None:
    model = CreditModel("open", (FeatureSpec("used"),), Scorecard(0, (Characteristic("used", (Attribute(1),)),)))
    for value in (inf, -inf, nan):
        with pytest.raises(FeatureOutOfRange):
            score_one(model, {"used": value})
    assert score_one(model, {"used": -1e300}).points == 1


def test_the_bytes_are_canonical_and_name_the_model(boosted: CreditModel) -> None:
    for model in (SCORECARD, boosted):
        data = model.to_bytes()
        again = CreditModel.from_bytes(data, sha256=model.sha256)
        assert again == model
        assert again.to_bytes() == data
        plain = json.loads(data)
        assert plain["kind"] == model.kind
        assert json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == data
    assert SCORECARD.with_facts({"rows": 4}).sha256 != SCORECARD.sha256


def test_a_changed_file_is_no_model_by_that_name() -> None:
    data = SCORECARD.to_bytes()
    changed = data.replace(b'"base":500', b'"base":501')
    assert CreditModel.from_bytes(changed).sha256 != SCORECARD.sha256
    with pytest.raises(BadModelFile):
        CreditModel.from_bytes(changed, sha256=SCORECARD.sha256)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: data.replace(b'"kind":"scorecard"', b'"kind":"boosted"'),
        lambda data: data.replace(b'"low":0.0', b'"low":0'),
        lambda data: data.replace(b'"low":0.0', b'"low":NaN'),
        lambda data: data.replace(b'"name":"card"', b'"extra":1,"name":"card"'),
        lambda data: b"\xff" + data,
    ],
)
def test_what_is_not_written_as_a_model_is_none(spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(BadModelFile):
        CreditModel.from_bytes(spoil(SCORECARD.to_bytes()))


def test_a_body_that_does_not_fit_its_features_is_not_loaded(boosted: CreditModel) -> None:
    for model in (
        CreditModel("few", SPECS[:3], boosted.body),
        CreditModel("none", SPECS, Boosted("tree\n")),
        CreditModel("swapped", tuple(reversed(SPECS)), CARD),
    ):
        with pytest.raises(BadModelFile):
            Loaded(model)
