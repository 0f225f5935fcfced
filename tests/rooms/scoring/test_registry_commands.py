"""The registry from the command line: registered, promoted, watched, and refused in one line."""

import json
from pathlib import Path

import polars as pl
import pytest
from small_models import card_of_two, card_reading
from typer.testing import CliRunner

from grainline.entry.cli import app

MODEL = card_of_two("commanded", out_of_fold={"auc": 0.7})


@pytest.fixture
def environment(databases: tuple[str, str], tmp_path: Path) -> dict[str, str]:
    return {
        "GRAINLINE_DATA": str(tmp_path / "data"),
        "GRAINLINE_DATABASE_URL": databases[1],
        "GRAINLINE_DATABASE_OWNER_URL": databases[0],
        "GRAINLINE_MODEL_KEY": "01" * 32,
    }


def people(file: Path, used: float) -> Path:
    rows = [{"used": used + n % 10 / 100, "home": ("own", "rent")[n % 2]} for n in range(1_000)]
    pl.DataFrame(rows).write_csv(file)
    return file


def test_a_model_is_registered_promoted_and_watched(environment: dict[str, str], tmp_path: Path) -> None:
    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["score", *words], env=environment)
        assert done.exit_code == code, done.output
        return done.output

    file, sex = tmp_path / "model.json", tmp_path / "sex.json"
    file.write_bytes(MODEL.to_bytes())
    sex.write_bytes(card_reading("sex").to_bytes())
    kept = json.loads(run("register", str(file), "--by", "ann", "--json"))
    assert (kept["sha256"], kept["registered_by"]) == (MODEL.sha256, "ann")
    assert "No model may have these inputs: sex" in run("register", str(sex), "--by", "ann", code=2)
    assert "There is no model" in run("promote", "0" * 8, "--role", "champion", "--by", "bob", code=2)
    short = MODEL.sha256[:10]
    run("promote", short, "--role", "champion", "--by", "bob")
    assert "cannot have this role" in run("promote", short, "--role", "challenger", "--by", "bob", code=2)
    assert "there is no product" in run("promote", short, "--role", "shadow", "--by", "b", "--product", "x", code=2)
    shown = json.loads(run("roles", "--json"))
    assert shown["products"]["weilidai"]["champion"] == MODEL.sha256
    assert [change["set_by"] for change in shown["changes"]] == ["bob"]

    old, new = people(tmp_path / "old.csv", 0.2), people(tmp_path / "new.csv", 0.9)
    windows = ("--month", "2026-01", "--reference", str(old), "--current")
    assert json.loads(run("monitor", short, *windows, str(old), "--json"))["level"] == "stable"
    assert '"level": "alarm"' in run("monitor", short, *windows, str(new), "--json", code=1)
    outcomes = tmp_path / "outcomes.csv"
    outcomes.write_text("decided_on,pd_e6,bad\n2026-01-05,100000,perhaps\n")
    refused = run("monitor", short, *windows, str(old), "--outcomes", str(outcomes), code=2)
    assert "bad: row 1: 'perhaps' cannot be read" in refused

    card = json.loads(run("card", short, "--out", str(tmp_path / "card"), "--json"))
    assert kept["signature"] in Path(card["files"][1]).read_text(encoding="utf-8")
    strange = {**environment, "GRAINLINE_MODEL_KEY": "02" * 32}
    done = CliRunner().invoke(app, ["score", "card", short, "--out", str(tmp_path / "x")], env=strange)
    assert done.exit_code == 2 and "whom this installation does not know" in done.output
    trusted = strange | {"GRAINLINE_MODEL_SIGNERS": kept["signer"]}
    done = CliRunner().invoke(app, ["score", "card", short, "--out", str(tmp_path / "x")], env=trusted)
    assert done.exit_code == 0, done.output
