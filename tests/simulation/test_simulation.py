"""A simulated stretch of days: it ends clean, and comes to the same books whoever is killed on the way."""

import json
from dataclasses import replace
from datetime import date

import pytest
from typer.testing import CliRunner

from grainline.desk import Finding
from grainline.entry import simulate_command
from grainline.entry.cli import app
from grainline.entry.simulation import run
from grainline.entry.simulation.outcome import Order
from grainline.entry.simulation.run import simulate
from grainline.entry.simulation.weather import Trouble, forecast
from grainline.loans import servicing

CALM = Order(members=150, days=45, seed=9)
FIRST_DAY = date(2023, 7, 1)


@pytest.fixture(scope="module")
def calm():
    return simulate(CALM)


@pytest.fixture(scope="module")
def troubled():
    return simulate(replace(CALM, trouble=Trouble(passing=True, down=True, kills=True)))


def test_a_calm_stretch_of_many_kinds_of_lives_ends_clean(calm):
    assert calm.findings == []
    assert calm.verified == CALM.days
    counts = calm.counts
    assert counts["faults_survived"] == calm.kills == calm.down_days == 0
    assert counts["loans"] > 40
    assert counts["repayments"]["collected"] > 40 and counts["repayments"]["failed"] > 0
    assert {"repayment", "fee", "reversal", "discount", "coupon"} <= counts["events"].keys()
    assert {"event_out_of_time", "event_not_possible", "repayment_above_debt"} <= calm.refused.keys()


def test_faults_that_pass_and_killed_workers_change_no_book(calm):
    """What is compared is the whole digest: no value date and no outcome depends on them."""
    shaken = simulate(replace(CALM, trouble=Trouble(passing=True, kills=True)))
    assert shaken.findings == []
    assert shaken.kills >= 2
    assert shaken.counts.pop("faults_survived") > 0
    assert shaken.counts == {name: count for name, count in calm.counts.items() if name != "faults_survived"}
    assert shaken.refused == calm.refused
    assert shaken.digest == calm.digest


def test_with_every_trouble_the_same_seed_comes_to_the_same_books(calm, troubled):
    """A rail that is down for a day moves value dates: other books than the calm ones, the same each time."""
    again = simulate(replace(CALM, trouble=Trouble(passing=True, down=True, kills=True), verify_every=CALM.days))
    assert troubled.findings == again.findings == []
    assert troubled.down_days == again.down_days > 0
    assert (troubled.verified, again.verified) == (CALM.days, 1)
    assert troubled.digest == again.digest != calm.digest
    assert troubled.refused == again.refused


def test_another_seed_comes_to_other_books():
    first, other = (simulate(Order(members=20, days=6, seed=seed)) for seed in (1, 2))
    assert first.findings == other.findings == []
    assert first.digest != other.digest


def test_a_line_that_is_not_given_back_is_found_on_its_day(monkeypatch):
    async def forget(tx, restored):
        pass

    monkeypatch.setattr(servicing, "restore_many", forget)
    outcome = simulate(replace(CALM, days=30))
    assert outcome.verified < 30, "the run went on"
    assert {check for _, check, _, _ in outcome.findings} == {"line_equals_ledger"}


def test_each_kind_of_trouble_comes_as_it_does_alone():
    together = list(forecast(5, start=FIRST_DAY, days=400, trouble=Trouble(passing=True, down=True, kills=True)))
    kills = list(forecast(5, start=FIRST_DAY, days=400, trouble=Trouble(kills=True)))
    down = list(forecast(5, start=FIRST_DAY, days=400, trouble=Trouble(down=True)))
    assert [day.kill_at for day in together] == [day.kill_at for day in kills]
    assert [day.down for day in together] == [day.down for day in down]
    assert any(day.down for day in down) and not any(day.down for day in kills)
    assert not any(day.down and day.passing for day in together)
    assert together[-1].day == date(2024, 8, 3)


def test_the_command_prints_its_figures():
    done = CliRunner().invoke(app, ["simulate", "--members", "10", "--days", "3", "--seed", "3", "--faults", "--json"])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    expected = {"members": 10, "days": 3, "seed": 3, "faults": True, "verified": 3, "findings": []}
    assert expected.items() <= figures.items()
    assert {"draws", "loans", "repayments", "events", "overdue", "charged_off", "written_off"} <= figures.keys()
    assert {"faults_survived", "kills", "down_days", "refused", "digest", "seconds"} <= figures.keys()
    assert len(figures["digest"]) == 64


def test_the_command_ends_with_1_where_something_does_not_agree(monkeypatch):
    async def find(pool):
        return {}, [Finding("books_balance", 0, "all entries sum to 1")]

    monkeypatch.setattr(run, "verify", find)
    done = CliRunner().invoke(app, ["simulate", "--members", "2", "--days", "3"])
    assert done.exit_code == 1
    assert "books_balance 2023-07-01 member 0: all entries sum to 1" in done.stdout
    assert "1 disagreements; --folder keeps what led to them." in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["--members", "0"],
        ["--members", "30001"],
        ["--days", "0"],
        ["--days", "a year"],
        ["--seed", "-1"],
        ["--verify-every", "0"],
        ["--folder", __file__],
        ["--rain"],
    ],
    ids=" ".join,
)
def test_the_command_ends_with_2_on_bad_arguments(words, monkeypatch):
    monkeypatch.setattr(simulate_command, "set_up", None)  # it must not come so far
    done = CliRunner().invoke(app, ["simulate", *words])
    assert done.exit_code == 2, done.output
