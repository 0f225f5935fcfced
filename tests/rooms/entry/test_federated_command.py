"""`grainline federated train`, as a lender types it: real processes, and one clear line for what cannot be."""

import json
import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from grainline.entry.cli import app
from grainline.entry.problems import TEXTS
from grainline.federated.identity import Role, make_identity
from grainline.federated.model import read_guest_part
from grainline.federated.scorecard_model import read_scorecard_guest_part
from grainline.federated.signed_parts import read_part, signing_key

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
    assert len(read_guest_part(read_part(model.read_bytes())).trees) == 2


@pytest.mark.skipif(not BREAST.is_dir(), reason="../shared/data/federated_breast is not here")
def test_the_published_two_party_case(tmp_path: Path) -> None:
    files = [BREAST / f"breast_hetero_{side}.csv" for side in ("guest", "host")]
    done = train(*files, label="y", more=("--json", "--learning-rate", "0.3"))
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["auc"] > 0.95


@pytest.mark.skipif(not BREAST.is_dir(), reason="../shared/data/federated_breast is not here")
def test_a_scorecard_of_the_published_two_party_case(tmp_path: Path) -> None:
    files = [BREAST / f"breast_hetero_{side}.csv" for side in ("guest", "host")]
    card = tmp_path / "card.json"
    done = train(*files, label="y", more=("--json", "--model", "scorecard", "--out", str(card)))
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)
    assert figures["equals_twin"] == 1
    assert figures["auc"] > 0.97
    assert figures["auc"] == pytest.approx(figures["plaintext_auc"], abs=0.01)
    part = read_scorecard_guest_part(read_part(card.read_bytes()))
    assert figures["features"] == len(part.points) + len(part.host_points[0]) > 1


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
    ("change", "told", "code"),
    [
        (lambda guest: pl.concat([guest, guest[:1]]), "Ids occur more than once", "duplicate_ids"),
        (lambda guest: guest.drop("id"), "has no column `id`", "federated_no_id_column"),
        (lambda guest: guest.drop("late"), "has no column `late`", "federated_no_label_column"),
        (lambda guest: guest.with_columns(late=pl.lit("perhaps")), "must be 0 or 1", "federated_label_not_binary"),
        (lambda guest: guest.with_columns(late=pl.lit(1)), "the same label", "federated_one_class"),
    ],
)
def test_what_is_wrong_with_the_lenders_file_is_told(tmp_path: Path, change, told: str, code: str) -> None:
    guest, _ = written(tmp_path)
    change(guest).write_csv(tmp_path / "guest.csv")
    model = tmp_path / "lender.json"
    done = train(tmp_path / "guest.csv", tmp_path / "host.csv", more=("--out", str(model)))
    assert done.exit_code == 2
    assert told in done.output
    assert f"[{code}]" in done.output
    assert TEXTS[code]["zh"] != TEXTS[code]["en"]
    assert not model.exists()
    assert done.output.count("\n") <= 2


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (("--trees", "0"), "federated_bad_option"),
        (("--depth", "11"), "federated_bad_option"),
        (("--learning-rate", "0"), "federated_bad_option"),
        (("--bins", "256"), "federated_bad_option"),
        (("--bins", "0"), "federated_bad_option"),
        (("--leaf-rows", "0"), "federated_bad_option"),
        (("--smallest-bin", "0"), "federated_bad_option"),
        (("--validation-share", "1"), "federated_bad_option"),
        (("--validation-share", "0.2", "--patience", "0"), "federated_bad_option"),
        (("--split-seed", "-1"), "federated_bad_option"),
        (("--patience", "3"), "federated_option_alone"),
        (("--scheme", "rot13"), "federated_bad_choice"),
        (("--bits", "1024"), "federated_bad_choice"),
        (("--signer", "nowhere"), "not_a_party"),
    ],
)
def test_an_option_that_cannot_be_is_told_before_any_work(tmp_path: Path, given: tuple[str, ...], code: str) -> None:
    """The files are not there: were they looked at, that would be told."""
    model = tmp_path / "lender.json"
    done = train(tmp_path / "guest.csv", tmp_path / "host.csv", more=(*given, "--out", str(model)))
    assert done.exit_code == 2
    assert f"[{code}]" in done.output
    assert TEXTS[code]["zh"] != TEXTS[code]["en"]
    assert list(tmp_path.iterdir()) == []


def test_training_stops_early_and_the_lenders_own_key_signs(tmp_path: Path) -> None:
    written(tmp_path)
    identity = make_identity(tmp_path / "lender", Role.LENDER, now=datetime.now(UTC), random_bytes=os.urandom)
    model = tmp_path / "lender.json"
    options = ("--trees", "30", "--learning-rate", "1", "--validation-share", "0.3", "--patience", "1", "--json")
    more = (*options, "--out", str(model), "--signer", str(identity.folder))
    done = train(tmp_path / "guest.csv", tmp_path / "host.csv", more=more)
    assert done.exit_code == 0, done.output
    figures, data = json.loads(done.stdout), model.read_bytes()
    public = signing_key(identity).public_key().public_bytes_raw()
    assert figures["trees"] == len(read_guest_part(read_part(data, signer=public)).trees) < 30
    assert (figures["signed_by"], figures["part_sha256"]) == (public.hex(), sha256(data).hexdigest())
    assert b"Useless alone" in data
    assert not list(tmp_path.glob("*.new"))
