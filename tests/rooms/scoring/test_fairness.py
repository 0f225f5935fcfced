"""What is told of groups is what happened to them, small ones are not shown, and intervals are as wide as they say."""

import numpy as np
import polars as pl
import pytest

from grainline.scoring import Portfolio, Scores
from grainline.scoring.fairness import AttributeReport, Group, age_bands, fairness_of
from grainline.scoring.intervals import difference, ratio, wilson


def town(*groups: tuple[str | None, int, int, int, int]) -> AttributeReport:
    """Return the report of groups given as name, good and approved, good refused, bad and approved, bad refused."""
    names: list[str | None] = []
    bad: list[bool] = []
    approved: list[bool] = []
    for name, *cells in groups:
        for count, (is_bad, is_approved) in zip(cells, ((0, 1), (0, 0), (1, 1), (1, 0)), strict=True):
            names += [name] * count
            bad += [bool(is_bad)] * count
            approved += [bool(is_approved)] * count
    pd_e6 = np.where(np.array(approved), 100_000, 300_000)
    frame = pl.DataFrame({"region": pl.Series(names, dtype=pl.String)})
    [report] = fairness_of(frame, pd_e6=pd_e6, bad=np.array(bad), approved=np.array(approved))
    return report


def test_ratio_and_gap_are_held_against_the_group_most_approved() -> None:
    # north: 450 of 500 approved, 430 of 440 good ones; south: 300 of 500, 290 of 400 good ones
    north, south = town(("north", 430, 10, 20, 40), ("south", 290, 110, 10, 90)).groups
    assert north.is_reference and north.impact_ratio is None and north.opportunity_gap is None
    assert south.impact_ratio is not None and south.opportunity_gap is not None and south.bad is not None
    assert south.impact_ratio.value == pytest.approx((300 / 500) / (450 / 500))
    assert south.opportunity_gap.value == pytest.approx(290 / 400 - 430 / 440)
    assert (south.people, south.bad.value, south.flagged) == (500, 0.2, True)
    assert south.impact_ratio.low < south.impact_ratio.value < south.impact_ratio.high < 0.8


def test_four_fifths_is_not_below_four_fifths() -> None:
    assert town(("a", 500, 0, 0, 0), ("b", 400, 100, 0, 0)).flagged == ()
    assert town(("a", 500, 0, 0, 0), ("b", 399, 101, 0, 0)).flagged == ("b",)


def test_small_groups_are_not_shown_and_are_no_reference() -> None:
    few, many = town(("few", 29, 0, 0, 0), ("many", 200, 200, 50, 50)).groups
    assert few == Group("few", None)
    assert many.is_reference
    enough, _ = town(("enough", 30, 0, 0, 0), ("many", 200, 200, 50, 50)).groups
    assert enough.is_reference and enough.people == 30


def test_a_rate_of_too_few_is_left_out() -> None:
    _, group = town(("a", 200, 200, 50, 50), ("b", 10, 10, 20, 60)).groups
    assert group.approved is not None and group.approved_of_good is None and group.opportunity_gap is None
    assert group.auc is None


def test_calibration_within_a_group_is_told() -> None:
    # predicted 10 % of the approved and 30 % of the refused: 20 % of both groups
    right, wrong = town(("right", 400, 400, 100, 100), ("wrong", 300, 300, 200, 200)).groups
    assert (right.predicted, right.calibrated) == (pytest.approx(0.2), True)
    assert (wrong.predicted, wrong.calibrated) == (pytest.approx(0.2), False)


def test_whose_group_is_not_known_is_a_group_and_all_small_is_nothing() -> None:
    assert [group.name for group in town((None, 40, 0, 0, 0), ("x", 40, 0, 0, 0)).groups] == ["not known", "x"]
    assert town(("x", 5, 5, 5, 5)).groups == (Group("x", None),)


def test_nobody_approved_has_no_ratio() -> None:
    assert all(group.impact_ratio is None for group in town(("a", 0, 50, 0, 50), ("b", 0, 50, 0, 50)).groups)


def test_ages_fall_into_bands() -> None:
    ages = pl.Series([17, 18, 24, 25, 54, 55, 90, None])
    assert age_bands(ages).to_list() == ["under 18", "18-24", "18-24", "25-34", "45-54", "55+", "55+", None]


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Draw two groups again and again: 95 % of the intervals hold what the groups were drawn from."""
    draw = np.random.default_rng(11)
    counts = zip(draw.binomial(300, 0.6, 4_000).tolist(), draw.binomial(200, 0.4, 4_000).tolist(), strict=True)
    held = np.zeros(3)
    for many, few in counts:
        share, gap = wilson(few, 200), difference(few, 200, of=(many, 300))
        impact = ratio(few, 200, of=(many, 300))
        held += [share[0] < 0.4 < share[1], gap[0] < -0.2 < gap[1], impact[0] < 0.4 / 0.6 < impact[1]]
    assert held / 4_000 == pytest.approx([0.95] * 3, abs=0.015)


def test_intervals_of_nothing_and_of_all_are_within_bounds() -> None:
    assert wilson(0, 0) == (0, 1)
    assert wilson(0, 50)[0] == 0 and wilson(50, 50)[1] == 1
    low, high = ratio(0, 50, of=(50, 50))
    assert 0 < low < high < 1


def test_the_shipped_people_are_measured_by_sex_and_age(sample: Portfolio, sample_scores: Scores) -> None:
    pd_e6 = np.asarray(sample_scores.pd_e6)
    bad, approved = sample.frame["defaulted"].to_numpy(), pd_e6 <= 180_000
    groups = pl.DataFrame([age_bands(sample.frame["age"]), sample.frame["sex"]])
    ages, sexes = fairness_of(groups, pd_e6=pd_e6, bad=bad, approved=approved)
    assert [report.attribute for report in (ages, sexes)] == ["age_band", "sex"]
    assert sum(group.people or 0 for group in sexes.groups) == sample.rows
    for group in sexes.groups:
        rows = (sample.frame["sex"] == int(group.name)).to_numpy()
        assert group.approved is not None and group.approved.value == pytest.approx(approved[rows].mean())
