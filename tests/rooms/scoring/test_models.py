"""The scorecard says what a lender can defend; calibration and measures are what their names say."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.scoring import LABEL, REASONS, Portfolio, measure, reason_text
from grainline.scoring.arrays import Matrix
from grainline.scoring.calibration import fit_platt
from grainline.scoring.feature_spec import encoded_rows
from grainline.scoring.features import features_of
from grainline.scoring.measures import calibration_error
from grainline.scoring.portfolio_specs import CHARACTERISTICS, WIDE
from grainline.scoring.scorecard import Scorecard
from grainline.scoring.scorecard_fit import fit_scorecard

# Which way each characteristic is bad, said here by a person and not by the data.
WORSE_WHEN_HIGHER = {"delay_now", "delay_months", "delay_before", "used_mean", "paid_little"}
SPECS = [next(spec for spec in WIDE if spec.name == name) for name in CHARACTERISTICS]


@pytest.fixture(scope="module")
def rows(shipped: Portfolio) -> Matrix:
    return encoded_rows(SPECS, features_of(shipped))


@pytest.fixture(scope="module")
def card(shipped: Portfolio, rows: Matrix) -> Scorecard:
    return fit_scorecard(rows, shipped.frame[LABEL].to_numpy(), SPECS)


def test_a_worse_attribute_never_has_more_points(card: Scorecard) -> None:
    for characteristic in card.characteristics:
        name, points = characteristic.feature, [attribute.points for attribute in characteristic.attributes]
        assert len(points) > 1, name
        assert points == sorted(points, reverse=name in WORSE_WHEN_HIGHER), name


def test_twenty_points_double_the_odds(card: Scorecard, rows: Matrix) -> None:
    points = card.total(rows)
    good_to_bad = np.exp(-card.log_odds(rows))
    # 600 points are 50 to 1, and the people of the portfolio lie on both sides of 540, where it is 6.25 to 1.
    assert good_to_bad == pytest.approx(50 * 2 ** ((points - 600) / 20))
    assert points.min() < 540 < points.max()


def test_who_pays_late_is_told_so_and_who_does_not_is_not(card: Scorecard, rows: Matrix) -> None:
    lost = card.lost(rows)
    column = CHARACTERISTICS.index("delay_now")
    assert (lost[rows[:, column] >= 2, column] > 20).all()
    assert (lost[rows[:, column] == 0, column] <= 0).all()


def test_an_attribute_holds_its_own_lower_bound(card: Scorecard, rows: Matrix) -> None:
    column = CHARACTERISTICS.index("paid_median")
    for attribute in card.characteristics[column].attributes[1:]:
        person = rows[:1].copy()
        person[0, column] = attribute.over
        assert card.points(person)[0, column] == attribute.points


def test_every_reason_has_both_texts() -> None:
    assert {spec.reason for spec in WIDE if spec.reason} < set(REASONS)
    for code in REASONS:
        assert reason_text(code, "zh") != reason_text(code, "en")


def test_calibration_mends_a_model_that_is_too_sure() -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(-1.5, 1, 20_000)
    label = rng.random(true.size) < 1 / (1 + np.exp(-true))
    too_sure = 2 * true + 1
    platt = fit_platt(too_sure, label)
    assert platt.slope == pytest.approx(0.5, abs=0.03)
    assert platt.shift == pytest.approx(-0.5, abs=0.05)
    before = calibration_error(label, 1 / (1 + np.exp(-too_sure)))
    after = calibration_error(label, platt.probability(too_sure))
    assert before > 0.03
    assert after < 0.01


def test_measures_by_hand() -> None:
    label = np.array([False, False, True, True])
    found = measure(label, np.array([0.1, 0.4, 0.35, 0.8]))
    assert found.auc == 0.75  # 3 of the 4 pairs of one bad and one good are in order
    assert found.ks == 0.5  # over 0.4: half of the bad, none of the good
    assert found.brier == pytest.approx((0.1**2 + 0.4**2 + 0.65**2 + 0.2**2) / 4)
    # Four people, four bins: each is off by what the probability misses.
    assert found.calibration_error == pytest.approx((0.1 + 0.4 + 0.65 + 0.2) / 4)


@given(st.floats(0.001, 0.999), st.lists(st.booleans(), min_size=2, max_size=60), st.randoms())
def test_one_probability_for_all_is_off_by_the_bad_rate_in_any_order(
    probability: float, outcomes: list[bool], order: Random
) -> None:
    shuffled = list(outcomes)
    order.shuffle(shuffled)
    expected = abs(probability - sum(outcomes) / len(outcomes))
    for label in (outcomes, shuffled):
        assert calibration_error(np.array(label), np.full(len(label), probability)) == pytest.approx(expected)
