"""A regulatory profile caps what a rate costs a year and what one borrower may owe; both measures are always told."""

from pathlib import Path

import pytest

from grainline.products import BadPack, RateMethod, YearBasis, load_packs
from grainline.products.profile import OwedAboveCap, RateAboveCap, load_profile

FOLDER = Path(__file__).parents[3] / "packs"
SHIPPED = FOLDER / "profiles" / "cn-2026.toml"
PROFILE = load_profile(SHIPPED)


def test_a_rate_costs_more_by_irr_than_simple():
    """0.06 % × 365 = 21.9 %; (1 + 0.0006 × 365 ÷ 12)¹² − 1 = 24.236 %, rounded up."""
    cost = PROFILE.check_rate(60_000, YearBasis.DAILY)
    assert (cost.simple_e4, cost.irr_e4) == (2_190, 2_424)
    assert PROFILE.cost(21_600_000, YearBasis.DAYS_360).simple_e4 == 2_190


def test_the_measure_that_binds_refuses_and_tells_the_other_beside_it():
    by_irr = PROFILE.model_copy(update={"annual_rate_method": RateMethod.IRR})
    with pytest.raises(RateAboveCap) as refused:
        by_irr.check_rate(60_000, YearBasis.DAILY)
    assert refused.value.params == {
        "profile": "cn-2026",
        "simple": "21.90",
        "irr": "24.24",
        "binds": "irr",
        "cap": "24.00",
    }
    assert PROFILE.check_rate(65_753, YearBasis.DAILY).simple_e4 == 2_400  # 0.065753 % × 365 = 23.9998 %
    with pytest.raises(RateAboveCap):
        PROFILE.check_rate(65_754, YearBasis.DAILY)  # 24.0002 %


def test_a_line_may_fill_the_room_that_other_lenders_leave_and_no_more():
    assert PROFILE.room_fen(30_000_000) == 20_000_000
    assert PROFILE.room_fen(60_000_000) == 0
    PROFILE.check_line(20_000_000, 30_000_000)
    with pytest.raises(OwedAboveCap) as refused:
        PROFILE.check_line(20_000_001, 30_000_000)
    assert refused.value.params["cap_fen"] == 50_000_000


def test_every_shipped_pack_has_its_profiles_caps():
    for pack in load_packs(FOLDER).values():
        profile = load_profile(FOLDER / "profiles" / f"{pack.regulation.profile}.toml")
        assert pack.regulation.annual_rate_max_e4 == profile.annual_rate_max_e4
        assert pack.regulation.annual_rate_method is profile.annual_rate_method


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("age_min = 18", "age_min = 18\nage_most = 60", "age_most: Extra inputs are not permitted"),
        ("age_min = 18", 'age_min = "18"', "age_min: Input should be a valid integer"),
        ("borrower_max_fen = 50_000_000", "", "borrower_max_fen: Field required"),
        ('profile = "cn-2026"', 'profile = "cn-2027"', "profile: is 'cn-2027', the file is named 'cn-2026'"),
        ("students = false", "students = ", "not TOML"),
    ],
)
def test_a_profile_is_read_strictly_and_says_what_is_wrong(tmp_path, old, new, said):
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "cn-2026.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadPack) as refused:
        load_profile(path)
    assert str(refused.value).startswith(f"{path}: {said}")


def test_a_profile_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(BadPack, match="there is no such profile"):
        load_profile(tmp_path / "xx-2026.toml")
