"""A campaign is told in the pack: what it may say, what is refused, and that it is no part of a loan's rules."""

from datetime import date
from pathlib import Path

import pytest

from grainline.products import Audience, BadPack, Shape, load_pack

PACK = Path(__file__).parents[3] / "packs" / "weilidai.toml"
PLAIN = PACK.read_text(encoding="utf-8").partition("\n[[campaign]]")[0]
SPRING = """
[[campaign]]
code = "spring"
name = { zh = "春季礼遇", en = "Spring" }
from = 2027-03-01
until = 2027-03-08
for = "everyone"
discount_e4 = 3_000
days = 15
"""
COUPON = """
[[campaign]]
code = "coupon"
name = { zh = "息费券", en = "Coupon" }
from = 2027-03-08
until = 2027-03-09
for = "everyone"
coupon_fen = 2_000
"""


def write(tmp_path, *campaigns):
    path = tmp_path / "weilidai.toml"
    path.write_text(PLAIN + "".join(campaigns), encoding="utf-8")
    return path


def refusal(tmp_path, *campaigns):
    path = write(tmp_path, *campaigns)
    with pytest.raises(BadPack) as refused:
        load_pack(path)
    return [line.removeprefix(f"{path}: ") for line in str(refused.value).splitlines()]


def test_weilidai_gives_half_the_interest_back_in_its_anniversary_week():
    [week] = load_pack(PACK).campaign
    assert (week.from_on, week.until_on) == (date(2027, 5, 15), date(2027, 5, 22))
    assert (week.audience, week.discount_e4, week.days, week.coupon_fen) == (Audience.RENEWAL, 5_000, 30, None)


def test_a_pack_needs_no_campaign(tmp_path):
    assert load_pack(write(tmp_path)).campaign == ()


def test_a_campaign_runs_from_its_first_day_until_the_day_before_its_end(tmp_path):
    pack = load_pack(write(tmp_path, SPRING, COUPON))
    running = {day: [c.code for c in pack.campaigns_on(date.fromisoformat(day))] for day in (
        "2027-02-28", "2027-03-01", "2027-03-07", "2027-03-08", "2027-03-09",
    )}  # fmt: skip
    assert list(running.values()) == [[], ["spring"], ["spring"], ["coupon"], []]


def test_campaigns_change_nothing_of_what_a_loan_is_computed_by(tmp_path):
    plain = load_pack(write(tmp_path))
    rules, name = plain.rules(Shape.EQUAL_PRINCIPAL), plain.rules_name(Shape.EQUAL_PRINCIPAL)
    with_one = load_pack(write(tmp_path, SPRING))
    assert with_one != plain
    assert (with_one.rules(Shape.EQUAL_PRINCIPAL), with_one.rules_name(Shape.EQUAL_PRINCIPAL)) == (rules, name)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("until = 2027-03-08", "until = 2027-03-01", "campaign.0.until: is not after from"),
        ("until = 2027-03-08", "until = 2027-02-01", "campaign.0.until: is not after from"),
        ("discount_e4 = 3_000", "discount_e4 = 3_000\ncoupon_fen = 100",
         "campaign.0.discount_e4: or coupon_fen must be there, and not both"),
        ("discount_e4 = 3_000\ndays = 15", "", "campaign.0.discount_e4: or coupon_fen must be there, and not both"),
        ("days = 15", "", "campaign.0.days: must be there where discount_e4 is, and nowhere else"),
        ("discount_e4 = 3_000", "coupon_fen = 100",
         "campaign.0.days: must be there where discount_e4 is, and nowhere else"),
        ("days = 15", "days = 15\nmin_draw_fen = 4_010_000", "campaign.0.min_draw_fen: is above draw.max_fen"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_key(tmp_path, old, new, said):
    assert old in SPRING
    assert refusal(tmp_path, SPRING.replace(old, new)) == [said]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("days = 15", "days = 15\nshare = 1", "campaign.0.share"),
        ("until = 2027-03-08", "", "campaign.0.until"),
        ("from = 2027-03-01", 'from = "soon"', "campaign.0.from"),
        ("from = 2027-03-01", "from_on = 2027-03-01", "campaign.0.from"),
        ('for = "everyone"', 'for = "friends"', "campaign.0.for"),
        ("discount_e4 = 3_000", "discount_e4 = 0", "campaign.0.discount_e4"),
        ("discount_e4 = 3_000", "discount_e4 = 10_001", "campaign.0.discount_e4"),
        ("discount_e4 = 3_000", "discount_e4 = 0.3", "campaign.0.discount_e4"),
        ("days = 15", "days = 0", "campaign.0.days"),
        ("discount_e4 = 3_000\ndays = 15", "coupon_fen = -1", "campaign.0.coupon_fen"),
        ('code = "spring"', 'code = "Spring week"', "campaign.0.code"),
        (', en = "Spring"', "", "campaign.0.name.en"),
    ],
)
def test_unknown_and_broken_keys_are_named(tmp_path, old, new, key):
    assert old in SPRING
    assert key in [line.split(":")[0] for line in refusal(tmp_path, SPRING.replace(old, new))]


def test_a_code_is_used_once(tmp_path):
    again = COUPON.replace('code = "coupon"', 'code = "spring"')
    assert refusal(tmp_path, SPRING, again) == ["campaign.1.code: spring is there twice"]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2027-03-07", "2027-03-09"),
        ("2027-02-01", "2027-03-02"),
        ("2027-03-03", "2027-03-04"),
        ("2027-01-01", "2028-01-01"),
    ],
)
def test_two_campaigns_for_the_same_people_do_not_overlap(tmp_path, start, end):
    other = COUPON.replace("2027-03-08", start).replace("2027-03-09", end)
    said = "campaign.1.from: overlaps campaign spring, which is for everyone too"
    assert refusal(tmp_path, SPRING, other) == [said]
    renewals = other.replace('"everyone"', '"renewal"')
    assert len(load_pack(write(tmp_path, SPRING, renewals)).campaign) == 2
