"""`GET /invitation`: what the newest whitelist found of the member, what would help, and when next (A1, A5, H1)."""

from datetime import date, timedelta

import pytest
from whitelist_people import end_of_curve, frame, somebody, whitelist

from grainline.behaviour.measures import Unit
from grainline.invitation import policy_for
from grainline.invitation.invitation_shapes import value_text
from grainline.invitation.outcomes import judge
from grainline.invitation.policy import Dimension
from grainline.kit.calendar import first_of_next_month

pytestmark = pytest.mark.anyio

ENGLISH = {"Accept-Language": "en"}
DAY = 24 * 3600
SOCIAL, CONSUMPTION, ASSETS, CREDIT = Dimension
POLICY = policy_for(date(2020, 1, 1))


@pytest.fixture
async def person(stage):
    """Somebody signed in, whom no whitelist has judged."""
    found = await stage.resident(invited=True)
    await found.sign_in()
    return found


def codes(items):
    return [item["code"] for item in items]


async def test_who_was_never_judged_gets_a_plain_answer(stage, person):
    told = await person.get("/invitation")
    assert (told["month"], told["policy"], told["score"], told["way"], told["expires_on"]) == (None,) * 5
    assert told["invited"] is False
    assert codes(told["reasons"]) == ["no_activity"]
    assert (told["preconditions"], told["advice"]) == ([], [])
    assert [(s["kind"], s["state"], s["adds_e2"]) for s in told["supplements"]] == [
        ("occupation", None, 100),
        ("education", None, 100),
        ("property", None, 300),
        ("income", None, 300),
    ]
    assert told["answered_within_days"] == 7
    assert told["next_evaluation_on"] == str(first_of_next_month(stage.today()))


async def test_an_invited_member_sees_the_points_of_every_item(stage, person):
    done = await whitelist(stage, somebody(POLICY, person.member_id, weak={ASSETS}))
    told = await person.get("/invitation")
    assert told["month"] == str(done.month)
    assert (told["invited"], told["way"], told["policy"]) == (True, "directed", POLICY.version)
    assert told["expires_on"] == str(stage.today() + timedelta(days=60))
    assert (told["reasons"], told["preconditions"]) == ([], [])
    score = told["score"]
    # 30 % + 25 % + 25 % of 100 points, and nothing of the 20 % for assets
    assert (score["total_e2"], score["threshold_e2"], score["full_e2"], score["supplement_e2"]) == (
        8000,
        6500,
        10000,
        0,
    )
    assert (score["delayed_from_e2"], score["delayed_months"]) == (6000, 3)
    shown = [(d["dimension"], d["weight_e4"], d["points_e2"]) for d in score["dimensions"]]
    assert shown == [
        ("social", 3000, 10000),
        ("consumption", 2500, 10000),
        ("assets", 2000, 0),
        ("credit", 2500, 10000),
    ]
    for dimension in score["dimensions"]:
        assert sum(item["points_e2"] for item in dimension["items"]) == dimension["points_e2"]
        assert sum(item["of_e2"] for item in dimension["items"]) == 10_000
    told_items = [item for dimension in score["dimensions"] for item in dimension["items"]]
    assert [item["feature"] for item in told_items] == [item.feature for item in POLICY.item]
    assert [item["value"] for item in told_items] == [
        end_of_curve(item, best=item.dimension is not ASSETS) for item in POLICY.item
    ]


async def test_who_falls_short_learns_where_and_what_would_help(stage, person):
    row = somebody(POLICY, person.member_id, weak={SOCIAL, CONSUMPTION})
    done = await whitelist(stage, row)
    told = await person.get("/invitation")
    assert (told["invited"], told["way"], told["expires_on"]) == (False, None, None)
    assert told["score"]["total_e2"] == 4500  # 20 % + 25 %
    assert codes(told["reasons"]) == ["weak_social", "weak_consumption"]  # what costs most comes first
    assert 1 <= len(told["advice"]) <= 3
    gains = [change["gain_e2"] for change in told["advice"]]
    assert gains == sorted(gains, reverse=True)
    for change in told["advice"]:
        assert row[change["feature"]] == change["value"]
        changed = frame(POLICY, row | {change["feature"]: change["wanted"]})
        [anew] = judge(POLICY, changed.with_columns(supplement_e2=0), done.month, {})
        assert anew.total_e2 == 4500 + change["gain_e2"]
        assert change["gain_e2"] > 0


async def test_who_withholds_the_social_consent_is_scored_on_the_others(stage, person):
    await whitelist(stage, somebody(POLICY, person.member_id, weak={ASSETS}, consent_social=False))
    told = await person.get("/invitation")
    score = told["score"]
    shown = [(d["dimension"], d["weight_e4"], d["points_e2"]) for d in score["dimensions"]]
    # 25, 20 and 25 of 70
    assert shown == [("social", 0, None), ("consumption", 3571, 10000), ("assets", 2857, 0), ("credit", 3571, 10000)]
    assert score["total_e2"] == 7143  # 50 / 70
    assert {(i["value"], i["value_text"], i["points_e2"]) for i in score["dimensions"][0]["items"]} == {(None,) * 3}
    of = {item.feature: item.dimension for item in POLICY.item}
    assert {of[change["feature"]] for change in told["advice"]} == {ASSETS}  # nothing else can gain


async def test_a_balance_is_brought_nearer_to_nought_from_its_own_side(stage, person):
    await whitelist(stage, somebody(POLICY, person.member_id, values={"red_packet.amount_sum_balance.180d": -0.7}))
    [change] = (await person.get("/invitation"))["advice"]
    assert (change["code"], change["value_text"], change["wanted_text"]) == ("balance_red_packets", "-70%", "-60%")
    # from a share of 3,000 to one of 4,000 of 10,000, of 10 points that count a quarter
    assert change["gain_e2"] == 25


async def test_what_is_not_on_record_is_asked_for_by_the_nearest_step(stage, person):
    await whitelist(stage, somebody(POLICY, person.member_id, values={"bill_paid.late_share.180d": None}))
    [change] = (await person.get("/invitation"))["advice"]
    assert (change["code"], change["value_text"], change["wanted_text"]) == ("pay_bills_on_time", None, "10%")
    assert change["gain_e2"] == 250  # from 3,000 to 7,000 of 10,000, of 25 points that count a quarter


async def test_preconditions_are_told_apart_from_points(stage, person):
    row = somebody(POLICY, person.member_id, weak={SOCIAL, CREDIT}, real_name=False, card_bound=False)
    await whitelist(stage, row | {"default.count.360d": 1.0})
    told = await person.get("/invitation")
    assert codes(told["preconditions"]) == ["no_real_name", "no_card", "default_recorded"]
    assert codes(told["reasons"]) == ["weak_social", "weak_credit"]


async def test_beyond_the_months_capacity(stage, person):
    other = await stage.resident(invited=True)
    rows = [somebody(POLICY, other.member_id), somebody(POLICY, person.member_id, weak={ASSETS})]
    await whitelist(stage, *rows, capacity=1)
    told = await person.get("/invitation")
    assert (told["invited"], told["way"], told["expires_on"]) == (False, "directed", None)
    assert codes(told["reasons"]) == ["capacity_reached"]


async def test_the_newest_month_counts_but_an_invitation_holds(stage, person):
    for weak, counts in (({SOCIAL, CREDIT}, (False, 4500)), (set(), (True, 10000)), ({SOCIAL, CREDIT}, (True, 10000))):
        await whitelist(stage, somebody(POLICY, person.member_id, weak=weak))
        told = await person.get("/invitation")
        assert (told["invited"], told["score"]["total_e2"]) == counts


async def test_words_are_in_the_language_of_the_request(stage, person):
    row = somebody(POLICY, person.member_id, weak={SOCIAL, CONSUMPTION, ASSETS}, student=True)
    await whitelist(stage, row)
    chinese = await person.get("/invitation")
    english = (await person.call("GET", "/invitation", **ENGLISH)).json()

    def words(told):
        yield from (one["text"] for one in told["reasons"] + told["preconditions"] + told["advice"])
        yield from (one["name"] for one in told["supplements"] + told["score"]["dimensions"])
        yield from (one["meaning"] for one in told["advice"])
        yield from (item["meaning"] for dimension in told["score"]["dimensions"] for item in dimension["items"])

    assert all("\u4e00" <= text[0] <= "\u9fff" for text in words(chinese))
    assert all(text.isascii() for text in words(english))
    assert len(list(words(chinese))) == len(list(words(english))) > 30


async def test_an_invitation_ends_after_its_last_day(stage, person):
    await whitelist(stage, somebody(POLICY, person.member_id))
    stage.tick(60 * DAY)
    assert (await person.get("/invitation"))["invited"] is True
    stage.tick(DAY)
    told = await person.get("/invitation")
    assert told["invited"] is False
    assert codes(told["reasons"]) == ["invitation_expired"]


@pytest.mark.parametrize(
    ("value", "unit", "chinese", "english"),
    [
        (123_456.4, Unit.FEN, "¥1,234.56", "¥1,234.56"),
        (100_000, Unit.FEN, "¥1,000", "¥1,000"),
        (0.125, Unit.SHARE, "12.5%", "12.5%"),
        (1.0, Unit.SHARE, "100%", "100%"),
        (-0.6, Unit.BALANCE, "-60%", "-60%"),
        (-0.0001, Unit.BALANCE, "0%", "0%"),
        (30, Unit.DAYS, "30 天", "30 days"),
        (12.345, Unit.DAYS, "12.35 天", "12.35 days"),
        (3, Unit.EVENTS, "3 次", "3 times"),
        (1200, Unit.COUNT, "1,200", "1,200"),
        (0, Unit.RATIO, "0", "0"),
    ],
)
async def test_values_are_written_with_their_unit(value, unit, chinese, english):
    assert value_text(value, unit, "zh") == chinese
    assert value_text(value, unit, "en") == english
