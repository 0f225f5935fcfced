"""`grainline invite`: a month from the parties' files, on the platform's database, and how well it chooses."""

import json
from collections import Counter
from datetime import date, datetime, time
from pathlib import Path

import polars as pl
import psycopg
import pytest
from typer.testing import CliRunner

from grainline.entry import cli
from grainline.entry.parties import Parties
from grainline.entry.settings import load
from grainline.entry.wiring import make_clock, parties_of
from grainline.invitation import policy_for
from grainline.invitation.outcomes import judge
from grainline.kit.calendar import add_months, at, business_date, first_of_next_month
from grainline.sandbox.lives import generate

UNTIL = date(2026, 11, 30)
A_YEAR_BEFORE = date(2025, 12, 1)
SMALL, LARGE = 300, 2_500


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """The parties' files of 300 residents."""
    folder = tmp_path_factory.mktemp("small") / "parties"
    generate(folder, residents=SMALL, seed=5, until=UNTIL)
    return folder


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    """The parties' files of 2,500 residents, enough to tell good from bad."""
    folder = tmp_path_factory.mktemp("large") / "parties"
    generate(folder, residents=LARGE, seed=5, until=UNTIL)
    return folder


@pytest.fixture
def run(environment, town):
    """Run `grainline invite …` on the module's database, some time after the town's last day."""
    clock = town.clock()
    if business_date(clock()) <= UNTIL:
        clock.advance_to(at(date(2026, 12, 5), time(12)))
    return lambda *words: CliRunner().invoke(cli.app, ["invite", *map(str, words)])


def told(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def refused(result, *parts):
    """One line that says what is wrong, in words, and the code of a wrong call."""
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    for part in parts:
        assert part in result.output, result.output


def by_hand(folder: Path, month: date, moment: datetime):
    """What the policy finds of everybody, without database and command."""
    people = pl.concat(Parties(folder).people(policy_for(month), as_of=moment, now=moment))
    extra = {"member_id": pl.col("resident"), "supplement_e2": pl.lit(0, dtype=pl.Int64)}
    return judge(policy_for(month), people.with_columns(**extra), month, {})


def test_month_is_refreshed_from_the_parties_files(run, small, databases):
    month = date(2026, 12, 1)
    found = told(run("run", "--month", "2026-12", "--parties", small, "--json"))
    expected = by_hand(small, month, at(month, time(0)))
    ways = Counter(one.way for one in expected)
    assert found["month"] == "2026-12"
    assert datetime.fromisoformat(found["as_of"]) == at(month, time(0))
    assert (found["policy"], found["capacity"]) == (policy_for(month).version, None)
    assert (found["judged"], found["qualified"], found["delayed"]) == (SMALL, ways["directed"], 0)
    assert 0 < found["invited"] == found["qualified"] < SMALL
    assert found["stopped_by"] == Counter(one.reasons[0] for one in expected if one.way is None)
    with psycopg.connect(databases[1]) as connection:
        stored = connection.execute(
            "select features_hash, total_e2, invited from invitation.outcomes where month = %s", (month,)
        ).fetchall()
    assert Counter(stored) == Counter((one.features_hash, one.total_e2, one.way is not None) for one in expected)


def test_again_says_the_same_and_the_funnel_does_too(run, small):
    words = ("run", "--month", "2026-11", "--capacity", 7, "--parties", small, "--json")
    first = told(run(*words))
    assert (first["invited"], first["capacity"]) == (7, 7)
    assert first["stopped_by"]["capacity_reached"] == first["qualified"] - 7
    assert told(run(*words)) == first
    shown = told(run("funnel", "--month", "2026-11", "--json"))
    assert shown.items() <= first.items()
    assert set(first) - set(shown) == {"policy", "as_of", "capacity", "set_aside"}
    plain = run("funnel", "--month", "2026-11")
    assert f"2026-11: {SMALL} judged" in plain.output
    assert "7 invited" in plain.output
    assert f"stopped by capacity_reached     {first['stopped_by']['capacity_reached']}" in plain.output
    refused(run("run", "--month", "2026-11", "--capacity", 8, "--parties", small), "2026-11", "another capacity")
    refused(run("run", "--month", "2026-11", "--parties", small, "--json"), "another capacity")


def test_next_month_may_be_refreshed_ahead_and_no_later_one(run, small):
    given = load()
    now = make_clock(given)()
    upcoming = first_of_next_month(business_date(now))
    found = told(run("run", "--month", f"{upcoming:%Y-%m}", "--parties", small, "--json"))
    assert now <= datetime.fromisoformat(found["as_of"]) <= make_clock(given)()
    assert found["judged"] == SMALL
    refused(run("run", "--month", f"{add_months(upcoming, 1):%Y-%m}", "--parties", small), "too far ahead")


@pytest.mark.parametrize(
    "month", ["2026-13", "2026", "december", "2026-1", "2026-12-01", "", "0000-01", "2026-00", "-1"]
)
def test_what_is_no_month_is_refused(run, small, month):
    refused(run("run", f"--month={month}", "--parties", small), "a month is written like 2026-12")
    refused(run("funnel", f"--month={month}"), "a month is written like 2026-12")


@pytest.mark.parametrize("month", ["0001-01", "1999-12"])
def test_month_before_all_events_is_refused(run, small, month):
    refused(run("run", "--month", month, "--parties", small), "before 2000-01")


def test_folder_that_is_none_is_told(run, small, tmp_path):
    nowhere = tmp_path / "nowhere"
    refused(run("run", "--month", "2026-10", "--capacity", 3, "--parties", nowhere), "nowhere", "residents.parquet")
    refused(run("evaluate", "--parties", tmp_path / "nowhere"), "nowhere", "residents.parquet")
    bare = tmp_path / "bare"
    bare.mkdir()
    pl.read_parquet(small / "residents.parquet").write_parquet(bare / "residents.parquet")
    refused(run("run", "--month", "2026-10", "--parties", bare), "no event files", "social")
    pl.read_parquet(small / "residents.parquet").drop("student", "born_on").write_parquet(bare / "residents.parquet")
    refused(run("run", "--month", "2026-10", "--parties", bare), "born_on, student")
    (bare / "residents.parquet").write_bytes((small / "residents.parquet").read_bytes()[:2_000])
    refused(run("run", "--month", "2026-10", "--parties", bare), "residents.parquet")
    twice = pl.read_parquet(small / "residents.parquet")
    pl.concat([twice, twice.head(1)]).write_parquet(bare / "residents.parquet")
    refused(run("run", "--month", "2026-10", "--parties", bare), "once each")
    # and what was refused has not settled the month's capacity
    found = told(run("run", "--month", "2026-10", "--parties", small, "--json"))
    assert found["judged"] == SMALL


def test_damaged_file_of_a_party_is_told_and_nobody_is_judged_without_it(run, small, tmp_path, databases):
    """A file that is cut off would otherwise make its residents look as if they had done nothing."""
    for each in (each for each in small.iterdir() if each.name != "payment"):
        (tmp_path / each.name).symlink_to(each)
    (tmp_path / "payment").mkdir()
    whole = small / "payment" / "events-00000.parquet"
    (tmp_path / "payment" / whole.name).write_bytes(whole.read_bytes()[:100_000])
    refused(run("run", "--month", "2026-08", "--parties", tmp_path), "payment", whole.name, "unreadable_file")
    with psycopg.connect(databases[1]) as connection:
        judged = connection.execute("select count(*) from invitation.outcomes where month = '2026-08-01'").fetchone()
    assert judged == (0,)
    (tmp_path / "payment" / whole.name).unlink()
    (tmp_path / "payment" / whole.name).symlink_to(whole)
    assert told(run("run", "--month", "2026-08", "--parties", tmp_path, "--json"))["judged"] == SMALL


def test_parties_are_looked_for_in_the_data_folder(run):
    assert parties_of(load()).folder == load().data / "parties"
    refused(run("run", "--month", "2026-09"), str(load().data / "parties"))


def test_policy_tells_who_will_default(run, large):
    found = told(run("evaluate", "--parties", large, "--as-of", A_YEAR_BEFORE, "--json"))
    assert (found["as_of"], found["policy"]) == (str(A_YEAR_BEFORE), policy_for(A_YEAR_BEFORE).version)
    assert 0.8 * LARGE < found["people"] <= LARGE
    assert 0.05 * LARGE < found["invited"] < 0.95 * LARGE
    assert found["auc"] > 0.6
    assert found["bad_rate_invited"] < found["bad_rate_all"] < found["bad_rate_rest"]
    assert list(found["gini_by_dimension"]) == ["social", "consumption", "assets", "credit"]
    assert found["gini_by_dimension"]["credit"] > 0


def test_policy_tells_nothing_where_the_truth_is_another(run, large, tmp_path):
    """The same town with its defaults dealt out anew: what the policy told of it before was not in the counting."""
    for each in (*large.iterdir(),):
        if each.name != "truth.parquet":
            (tmp_path / each.name).symlink_to(each)
    truth = pl.read_parquet(large / "truth.parquet")
    dealt = truth.select("joined_on", "default_on").sample(fraction=1, shuffle=True, seed=3)
    truth.with_columns(dealt).write_parquet(tmp_path / "truth.parquet")
    found = told(run("evaluate", "--parties", tmp_path, "--as-of", A_YEAR_BEFORE, "--json"))
    assert 0.42 < found["auc"] < 0.58
    assert abs(found["bad_rate_invited"] - found["bad_rate_rest"]) < 0.05


def test_evaluation_is_told_in_words_too(run, small):
    plain = run("evaluate", "--parties", small, "--as-of", A_YEAR_BEFORE)
    assert plain.exit_code == 0, plain.output
    assert "would be invited" in plain.output
    assert "Gini of credit" in plain.output
    refused(run("evaluate", "--parties", small, "--as-of", "yesterday"), "--as-of must be a date")
    for day in ("0001-01-01", "1999-12-31", "9999-12-31"):
        refused(run("evaluate", "--parties", small, "--as-of", day), "from 2000-01-01 to today")


def test_nothing_can_be_evaluated_where_nobody_defaulted(run, small, tmp_path):
    for name in ("social", "payment", "bureau", "residents.parquet"):
        (tmp_path / name).symlink_to(small / name)
    truth = pl.read_parquet(small / "truth.parquet")
    truth.with_columns(pl.lit(None, dtype=pl.Date).alias("default_on")).write_parquet(tmp_path / "truth.parquet")
    refused(run("evaluate", "--parties", tmp_path, "--as-of", A_YEAR_BEFORE, "--json"), "defaulted")
