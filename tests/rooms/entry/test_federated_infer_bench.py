"""`grainline bench federated-infer` scores applicants over three hosts, with consents, as the twin does."""

import json
import subprocess
import sys


def test_it_tells_its_figures_and_every_score_is_the_twins() -> None:
    words = ["bench", "federated-infer", "--json", "--rows", "900", "--trees", "3", "--applicants", "12"]
    command = [sys.executable, "-m", "grainline.entry.cli", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout, done.stderr
    figures = json.loads(done.stdout)
    assert figures["equals_twin"] is True
    assert (figures["hosts"], figures["applicants"]) == (3, 12)
    assert all(figures[key] > 0 for key in ("p50_ms", "p99_ms", "per_s", "cpu_ms", "bytes", "splits"))
