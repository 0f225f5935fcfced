"""`grainline federated train`, as a lender types it: real processes, and one clear line for what cannot be."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from grainline.entry.cli import app
from grainline.federated.model import read_guest_part

KEYS = {
    "rows", "trees", "cpu_s", "cpu_s_per_tree", "wall_s", "auc", "plaintext_auc", "bytes_to_hosts_per_tree",
    "bytes_back_per_tree",
}  # fmt: skip
BREAST = Path(__file__).resolve().parents[4] / "shared" / "data" / "federated_breast"


def train(guest: Path, *hosts: Path, label: str = "late", more: tuple[str, ...] = ()):
    given = [part for host in hosts for part in ("--host", str(host))]
    command = ["federated", "train", "--guest", str(guest), *given, "--label", label, "--trees", "2", "--depth", "3"]
    return CliRunner().invoke(app, [*command, *more])


def written(folder: Path, rows: int = 300) -> tuple[pl.DataFrame, pl.DataFrame]:
    chance = np.random.default_rng(1)
    signal = chance.normal(size=rows)
    late = (signal + chance.normal(size=rows) / 2 > 0).astype(int)
    city = pl.Series(np.where(signal > 1, "harbour", "hill")).set(pl.Series(chance.random(rows) < 0.1), None)
    ids = [f"person {number}" for number in range(rows)]
    guest = pl.DataFrame({"id": ids, "late": late, "limit": chance.integers(1, 9, rows)})
    host = pl.DataFrame({"id": ids, "spent": signal, "city": city})[::-1][: rows - 20]
    guest.write_csv(folder / "guest.csv")
    host.write_csv(folder / "host.csv")
    return guest, host


def test_a_pair_of_files_is_trained_on_and_the_figures_are_told(tmp_path: Path) -> None:
    written(tmp_path)
    model = tmp_path / "lender.json"
    done = train(tmp_path / "guest.csv", tmp_path / "host.csv", more=("--json", "--out", str(model)))
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert figures.keys() >= KEYS
    assert figures["rows"] == 280
    assert figures["aligned_by"] == "psi"
    assert figures["auc"] > 0.8 > 0.6 > figures["lender_alone_auc"]
    assert figures["plaintext_auc"] == pytest.approx(figures["auc"], abs=0.05)
    assert figures["bytes_to_hosts_per_tree"] > 256 * figures["training_rows"]
    assert figures["cpu_s_per_tree"] == pytest.approx(figures["cpu_s"] / 2, abs=0.01)
    assert len(read_guest_part(model.read_bytes()).trees) == 2


@pytest.mark.skipif(not BREAST.is_dir(), reason="../shared/data/federated_breast is not here")
def test_the_published_two_party_case(tmp_path: Path) -> None:
    files = [BREAST / f"breast_hetero_{side}.csv" for side in ("guest", "host")]
    done = train(*files, label="y", more=("--json", "--learning-rate", "0.3"))
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["auc"] > 0.95


def test_no_id_in_common_is_told(tmp_path: Path) -> None:
    _, host = written(tmp_path)
    host.with_columns(pl.col("id") + " of elsewhere").write_csv(tmp_path / "host.csv")
    done = train(tmp_path / "guest.csv", tmp_path / "host.csv")
    assert done.exit_code == 2
    assert "Too few ids in common: 0" in done.output


def test_an_id_that_a_host_has_twice_is_told(tmp_path: Path) -> None:
    _, host = written(tmp_path)
    pl.concat([host, host[:1]]).write_csv(tmp_path / "host.csv")
    done = train(tmp_path / "guest.csv", tmp_path / "host.csv")
    assert done.exit_code == 2
    assert "host-1" in done.output
    assert "Ids occur more than once" in done.output


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda guest: pl.concat([guest, guest[:1]]), "Ids occur more than once"),
        (lambda guest: guest.drop("id"), "has no column `id`"),
        (lambda guest: guest.drop("late"), "has no column `late`"),
        (lambda guest: guest.with_columns(late=pl.lit("perhaps")), "must be 0 or 1"),
    ],
)
def test_what_is_wrong_with_the_lenders_file_is_told(tmp_path: Path, change, told: str) -> None:
    guest, _ = written(tmp_path)
    change(guest).write_csv(tmp_path / "guest.csv")
    done = train(tmp_path / "guest.csv", tmp_path / "host.csv")
    assert done.exit_code == 2
    assert told in done.output
    assert done.output.count("\n") <= 2


def test_a_label_of_one_class_is_told(tmp_path: Path) -> None:
    guest, _ = written(tmp_path)
    guest.with_columns(late=pl.lit(1)).write_csv(tmp_path / "guest.csv")
    done = train(tmp_path / "guest.csv", tmp_path / "host.csv")
    assert done.exit_code == 2
    assert "the same label" in done.output
