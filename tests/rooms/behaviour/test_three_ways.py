"""Batch, one person now, and Spark agree on every feature of five hundred residents of the town, nulls included."""

import importlib.util
import os
import shutil
import sys
from datetime import date

import polars as pl
import pytest

from grainline.behaviour import Party, compute, features, files_of
from grainline.behaviour.kernel import BLOCK_RESIDENTS
from grainline.sandbox.lives.generate import generate

RESIDENTS = 500
MOMENT = {"as_of": date(2026, 9, 1), "known_by": date(2026, 9, 1)}
MISSING = [name for name in ("pyspark", "pyarrow") if importlib.util.find_spec(name) is None]
if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
    MISSING.append("a Java of version 17 or later")
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("town") / "lives"
    generate(folder, residents=RESIDENTS, seed=11, until=date(2026, 10, 31))
    return folder


@pytest.fixture(scope="module")
def batch(town):
    return {
        party: compute(pl.read_parquet(files_of(town, party)), party=party, **MOMENT).sort("resident")
        for party in Party
    }


def differing(one, other):
    """Return the features on which two frames differ by more than 1e-9 of their size, or in a null."""
    assert one["resident"].equals(other["resident"])
    found = []
    for name in one.columns[1:]:
        mine, theirs = one[name], other[name]
        far = (mine - theirs).abs() > TOLERANCE * theirs.abs().clip(lower_bound=1)
        if not mine.is_null().equals(theirs.is_null()) or far.fill_null(False).any():
            found.append(name)
    return found


@pytest.mark.parametrize("party", Party)
def test_the_town_shows_in_nearly_every_feature(party, batch):
    found = batch[party]
    assert len(found) > (300 if party is Party.BUREAU else 450)
    silent = [name for name in found.columns if found[name].null_count() == len(found)]
    assert len(silent) < 0.1 * len(features(party)), silent


@pytest.mark.parametrize("party", Party)
def test_one_person_now_agrees_with_the_batch(party, town, batch):
    events = pl.read_parquet(files_of(town, party))
    rows = [compute(own, party=party, **MOMENT) for own in events.partition_by("resident")]
    assert differing(pl.concat(rows).sort("resident"), batch[party]) == []


def test_blocks_and_the_order_of_rows_change_nothing(town, batch, monkeypatch):
    events = pl.read_parquet(files_of(town, Party.PAYMENT)).sample(fraction=1, shuffle=True, seed=5)
    assert BLOCK_RESIDENTS > RESIDENTS
    monkeypatch.setattr("grainline.behaviour.kernel.BLOCK_RESIDENTS", 70)
    assert differing(compute(events, party=Party.PAYMENT, **MOMENT), batch[Party.PAYMENT]) == []
    monkeypatch.setattr("grainline.behaviour.kernel.BLOCK_EVENTS", 20_000)
    assert differing(compute(events, party=Party.PAYMENT, **MOMENT), batch[Party.PAYMENT]) == []


@pytest.fixture(scope="module")
def spark():
    os.environ["PYSPARK_PYTHON"] = sys.executable
    from pyspark.sql import SparkSession  # noqa: PLC0415

    settings = {"spark.sql.session.timeZone": "UTC", "spark.ui.enabled": "false", "spark.driver.memory": "2g",
                "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}  # fmt: skip
    session = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    yield session
    session.stop()


@pytest.mark.skipif(bool(MISSING), reason=f"Spark needs {' and '.join(MISSING)}")
def test_spark_agrees_with_the_batch(town, batch, spark):
    from grainline.behaviour.spark import compute_on_spark  # noqa: PLC0415

    for party in Party:
        files = [str(path) for path in files_of(town, party)]
        found = compute_on_spark(spark.read.parquet(*files), party=party, partitions=4, **MOMENT)
        assert differing(pl.DataFrame(pl.from_arrow(found.toArrow())).sort("resident"), batch[party]) == [], party


def test_differences_are_found():
    one = pl.DataFrame({"resident": [1, 2], "a": [1.0, None], "b": [1.0, 2.0], "c": [1e12, 0.0]})
    assert differing(one, one) == []
    assert differing(one, one.with_columns(a=pl.Series([1.0, 0.0]))) == ["a"]
    assert differing(one, one.with_columns(b=pl.Series([1.0, 2.0 + 1e-6]))) == ["b"]
    assert differing(one, one.with_columns(c=pl.Series([1e12 + 1, 0.0]))) == []
