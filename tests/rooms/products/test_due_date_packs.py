"""What a pack may say of due dates: a day of the month, the first period, working days; and what does not fit."""

from pathlib import Path

import pytest

from grainline.kit.holidays import holiday_versions
from grainline.products import BadPack, BusinessDayConvention, FirstPeriod, Shape, load_pack

PACK = (Path(__file__).parents[3] / "packs" / "weilidai.toml").read_text(encoding="utf-8")
FOLLOWING = 'business_day_convention = "following"'
TABLE = 'holiday_table = "cn-2025-11-04"'


@pytest.fixture
def loaded(tmp_path):
    """Load weilidai.toml with lines put into its schedule."""

    def load(*lines: str):
        place = 'remainder = "last"\n'
        assert PACK.count(place) == 1
        path = tmp_path / "weilidai.toml"
        path.write_text(PACK.replace(place, place + "".join(f"{line}\n" for line in lines)), encoding="utf-8")
        return load_pack(path)

    return load


def test_a_pack_that_says_nothing_has_the_day_of_the_draw_working_day_or_not(loaded):
    rules = loaded().rules(Shape.EQUAL_PRINCIPAL)
    assert (rules.due_day, rules.first_period, rules.first_period_min_days) == (None, FirstPeriod.SHORT, 0)
    assert (rules.business_day_convention, rules.holiday_table) == (BusinessDayConvention.NONE, None)


def test_what_a_pack_says_of_due_dates_is_frozen_with_the_rules(loaded):
    pack = loaded("due_day = 20", 'first_period = "long"', "first_period_min_days = 45", FOLLOWING, TABLE)
    for shape in Shape:
        rules = pack.rules(shape)
        assert (rules.due_day, rules.first_period, rules.first_period_min_days) == (20, FirstPeriod.LONG, 45)
        assert (rules.business_day_convention, rules.holiday_table) == ("following", "cn-2025-11-04")


@pytest.mark.parametrize("day", [1, 28, 29, 31])
def test_a_due_day_may_be_any_day_that_some_month_has(loaded, day):
    assert loaded(f"due_day = {day}").schedule.due_day == day


@pytest.mark.parametrize(
    ("lines", "key", "why"),
    [
        (["due_day = 0"], "due_day", "greater than or equal to 1"),
        (["due_day = 32"], "due_day", "less than or equal to 31"),
        (['due_day = "20"'], "due_day", "valid integer"),
        (["due_day = 20", 'first_period = "medium"'], "first_period", "'short' or 'long'"),
        (["due_day = 20", "first_period_min_days = 61"], "first_period_min_days", "less than or equal to 60"),
        (["due_day = 20", "first_period_min_days = -1"], "first_period_min_days", "greater than or equal to 0"),
        (['first_period = "long"'], "first_period", "needs a due_day"),
        (["first_period_min_days = 10"], "first_period_min_days", "needs a due_day"),
        (['business_day_convention = "preceding"', TABLE], "business_day_convention", "'none' or 'following'"),
        ([FOLLOWING], "holiday_table", "business_day_convention needs one of "),
        ([FOLLOWING, 'holiday_table = "cn-1999-01-01"'], "holiday_table", "business_day_convention needs one of "),
        ([TABLE], "holiday_table", "needs a business_day_convention"),
        (["on_holiday = true"], "on_holiday", "Extra inputs are not permitted"),
    ],
)
def test_what_does_not_fit_is_named(loaded, lines, key, why):
    with pytest.raises(BadPack) as refused:
        loaded(*lines)
    [line] = str(refused.value).splitlines()
    assert f": schedule.{key}: " in line
    assert why in line


def test_the_versions_to_choose_from_are_told(loaded):
    with pytest.raises(BadPack) as refused:
        loaded(FOLLOWING)
    assert all(version in str(refused.value) for version in holiday_versions())
