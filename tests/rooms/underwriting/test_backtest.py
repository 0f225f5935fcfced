"""The main job: all 30,000 people decided as the lender would, and every way in which the input can be wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from grainline.entry.backtest_command import PACKS, SHIPPED
from grainline.entry.backtest_command import backtest as command
from grainline.products import load_pack
from grainline.scoring import LABEL, Scores
from grainline.scoring.portfolio import checked
from grainline.underwriting import backtest, capacity_fen, decide, decide_portfolio, loan_profit_fen
from grainline.underwriting.pricing import Means, price

PACK = load_pack(PACKS / "weilidai.toml")
runner = CliRunner()
app = typer.Typer()
app.command()(command)


@pytest.fixture(scope="module")
def whole() -> dict[str, object]:
    """Return what `grainline backtest --json` says of the shipped people; the one full run of the tests."""
    ran = runner.invoke(app, ["--json", "--no-comparison"])
    assert ran.exit_code == 0, ran.stderr
    return dict(json.loads(ran.stdout))


def test_the_models_rank_real_people(whole: dict[str, float]) -> None:
    assert whole["rows"] == 30_000
    assert whole["bad"] == 6_636
    assert whole["auc"] >= 0.78
    assert whole["scorecard_auc"] >= 0.765
    assert whole["ks"] >= 0.42
    assert whole["brier"] <= 0.135  # always saying the bad rate would score 0.172
    assert whole["calibration_error"] <= 0.015
    assert whole["scorecard_calibration_error"] <= 0.02


def test_who_is_invited_is_better_than_who_is_not(whole: dict[str, float]) -> None:
    assert whole["invited"] + whole["not_invited"] == 30_000
    assert whole["bad_rate_invited"] < whole["bad_rate"] < whole["bad_rate_not_invited"]
    bad = whole["invited"] * whole["bad_rate_invited"] + whole["not_invited"] * whole["bad_rate_not_invited"]
    assert bad == pytest.approx(6_636)


def test_tiers_are_in_order_and_add_up(whole: dict[str, object]) -> None:
    tiers = whole["tiers"]
    assert isinstance(tiers, list)
    assert [tier["code"] for tier in tiers] == [tier.code for tier in PACK.tier]
    for key, total in (("people", "invited"), ("real_profit_fen", "real_profit_fen")):
        assert sum(tier[key] for tier in tiers) == whole[total]
    for said, tier in zip(tiers, PACK.tier, strict=True):
        assert tier.line_min_fen <= said["mean_line_fen"] <= tier.line_max_fen
        assert tier.rate_min_e8 <= said["mean_rate_e8"] <= tier.rate_max_e8
        assert said["real_bad_rate"] == pytest.approx(said["predicted_bad_rate"], abs=0.02)
    real = [tier["real_bad_rate"] for tier in tiers]
    assert real == sorted(real)


def test_the_run_says_how_long_it_took_and_what_it_assumes(whole: dict[str, object]) -> None:
    assert isinstance(whole["seconds"], float)
    assert whole["seconds"] > 0
    names = {one["name"] for one in whole["assumptions"]}  # type: ignore[attr-defined]
    assert {"currency", "loss given default", "funding", "used", "instalments", "operating cost", "elasticity"} <= names
    assert whole["comparison"] == []


def test_a_csv_of_some_people_is_printed_as_a_table(tmp_path: Path) -> None:
    people = pl.read_parquet(SHIPPED).sample(1_500, seed=8)
    people.write_csv(tmp_path / "people.csv")
    path = str(tmp_path / "people.csv")
    ran = runner.invoke(app, ["--portfolio", path, "--product", "weilidai", "--splits", "1"])
    assert ran.exit_code == 0, ran.stderr
    for words in ("1,500 people", "Prime", "Risky", "Not invited", "AUC", "loss given default", "one to one"):
        assert words in ran.stdout, words
    for words in ("Optimised against flat, test halves of 1 splits", "as shipped", "riskier lines", "assumes 45 % 0"):
        assert words in ran.stdout, words
    assert "Models for 1,500 people" in ran.stderr
    assert "Pricing compared on 1 splits" in ran.stderr
    assert "Models for" not in ran.stdout


Change = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda people: people.drop("bill_4"), "bill_4: no such column"),
        (lambda people: people.drop("paid_1", LABEL), "paid_1, defaulted: no such column"),
        (lambda people: people.with_columns(pl.col("paid_2").cast(pl.String) + " NT$"), "paid_2: row 1: '689 NT$'"),
        (lambda people: people.with_columns(pl.col("card_limit") / 7), "card_limit: whole numbers are needed"),
        (lambda people: people.clear(), "card_limit"),
        (lambda people: people.filter(pl.col(LABEL)), "defaulted: every row has the same value: true"),
        (lambda people: people.filter(~pl.col(LABEL)), "defaulted: every row has the same value: false"),
        (lambda people: people.with_columns(pl.col("status_1").replace(0, None)), "status_1: row"),
        (lambda people: people.with_columns(pl.lit(None).alias("age")), "age: row 1 has no value"),
    ],
)
def test_a_bad_portfolio_is_named_by_its_column(change: Change, says: str, tmp_path: Path) -> None:
    change(pl.read_parquet(SHIPPED).head(2_000)).write_parquet(tmp_path / "bad.parquet")
    _refused(tmp_path / "bad.parquet", says)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("bad.parquet", b"PAR1 and no more", "cannot be read as parquet"),
        ("bad.parquet", b"not a parquet at all", "neither parquet nor a .csv"),
        ("bad.csv", b"", "the file is empty"),
        ("bad.csv", b"card_limit,age\n1,2\n", "person_id, sex"),
        ("bad.csv", b"\x00\xff\xfe\x00,\n\x80", "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_portfolio_is_refused(name: str, content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    _refused(tmp_path / name, says)


def _refused(path: Path, says: str) -> None:
    for options in ([], ["--json"]):
        ran = runner.invoke(app, ["--portfolio", str(path), *options])
        assert ran.exit_code == 2
        assert ran.stdout == ""
        assert says in ran.stderr
        assert path.name in ran.stderr
        assert "Traceback" not in ran.stderr


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    _refused(tmp_path / "nowhere.parquet", "there is no such file")
    ran = runner.invoke(app, ["--product", "nothing"])
    assert ran.exit_code == 2
    assert "nothing.toml: there is no such pack" in ran.stderr


def test_the_profit_of_one_loan_by_hand() -> None:
    # A line of 10,000 yuan at 0.035 %: 4,000 drawn over ten months, so 400 a month fall due.
    # Paid: 55 tenths of 4,000 stand for a month each, 365/12 days of 0.035 % and of 2.5 % a year.
    interest, funding = 23_420, 4_583  # 400_000 × 5.5 × 365/12 × 0.00035; 400_000 × 5.5 × 0.025/12
    good = loan_profit_fen(PACK, line_fen=1_000_000, rate_e8=35_000, defaulted=False)
    assert good == interest - funding - 500
    # Defaulted after three: 27 tenths of interest; 60 % of the 2,800 yuan that are open are lost.
    bad = loan_profit_fen(PACK, line_fen=1_000_000, rate_e8=35_000, defaulted=True)
    assert bad == 11_497 - funding - 168_000 - 500
    # At half as much again, half of it is drawn, by the pack's elasticity of one: 2,000 yuan.
    dear = loan_profit_fen(PACK, line_fen=1_000_000, rate_e8=52_500, defaulted=False)
    assert dear == 17_565 - 2_291 - 500
    many = loan_profit_fen(
        PACK,
        line_fen=np.array([1_000_000, 1_000_000]),
        rate_e8=np.array([35_000, 35_000]),
        defaulted=np.array([False, True]),
    )
    assert many.tolist() == [good, bad]


def test_each_person_is_decided_by_their_own_figures_and_profit_adds_up() -> None:
    """Scores made up for the purpose: what a decision does with them is what is looked at."""
    people = checked(pl.read_parquet(SHIPPED).head(600))
    pd_e6 = tuple(int(value) for value in np.linspace(10_000, 400_000, 600))
    probability = np.array(pd_e6) / 1e6
    scores = Scores(probability, probability, pd_e6, (("small_payments",),) * 600, "made up")
    decisions = decide_portfolio(PACK, people, scores)
    last = PACK.tier[-1].pd_max_e6
    for decision, person in zip(decisions, people.frame.iter_rows(named=True), strict=True):
        assert decision.person_id == person["person_id"]
        assert decision.invited is (decision.pd_e6 <= last)
        if decision.invited:
            paid = [100 * person[f"paid_{month}"] for month in range(1, 7)]
            capacity = capacity_fen(100 * person["card_limit"], paid)
            offer = price(PACK, pd_e6=decision.pd_e6, means=Means(capacity))
            assert (decision.tier, decision.line_fen, decision.rate_e8) == (offer.tier, offer.line_fen, offer.rate_e8)
        else:
            assert (decision.tier, decision.line_fen, decision.rate_e8) == (None, 0, 0)
    result = backtest(PACK, people, scores)
    real = sum(
        loan_profit_fen(PACK, line_fen=d.line_fen, rate_e8=d.rate_e8, defaulted=d.defaulted)
        for d in decisions
        if d.invited
    )
    assert result.invited.real_profit_fen == real
    assert result.not_invited.real_profit_fen == 0
    assert result.bad == sum(decision.defaulted for decision in decisions)


def test_where_nobody_is_invited_there_is_no_bad_rate_of_the_invited() -> None:
    people = checked(pl.read_parquet(SHIPPED).head(600))
    high = np.linspace(0.5, 0.9, 600)
    scores = Scores(high, high, tuple(int(p * 1e6) for p in high), ((),) * 600, "made up")
    result = backtest(PACK, people, scores)
    assert (result.invited.people, result.invited.real_bad_rate) == (0, None)
    assert result.not_invited.people == 600


@pytest.mark.parametrize("product", ["jiebei", "jintiao"])
def test_a_product_that_asks_for_a_score_is_backtested_by_its_threshold(product: str, tmp_path: Path) -> None:
    people = pl.read_parquet(SHIPPED).sample(1_500, seed=8)
    people.write_csv(tmp_path / "people.csv")
    options = ["--portfolio", str(tmp_path / "people.csv"), "--product", product]
    ran = runner.invoke(app, [*options, "--json", "--splits", "2"])
    assert ran.exit_code == 0, ran.stderr
    said, pack = json.loads(ran.stdout), load_pack(PACKS / f"{product}.toml")
    assert pack.admission.score is not None
    assert (said["product"], said["admission"]["score"]["min"]) == (product, pack.admission.score.min)
    assert [tier["code"] for tier in said["tiers"]] == [tier.code for tier in pack.tier]
    assert 0 < said["invited"] < 1_500
    assert said["bad_rate_invited"] < said["bad_rate"]
    keys = (
        "lgd_e4 elasticity_e4 splits approval_rate exposure_ratio profit_flat_fen profit_optimised_fen positive_share"
    )
    assert {*keys.split(), "difference_mean_fen", "difference_ci_fen"} <= set(said["comparison"][0])
    assert (said["comparison"][0]["splits"], len(said["comparison"][0]["difference_ci_fen"])) == (2, 2)
    assert {one["name"]: one["value"] for one in said["assumptions"]}["instalments"] == "6"  # the middle of its terms


def test_a_score_admits_from_its_threshold_on_whatever_the_portfolio() -> None:
    pack = load_pack(PACKS / "jiebei.toml")
    scale = pack.admission.score
    assert scale is not None
    people = checked(pl.read_parquet(SHIPPED).head(600))
    pd_e6 = tuple(range(99_701, 100_301))
    probability = np.array(pd_e6) / 1e6
    decisions = decide_portfolio(pack, people, Scores(probability, probability, pd_e6, ((),) * 600, "made up"))
    assert [decision.invited for decision in decisions] == [True] * 300 + [False] * 300
    for decision in decisions:
        assert decision.invited is (scale.points_of(decision.pd_e6) >= 600)
        assert decision.invited or decision.reasons == ("score_below_minimum",)


def test_a_product_of_the_flat_method_is_decided_by_the_flat_table() -> None:
    pack = load_pack(PACKS / "jiebei.toml")
    people = checked(pl.read_parquet(SHIPPED).head(600))
    pd_e6 = tuple(range(100, 60_100, 100))
    probability = np.array(pd_e6) / 1e6
    decisions = decide_portfolio(pack, people, Scores(probability, probability, pd_e6, ((),) * 600, "made up"))
    for decision, person in zip(decisions, people.frame.iter_rows(named=True), strict=True):
        paid = [100 * person[f"paid_{month}"] for month in range(1, 7)]
        offer = decide(pack, pd_e6=decision.pd_e6, capacity_fen=capacity_fen(100 * person["card_limit"], paid))
        assert (decision.line_fen, decision.rate_e8) == (offer.line_fen, offer.rate_e8)
