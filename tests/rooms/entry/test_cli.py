"""Commands that end with the right code and say why: verify, bench, settings, a platform that does not run."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from grainline.entry import cli
from grainline.kit.calendar import business_date
from sandbox_process import SECRET, Running
from stage import open_stage

Run = Callable[..., Result]


@pytest.fixture
def run(
    databases: tuple[str, str], town: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run `grainline …` on the module's database and sandbox."""
    given = {
        "DATABASE_URL": databases[1],
        "DATABASE_OWNER_URL": databases[0],
        "DATA": str(town.folder),
        "PARTNERS_URL": town.url,
        "PARTNER_SECRET": SECRET.hex(),
        "SANDBOX_PORT": town.url.rpartition(":")[2],
        "PORT": "1",
        "SANDBOX": "yes",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"GRAINLINE_{name}", value)
    return lambda *words: CliRunner().invoke(cli.app, list(words))


@pytest.fixture(scope="module")
def loan(databases: tuple[str, str], town: Running) -> str:
    """A loan of 1,000 that somebody has just been paid."""

    async def borrow() -> str:
        async with open_stage(databases, town) as stage:
            return await (await stage.borrower()).loan(1_000)

    return asyncio.run(borrow())


def test_month_is_moved_with_every_days_work(run, loan, databases, town):
    before = town.clock()()
    result = run("sandbox", "advance", "--days", "31")
    assert result.exit_code == 0, result.output
    moved = town.clock()() - before
    # and as long again as the last answers may take
    assert timedelta(days=31) <= moved < timedelta(days=31, minutes=10)
    with psycopg.connect(databases[0]) as connection:
        paid = connection.execute("select kind, state, amount_fen from loans.repayments").fetchall()
    [(kind, state, amount_fen)] = paid
    assert (kind, state) == ("automatic", "collected")
    assert 20_000 < amount_fen < 22_000  # a fifth, and a month's interest at 0.05 % a day on 1,000
    assert business_date(town.clock()()).isoformat() in result.output


@pytest.mark.parametrize("days", ["0", "-1", "3661", "x", "1.5"])
def test_days_that_cannot_be_moved(run, days):
    assert run("sandbox", "advance", "--days", days).exit_code == 2


def test_verify_proves_and_exits_0(run, loan):
    result = run("verify", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["findings"] == []
    assert (report["checked"]["draws"], report["checked"]["loans"], report["checked"]["lines"]) == (1, 1, 1)
    assert "Everything agrees." in run("verify").output


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        ("update lines.lines set used_fen = used_fen + 1", "line_equals_ledger"),
        ("update ledger.balances set balance_fen = balance_fen + 1 where account = '1301'", "balance_equals_entries"),
        ("update ledger.entries set amount_fen = amount_fen + 1 where account = '1002'", "journal_balances"),
        ("update loans.loans set principal_fen = principal_fen - 1", "loan_equals_projection"),
        ("update guard.day_draws set amount_fen = amount_fen - 100", "day_limit"),
        ("insert into loans.loans (member_id, loan_id, product, rules, card_id, purpose, amount_fen, instalments,"
         " rate_e8, started_on, principal_fen, booked_through) select member_id, gen_random_uuid(), product, rules,"
         " card_id, purpose, amount_fen, instalments, rate_e8, started_on, principal_fen, booked_through"
         " from loans.loans", "loan_equals_ledger"),
        ("delete from ledger.entries where account = '2202'", "journal_balances"),
        ("insert into loans.rail_answers (member_id, transfer_id, kind, status, amount_fen, reason, heard_at)"
         " select member_id, transfer_id, kind, 'failed', amount_fen, 'x', heard_at from loans.rail_answers",
         "rail_contradicts_itself"),
        ("update loans.rail_answers set amount_fen = 100", "rail_has_another_order"),
    ],
)  # fmt: skip
def test_verify_names_what_does_not_agree_and_exits_1(run, loan, databases, damage, check, request):
    """Each damage is done to a copy of the database, by its owner; the app's role could not."""
    name = f"damaged_{abs(hash(request.node.name))}"
    source = databases[0].partition("@/")[2].partition("?")[0]
    with psycopg.connect(databases[0].replace(f"/{source}?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {source}")
    owner_url, app_url = (url.replace(f"/{source}?", f"/{name}?") for url in databases)
    with psycopg.connect(owner_url) as connection:
        assert connection.execute(damage).rowcount > 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAINLINE_DATABASE_URL", app_url)
        result = run("verify", "--json")
        shown = run("verify")
    assert result.exit_code == 1, result.output
    report = json.loads(result.stdout)
    assert check in {finding["check"] for finding in report["findings"]}
    assert all(finding["what"] for finding in report["findings"])
    assert shown.exit_code == 1
    assert check in shown.output


def test_unknown_benchmark_names_those_there_are(run):
    result = run("bench", "nonsense", "--json")
    assert result.exit_code == 2
    assert "there is no benchmark 'nonsense'" in result.output


@pytest.mark.parametrize("name", ["../conftest", "", "a/b", "\x00"])
def test_benchmark_is_a_file_of_its_folder(run, name, tmp_path, monkeypatch):
    benchmarks = tmp_path / "benchmarks"
    benchmarks.mkdir()
    monkeypatch.setattr(cli, "BENCHMARKS", benchmarks)
    assert run("bench", name).exit_code == 2


def test_benchmark_gets_its_options_and_gives_its_exit_code(run, tmp_path, monkeypatch):
    (tmp_path / "echo.py").write_text("import pathlib, sys; pathlib.Path(sys.argv[1]).touch(); sys.exit(7)")
    monkeypatch.setattr(cli, "BENCHMARKS", tmp_path)
    assert run("bench", "echo", str(tmp_path / "there")).exit_code == 7
    assert (tmp_path / "there").exists()


@pytest.mark.parametrize(
    "words", [["verify"], ["worker"], ["serve"], ["migrate"], ["up"], ["sandbox", "now"], ["me", "wallet"]]
)
def test_bad_settings_end_every_command_with_2(run, words, monkeypatch):
    monkeypatch.setenv("GRAINLINE_PORT", "many")
    result = run(*words)
    assert result.exit_code == 2
    assert "GRAINLINE_PORT=many" in result.output


def test_time_is_not_moved_outside_the_sandbox(run, town, monkeypatch):
    monkeypatch.setenv("GRAINLINE_SANDBOX", "no")
    before = town.clock()()
    for words in (("sandbox", "advance", "--days", "1"), ("sandbox", "now")):
        result = run(*words)
        assert result.exit_code == 2
        assert "GRAINLINE_SANDBOX is off" in result.output
    assert town.clock()() - before < timedelta(hours=1)


@pytest.mark.parametrize("words", [["me", "wallet"], ["me", "code", "10000000001"], ["me", "repay", "x", "all"]])
def test_platform_that_does_not_run_is_named(run, words):
    result = run(*words)
    assert result.exit_code == 1
    assert "is `make run` running?" in result.output


def test_sandbox_that_does_not_run_is_named(run, monkeypatch):
    monkeypatch.setenv("GRAINLINE_SANDBOX_PORT", "2")
    result = run("sandbox", "inbox")
    assert result.exit_code == 1
    assert "is `make run` running?" in result.output


def test_command_without_words_lists_what_there_is():
    shown = subprocess.run(
        [sys.executable, "-m", "grainline.entry.cli", "--help"], capture_output=True, text=True, check=True
    )
    for name in ("up", "serve", "worker", "migrate", "verify", "bench", "backtest", "me", "sandbox"):
        assert f" {name} " in shown.stdout
