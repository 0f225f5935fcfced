"""What features say of a few events that can be counted on fingers."""

import math
from datetime import date, datetime, timedelta

import pytest
from event_lists import MOMENT, event, frame

from grainline.behaviour import Party, compute
from grainline.kit.calendar import SHANGHAI

DAY = timedelta(days=1)


def told(*events, party=Party.PAYMENT, as_of=MOMENT, known_by=None):
    """Return resident 1's features."""
    found = compute(frame(events), party=party, as_of=as_of, known_by=known_by or as_of)
    return found.row(0, named=True)


def in_shanghai(*parts):
    return datetime(*parts, tzinfo=SHANGHAI)


def meal(days, fen, *, tool="balance", shop=1):
    return event("payment", MOMENT - days * DAY, amount_fen=fen, scene="dining", tool=tool, counterparty=shop)


def test_dining_three_times():
    found = told(meal(3, 10_00), meal(20, 30_00, shop=2), meal(80, 50_00))
    assert found["payment.dining.count.30d"] == 2
    assert found["payment.dining.amount_sum.90d"] == 90_00
    assert found["payment.amount_mean.90d"] == 30_00
    assert found["payment.dining.amount_max.30d"] == 30_00
    assert found["payment.amount_std.90d"] == 20_00  # of 10, 30 and 50 yuan: sqrt((20² + 0² + 20²) / 2)
    assert found["payment.dining.counterparties.90d"] == 2
    assert found["payment.new_counterparties.30d"] == 1  # shop 1 was known 80 days ago
    assert found["payment.dining.days_since_last"] == 3
    assert found["payment.gap_mean.90d"] == (17 + 60) / 2
    assert found["payment.dining.count_share.90d"] == 1
    assert found["payment.dining.count_trend.30d_180d"] == (2 / 30) / (3 / 180)


def test_nothing_is_nought_or_null():
    found = told(event("ride", MOMENT - 400 * DAY, scene="bus"))
    assert found["payment.dining.count.90d"] == found["payment.amount_sum.30d"] == found["payment.active_days.7d"] == 0
    for name in ("payment.amount_mean.90d", "payment.dining.amount_max.90d", "payment.night_share.90d",
                 "payment.dining.days_since_last", "payment.dining.count_share.90d", "payment.scene_entropy.90d",
                 "money_market.balance_mean.90d", "flow.balance.90d", "ride.gap_mean.90d"):  # fmt: skip
        assert found[name] is None, name
    assert told(meal(1, 5_00))["payment.amount_std.30d"] is None  # one payment deviates from nothing


def test_a_window_holds_its_first_instant_and_not_its_last():
    microsecond = timedelta(microseconds=1)
    edge = MOMENT - 30 * DAY
    assert told(event("payment", edge, scene="dining", amount_fen=1))["payment.count.30d"] == 1
    assert told(event("payment", edge - microsecond, scene="dining", amount_fen=1))["payment.count.30d"] == 0
    assert told(event("payment", MOMENT - microsecond, scene="dining", amount_fen=1))["payment.count.7d"] == 1
    at_the_moment = event("payment", MOMENT, scene="dining", amount_fen=1)
    assert compute(frame([at_the_moment]), party=Party.PAYMENT, as_of=MOMENT, known_by=MOMENT).is_empty()


def test_days_and_nights_are_those_of_shanghai():
    late, early = in_shanghai(2026, 10, 23, 23, 59), in_shanghai(2026, 10, 24, 0, 1)  # a Friday, then a Saturday
    found = told(*(event("payment", at, scene="dining", amount_fen=1) for at in (late, early)))
    assert found["payment.active_days.30d"] == 2
    assert found["payment.night_share.30d"] == 0.5
    assert found["payment.weekend_share.30d"] == 0.5
    assert found["payment.hour_entropy.30d"] == 1  # two hours, one payment each
    nearly_six = told(event("payment", in_shanghai(2026, 10, 24, 5, 59), scene="dining", amount_fen=1))
    six = told(event("payment", in_shanghai(2026, 10, 24, 6), scene="dining", amount_fen=1))
    assert (nearly_six["payment.night_share.30d"], six["payment.night_share.30d"]) == (1, 0)


def test_a_business_date_sees_all_of_the_day_before():
    events = [event("payment", in_shanghai(2026, 10, 31, 23, 59), scene="dining", amount_fen=1)]
    assert told(*events, as_of=date(2026, 11, 1))["payment.count.7d"] == 1
    assert compute(frame(events), party=Party.PAYMENT, as_of=date(2026, 10, 31), known_by=MOMENT).is_empty()
    with pytest.raises(ValueError, match="time zone"):
        told(*events, as_of=datetime(2026, 11, 1))  # noqa: DTZ001


def test_hopping_between_tools():
    found = told(
        *(meal(days, 1, tool=tool) for days, tool in ((5, "balance"), (4, "pay_later"), (3, "balance"), (2, "balance")))
    )
    assert found["payment.tool_switches.30d"] == 2
    assert found["payment.tool_switch_rate.30d"] == 0.5
    assert found["payment.tool_variety.30d"] == 2
    assert found["payment.tool_entropy.30d"] == pytest.approx(-(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25)))


def test_money_that_stays_and_money_that_leaves():
    def moved(kind, days, fen, balance, hours=0):
        return event(kind, MOMENT - days * DAY + timedelta(hours=hours), amount_fen=fen, balance_fen=balance)

    stays = told(moved("money_market_in", 60, 3_000_00, 3_000_00), moved("money_market_out", 15, 1_500_00, 1_500_00))
    assert stays["money_market.balance_last"] == 1_500_00
    assert stays["money_market.balance_mean.30d"] == (15 * 3_000_00 + 15 * 1_500_00) / 30
    assert stays["money_market.balance_mean.90d"] == (45 * 3_000_00 + 15 * 1_500_00) / 60  # unknown before day 60
    assert stays["money_market.balance_min.7d"] == stays["money_market.balance_max.7d"] == 1_500_00
    assert stays["money_market.balance_max.30d"] == 3_000_00  # it was still there when the window began
    assert stays["money_market.held_share.90d"] == 1
    assert stays["money_market.days_kept.90d"] == (45 * 3_000_00 + 15 * 1_500_00) / 60 / (3_000_00 / 90)
    assert stays["money_market_out.fast_72h.count.90d"] == 0
    came = moved("money_market_in", 10, 2_000_00, 2_000_00)
    for hours, day, three in ((24, 1, 1), (25, 0, 1), (72, 0, 1), (73, 0, 0)):
        leaves = told(came, moved("money_market_out", 10, 1_000_00, 1_000_00, hours))
        assert leaves["money_market_out.fast_24h.count.30d"] == day
        assert leaves["money_market_out.fast_72h.count.30d"] == three
    small = told(came, moved("money_market_out", 10, 999_99, 1_000_01, 1))
    assert small["money_market_out.fast_24h.count.30d"] == 0


def test_bills_paid_late_and_early():
    found = told(*(
        event("bill_paid", MOMENT - days * DAY, scene="water", amount_fen=60_00, days_late=late)
        for days, late in ((70, -2), (40, 0), (10, 8))
    ))  # fmt: skip
    assert found["bill_paid.water.late_mean.90d"] == 2
    assert found["bill_paid.late_max.90d"] == 8
    assert found["bill_paid.late_share.90d"] == pytest.approx(1 / 3)  # on the due date is not late
    assert found["bill_paid.late_last.360d"] == 8
    assert found["bill_paid.gap_cv.180d"] == 0  # every 30 days
    assert found["bill_paid.active_months.90d"] == 3


def test_red_packets_balance():
    sent = [event("red_packet_sent", MOMENT - DAY, amount_fen=30_00, counterparty=who) for who in (1, 2)]
    found = told(*sent, event("red_packet_received", MOMENT - 2 * DAY, amount_fen=20_00, counterparty=1))
    assert found["red_packet.count_balance.30d"] == pytest.approx(1 / 3)
    assert found["red_packet.amount_sum_balance.30d"] == 0.5


def test_whom_one_talks_to():
    found = told(
        *(event("conversation", MOMENT - hours * timedelta(hours=5), scene="direct", counterparty=who)
          for hours, who in ((1, 7), (2, 7), (3, 7), (4, 8))),
        event("login", MOMENT - DAY, scene="abnormal", device=1, place=1),
        event("login", MOMENT - 100 * DAY, scene="normal", device=1, place=2),
        event("complaint", MOMENT - 3 * DAY, scene="received", counterparty=9),
        party=Party.SOCIAL,
    )  # fmt: skip
    assert found["conversation.counterparties.7d"] == 2
    assert found["conversation.top_counterparty_share.7d"] == 0.75
    assert found["conversation.per_contact.7d"] == 2
    assert found["conversation.counterparty_entropy.7d"] == pytest.approx(2 - 0.75 * math.log2(3))
    assert found["login.abnormal.count.30d"] == 1
    assert found["login.abnormal.count_share.180d"] == 0.5
    assert (found["login.new_devices.30d"], found["login.new_places.30d"]) == (0, 1)
    assert found["complaint.received.days_since_last"] == 3


def test_credit_used_missed_and_made_good():
    account = {"scene": "card", "counterparty": 5}
    found = told(
        event("account_opened", MOMENT - 300 * DAY, amount_fen=10_000_00, **account),
        event("statement", MOMENT - 60 * DAY, amount_fen=500_00, balance_fen=2_500_00, days_late=0, **account),
        event("statement", MOMENT - 30 * DAY, amount_fen=500_00, balance_fen=7_500_00, days_late=4, **account),
        event("default", MOMENT - 25 * DAY, **account),
        event("default_cured", MOMENT - 20 * DAY, **account),
        event("default_cured", MOMENT - 19 * DAY, scene="card", counterparty=6),  # of a default before our time
        party=Party.BUREAU,
    )
    assert found["statement.card.utilisation_mean.90d"] == 0.5
    assert found["statement.card.utilisation_last.90d"] == 0.75
    assert found["statement.late_share.90d"] == 0.5
    assert found["default_cured.cure_mean.90d"] == 5
    assert found["default.days_since_last"] == 25


def test_a_stream_of_nothing_and_a_stranger():
    nothing = compute(frame([]), party=Party.SOCIAL, as_of=MOMENT, known_by=MOMENT)
    assert nothing.is_empty()
    assert nothing.width > 400
    of_another_party = compute(frame([meal(1, 1)]), party=Party.SOCIAL, as_of=MOMENT, known_by=MOMENT)
    assert of_another_party.is_empty()
