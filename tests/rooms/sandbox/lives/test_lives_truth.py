"""What is hidden causes what is seen: traits, stress and intent show in behaviour, and in default, with noise."""

from datetime import date, timedelta

import polars as pl
import pytest
from town_files import AT_NIGHT, DAY, HORIZON_MONTHS, TOLD_MONTHS, Files, auc, correlation

LATER = date(2026, 11, 30)
EARLIER = date(2025, 11, 30)


def strain_now(truth: pl.DataFrame) -> pl.DataFrame:
    return truth.with_columns(pl.col("strain").list.get(TOLD_MONTHS - 1).alias("now"))


def test_the_prudent_pay_their_bills_earlier(town: Files) -> None:
    late = town.kind("bill_paid").group_by("resident").agg(pl.col("days_late").mean())
    assert correlation(late.join(town.truth, on="resident"), "prudence", "days_late") < -0.25


def test_the_sociable_talk_more(town: Files) -> None:
    talks = town.social.filter(pl.col("kind") == "conversation").group_by("resident").len()
    assert correlation(talks.join(town.truth, on="resident"), "sociability", "len") > 0.4


def test_strain_shows_in_nights_lenders_and_balances(town: Files) -> None:
    recent = town.payment.filter(pl.lit(LATER) - DAY < pl.duration(days=90))
    seen = recent.group_by("resident").agg(
        AT_NIGHT.mean().alias("night"),
        (pl.col("scene") == "lender").mean().alias("lender"),
        pl.col("balance_fen").filter(pl.col("kind").str.starts_with("money_market")).mean().alias("held"),
        pl.len().alias("all"),
    )
    known = seen.filter(pl.col("all") >= 30).join(strain_now(town.truth), on="resident")
    assert correlation(known, "now", "night") > 0.15
    assert correlation(known, "now", "lender") > 0.15
    assert correlation(known.drop_nulls("held"), "now", "held") < -0.3
    assert correlation(known, "now", "night") < 0.7, "no single sign gives it away"


def test_strain_shows_in_money_that_leaves_within_hours_of_coming(town: Files) -> None:
    moved = town.payment.filter(pl.col("kind").is_in(["transfer_in", "transfer_out"])).with_columns(
        pl.col("kind", "at", "amount_fen").shift().over("resident").name.prefix("last_")
    )
    passed = moved.filter(
        (pl.col("kind") == "transfer_out") & (pl.col("last_kind") == "transfer_in"),
        pl.col("at") - pl.col("last_at") < timedelta(hours=6),
        (pl.col("amount_fen") / pl.col("last_amount_fen")).is_between(0.84, 1.0),
    )
    counts = town.truth.join(passed.group_by("resident").len(), on="resident", how="left").with_columns(
        pl.col("len").fill_null(0), pl.col("strain").list.head(TOLD_MONTHS).list.mean().alias("mean")
    )
    strained, calm = (
        counts.filter(pl.col("mean") > 0.5)["len"].mean(),
        counts.filter(pl.col("mean") < 0.1)["len"].mean(),
    )
    assert strained > 2.5 * calm > 0


def test_stress_shows_after_it_struck_and_not_before(town: Files) -> None:
    """Who overspends from a day within the middle months on: payments to lenders in the 120 days before and after."""
    struck = town.truth.filter(pl.col("overspending_on").is_between(date(2025, 11, 1), date(2026, 6, 30)))
    paid = town.kind("payment").join(struck.select("resident", "overspending_on"), on="resident")
    assert len(struck) > 60
    since = (DAY - pl.col("overspending_on")).dt.total_days()
    before = paid.filter(since.is_between(-120, -1))
    after = paid.filter(since.is_between(31, 150))
    share_before, share_after = ((events["scene"] == "lender").mean() for events in (before, after))
    assert share_after > 1.5 * share_before


def test_who_lost_the_job_has_no_salary_for_a_while(town: Files) -> None:
    lost = town.truth.filter(
        (pl.col("rhythm") == "salaried") & pl.col("job_loss_on").is_between(date(2025, 7, 1), date(2026, 8, 31))
    )
    salaries = town.kind("transfer_in").filter(pl.col("scene") == "salary")
    theirs = salaries.join(lost.select("resident", "job_loss_on"), on="resident")
    since = (DAY.dt.month_start() - pl.col("job_loss_on").dt.month_start()).dt.total_days()
    assert len(lost) > 50
    assert len(theirs.filter(since == 0)) == 0
    assert len(theirs.filter(since < 0)) > 300
    assert len(theirs.filter(since > 300)) > 30, "they find work again"


def test_those_who_never_meant_to_pay_are_new_and_log_in_strangely(town: Files) -> None:
    logins = town.social.filter(pl.col("kind") == "login").join(town.truth, on="resident")
    honest, intent = (logins.filter(pl.col("fraud_intent") == meant) for meant in (False, True))
    assert len(intent) > 100
    abnormal = [(events["scene"] == "abnormal").mean() for events in (honest, intent)]
    assert abnormal[1] > 3 * abnormal[0]
    new = town.truth.group_by("fraud_intent").agg(pl.col("joined_on").is_not_null().mean())
    assert dict(new.iter_rows())[True] > 0.6 > 0.1 > dict(new.iter_rows())[False]


def test_a_default_is_ninety_days_after_the_last_payment_and_within_the_horizon(town: Files) -> None:
    bad = town.truth.drop_nulls("default_on")
    assert len(bad) > 150
    assert ((bad["default_on"] - bad["onset_on"]) == timedelta(days=90)).all()
    assert bad["default_on"].min() >= date(2025, 6, 1)
    assert date(2027, 10, 1) < bad["default_on"].max() <= date(2027, 11, 30)
    assert (town.truth["strain"].list.len() == TOLD_MONTHS + HORIZON_MONTHS).all()
    assert town.truth["strain"].list.min().min() > 0
    assert town.truth["strain"].list.max().max() < 1


@pytest.mark.parametrize("as_of", [EARLIER, LATER])
def test_three_to_five_in_a_hundred_default_within_a_year(town: Files, as_of: date) -> None:
    assert 0.025 < town.at_risk(as_of)["bad"].mean() < 0.055


def test_the_truth_itself_foretells_default_well_and_not_surely(town: Files) -> None:
    known = strain_now(town.at_risk(LATER)).with_columns(
        (4.3 * pl.col("now") - 0.6 * pl.col("prudence") + 3.0 * pl.col("fraud_intent")).alias("score")
    )
    assert 0.75 < auc(known["score"], known["bad"]) < 0.90


def test_behaviour_before_foretells_default_after_less_well_than_the_truth(town: Files) -> None:
    """Ranks of four signs of the year before, added up: nothing is fitted, nothing after the date is used."""
    known = town.at_risk(LATER)
    before = town.payment.filter(LATER - timedelta(days=365) < DAY)
    seen = before.group_by("resident").agg(
        (pl.col("days_late") > 0).mean().alias("late"),
        (pl.col("scene") == "lender").mean().alias("lender"),
        AT_NIGHT.mean().alias("night"),
        (-pl.col("balance_fen").filter(pl.col("kind") == "money_market_out").median()).alias("held"),
    )
    signs = known.join(seen, on="resident", how="left", maintain_order="left").with_columns(
        pl.col(name).fill_null(pl.col(name).median()).rank().alias(name) for name in ("late", "lender", "night", "held")
    )
    score = signs.select(pl.sum_horizontal("late", "lender", "night", "held")).to_series()
    assert 0.68 < auc(score, signs["bad"]) < 0.85


def test_the_bureau_hears_of_who_ceases_to_pay(town: Files) -> None:
    ceased = town.truth.filter(pl.col("onset_on").is_between(date(2025, 7, 1), date(2026, 5, 31)))
    statements = town.bureau.filter(pl.col("kind") == "statement").join(
        ceased.select("resident", "onset_on"), on="resident"
    )
    since = (DAY - pl.col("onset_on")).dt.total_days()
    before, after = (
        statements.filter(since < 0)["days_late"],
        statements.filter(since.is_between(100, 200))["days_late"],
    )
    assert (before >= 60).mean() < 0.05
    assert (after >= 60).mean() > 0.4
    defaults = town.bureau.filter(pl.col("kind") == "default")
    assert 0.5 * len(defaults) < defaults["resident"].is_in(ceased["resident"].implode()).sum() < len(defaults)
