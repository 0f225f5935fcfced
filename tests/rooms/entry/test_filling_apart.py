"""The first start fills the sandbox in another process, so that who stays does not keep what only that needed."""

import json
import os
import subprocess
import sys

import psycopg
import pytest

PREPARE = """
import json, sys
from grainline.entry.postgres import database
from grainline.entry.settings import load
from grainline.entry.up import prepare
settings = load()
said = []
with database(settings) as found:
    prepare(settings, found, said.append)
print(json.dumps({"said": said, "heavy": sorted({"sklearn", "lightgbm", "pandas", "scipy"} & set(sys.modules))}))
"""


@pytest.fixture
def prepare(databases, tmp_path):
    """Run the preparation of `grainline up` on an empty database."""
    given = {
        "DATABASE_URL": databases[1],
        "DATABASE_OWNER_URL": databases[0],
        "DATA": str(tmp_path),
        "TOWN": "1000",
    }

    def run(**changed):
        environment = os.environ | {f"GRAINLINE_{name}": value for name, value in (given | changed).items()}
        command = [sys.executable, "-c", PREPARE]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)

    return run


def evaluated(databases):
    with psycopg.connect(databases[0]) as connection:
        return connection.execute(
            "select count(distinct member_id), count(*) filter (where invited and product = 'weilidai')"
            " from invitation.evaluations"
        ).fetchone()


def test_filling_that_fails_is_told_with_its_exit_code(prepare, databases, tmp_path):
    (tmp_path / "sandbox.sqlite").mkdir()  # nobody can be settled in a folder
    done = prepare()
    assert done.returncode != 0
    assert "filling the sandbox ended (exit code 1); its words are above" in done.stderr
    assert "unable to open database file" in done.stderr
    assert evaluated(databases) == (0, 0)


def test_filling_is_told_on_the_way_and_leaves_nothing_loaded(prepare, databases):
    done = prepare()
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    total, invited = evaluated(databases)
    assert total == 1_000
    assert report["said"][:3] == [
        "Settling 1,000 residents in the sandbox …",
        "Evaluating them for this month (scorecard and boosted trees, out of fold) …",
        f"Weilidai: {invited:,} of 1,000 are admitted.",
    ]
    assert len(report["said"]) == 7  # the other two products as well, the residents' lives, and the whitelist
    assert report["heavy"] == []
