"""How the cost of a tree of the federated model grows: with rows, features, parties, and the length of the key.

Synthetic tables: normal numbers, two thirds of the features with the hosts' label in them, in groups of four that go
together as a household's bills do. Real processes and mutual TLS on loopback, as `federated.py`; one line of figures
for each point. `peak_mb` is the largest resident memory of any of the processes, ever since the bench began, so
points that need more come later.
"""

import argparse
import resource
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from _stage import print_figures

from grainline.entry.federated_command import figures
from grainline.entry.federated_training import Plan, run
from grainline.federated.training import Settings
from grainline.federated.trees import Rules

LABEL = "late"
GUEST_FEATURES = 3
TOGETHER = 4  # host features that go together
KIB = 1024


@dataclass(frozen=True)
class Point:
    """A case: rows, features of each host, hosts, bits of the key."""

    rows: int
    features: int = 20
    hosts: int = 1
    bits: int = 2048

    @property
    def name(self) -> str:
        """Return what it is called among the figures."""
        return f"rows_{self.rows}_features_{self.features}_hosts_{self.hosts}_bits_{self.bits}"


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
    parser.add_argument("--rows", type=int, nargs="+", default=[30_000, 150_000], help="rows (%(default)s)")
    parser.add_argument("--features", type=int, nargs="+", default=[20, 40], help="of each host (%(default)s)")
    parser.add_argument("--hosts", type=int, nargs="+", default=[1, 3], help="data parties (%(default)s)")
    parser.add_argument("--bits", type=int, nargs="+", default=[2048, 3072], help="of the key (%(default)s)")
    parser.add_argument("--trees", type=int, default=2, help="trees (%(default)s)")
    given = parser.parse_args()
    settings = Settings(trees=given.trees, rules=Rules(depth=5))
    found: dict[str, float | int | bool | str | dict[str, float]] = {"trees": given.trees, "depth": 5}
    for point in points(given.rows, given.features, given.hosts, given.bits):
        found[point.name] = measured(point, settings)
    print_figures(found, as_json=given.json)
    return 0


def points(rows: Sequence[int], features: Sequence[int], hosts: Sequence[int], bits: Sequence[int]) -> list[Point]:
    """Return the first of each list as the base, then what differs from it in one thing, more rows last."""
    base = Point(rows[0], features[0], hosts[0], bits[0])
    found = [base]
    found += [replace(base, bits=one) for one in bits[1:]]
    found += [replace(base, features=one) for one in features[1:]]
    found += [replace(base, hosts=one) for one in hosts[1:]]
    return found + [replace(base, rows=one) for one in rows[1:]]


def measured(point: Point, settings: Settings) -> dict[str, float]:
    """Train once; return what a tree costs."""
    with tempfile.TemporaryDirectory() as folder:
        guest, hosts = written(Path(folder), point)
        plan = Plan(guest, hosts, LABEL, settings, bits=point.bits, test_share=0.0)
        told = figures(plan, run(plan))
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    names = ("cpu_s_per_tree", "bytes_to_hosts_per_tree", "bytes_back_per_tree", "align_cpu_s")
    return {name: float(told[name] or 0) for name in names} | {"peak_mb": round(peak / KIB)}


def written(folder: Path, point: Point) -> tuple[Path, list[Path]]:
    """Write all parties' files; return where."""
    chance = np.random.default_rng(0)
    hidden = chance.normal(size=point.rows)
    label = (hidden + chance.normal(size=point.rows) > 1).astype(np.int8)
    ids = pl.Series("id", [f"{number:012d}" for number in range(point.rows)])
    guest = folder / "guest.parquet"
    own = {f"own_{number}": chance.normal(size=point.rows) for number in range(GUEST_FEATURES)}
    pl.DataFrame({"id": ids, LABEL: label, **own}).write_parquet(guest)
    hosts = []
    for host in range(point.hosts):
        columns, common = {}, hidden
        for number in range(point.features):
            if number % TOGETHER == 0:
                common = hidden * (number % 3 < 2) + chance.normal(size=point.rows)
            columns[f"f{number}"] = common + chance.normal(size=point.rows) / 4
        hosts.append(folder / f"host-{host}.parquet")
        pl.DataFrame({"id": ids, **columns}).write_parquet(hosts[-1])
    return guest, hosts


if __name__ == "__main__":
    raise SystemExit(main())
