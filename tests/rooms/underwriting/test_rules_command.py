"""What `grainline rules` says to who writes a table."""

import json

import pytest
from rule_files import BODIES, FOLDER, cell, changed
from typer.testing import CliRunner

from grainline.entry.cli import app


def test_a_shipped_file_is_found_complete():
    ran = CliRunner().invoke(app, ["rules", "check", str(FOLDER / "weilidai.rules.json")])
    assert ran.exit_code == 0, ran.output
    assert "complete, and within the pack and cn-2026" in ran.stdout


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (changed(cell("tier", 2, "pd_e6", "(80001..140000]")), "table tier: no row is for pd_e6 80001"),
        (
            changed(cell("tier", 1, "tier", '"gold"')),
            "table tier row 1: tier gold at pd_e6 0 … 80000, the pack: no tier",
        ),
        (changed(lambda document: document.update(product="nobody")), "there is no such pack"),
        (b"{}", "product: Field required"),
        (BODIES["jiebei"].replace(b'"<= 55000"', b'"<= 55 000"'), "row 1: pd_e6: <= 55 000 is no whole number"),
    ],
)
def test_what_is_wrong_is_said_with_file_table_and_row_and_ends_with_1(tmp_path, body, problem):
    path = tmp_path / "rules.json"
    path.write_bytes(body)
    ran = CliRunner().invoke(app, ["rules", "check", str(path)])
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert all(line.startswith(f"{path}: ") for line in ran.stderr.splitlines())
    assert problem in ran.stderr
    told = json.loads(CliRunner().invoke(app, ["rules", "check", str(path), "--json"]).stdout)
    assert any(problem in line for line in told["problems"])


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    ran = CliRunner().invoke(app, ["rules", "check", str(tmp_path / "gone.json")])
    assert ran.exit_code == 1
    assert "cannot be read" in ran.stderr
