"""What a campaign saves is what the loan will not charge: the same fold, the same rounding, in every shape."""

from datetime import date, timedelta

from campaign_packs import campaign
from hypothesis import given
from hypothesis import strategies as st
from loan_lives import EQUAL_PRINCIPAL, terms_of_loans

from grainline.loans.campaigns import best_saving, campaign_of, campaign_words, plan_with, promised_event
from grainline.loans.fold import forecast
from grainline.loans.schedule import plan
from grainline.loans.terms import Terms

START = date(2026, 1, 31)
LOAN = Terms(1_000_000, 50_000, 5, START, EQUAL_PRINCIPAL)  # due on 28 Feb, 31 Mar, 30 Apr, 31 May, 30 Jun
campaigns = st.one_of(
    st.builds(lambda e4, days: {"discount_e4": e4, "days": days}, st.integers(1, 10_000), st.integers(1, 200)),
    st.builds(lambda fen: {"coupon_fen": fen}, st.integers(1, 100_000)),
).map(lambda what: campaign(START, **what))


def interest(rows):
    return [row.interest_fen for row in rows]


def test_a_discount_of_thirty_days_reaches_two_days_into_the_second_period():
    rows, saved = plan_with(LOAN, plan(LOAN), campaign(START, discount_e4=5_000, days=30))
    assert interest(plan(LOAN)) == [500 * 28, 400 * 31, 300 * 30, 200 * 31, 100 * 30]
    assert interest(rows) == [250 * 28, 200 * 2 + 400 * 29, 300 * 30, 200 * 31, 100 * 30]
    assert saved == 250 * 28 + 200 * 2


def test_a_coupon_lasts_until_it_is_used_up_and_no_longer():
    rows, saved = plan_with(LOAN, plan(LOAN), campaign(START, coupon_fen=15_000))
    assert (interest(rows), saved) == ([0, 500 * 28 + 400 * 31 - 15_000, 300 * 30, 200 * 31, 100 * 30], 15_000)
    whole = sum(interest(plan(LOAN)))
    assert plan_with(LOAN, plan(LOAN), campaign(START, coupon_fen=whole + 1)) == (
        tuple(row.__class__(**vars(row) | {"interest_fen": 0}) for row in plan(LOAN)),
        whole,
    )


def test_the_rate_with_a_campaign_is_lower_than_the_one_without():
    saving = best_saving(LOAN, plan(LOAN), [campaign(START, discount_e4=10_000, days=365)])
    assert (saving.saved_fen, saving.annual_irr_percent) == (sum(interest(plan(LOAN))), "0.00")


def test_of_two_campaigns_the_one_that_saves_more_is_given_and_of_equals_the_first():
    half, coupon = campaign(START, code="half"), campaign(START, code="coupon", coupon_fen=7_400)
    assert best_saving(LOAN, plan(LOAN), [half, coupon]).campaign == half  # both save 7,400
    assert best_saving(LOAN, plan(LOAN), [coupon, half]).campaign == coupon
    more = campaign(START, code="more", coupon_fen=7_401)
    assert best_saving(LOAN, plan(LOAN), [half, more, coupon]).campaign == more


def test_a_campaign_that_saves_nothing_is_none():
    free = Terms(1_000_000, 0, 5, START, EQUAL_PRINCIPAL)
    assert best_saving(free, plan(free), [campaign(START)]) is None
    assert best_saving(LOAN, plan(LOAN), []) is None


def test_shares_are_said_without_superfluous_noughts():
    said = {share: campaign_words(campaign(START, discount_e4=share, days=7), "en") for share in (5_000, 1_250, 10_000)}
    assert [text.split(" ")[0] for text in said.values()] == ["50%", "12.5%", "100%"]
    assert campaign_words(campaign(START, coupon_fen=123_450), "zh") == "减免最先产生的利息，最多 ¥1,234.50"


@given(terms_of_loans, campaigns)
def test_a_plan_with_a_campaign_is_what_the_loan_becomes(terms, promised):
    before = plan(terms)
    rows, saved = plan_with(terms, before, promised)
    ahead = forecast(terms, [promised_event(promised, terms.started_on)], terms.started_on)
    assert [(row.due_on, row.principal_fen, row.interest_fen) for row in rows] == [
        (row.due_on, row.principal_fen, row.interest_fen) for row in ahead.instalments
    ]
    assert saved == sum(interest(before)) - ahead.totals.interest_paid
    assert rows[-1].principal_after_fen == 0
    # what stays and what is given back are rounded apart: each period may differ by a fen
    assert abs(saved - ahead.totals.discounted) <= len(rows)


@given(campaigns)
def test_a_campaign_is_read_again_as_it_was_kept(promised):
    assert campaign_of(promised.model_dump_json(by_alias=True)) == promised


def test_an_event_counts_from_the_day_the_loan_begins_and_not_from_the_disclosure():
    later = START + timedelta(days=9)
    event = promised_event(campaign(START, discount_e4=1, days=30), later)
    assert (event.value_on, event.until) == (later, later + timedelta(days=30))
