"""Any table with a two-valued label is fitted and judged without leaks, or refused by the name of the column."""

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from grainline.entry.cli import app
from grainline.scoring import CreditModel, score_many
from grainline.scoring.table import BadTable, Table, load_table
from grainline.scoring.training import Judged, judge, train

GERMAN = Path(__file__).resolve().parents[4] / "shared" / "data" / "german" / "german.csv"


def table_of(people: int, seed: int = 1) -> pl.DataFrame:
    """People of a made-up lender: income lowers the risk, some states raise it, luck is luck."""
    rng = np.random.default_rng(seed)
    income = rng.normal(0, 1, people)
    state = rng.choice(["north", "south", "west"], people, p=[0.5, 0.3, 0.2])
    risk = -1.2 - 1.5 * income + 1.5 * (state == "west")
    bad = rng.random(people) < 1 / (1 + np.exp(-risk))
    gaps = rng.random(people) < 0.1
    return pl.DataFrame(
        {
            "id": [f"p{n}" for n in range(people)],
            "income": [None if gap else value for gap, value in zip(gaps, income.round(3).tolist(), strict=True)],
            "state": state,
            "sex": rng.choice(["f", "m"], people),
            "nothing": "",
            "same": 7,
            "outcome": np.where(bad, "bad", "good"),
        }
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tables") / "people.csv"
    table_of(1_200).write_csv(file)
    return file


@pytest.fixture(scope="module")
def table(path: Path) -> Table:
    return load_table(path, "outcome", drop=["id"], protected=["sex"])


@pytest.fixture(scope="module")
def judged(table: Table) -> Judged:
    return judge(table)


def test_what_is_no_input_is_left_out_and_said(table: Table) -> None:
    assert table.frame.columns == ["income", "state"]
    assert table.dropped == {"id": "as asked", "nothing": "no values", "same": "one value for all"}
    assert table.protected.columns == ["sex"]
    assert table.event == "bad"
    assert 300 < table.label.sum() < 600
    assert table.frame["income"].null_count() > 50


def test_both_models_learn_what_there_is(judged: Judged) -> None:
    # The lender's own rule, which luck blurs, has an AUC of about 0.83 where incomes are known.
    for measures in (judged.boosted, judged.scorecard):
        assert 0.76 < measures.auc < 0.88
        assert measures.calibration_error < 0.09  # by chance alone about 0.035, ten bins of 120 people each


def test_outcomes_dealt_at_random_cannot_be_foretold() -> None:
    """Many columns and a text that is different for nearly everyone: a leak would find them telling."""
    frame = table_of(1_000, seed=5).select("id", "income", "state")
    rng = np.random.default_rng(6)
    noise = pl.DataFrame({f"noise_{n}": rng.normal(size=1_000) for n in range(8)})
    label = rng.random(1_000) < 0.3
    dealt = judge(Table(pl.concat([frame, noise], how="horizontal"), label, "1", pl.DataFrame(), {}))
    # Under no skill the AUC of 300 bad and 700 good scatters by about 0.02.
    assert dealt.boosted.auc == pytest.approx(0.5, abs=0.06)
    assert dealt.scorecard.auc == pytest.approx(0.5, abs=0.06)


def test_the_models_kept_score_a_table_and_carry_what_they_are_worth(table: Table, judged: Judged) -> None:
    pair = train(table, judged, name="people")
    for model, measures in ((pair.champion, judged.scorecard), (pair.challenger, judged.boosted)):
        again = CreditModel.from_bytes(model.to_bytes(), sha256=model.sha256)
        assert {spec.name for spec in again.features} == {"income", "state"}
        assert again.facts["rows"] == 1_200
        assert again.facts["out_of_fold"]["auc"] == pytest.approx(measures.auc, abs=1e-6)
        west, north = score_many(again, pl.DataFrame({"income": [-2.0, 2.0], "state": ["west", "north"]}))
        assert west.pd_e6 > 2 * north.pd_e6
        # what nobody has seen and what is missing are scored: this table had gaps, and other states may come
        assert len(score_many(again, pl.DataFrame({"income": [None], "state": ["east"]}))) == 1
    assert train(table, judged, name="people") == pair  # the same input gives the same bits


@pytest.mark.parametrize("form", ["gz", "zip", "parquet"])
def test_the_same_table_in_other_files_is_the_same(path: Path, table: Table, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"people.{form}"
    if form == "gz":
        file.write_bytes(gzip.compress(path.read_bytes()))
    elif form == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.write(path, "inner.csv")
    else:
        table_of(1_200).write_parquet(file)
    again = load_table(file, "outcome", drop=["id"], protected=["sex"])
    assert again.frame.equals(table.frame)
    assert np.array_equal(again.label, table.label)


@pytest.mark.parametrize(
    ("values", "event", "bad"),
    [
        (["0"] * 80 + ["1"] * 60, None, "1"),
        (["0"] * 80 + ["1.0"] * 30 + ["1"] * 30, None, "1"),  # one number written two ways
        (["0"] * 80 + ["1"] * 60, "0", "0"),
        (["0"] * 80 + ["1"] * 60, "0.0", "0"),
        (["no"] * 60 + ["yes"] * 60, None, "yes"),  # of equals the later one
        (["True"] * 60 + ["False"] * 90, None, "True"),
    ],
)
def test_the_bad_one_is_the_rarer_or_the_one_named(
    tmp_path: Path, values: list[str], event: str | None, bad: str
) -> None:
    frame = pl.DataFrame({"x": range(len(values)), "y": values})
    frame.write_csv(tmp_path / "t.csv")
    found = load_table(tmp_path / "t.csv", "y", event=event)
    assert found.event == bad
    assert found.label.sum() == sum(value in (bad, f"{bad}.0") for value in values)


def _text(column: list[str], outcome: list[str] | None = None) -> bytes:
    outcome = outcome or ["0", "1"] * 60
    return "\n".join(["x,y", *(f"{x},{y}" for x, y in zip(column * 120, outcome, strict=False))]).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"x,y\n", "no rows"),
        (b"x,z\n1,2\n", "y: no such column in the file; there are x, z"),
        (b"x,y,x\n1,2,3\n", "x: more than one column has this name"),
        (_text(["1", "2"], ["1"] * 120), "y: two values are needed, there are 1: 1"),
        (_text(["1", "2"], ["0", "1", "2"] * 40), "y: two values are needed, there are 3: 0, 1, 2"),
        (_text(["1", "2"], ["0", "1", ""] * 40), "y: row 3 has no value"),
        (_text(["1", "2"], ["0", "1", "NaN"] * 40), "y: row 3 has no value"),
        (_text(["1", "2"], ["0"] * 118 + ["1"] * 2), "y: 2 rows of one value; at least 50"),
        (_text(["1", "1e308"]), "x: row 2: 1e308 is not a number within"),
        (_text(["1", "inf"]), "x: row 2: inf is not a number within"),
        (_text(["1", "-Infinity"]), "x: row 2: -Infinity is not a number within"),
        (_text(["5"]), "no column is left"),
        (_text(["NA"]), "no column is left"),
        (b"x,y\n\xff\xfe,1\n", "cannot be read"),
        (b"x,y\n1,2\n1,2,3,4\n", "cannot be read"),
        (b"PAR1 cut", "cannot be read"),
        (b"PK\x03\x04 cut", "cannot be read"),
        (b"\x1f\x8b cut", "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(data)
    with pytest.raises(BadTable, match=says):
        load_table(file, "y")
    answer = CliRunner().invoke(app, ["score", "train", "--csv", str(file), "--label", "y", "--json"])
    assert answer.exit_code == 2
    assert answer.stdout == ""


def test_a_column_nobody_has_and_a_label_left_out_are_refused(path: Path) -> None:
    for told in ({"drop": ["shoe"]}, {"protected": ["shoe"]}, {"event": "ugly"}, {"drop": ["outcome"]}):
        with pytest.raises(BadTable):
            load_table(path, "outcome", **told)
    with pytest.raises(BadTable, match="no such file"):
        load_table(path / "nowhere", "outcome")


@pytest.mark.skipif(not GERMAN.is_file(), reason="the shared data is not here")
def test_german_credit_through_the_command_line(tmp_path: Path) -> None:
    told = ["score", "train", "--csv", str(GERMAN), "--label", "BAD", "--json", "--out", str(tmp_path)]
    answer = CliRunner().invoke(app, told)
    assert answer.exit_code == 0
    found = json.loads(answer.stdout)
    assert found["rows"] == 1_000
    assert found["event"] == "BAD"
    assert found["auc_cv"] >= 0.78
    assert found["scorecard_auc_cv"] >= found["auc_cv"] - 0.02
    assert found["ks_cv"] > 0.4
    assert found["brier"] < 0.17
    assert found["calibration_error"] < 0.05
    assert found["seconds"] > 0
    assert found["protected_inputs"] == ["status_gender", "age", "foreign"]
    for name in ("scorecard_sha256", "boosted_sha256"):
        CreditModel.from_bytes((tmp_path / f"{found[name]}.json").read_bytes(), sha256=found[name])
