"""The benchmarks run, tell the figures they are named for, and leave the books in balance; nothing here is timed."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

KEYS = {
    "ledger": {"tpcb_tps", "post_tps", "post_ratio", "batch_tps", "batch_ratio", "hot_ratio"},
    "draw": {"draw_tps", "tpcb_tps", "draw_ratio", "p50_ms", "p99_ms"},
}
TINY = {
    "ledger": ["--members", "200", "--batch", "50"],
    "draw": ["--stock", "100"],
}


def bench(name: str, *words: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "grainline.entry.cli", "bench", name, *words]
    environment = os.environ | {"TMPDIR": str(folder), "GRAINLINE_DATA": str(folder / "never-made")}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)


@pytest.mark.parametrize("name", ["ledger", "draw"])
def test_a_benchmark_tells_its_figures_and_leaves_nothing_behind(name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="gl-", dir="/tmp") as made:
        folder = Path(made)
        folder.chmod(0o711)
        done = bench(name, "--json", "--seconds", "0.5", "--rounds", "1", "--scale", "1", *TINY[name], folder=folder)
        assert done.returncode == 0, done.stderr
        figures: dict[str, Any] = json.loads(done.stdout)
        assert all(figures[key] > 0 for key in KEYS[name])
        assert figures["verified"] is True
        assert list(folder.iterdir()) == []
    if name == "draw":
        assert figures["errors"] == 0
        assert figures["draws"] == 50  # 100 a second for half a second: each member drew, and drew once


def test_an_unknown_benchmark_is_named_with_those_there_are(tmp_path: Path) -> None:
    done = bench("horses", folder=tmp_path)
    assert done.returncode == 2
    assert "'horses'" in done.stderr
    assert "close-day, decide, draw, features, federated, " in done.stderr
