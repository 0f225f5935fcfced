"""What features cost: a million events of 20,000 residents of the town become every feature of all three parties.

Measured in a process of its own, so that its memory is the kernel's and not the town's: `cpu_s`, `wall_s` and `peak_gb`
are of `compute` from frames in memory to frames in memory, `intake_cpu_s` of reading and judging the files before it.
`one_person_ms` is one resident's whole life of 18 months through the same kernel, all parties, the median of many.

`--engine spark` sends the same through Spark on two local cores, and tells its processor time and whether it agrees.
featuretools runs on a slice, as a program of its own in an environment of its own, made once beside this file from
the pinned versions in `featuretools.txt`: it needs pandas 2 and setuptools, and nothing else here does.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

import polars as pl
from _stage import print_figures
from _town_sample import UNTIL, write_sample

from grainline.behaviour import Party, all_features, compute, features, files_of, read
from grainline.behaviour.columns import instant

AS_OF = UNTIL + timedelta(days=1)
SLICE_RESIDENTS = 100
BESIDE = Path(__file__).parent


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
    parser.add_argument("--residents", type=int, default=20_000, help="(%(default)s)")
    parser.add_argument("--events", type=int, default=1_000_000, help="(%(default)s)")
    parser.add_argument("--people", type=int, default=100, help="people of whom one's features are timed (%(default)s)")
    parser.add_argument("--engine", choices=("kernel", "spark"), default="kernel", help="(%(default)s)")
    parser.add_argument("--without-featuretools", action="store_true", help="do not hold it against featuretools")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)  # what the process of its own is told
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(spark(given.measure) if given.engine == "spark" else kernel(given.measure, given.people)))
        return 0
    with tempfile.TemporaryDirectory(prefix="gl-features-") as made:
        folder = Path(made)
        write_sample(folder, residents=given.residents, events=given.events)
        figures = in_a_process(folder, given.engine, given.people)
        if given.engine == "kernel" and not given.without_featuretools:
            figures |= held_against_featuretools(folder)
    print_figures(figures, as_json=given.json)
    return 0


def in_a_process(folder: Path, engine: str, people: int) -> dict[str, float | int | bool | str]:
    """Measure in a fresh process and return its figures."""
    words = [sys.executable, __file__, "--measure", str(folder), "--engine", engine, "--people", str(people)]
    environment = os.environ | {"PYSPARK_PYTHON": sys.executable}
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found: dict[str, float | int | bool | str] = json.loads(done.stdout.splitlines()[-1])
    return found


def kernel(folder: Path, people: int) -> dict[str, float | int | bool | str]:
    """Compute everybody's features, then one person's after another."""
    began = time.process_time()
    taken = {
        party: read(files_of(folder / "sample", party), party=party, as_of=AS_OF, known_by=AS_OF, now=instant(AS_OF))
        for party in Party
    }
    intake_cpu_s = time.process_time() - began
    wall, cpu, residents, cells = time.perf_counter(), time.process_time(), set[int](), 0
    for party, found in taken.items():
        made = compute(found.events, party=party, as_of=AS_OF, known_by=AS_OF)
        residents.update(made["resident"])
        cells += len(made) * len(features(party))
        del made
    cpu_s, wall_s = time.process_time() - cpu, time.perf_counter() - wall
    return {
        "events": sum(found.report.read for found in taken.values()),
        "residents": len(residents),
        "features": len(all_features()),
        "cpu_s": round(cpu_s, 3),
        "wall_s": round(wall_s, 3),
        "peak_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3),
        **one_person(folder / "whole", people),
        "intake_cpu_s": round(intake_cpu_s, 3),
        "cells": cells,
    }


def one_person(folder: Path, people: int) -> dict[str, float]:
    """Return the milliseconds that all features of one person take, from their own rows, and how many rows that is."""
    own = {
        party: {key[0]: rows for key, rows in pl.read_parquet(files_of(folder, party)).partition_by(
            "resident", as_dict=True).items()}
        for party in Party
    }  # fmt: skip
    everybody = sorted(own[Party.PAYMENT])[:people]
    nobody = {party: next(iter(own[party].values())).clear() for party in Party}
    took, rows = [], []
    for resident in everybody:
        lives = [(party, own[party].get(resident, nobody[party])) for party in Party]
        began = time.perf_counter()
        for party, events in lives:
            compute(events, party=party, as_of=AS_OF, known_by=AS_OF)
        took.append(time.perf_counter() - began)
        rows.append(sum(len(events) for _, events in lives))
    return {"one_person_ms": round(median(took) * 1e3, 2), "one_person_events": median(rows)}


def featuretools_python() -> Path:
    """Return the Python that has featuretools, made from the pinned versions where it is not there yet."""
    made = BESIDE / ".featuretools"
    if not (made / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(made)], check=True)
        words = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(BESIDE / "featuretools.txt")]
        subprocess.run([str(made / "bin" / "python"), *words], check=True, stdout=sys.stderr)
        (made / "done").touch()
    return made / "bin" / "python"


def held_against_featuretools(folder: Path) -> dict[str, float | int | bool | str]:
    """Compute a slice of payments both ways; the ratio is of processor time an event and feature, theirs over ours."""
    events = pl.read_parquet(files_of(folder / "whole", Party.PAYMENT)).filter(pl.col("resident") <= SLICE_RESIDENTS)
    began = time.process_time()
    compute(events, party=Party.PAYMENT, as_of=AS_OF, known_by=AS_OF)
    ours = (time.process_time() - began) / len(events) / len(features(Party.PAYMENT))
    file = folder / "slice.csv"
    at = pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%S")
    events.select("event_id", "resident", at, "kind", "scene", "amount_fen", "counterparty", "days_late").write_csv(
        file
    )
    words = [str(featuretools_python()), str(BESIDE / "_featuretools.py"), str(file)]
    words.append(instant(AS_OF).strftime("%Y-%m-%dT%H:%M:%S"))
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    theirs = json.loads(done.stdout.splitlines()[-1])
    each = theirs["cpu_s"] / theirs["events"] / theirs["features"]
    return {
        "featuretools": theirs["version"],
        "featuretools_events": theirs["events"],
        "featuretools_features": theirs["features"],
        "featuretools_cpu_s": theirs["cpu_s"],
        "featuretools_ratio": round(each / ours, 1),
    }


def spark(folder: Path) -> dict[str, float | int | bool | str]:
    """Compute everybody's features on Spark, and hold them against the kernel's."""
    from pyspark.sql import SparkSession  # noqa: PLC0415

    from grainline.behaviour.spark import compute_on_spark  # noqa: PLC0415

    local = {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1", "spark.ui.enabled": "false"}
    local |= {"spark.sql.session.timeZone": "UTC", "spark.driver.memory": "3g"}
    wall, agrees, events, residents = time.perf_counter(), True, 0, set[int]()
    session = SparkSession.builder.master("local[2]").config(map=local).getOrCreate()
    for party in Party:
        files = [str(path) for path in files_of(folder / "sample", party)]
        target = folder / f"spark-{party}"
        there = compute_on_spark(session.read.parquet(*files), party=party, as_of=AS_OF, known_by=AS_OF, partitions=4)
        there.write.parquet(str(target))
    wall_s, cpu_s = time.perf_counter() - wall, spent_s()
    session.stop()
    for party in Party:
        known = pl.read_parquet(files_of(folder / "sample", party))
        here = compute(known, party=party, as_of=AS_OF, known_by=AS_OF)
        there = pl.read_parquet(folder / f"spark-{party}" / "*.parquet").sort("resident")
        agrees &= not differing(there, here)
        events, residents = events + len(known), residents | set(here["resident"])
    return {
        "events": events,
        "residents": len(residents),
        "features": len(all_features()),
        "cpu_s": round(cpu_s, 3),
        "wall_s": round(wall_s, 3),
        "agrees": agrees,
    }


def spent_s() -> float:
    """Return the processor time of this process and of all below it that still run: the JVM and its Python workers."""
    import psutil  # noqa: PLC0415

    me = psutil.Process()
    times = [one.cpu_times() for one in (me, *me.children(recursive=True))]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


def differing(one: pl.DataFrame, other: pl.DataFrame) -> list[str]:
    """Return the features on which two frames differ by more than 1e-9 of their size, or in a null."""
    if not one["resident"].equals(other["resident"]):
        return ["resident"]
    found = []
    for name in one.columns[1:]:
        far = (one[name] - other[name]).abs() > 1e-9 * other[name].abs().clip(lower_bound=1)
        if not one[name].is_null().equals(other[name].is_null()) or far.fill_null(False).any():
            found.append(name)
    return found


if __name__ == "__main__":
    raise SystemExit(main())
