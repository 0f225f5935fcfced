"""Rhythms look like life: paydays, weekends, festivals, sales, commutes, nights."""

from datetime import date

import polars as pl
from town_files import AT_NIGHT, DAY, HOUR, LOCAL, Files


def a_day(events: pl.DataFrame, first: date, last: date) -> float:
    """How many events there are a day, from and to these dates."""
    return len(events.filter(DAY.is_between(first, last))) / ((last - first).days + 1)


def test_more_is_paid_on_the_days_from_the_payday_on(town: Files) -> None:
    paid = town.kind("payment").join(town.truth.select("resident", "payday"), on="resident")
    since = paid.select((LOCAL.dt.day() - pl.col("payday")).alias("since"))["since"]
    on_payday, before = (since == 0).sum(), (since == -4).sum()
    assert 1.4 < on_payday / before < 2.5


def test_salaries_come_on_the_payday_or_the_friday_before(town: Files) -> None:
    salaries = town.kind("transfer_in").filter(pl.col("scene") == "salary")
    known = salaries.join(town.truth.select("resident", "payday"), on="resident")
    assert len(known) > 20_000
    early = pl.col("payday") - LOCAL.dt.day()
    assert known.filter((early < 0) | (early > 2)).is_empty()
    assert known.filter(LOCAL.dt.weekday() > 5).is_empty()
    assert known.filter((early > 0) & (LOCAL.dt.weekday() != 5)).is_empty()


def test_people_dine_out_at_weekends_and_at_meals(town: Files) -> None:
    dining = town.kind("payment").filter(pl.col("scene") == "dining")
    weekend = (dining.select(LOCAL.dt.weekday())["at"] > 5).mean()
    assert 2 / 7 + 0.02 < weekend < 0.45
    hours = dining.select(HOUR)["at"]
    assert hours.is_in([11, 12, 17, 18, 19]).mean() > 0.45


def test_red_packets_come_at_the_spring_festival(town: Files) -> None:
    sent = town.kind("red_packet_sent")
    festival, ordinary = (
        a_day(sent, date(2026, 2, 16), date(2026, 2, 23)),
        a_day(sent, date(2026, 3, 1), date(2026, 4, 30)),
    )
    assert festival > 6 * ordinary
    assert sent["amount_fen"].max() == 20_000


def test_shopping_has_its_two_sales_and_travel_its_national_day(town: Files) -> None:
    paid = town.kind("payment")
    shopping = paid.filter(pl.col("scene").is_in(["apparel", "home", "electronics"]))
    ordinary = a_day(shopping, date(2026, 9, 1), date(2026, 9, 28))
    assert a_day(shopping, date(2026, 6, 16), date(2026, 6, 18)) > 2 * ordinary
    assert a_day(shopping, date(2026, 11, 9), date(2026, 11, 11)) > 2.5 * ordinary
    travel = paid.filter(pl.col("scene") == "travel")
    assert a_day(travel, date(2026, 10, 1), date(2026, 10, 7)) > 2 * a_day(travel, date(2026, 9, 1), date(2026, 9, 28))


def test_commutes_are_on_working_days_in_the_morning_and_the_evening(town: Files) -> None:
    public = town.kind("ride").filter(pl.col("scene").is_in(["metro", "bus"]))
    working, weekend = (public.filter(LOCAL.dt.weekday() <= 5), public.filter(LOCAL.dt.weekday() > 5))
    assert len(working) / 5 > 1.8 * len(weekend) / 2
    rush = working.select(HOUR)["at"].is_in([7, 8, 17, 18, 19]).mean()
    assert rush > 0.55
    assert weekend.select(HOUR)["at"].is_in([7, 8, 17, 18, 19]).mean() < rush - 0.1


def test_little_happens_at_night_and_not_nothing(town: Files) -> None:
    for events in (town.kind("payment"), town.social):
        assert 0.03 < events.select(AT_NIGHT.mean()).item() < 0.12  # seven hours of 24 would be 0.29


def test_people_have_favourites(town: Files) -> None:
    groceries = town.kind("payment").filter(pl.col("scene") == "groceries")
    by_merchant = groceries.group_by("resident", "counterparty").len()
    shares = by_merchant.group_by("resident").agg(
        (pl.col("len").max() / pl.col("len").sum()), pl.col("len").sum().alias("all")
    )
    assert 0.2 < shares.filter(pl.col("all") >= 30)["len"].median() < 0.7


def test_people_have_one_or_two_devices_at_a_time(town: Files) -> None:
    """Over three months; abnormal logins come from anywhere."""
    own = town.social.filter((pl.col("kind") == "login") & (pl.col("scene") == "normal") & (date(2026, 9, 1) <= DAY))
    devices = own.group_by("resident").agg(pl.col("device").n_unique())
    assert (devices["device"] <= 2).mean() > 0.95
    assert (devices["device"] == 2).mean() > 0.05


def test_bills_come_by_the_month_and_electricity_with_the_seasons(town: Files) -> None:
    bills = (
        town.kind("bill_paid").filter(pl.col("scene") == "electricity").with_columns(LOCAL.dt.month().alias("month"))
    )
    summer = bills.filter(pl.col("month") == 8)["amount_fen"].median()
    autumn = bills.filter(pl.col("month") == 11)["amount_fen"].median()
    assert summer > 1.3 * autumn
    whole_year = bills.filter(DAY.is_between(date(2025, 9, 1), date(2026, 8, 31)))
    assert whole_year.group_by("resident").len()["len"].median() in (11, 12, 13)


def test_who_makes_a_living_has_income_in_the_rhythm_of_it(town: Files) -> None:
    incomes = town.kind("transfer_in").join(town.truth.select("resident", "rhythm"), on="resident")
    scenes = incomes.group_by("rhythm", "scene").len()
    paid = {(rhythm, scene): count for rhythm, scene, count in scenes.iter_rows()}
    assert not [key for key in paid if key[1] == "salary" and key[0] not in {"salaried", "pension"}]
    assert not [key for key in paid if key[1] == "business" and key[0] != "business"]
