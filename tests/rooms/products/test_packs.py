"""A product is a file. What is wrong in it is said with the file's name and the key's, before anybody borrows."""

import tomllib
from datetime import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grainline.products import AdmissionKind, BadPack, Shape, load_pack, load_packs

PACKS = Path(__file__).parents[3] / "packs"
WEILIDAI = (PACKS / "weilidai.toml").read_text(encoding="utf-8")


@pytest.fixture
def refusal(tmp_path):
    """Return what is said of weilidai.toml with some of its text replaced."""

    def say(*changes: tuple[str, str], text: str = WEILIDAI, name: str = "weilidai.toml") -> list[str]:
        for old, new in changes:
            assert text.count(old) >= 1, old
            text = text.replace(old, new, 1)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        with pytest.raises(BadPack) as refused:
            load_pack(path)
        lines = str(refused.value).splitlines()
        assert all(line.startswith(f"{path}: ") for line in lines), lines
        return [line.removeprefix(f"{path}: ") for line in lines]

    return say


def test_weilidai_is_what_the_lender_promised():
    pack = load_pack(PACKS / "weilidai.toml")
    assert (pack.line.min_fen, pack.line.max_fen) == (50_000, 30_000_000)
    assert (pack.draw.max_fen, pack.draw.day_max_fen, pack.draw.step_fen) == (4_000_000, 10_000_000, 10_000)
    assert pack.schedule.shapes == (Shape.EQUAL_PRINCIPAL,)
    assert (pack.rate.min_e8, pack.rate.max_e8, pack.admission.kind) == (20_000, 60_000, AdmissionKind.INVITATION)
    assert pack.schedule.instalments == (5, 10, 20)
    assert pack.debit.times == (time(9), time(18))
    prime = pack.tier_named("prime")
    assert (prime.rate_min_e8, prime.rate_max_e8) == (20_000, 35_000)
    assert pack.purpose_named("travel").name.en == "Travel"
    assert pack.purpose_named("securities") is None
    with pytest.raises(KeyError):
        pack.tier_named("gold")


def test_a_loaded_pack_cannot_be_changed():
    pack = load_pack(PACKS / "weilidai.toml")
    with pytest.raises(ValueError, match="frozen"):
        pack.draw.max_fen = 10**9


def test_a_folder_of_packs_is_read_by_product_code():
    packs = load_packs(PACKS)
    assert {"weilidai", "jiebei", "jintiao"} <= set(packs)
    assert packs["weilidai"] == load_pack(PACKS / "weilidai.toml")


def test_a_folder_without_a_pack_is_refused(tmp_path):
    with pytest.raises(BadPack, match="there is no pack in it"):
        load_packs(tmp_path)


def test_an_unknown_key_is_named(refusal):
    [line] = refusal(("[rate]", "colour = 1\n\n[rate]"))
    assert line.startswith("line.colour: ")


def test_a_key_left_out_is_named(refusal):
    [line] = refusal(("valid_days = 60", ""))
    assert line == "admission.valid_days: Field required"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("max_fen = 4_000_000", 'max_fen = "4_000_000"', "draw.max_fen"),
        ("max_fen = 4_000_000", 'max_fen = "4000000"', "draw.max_fen"),
        ("max_fen = 4_000_000", "max_fen = 4_000_000.0", "draw.max_fen"),
        ("max_fen = 4_000_000", "max_fen = 4_000_000.5", "draw.max_fen"),
        ("max_fen = 4_000_000", "max_fen = nan", "draw.max_fen"),
        ("max_fen = 4_000_000", "max_fen = 2026-11-01", "draw.max_fen"),
        ("max_fen = 4_000_000", "max_fen = 0", "draw.max_fen"),
        ("max_fen = 4_000_000", "max_fen = -4_000_000", "draw.max_fen"),
        ("max_fen = 4_000_000", "max_fen = 9_223_372_036_854_775_808", "draw.max_fen"),
        ("funded_within_minutes = 5", "funded_within_minutes = true", "draw.funded_within_minutes"),
        ("valid_days = 60", "valid_days = true", "admission.valid_days"),
        ("pd_max_e6 = 80_000", "pd_max_e6 = 1_000_001", "tier.0.pd_max_e6"),
        ('code = "prime"', 'code = "Prime tier"', "tier.0.code"),
        ('code = "prime"', "code = 1", "tier.0.code"),
        ("rate_max_e8 = 60_000", "rate_max_e8 = 0", "tier.2.rate_max_e8"),
        ("instalments = [5, 10, 20]", "instalments = []", "schedule.instalments"),
        ("instalments = [5, 10, 20]", "instalments = [5, true]", "schedule.instalments.1"),
        ("instalments = [5, 10, 20]", "instalments = 5", "schedule.instalments"),
        ('shapes = ["equal_principal"]', 'shapes = ["balloon"]', "schedule.shapes.0"),
        ('shapes = ["equal_principal"]', "shapes = [1]", "schedule.shapes.0"),
        ("grace_days = 1", "grace_days = -1", "arrears.grace_days"),
        ("grace_days = 1", "grace_days = false", "arrears.grace_days"),
        ("penalty_e4 = 15_000", "penalty_e4 = 1.5", "arrears.penalty_e4"),
        ('times = ["09:00", "18:00"]', 'times = ["25:00"]', "debit.times.0"),
        ('times = ["09:00", "18:00"]', "times = [32_400]", "debit.times.0"),
        ('name = { zh = "微粒贷", en = "Weilidai" }', 'name = { zh = "微粒贷" }', "product.name.en"),
        ('name = { zh = "微粒贷", en = "Weilidai" }', 'name = "Weilidai"', "product.name"),
        ('version = "2026-11-01"', 'version = "new"', "product.version"),
        ('kind = "invitation"', 'kind = "lottery"', "admission.kind"),
        ('annual_rate_method = "simple"', 'annual_rate_method = "flat"', "regulation.annual_rate_method"),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_named(refusal, old, new, key):
    assert refusal((old, new))[0].startswith(f"{key}: ")


def test_every_wrong_key_is_named_at_once(refusal):
    lines = refusal(("valid_days = 60", "valid_days = 0"), ("reading_seconds = 10", 'reading_seconds = "long"'))
    assert [line.split(":")[0] for line in lines] == ["admission.valid_days", "disclosure.reading_seconds"]


TIERS = WEILIDAI.index("[[tier]]")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("line_max_fen = 300_000", "line_max_fen = 40_000", "tier.2.line_min_fen: is above line_max_fen"),
        ("rate_max_e8 = 35_000", "rate_max_e8 = 19_000", "tier.0.rate_min_e8: is above rate_max_e8"),
        ("rate_min_e8 = 20_000", "rate_min_e8 = 19_999", "tier.0.rate_min_e8: leaves rate.min_e8 … rate.max_e8"),
        ("rate_max_e8 = 60_000", "rate_max_e8 = 60_001", "tier.2.rate_max_e8: leaves rate.min_e8 … rate.max_e8"),
        ("pd_max_e6 = 140_000", "pd_max_e6 = 80_000",
         "tier.1.pd_max_e6: is not above that of tier prime: the tiers overlap"),
        ("pd_max_e6 = 180_000", "pd_max_e6 = 139_999",
         "tier.2.pd_max_e6: is not above that of tier new: the tiers overlap"),
        ("line_max_fen = 30_000_000", "line_max_fen = 30_000_100",
         "tier.0.line_max_fen: leaves line.min_fen … line.max_fen"),
        ("line_min_fen = 50_000", "line_min_fen = 40_000", "tier.2.line_min_fen: leaves line.min_fen … line.max_fen"),
        ("line_min_fen = 50_000\nline_max_fen = 300_000", "line_min_fen = 50_001\nline_max_fen = 59_999",
         "tier.2.line_max_fen: leaves no multiple of line.step_fen above line_min_fen"),
        ("rate_min_e8 = 50_000", "rate_min_e8 = 29_999", "tier.2.rate_min_e8: is below that of tier new"),
        ("rate_max_e8 = 50_000", "rate_max_e8 = 34_999", "tier.1.rate_max_e8: is below that of tier prime"),
        ("line_max_fen = 300_000", "line_max_fen = 1_500_100", "tier.2.line_max_fen: is above that of tier new"),
        ('code = "risky"', 'code = "prime"', "tier.2.code: prime is there twice"),
    ],
)  # fmt: skip
def test_tiers_that_overlap_cross_or_leave_their_bounds_are_refused_by_key(refusal, old, new, said):
    tiers = WEILIDAI[TIERS:]
    assert old in tiers
    assert refusal(text=WEILIDAI[:TIERS] + tiers.replace(old, new, 1)) == [said]


def test_bounds_of_tiers_may_touch(tmp_path):
    """Nobody with more risk is offered more."""
    path = tmp_path / "weilidai.toml"
    path.write_text(WEILIDAI.replace("line_max_fen = 1_500_000", "line_max_fen = 30_000_000", 1), encoding="utf-8")
    assert load_pack(path).tier_named("new").line_max_fen == 30_000_000


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([("min_fen = 50_000", "min_fen = 40_000_000")], "line.min_fen: is above max_fen"),
        ([("min_e8 = 20_000", "min_e8 = 60_001")], "rate.min_e8: is above max_e8"),
        ([('code = "travel"', 'code = "renovation"')], "draw.purpose.1.code: renovation is there twice"),
        ([("[5, 10, 20]", "[5, 20, 10]")], "schedule.instalments: must rise, each value once"),
        ([("[5, 10, 20]", "[5, 10, 10]")], "schedule.instalments: must rise, each value once"),
        ([('["equal_principal"]', '["bullet", "bullet"]')], "schedule.shapes: names a shape twice"),
        ([('["09:00", "18:00"]', '["18:00", "09:00"]')], "debit.times: must rise, each value once"),
        ([('["09:00", "18:00"]', '["09:00", "09:00"]')], "debit.times: must rise, each value once"),
        ([('["09:00", "18:00"]', '["09:00+08:00"]')],
         "debit.times: must be whole minutes without a zone, which is Shanghai's"),
        ([('["09:00", "18:00"]', "[09:00:30]")],
         "debit.times: must be whole minutes without a zone, which is Shanghai's"),
        ([('"fee", "penalty", "interest", "principal"', '"fee", "interest", "principal"')],
         "repayment.allocation: must name fee, penalty, interest and principal once each"),
        ([('"fee", "penalty"', '"fee", "fee"')],
         "repayment.allocation: must name fee, penalty, interest and principal once each"),
        ([("charge_off_after_days = 90", "charge_off_after_days = 1")],
         "arrears.charge_off_after_days: is not above grace_days"),
        ([("reading_seconds = 10", "reading_seconds = 1_800")],
         "disclosure.reading_seconds: is not over before valid_minutes are"),
        ([('kind = "invitation"', 'kind = "score"')],
         "admission.score: must be there where kind is score, and nowhere else"),
        ([('year_basis = "daily"', 'year_basis = "thirty_360"')],
         "schedule.year_basis: thirty_360 reproduces other systems' loans; a product counts actual days"),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_each_other_are_refused_by_key(refusal, changes, said):
    assert refusal(*changes) == [said]


def test_a_time_may_be_written_as_toml_writes_times(tmp_path):
    path = tmp_path / "weilidai.toml"
    path.write_text(WEILIDAI.replace('["09:00", "18:00"]', "[09:00:00, 18:00:00]"), encoding="utf-8")
    assert load_pack(path).debit.times == (time(9), time(18))


def test_the_cap_on_the_annual_cost_binds_to_the_last_hundred_millionth(refusal, tmp_path):
    """0.065753 % × 365 is 23.9998 %; one 10⁻⁸ more is 24.0002 %."""
    path = tmp_path / "weilidai.toml"
    path.write_text(WEILIDAI.replace("max_e8 = 60_000", "max_e8 = 65_753"), encoding="utf-8")
    assert load_pack(path).rate.max_e8 == 65_753
    [line] = refusal(("max_e8 = 60_000", "max_e8 = 65_754"))
    assert line == "rate.max_e8: costs more a year than regulation.annual_rate_max_e4"


def test_a_cap_may_bind_the_rate_by_irr_instead(refusal):
    """0.06 % a day is 21.90 % simple and 24.24 % by IRR: within the one cap and above the other."""
    [line] = refusal(('annual_rate_method = "simple"', 'annual_rate_method = "irr"'))
    assert line == "rate.max_e8: costs more a year than regulation.annual_rate_max_e4"


def test_a_pack_that_quotes_a_year_is_capped_as_what_it_costs_in_365_days(refusal, tmp_path):
    """23.67 % quoted for 360 days is 23.9988 % for 365, and 23.68 % is 24.0089 %."""
    year = [("min_e8 = 20_000", "min_e8 = 7_000_000"), ('year_basis = "daily"', 'year_basis = "days_360"')]
    for daily, annual in (("20_000", "7_200_000"), ("30_000", "10_800_000"), ("50_000", "18_000_000")):
        year.append((f"rate_min_e8 = {daily}", f"rate_min_e8 = {annual}"))
    for daily, annual in (("35_000", "12_600_000"), ("50_000", "18_000_000"), ("60_000", "21_600_000")):
        year.append((f"rate_max_e8 = {daily}", f"rate_max_e8 = {annual}"))
    most = ("\nmax_e8 = 60_000", "\nmax_e8 = 23_670_000")
    text = WEILIDAI
    for old, new in [*year, most]:
        text = text.replace(old, new, 1)
    path = tmp_path / "weilidai.toml"
    path.write_text(text, encoding="utf-8")
    assert load_pack(path).daily_percent(12_600_000) == "0.035"
    [line] = refusal(*year, ("\nmax_e8 = 60_000", "\nmax_e8 = 23_680_000"))
    assert line == "rate.max_e8: costs more a year than regulation.annual_rate_max_e4"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("min_fen = 10_000", "min_fen = 10_050", "min_fen: is not a multiple of step_fen"),
        ("max_fen = 4_000_000", "max_fen = 4_000_001", "max_fen: is not a multiple of step_fen"),
        ("day_max_fen = 10_000_000", "day_max_fen = 10_005_000", "day_max_fen: is not a multiple of step_fen"),
        ("day_max_fen = 10_000_000", "day_max_fen = 3_000_000", "max_fen: is above day_max_fen"),
        ("min_fen = 10_000\nstep", "min_fen = 5_000_000\nstep", "min_fen: is above max_fen"),
    ],
)
def test_draw_limits_are_multiples_of_the_step_and_in_order(refusal, old, new, said):
    start = WEILIDAI.index("[draw]")
    assert refusal(text=WEILIDAI[:start] + WEILIDAI[start:].replace(old, new, 1)) == [f"draw.{said}"]


def test_a_file_named_after_another_product_is_refused(refusal):
    [line] = refusal(name="jiebei.toml")
    assert line == "product.code: is 'weilidai', the file is named 'jiebei'"


@pytest.mark.parametrize("text", ["[product", "a = 1\na = 2", WEILIDAI.replace("[draw]", "[draw")])
def test_broken_toml_is_told_with_its_place(refusal, text):
    assert "not TOML" in refusal(text=text)[0]


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "weilidai.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadPack, match=r"weilidai\.toml: not TOML"):
        load_pack(path)


def test_an_empty_file_lacks_every_part(refusal):
    said = refusal(text="")
    assert [line.split(":")[0] for line in said][:3] == ["product", "line", "rate"]
    assert all(line.endswith("Field required") for line in said)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadPack, match=r"gone\.toml: there is no such pack"):
        load_pack(tmp_path / "gone.toml")


KEYS = sorted((part, key) for part, keys in tomllib.loads(WEILIDAI).items() if isinstance(keys, dict) for key in keys)


@given(st.sampled_from(KEYS), st.sampled_from(["remove", "rename", "nest"]))
def test_no_key_of_a_pack_is_optional_or_loose(tmp_path_factory, place, change):
    """Whatever happens to one key, the pack is refused and the key is named."""
    part, key = place
    lines, inside, done = [], False, False
    for line in WEILIDAI.splitlines():
        inside = line.startswith(f"[{part}]") or (inside and not line.startswith("["))
        if inside and not done and line.startswith(f"{key} ="):
            done = True
            line = {"remove": "", "rename": f"un{line}", "nest": f"{key} = {{ value = 1 }}"}[change]
        lines.append(line)
    if key == "purpose":  # an array of tables, written by its own headings
        lines = [line for line in lines if not line.startswith("[[draw.purpose]]")]
        lines = [line.replace("[draw]", "[draw]\npurpose = 1") for line in lines]
        lines = lines[: lines.index('code = "renovation"')] + lines[lines.index("[schedule]  # F4") :]
    path = tmp_path_factory.mktemp("pack") / "weilidai.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BadPack) as refused:
        load_pack(path)
    assert f"{part}.{key}" in str(refused.value)
