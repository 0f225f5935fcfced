"""The files keep to the form of behaviour/events.py, and what they say of money adds up."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from town_files import DAY, Files

from grainline.behaviour.events import COLUMNS, KINDS, SCENES, TOOLS, Party
from grainline.sandbox.lives import generate

ALWAYS = ("event_id", "resident", "at", "ingested_at", "kind")
# What each kind fills besides; `place` of a payment is null where it was made online. The table of docs/town.md.
FILLED = {
    "conversation": {"counterparty", "scene"},
    "group_activity": {"counterparty"},
    "contact_added": {"counterparty"},
    "contact_removed": {"counterparty"},
    "login": {"scene", "place", "device"},
    "complaint": {"counterparty", "scene"},
    "payment": {"amount_fen", "counterparty", "scene", "tool", "place"},
    "red_packet_sent": {"amount_fen", "counterparty"},
    "red_packet_received": {"amount_fen", "counterparty"},
    "transfer_out": {"amount_fen", "counterparty"},
    "transfer_in": {"amount_fen", "counterparty", "scene"},
    "wealth_buy": {"amount_fen", "balance_fen"},
    "wealth_redeem": {"amount_fen", "balance_fen"},
    "money_market_in": {"amount_fen", "balance_fen"},
    "money_market_out": {"amount_fen", "balance_fen"},
    "bill_paid": {"amount_fen", "scene", "days_late"},
    "ride": {"amount_fen", "scene", "place"},
    "enquiry": {"counterparty", "scene"},
    "account_opened": {"amount_fen", "counterparty", "scene"},
    "account_closed": {"counterparty", "scene"},
    "statement": {"amount_fen", "balance_fen", "counterparty", "scene", "days_late"},
    "default": {"amount_fen", "counterparty", "scene"},
    "default_cured": {"counterparty", "scene"},
}


@pytest.mark.parametrize("party", Party)
def test_a_party_has_the_columns_and_all_of_its_kinds(town: Files, party: Party) -> None:
    events = town.party(party)
    assert dict(events.schema) == COLUMNS
    assert set(events["kind"].unique()) == set(KINDS[party])


@pytest.mark.parametrize("party", Party)
def test_events_are_numbered_once_and_sorted_by_resident_and_time(town: Files, party: Party) -> None:
    events = town.party(party)
    assert events["event_id"].is_unique().all()
    assert events.select("resident", "at").equals(events.select("resident", "at").sort("resident", "at"))
    assert set(events["resident"].unique()) <= set(range(1, 3_001))


@pytest.mark.parametrize("party", Party)
def test_each_kind_fills_its_columns_and_no_others(town: Files, party: Party) -> None:
    for (kind,), events in town.party(party).group_by("kind"):
        for name in set(COLUMNS) - set(ALWAYS):
            missing = events[name].null_count()
            if name not in FILLED[kind]:
                assert missing == len(events), f"{kind} has {name}"
            elif (kind, name) == ("payment", "place"):
                assert 0 < missing < len(events)
            else:
                assert missing == 0, f"{kind} lacks {name}"
        assert events.select(ALWAYS).null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize("party", Party)
def test_words_are_those_that_were_agreed(town: Files, party: Party) -> None:
    for (kind,), events in town.party(party).group_by("kind"):
        found, agreed = set(events["scene"].drop_nulls().unique()), set(SCENES.get(kind, ()))
        # Guarantees are asked for and never given in this town, and only loans come to an end.
        assert found == agreed if party is not Party.BUREAU or kind == "enquiry" else found < agreed
        assert set(events["tool"].drop_nulls().unique()) <= set(TOOLS)


@pytest.mark.parametrize("party", Party)
def test_a_party_learns_of_an_event_after_it_and_within_a_week(town: Files, party: Party) -> None:
    delay = town.party(party).select((pl.col("ingested_at") - pl.col("at")).alias("delay"))["delay"]
    assert delay.min() >= timedelta(0)
    assert delay.max() <= timedelta(days=7)
    within_minutes, after_a_day = (delay <= timedelta(minutes=15)).mean(), (delay > timedelta(days=1)).mean()
    assert within_minutes > (0.05 if party is Party.BUREAU else 0.85)
    assert 0.001 < after_a_day < 0.15


def test_amounts_are_above_nought_and_balances_never_below(town: Files) -> None:
    for events in (town.payment, town.bureau):
        assert events["amount_fen"].min() > 0
        assert events["balance_fen"].min() >= 0


@pytest.mark.parametrize(
    ("inward", "outward", "opening"),
    [
        ("money_market_in", "money_market_out", "money_market_opening_fen"),
        ("wealth_buy", "wealth_redeem", "wealth_opening_fen"),
    ],
)
def test_a_balance_is_what_was_held_before_and_the_move(town: Files, inward: str, outward: str, opening: str) -> None:
    moves = town.payment.filter(pl.col("kind").is_in([inward, outward]))
    assert len(moves) > 3_000
    signed = pl.when(pl.col("kind") == inward).then(pl.col("amount_fen")).otherwise(-pl.col("amount_fen"))
    held = moves.join(town.truth.select("resident", opening), on="resident").with_columns(
        (pl.col(opening) + signed.cum_sum().over("resident", order_by="at")).alias("held")
    )
    # Of the last week some moves are not known yet, so what comes after them seems not to add up.
    held = held.filter(date(2026, 11, 24) > DAY)
    assert held.filter(pl.col("held") != pl.col("balance_fen")).is_empty()


def test_nothing_is_told_before_the_first_day_nor_learned_after_the_last(town: Files) -> None:
    for party in Party:
        events = town.party(party)
        assert events["ingested_at"].max() < datetime(2026, 11, 30, 16, tzinfo=UTC)  # midnight in Shanghai
        if party is Party.BUREAU:  # it has known some accounts for longer than the span
            events = events.filter(pl.col("kind") != "account_opened")
        days = events.select(DAY.min().alias("first"), DAY.max().alias("last")).row(0)
        assert days == (date(2025, 6, 1), date(2026, 11, 30))


def test_every_account_with_a_statement_was_opened_before_it(town: Files) -> None:
    account = ["resident", "counterparty", "scene"]
    events = town.party(Party.BUREAU)
    opened = events.filter(pl.col("kind") == "account_opened").group_by(account).agg(pl.col("at").min().alias("since"))
    statements = events.filter(pl.col("kind") == "statement").group_by(account).agg(pl.col("at").min())
    found = statements.join(opened, on=account, how="left")
    assert found.filter(pl.col("since").is_null() | (pl.col("since") > pl.col("at"))).is_empty()
    assert len(found) > 100


def test_a_month_that_is_cut_short_is_no_busier_than_others(tmp_path) -> None:
    generate(tmp_path / "town", residents=1_000, seed=3, until=date(2026, 9, 10), months=3)
    files = Files(tmp_path / "town")
    end = datetime(2026, 9, 10, 16, tzinfo=UTC)  # midnight in Shanghai
    for party in Party:
        assert files.party(party)["at"].max() < end
    assert files.payment["at"].min() >= datetime(2026, 6, 30, 16, tzinfo=UTC)
    for kind in ("payment", "transfer_out", "money_market_in", "red_packet_sent"):
        months = files.kind(kind).group_by(DAY.dt.month()).len().sort("at")["len"].to_list()
        assert months[2] / 10 == pytest.approx(months[1] / 31, rel=0.15), kind


def test_who_joined_later_has_no_earlier_event_in_the_app(town: Files) -> None:
    joined = town.truth.drop_nulls("joined_on").select("resident", "joined_on")
    assert len(joined) > 100
    for events in (town.payment, town.social):
        theirs = events.join(joined, on="resident")
        assert len(theirs) > 1_000
        assert theirs.filter(pl.col("joined_on") > DAY).is_empty()


def test_the_lender_may_know_little_and_nothing_that_is_hidden(town: Files) -> None:
    known = town.residents
    assert known.columns == [
        *("resident", "born_on", "sex", "student", "real_name", "card_bound", "willingness", "consent_social"),
        *("occupation_proof", "education_proof", "property_proof", "income_proof"),
    ]
    assert known["resident"].to_list() == list(range(1, 3_001))
    assert known.null_count().sum_horizontal().item() == 0
    assert known.filter(pl.col("card_bound") & ~pl.col("real_name")).is_empty()
    age = known.select((pl.lit(date(2026, 11, 30)) - pl.col("born_on")).dt.total_days() / 365.25).to_series()
    assert 15 < age.min() < 18 < age.max() < 90
    assert known.filter("student")["born_on"].min() > date(2001, 1, 1)
    for flag in ("student", "real_name", "card_bound", "willingness", "consent_social", "property_proof"):
        assert 0.02 < known[flag].mean() < 0.98, flag
