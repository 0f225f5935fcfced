"""What else can happen to a loan, with the arithmetic shown: gifts, losses, reschedules, money held and lent again."""

from datetime import date

import pytest
from ten_thousand import RULES, SEPTEMBER, TEN_THOUSAND, columns, under

from grainline.loans.events import Event, EventKind, repayment
from grainline.loans.fold import fold, forecast
from grainline.loans.terms import Terms
from grainline.products import (
    Component,
    Prepayment,
    RoundedPer,
    Shape,
)

# what the lender gives -----------------------------------------------------------------------------------------------


def test_a_dated_discount_and_a_coupon():
    """Half of 5 a day for the first 10 days: 25 back. A coupon of 100. The first instalment's 150 become 25.

    Paid off after 5 days, 25 have accrued: 12.50 are discounted, the coupon has the rest, and principal is all.
    """
    events = [
        Event(EventKind.DISCOUNT, SEPTEMBER, 1, share_e4=5_000, until=date(2018, 9, 21)),
        Event(EventKind.COUPON, SEPTEMBER, 2, 10_000),
    ]
    state = fold(TEN_THOUSAND, events, date(2018, 10, 11))
    assert (state.instalments[0].interest_fen, state.totals.discounted) == (2_500, 12_500)
    assert forecast(TEN_THOUSAND, events, SEPTEMBER).instalments[1].interest_fen == 12_400
    assert fold(TEN_THOUSAND, events, date(2018, 9, 16)).payoff_fen == 1_000_000
    paid = fold(TEN_THOUSAND, [*events, repayment(1_000_000, date(2018, 9, 16), 3)], date(2018, 9, 16))
    assert (paid.settled_on, paid.totals.interest_charged, paid.totals.discounted) == (date(2018, 9, 16), 2_500, 2_500)


def test_discounts_at_once_add_up_to_all_of_it_at_most():
    def payoff(*shares):
        events = [
            Event(EventKind.DISCOUNT, SEPTEMBER, number, share_e4=share, until=date(2019, 1, 1))
            for number, share in enumerate(shares)
        ]
        return fold(TEN_THOUSAND, events, date(2018, 9, 21)).payoff_fen

    assert (payoff(3_000), payoff(3_000, 4_000), payoff(8_000, 8_000)) == (1_003_500, 1_001_500, 1_000_000)


def test_a_waiver_comes_before_the_payment_of_its_day_and_takes_the_oldest_first():
    """On 11-11: 150 and 125 of interest, 45 of penalty (2,000 × 0.00075 × 30). 200 of interest are waived."""
    on = date(2018, 11, 11)
    waiver = Event(EventKind.WAIVER, on, 2, 20_000, component=Component.INTEREST)
    state = fold(TEN_THOUSAND, [repayment(412_000, on, 1), waiver], on)
    assert columns(state, "interest", "unpaid")[:2] == [(0, 0), (7_500, 0)]
    assert (state.totals.waived, state.due_fen, state.totals.suspense) == (20_000, 0, 0)


# off the books -------------------------------------------------------------------------------------------------------


def test_written_off_recovered_and_paid_too_much():
    """On 11-11 unpaid: 150; one day on 10,000 and 30 on 8,000, 125; 2,000 × 0.00075 × 30 = 45 of penalty: 320."""
    off, later = date(2018, 11, 11), date(2019, 5, 1)
    events = [Event(EventKind.WRITE_OFF, off, 1)]
    state = fold(TEN_THOUSAND, events, later)
    assert (state.totals.written_off_principal, state.totals.written_off_other) == (1_000_000, 32_000)
    assert (state.principal_outstanding_fen, state.payoff_fen) == (0, 1_032_000)  # no interest since
    part = fold(TEN_THOUSAND, [*events, repayment(100_000, later, 2)], later)
    assert (part.totals.recovered, part.totals.principal_paid, part.payoff_fen) == (100_000, 0, 932_000)
    whole = fold(TEN_THOUSAND, [*events, repayment(100_000, later, 2), repayment(1_000_000, later, 3)], later)
    assert (whole.totals.recovered, whole.totals.suspense, whole.settled_on) == (1_032_000, 68_000, later)


@pytest.mark.parametrize("mode", Prepayment)
def test_what_is_written_off_is_recovered_from_instalments_to_come_too(mode):
    terms, off, later = under(prepayment=mode), date(2018, 9, 21), date(2018, 9, 30)
    state = fold(terms, [Event(EventKind.WRITE_OFF, off, 1), repayment(500_000, later, 2)], later)
    assert (state.totals.recovered, state.totals.suspense, state.payoff_fen) == (500_000, 0, 505_000)


def test_what_is_waived_after_a_write_off_is_waived_and_no_loss():
    """320 beside principal are written off on 11-11; 45 of them, the penalty, are waived in May."""
    events = [
        Event(EventKind.WRITE_OFF, date(2018, 11, 11), 1),
        Event(EventKind.WAIVER, date(2019, 5, 1), 2, 10_000, component=Component.PENALTY),
        Event(EventKind.FEE, date(2019, 5, 2), 3, 700),  # of the court: charged and written off at once
    ]
    state = fold(TEN_THOUSAND, events, date(2019, 5, 2))
    assert (state.totals.waived, state.totals.written_off_other) == (4_500, 27_500 + 700)
    assert state.payoff_fen == 1_000_000 + 27_500 + 700


def test_a_charge_off_that_is_reversed_never_was():
    off = Event(EventKind.CHARGE_OFF, date(2018, 11, 1), 1)
    undone = Event(EventKind.REVERSAL, date(2018, 12, 1), 2, reverses=1)
    today = date(2018, 12, 11)
    state = fold(TEN_THOUSAND, [off], today)
    # income until 11-01: 150, then 5 for the day of grace and 8,000 × 0.0005 × 20 = 80
    assert (state.charged_off_on, state.totals.interest_charged_accruing) == (date(2018, 11, 1), 23_500)
    assert fold(TEN_THOUSAND, [off, undone], today) == fold(TEN_THOUSAND, (), today)


# planned anew --------------------------------------------------------------------------------------------------------


def test_a_reschedule_ends_the_lateness_and_keeps_what_is_owed():
    """On 11-15 nothing was paid. Interest 150, 125, and since 11-11 one day on 8,000 and three on 6,000: 13; 288.

    Penalties 2,000 × 0.00075 × 34 = 51 and 2,000 × 0.00075 × 3 = 4.50. Ten instalments from 12-15 on: 1,000 each.
    """
    on, first = date(2018, 11, 15), date(2018, 12, 15)
    events = [Event(EventKind.RESCHEDULE, on, 1, until=first, instalments=10)]
    before, state = fold(TEN_THOUSAND, (), on), fold(TEN_THOUSAND, events, on)
    assert (before.days_late, state.days_late, state.due_fen) == (35, 0, 0)
    assert state.payoff_fen == before.payoff_fen == 1_000_000 + 28_800 + 5_550
    assert columns(state, "principal", "interest", "penalty")[2:4] == [(100_000, 28_800, 5_550), (100_000, 0, 0)]
    ahead = forecast(TEN_THOUSAND, events, on)
    assert [str(row.due_on) for row in ahead.instalments[2:4]] == ["2018-12-15", "2019-01-15"]
    assert ahead.instalments[2].interest_fen == 28_800 + 15_000  # 10,000 × 0.0005 × 30
    assert len(ahead.instalments) == 12


@pytest.mark.parametrize("mode", [Prepayment.LAST, Prepayment.SPREAD, Prepayment.NEXT])
def test_a_reschedule_keeps_what_was_prepaid(mode):
    """2,050 on 09-21: 50 of interest, 2,000 of principal, in whatever rows. Planned anew: 8,000 in four."""
    terms, on = under(prepayment=mode), date(2018, 9, 25)
    plan = Event(EventKind.RESCHEDULE, on, 2, until=date(2018, 11, 1), instalments=4)
    state = fold(terms, [repayment(205_000, date(2018, 9, 21), 1), plan], on)
    assert columns(state, "principal", "principal_paid", "interest", "interest_paid") == [
        (400_000, 200_000, 6_600, 5_000), *[(200_000, 0, 0, 0)] * 3  # 8,000 × 0.0005 × 4 = 16 since
    ]  # fmt: skip
    assert state.instalments[0].paid_early_fen == 205_000


def test_a_reschedule_ends_the_instalments_without_principal_or_interest():
    """No principal in the first three and no interest in the first two; planned anew, every row has its own of both.

    Interest until 10-11 is 50 for 10 days and 100 for 20; principal is 2,500 a month. 300 beyond what is due make the
    rest smaller: 7,200 ÷ 3.
    """
    terms = under(principal_free=3, interest_free=2, prepayment=Prepayment.REDUCE_INSTALMENT)
    on, first = date(2018, 9, 21), date(2018, 10, 11)
    plan = Event(EventKind.RESCHEDULE, on, 1, until=first, instalments=4)
    due = fold(terms, [plan], first)
    assert columns(due, "principal", "interest")[:2] == [(250_000, 15_000), (250_000, 0)]
    state = fold(terms, [plan, repayment(265_000 + 30_000, first, 2)], first)
    assert [row.principal_fen - row.principal_paid_fen for row in state.instalments] == [0, 240_000, 240_000, 240_000]


def test_a_bullet_that_is_rescheduled_stays_a_bullet():
    terms, on = under(shape=Shape.BULLET), date(2018, 12, 11)
    state = fold(terms, [Event(EventKind.RESCHEDULE, on, 1, until=date(2019, 3, 11), instalments=4)], on)
    assert [(str(row.due_on), row.principal_fen) for row in state.instalments] == [("2019-06-11", 1_000_000)]


# held money ----------------------------------------------------------------------------------------------------------


def test_what_is_paid_too_much_is_held_pays_a_fee_and_is_refunded():
    on = date(2018, 9, 21)
    events = [repayment(1_005_000 + 10_000, on, 1)]
    assert fold(TEN_THOUSAND, events, on).totals.suspense == 10_000
    events.append(Event(EventKind.FEE, date(2018, 9, 25), 2, 3_000))
    state = fold(TEN_THOUSAND, events, date(2018, 9, 25))
    assert (state.totals.suspense, state.totals.fee_paid, state.settled_on) == (7_000, 3_000, on)
    events.append(Event(EventKind.REFUND, date(2018, 9, 26), 3, 7_000))
    state = fold(TEN_THOUSAND, events, date(2018, 9, 26))
    assert (state.totals.suspense, state.totals.refunded, state.settled_on) == (0, 7_000, on)


def test_a_fee_above_what_is_held_is_owed_again():
    on, later = date(2018, 9, 21), date(2018, 9, 25)
    events = [repayment(1_005_000 + 1_000, on, 1), Event(EventKind.FEE, later, 2, 3_000)]
    state = fold(TEN_THOUSAND, events, later)
    assert (state.totals.suspense, state.payoff_fen, state.settled_on) == (0, 2_000, None)


def test_a_refund_whose_repayment_is_reversed_was_lent():
    """100 too much were refunded; then the payment bounced. 10,000 are out since 09-11, and 100 more since 09-25."""
    on, back = date(2018, 9, 21), date(2018, 9, 25)
    events = [repayment(1_015_000, on, 1), Event(EventKind.REFUND, back, 2, 10_000)]
    bounced = Event(EventKind.REVERSAL, date(2018, 9, 28), 3, reverses=1)
    state = fold(TEN_THOUSAND, [*events, bounced], date(2018, 10, 11))
    assert state.principal_outstanding_fen == 1_010_000
    assert state.instalments[0].principal_fen == 200_000 + 10_000
    assert state.instalments[0].interest_fen == 15_000 + 80  # 100 × 0.0005 × 16


def test_money_lent_again_begins_a_stretch_of_its_own():
    """0.61728 a day: 14 days are 8.64192, so 8.64; then 2,234.56 at 1.11728 for 16 days, 17.87648, so 17.88: 26.52."""
    terms = under(Terms(123_456, 50_000, 1, date(2018, 9, 1), RULES), rounded_per=RoundedPer.SUB_PERIOD)
    lent = Event(EventKind.REFUND, date(2018, 9, 15), 1, 100_000)
    assert fold(terms, [lent], date(2018, 10, 1)).instalments[0].interest_fen == 864 + 1_788
