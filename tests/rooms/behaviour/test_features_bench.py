"""`grainline bench features` tells its figures of a small town; nothing here is timed."""

import json
import os
import subprocess
import sys

from grainline.behaviour import all_features

FIGURES = {"events", "residents", "features", "cpu_s", "wall_s", "peak_gb", "one_person_ms"}


def test_the_benchmark_tells_its_figures_and_leaves_nothing_behind(tmp_path):
    words = ["--json", "--residents", "40", "--events", "2000", "--people", "3", "--without-featuretools"]
    command = [sys.executable, "-m", "grainline.entry.cli", "bench", "features", *words]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert set(figures) >= FIGURES
    assert all(figures[name] > 0 for name in FIGURES)
    assert (figures["events"], figures["residents"], figures["features"]) == (2_000, 40, len(all_features()))
    assert list(tmp_path.iterdir()) == []
