"""A campaign of the pack over the API: shown before the draw, promised by the contract, given when the loan begins."""

import asyncio
from datetime import timedelta

import pytest
from campaign_packs import campaign, running
from rail_orders import LATER_S

from grainline.loans import servicing
from grainline.loans.disclosure import content_hash
from stage import Stage, new_key

pytestmark = pytest.mark.anyio

ENGLISH = {"Accept-Language": "en"}
WORDS = "50% of the interest of the first 30 days from the payout is given back"
AMOUNT, SHARE = 1_000_000, 200_000  # 10,000 yuan in five equal parts, at 0.05 % a day


@pytest.fixture(autouse=True)
def no_faults(stage):
    yield
    stage.hands.clear_faults()


def half_given_back(rows, days=30):
    """Half of the interest of the first days, by the plan's own due dates: principal × 5 / 10,000 / 2 a day."""
    saved, left = 0, AMOUNT
    for row in rows:
        counted = min(days, row["days"])
        saved += left * 5 * counted // 20_000
        days, left = days - counted, left - SHARE
    return saved


async def quoted(person, yuan=10_000, **headers):
    answer = await person.call("POST", "/quotes", {"amount_fen": yuan * 100, "instalments": 5}, **headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def events_of(stage: Stage, loan_id):
    return await stage.rows(
        "select event_no, kind, value_on, until_on, share_e4, amount_fen, made_by, idempotency_key"
        " from loans.events where loan_id = %s order by 1",
        loan_id,
    )


def interest(rows):
    return [row["interest_fen"] for row in rows]


async def test_a_quote_shows_what_a_campaign_saves(stage):
    person = await stage.borrower()
    plain = await quoted(person)
    assert plain["campaign"] is None
    with running(stage, campaign(stage.today())):
        shown = await quoted(person, **ENGLISH)
    saved = half_given_back(plain["rows"])
    assert 7_000 <= saved <= 7_500
    assert shown["campaign"] == {
        "code": "week",
        "name": "Anniversary",
        "text": WORDS,
        "interest_before_fen": plain["total_interest_fen"],
        "saved_fen": saved,
        "annual_rate_irr_percent": shown["campaign"]["annual_rate_irr_percent"],
    }
    assert (shown["total_interest_fen"], shown["total_fen"]) == (
        plain["total_interest_fen"] - saved,
        plain["total_fen"] - saved,
    )
    assert sum(interest(shown["rows"])) == shown["total_interest_fen"]
    for rate in ("annual_rate_percent", "annual_rate_irr_percent"):  # without the campaign
        assert shown[rate] == plain[rate]
    assert float(shown["campaign"]["annual_rate_irr_percent"]) < float(plain["annual_rate_irr_percent"])
    assert await quoted(person) == plain


async def test_only_draws_of_its_days_that_are_large_enough_have_it(stage):
    person, today = await stage.borrower(), stage.today()
    day = timedelta(days=1)
    for from_on, has in ((today, True), (today + day, False), (today - day, True), (today - 7 * day, False)):
        with running(stage, campaign(from_on)):
            assert ((await quoted(person))["campaign"] is not None) is has
    with running(stage, campaign(today, coupon_fen=500, min_draw_fen=100_000)):
        assert (await quoted(person, 900))["campaign"] is None
        assert (await quoted(person, 1_000))["campaign"]["saved_fen"] == 500


async def test_a_renewal_is_a_draw_after_one_that_was_paid(stage):
    person = await stage.borrower()
    with running(stage, campaign(stage.today(), audience="renewal")):
        assert (await quoted(person))["campaign"] is None
        stage.hands.set_fault("rail", "stays_processing", mode="next", count=1)
        await person.draw(1_000)
        await stage.work()
        assert (await quoted(person))["campaign"] is None  # nobody knows yet whether it is paid
        stage.hands.release()
        stage.tick(LATER_S)
        await stage.work()
        assert (await quoted(person))["campaign"]["code"] == "week"
        assert (await quoted(await stage.borrower()))["campaign"] is None  # another member
    assert await stage.proof() == []


async def test_whoever_renews_has_the_better_of_two(stage):
    person, today = await stage.borrower(), stage.today()
    everyone, renewals = campaign(today, code="coupon", coupon_fen=500), campaign(today, audience="renewal")
    with running(stage, everyone, renewals):
        loan_id = await person.loan(1_000)
        assert [row[1] for row in await events_of(stage, loan_id)] == ["coupon"]
        assert (await quoted(person, 10_000))["campaign"]["code"] == "week"
        assert (await quoted(person, 500))["campaign"]["code"] == "coupon"  # half of 30 days of 500 yuan is 3.75


async def test_the_promise_is_in_disclosure_and_contract(stage):
    person = await stage.borrower()
    with running(stage, campaign(stage.today())):
        shown = await person.disclosure(10_000)
        items = {item["label"]: item["value"] for item in shown["items"]}
        offer = shown["quote"]["campaign"]
        yuan = f"¥{offer['saved_fen'] / 100:.2f}"
        assert items["优惠活动"] == "周年礼遇：放款日起 30 天内利息减免 50%"
        assert items["优惠减免利息（按期还款）"] == yuan
        assert items["优惠后年化利率（内部收益率 IRR）"] == offer["annual_rate_irr_percent"] + "%"
        assert items["年化利率（内部收益率 IRR）"] == shown["quote"]["annual_rate_irr_percent"] + "%"
        assert items["利息合计（按期还款）"] == f"¥{offer['interest_before_fen'] / 100:.2f}"
        assert items["本息合计"] == f"¥{shown['quote']['total_fen'] / 100:,.2f}"
        [(content, kept)] = await stage.rows(
            "select content, campaign from loans.disclosures where disclosure_id = %s", shown["disclosure_id"]
        )
        assert content_hash(content).hex() == shown["hash"]
        assert (content["items"], kept["code"]) == (shown["items"], "week")
        assert [row[3] for row in content["schedule"]] == interest(shown["quote"]["rows"])
    stage.tick(61)
    body = {"disclosure_id": shown["disclosure_id"], "disclosure_hash": shown["hash"]}
    made = await person.post("/contracts", body)
    [clause] = [line for line in made["text"].splitlines() if "优惠" in line]
    assert "周年礼遇" in clause
    assert yuan in clause
    first = shown["quote"]["rows"][0]
    assert f"利息 ¥{first['interest_fen'] / 100:.2f}" in made["text"]
    stage.tick(61)
    english = (await person.call("POST", "/contracts", body, **ENGLISH)).json()["text"]
    assert f'this loan has "Anniversary": {WORDS}, counted from the day' in english
    assert f"If paid on time, {yuan} of interest is given back" in english
    assert "优惠" not in (await person.contract(1_000))["text"]


async def test_a_loan_with_a_discount_from_its_first_day_to_its_first_debit(stage):
    person = await stage.borrower()
    plain = await quoted(person)
    with running(stage, campaign(stage.today())):
        offer = await quoted(person)
        loan_id = await person.loan(10_000)
    today = stage.today()
    given = ("discount", today, today + timedelta(days=30), 5_000, 0, "campaign/week", f"campaign/{loan_id}")
    assert await events_of(stage, loan_id) == [(1, *given)]
    loan = await person.get(f"/loans/{loan_id}")
    assert interest(loan["rows"]) == interest(offer["rows"])
    assert (loan["payoff_fen"], loan["next_due"]["amount_fen"]) == (AMOUNT, offer["rows"][0]["total_fen"])
    assert await stage.proof() == []

    await stage.pass_days(offer["rows"][0]["days"])
    loan = await person.get(f"/loans/{loan_id}")
    first = loan["rows"][0]
    assert (first["state"], first["paid_fen"], first["total_fen"]) == ("paid", *[offer["rows"][0]["total_fen"]] * 2)
    [debit] = loan["repayments"]
    assert (debit["kind"], debit["amount_fen"]) == ("automatic", SHARE + offer["rows"][0]["interest_fen"])
    answer = await person.call("GET", f"/loans/{loan_id}/statement?format=csv", **ENGLISH)
    told = answer.content.decode("utf-8-sig")
    assert f'"Discount of 50% on interest, until {today + timedelta(days=30)} (excluded)"' in told
    [given] = [line.split(",") for line in told.splitlines() if ",Interest given back," in line]
    saved = interest(plain["rows"])[0] - interest(offer["rows"])[0]
    assert given[1:5] == [first["due_on"], "Interest given back", "", f"{saved / 100:.2f}"]
    assert await stage.proof() == []


async def test_what_is_repaid_within_the_campaign_costs_half(stage):
    person = await stage.borrower()
    with running(stage, campaign(stage.today())):
        loan_id = await person.loan(10_000)
    await stage.pass_days(10)
    payoff = (await person.get(f"/loans/{loan_id}"))["payoff_fen"]
    assert payoff == AMOUNT + 10 * 250
    await person.repay(loan_id, payoff)
    assert (await person.get(f"/loans/{loan_id}"))["state"] == "settled"
    assert await stage.proof() == []


async def test_a_promise_holds_when_the_money_comes_after_the_campaign(stage):
    """Drawn on the campaign's last day, paid two days later, when the pack knows of no campaign any more."""
    person = await stage.borrower()
    with running(stage, campaign(stage.today(), days_long=1)):
        offer = await quoted(person)
        loan_id = await person.draw(10_000)
    stage.tick(2 * 86_400)
    await stage.work()
    today = stage.today()
    loan = await person.get(f"/loans/{loan_id}")
    assert loan["started_on"] == today.isoformat()
    [event] = await events_of(stage, loan_id)
    assert event[1:5] == ("discount", today, today + timedelta(days=30), 5_000)
    plain = (await quoted(person))["rows"]
    assert sum(interest(plain)) - sum(interest(loan["rows"])) == half_given_back(plain)
    assert offer["campaign"]["code"] == "week"
    assert await stage.proof() == []


async def test_what_is_disclosed_after_the_campaign_has_none(stage):
    person = await stage.borrower()
    with running(stage, campaign(stage.today())):
        await person.disclosure(10_000)  # shown, and not taken
    loan_id = await person.loan(10_000)
    assert await events_of(stage, loan_id) == []
    assert interest((await person.get(f"/loans/{loan_id}"))["rows"]) == interest((await quoted(person))["rows"])


async def test_a_lost_answer_and_doubled_callbacks_give_it_once(stage):
    person = await stage.borrower()
    with running(stage, campaign(stage.today(), coupon_fen=2_000)):
        body, key = await person.signature(10_000), new_key()
        drawn = [(await person.post("/draws", body, key=key))["draw_id"] for _ in range(2)]
    loan_id = drawn[0]
    assert drawn == [loan_id] * 2
    stage.hands.set_fault("rail", "lost_answer", mode="next", count=1)
    await stage.work()
    assert await events_of(stage, loan_id) == []
    stage.tick(LATER_S)
    await asyncio.gather(stage.work(), stage.work())
    for _ in range(2):
        stage.tick(LATER_S)
        await stage.work()
    assert [row[1:6] for row in await events_of(stage, loan_id)] == [("coupon", stage.today(), None, 0, 2_000)]
    assert await stage.proof() == []


async def test_without_its_event_a_loan_does_not_begin(stage, monkeypatch):
    """What breaks between the payment and the event takes both back; the next question brings both."""
    person = await stage.borrower()
    with running(stage, campaign(stage.today())):
        loan_id = await person.draw(10_000)

    async def broken(*_, **__):
        raise RuntimeError("struck")

    with monkeypatch.context() as struck:
        struck.setattr(servicing, "take", broken)
        with pytest.raises(BaseExceptionGroup, match="transfers"):
            await stage.work()
    assert (await person.get(f"/draws/{loan_id}"))["state"] == "sent"
    assert (await person.call("GET", f"/loans/{loan_id}")).status_code == 404
    stage.tick(LATER_S)
    await stage.work()
    assert (await person.get(f"/draws/{loan_id}"))["state"] == "paid"
    assert [row[1] for row in await events_of(stage, loan_id)] == ["discount"]
    assert await stage.proof() == []


async def test_products_tell_the_campaigns_that_run_today(stage):
    today = stage.today()
    coming = campaign(today + timedelta(days=1), code="later")
    renewals = campaign(today, audience="renewal", min_draw_fen=100_000, coupon_fen=2_000)
    with running(stage, renewals, coming):
        listed = (await stage.api.get("/products", headers=ENGLISH)).json()["items"]
    assert [product["campaigns"] for product in listed[1:]] == [[]] * (len(listed) - 1)
    assert listed[0]["campaigns"] == [
        {
            "code": "week",
            "name": "Anniversary",
            "text": "the first interest is given back, up to ¥20.00",
            "audience": "renewal",
            "audience_name": "For who borrows again",
            "from_on": today.isoformat(),
            "until_on": (today + timedelta(days=7)).isoformat(),
            "min_draw_fen": 100_000,
        }
    ]
