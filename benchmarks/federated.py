"""What a tree of the federated model costs: one lender, one host, real processes, mutual TLS on loopback.

The shipped portfolio, split: the lender has the label, the limit, the age and the education, the host the other 20
columns, sex and marriage among them to make up the 23 of the published benchmarks; no model of ours reads these two.
All rows are trained on. `auc` is of the plaintext twin on a fifth held out, `plaintext_auc` of XGBoost with the same
settings on the same rows; `equals_twin` says whether the federated model is the twin's to the last bit.
"""

import argparse
import asyncio
import os
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from _stage import print_figures

from grainline.entry.federated_command import figures
from grainline.entry.federated_tables import GuestTable, held_out, read_guest_table, read_table
from grainline.entry.federated_training import Costs, Outcome, Plan, auc, plaintext_scores, run
from grainline.entry.he_backend import VARIABLE
from grainline.federated.inference import score_together
from grainline.federated.training import Rows, Settings, train_twin
from grainline.federated.trees import Rules
from grainline.scoring import portfolio

PORTFOLIO = Path(__file__).resolve().parents[1] / "data" / "credit_card_default.parquet"
LENDER = ("card_limit", "age", "education")
TEST_SHARE = 0.2
NOTHING = Costs(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
    parser.add_argument("--rows", type=int, default=30_000, help="rows, at most 30,000 (%(default)s)")
    parser.add_argument("--trees", type=int, default=20, help="trees (%(default)s)")
    parser.add_argument("--depth", type=int, default=5, help="depth (%(default)s)")
    parser.add_argument("--bins", type=int, default=32, help="bins (%(default)s)")
    parser.add_argument("--bits", type=int, default=2048, help="of the key (%(default)s)")
    parser.add_argument("--scheme", default="okamoto-uchiyama", help="or paillier (%(default)s)")
    parser.add_argument("--backend", choices=("portable", "native"), help="arithmetic; left out: the fastest there is")
    given = parser.parse_args()
    if given.backend:
        os.environ[VARIABLE] = given.backend  # the host's process inherits it
    settings = Settings(trees=given.trees, rules=Rules(depth=given.depth), bins=given.bins)
    with tempfile.TemporaryDirectory() as folder:
        guest, host = written(Path(folder), given.rows)
        plan = Plan(guest, [host], portfolio.LABEL, settings, given.scheme, given.bits, test_share=0.0)
        outcome = run(plan)
        found = figures(plan, outcome) | accuracy(plan)
        found["equals_twin"] = equals_twin(plan, outcome)
    print_figures({"columns": 23, **found}, as_json=given.json)
    return 0 if found["equals_twin"] else 1


def written(folder: Path, rows: int) -> tuple[Path, Path]:
    """Write the two parties' files; return where."""
    frame = pl.read_parquet(PORTFOLIO).head(rows).rename({"person_id": "id"})
    frame = frame.with_columns(pl.col(portfolio.LABEL).cast(pl.Int8))
    guest, host = folder / "guest.parquet", folder / "host.parquet"
    frame.select("id", portfolio.LABEL, *LENDER).write_parquet(guest)
    frame.drop(portfolio.LABEL, *LENDER).write_parquet(host)
    return guest, host


def tables(plan: Plan) -> tuple[GuestTable, pl.DataFrame]:
    """Return both parties' rows in the order of their ids, which is the one they train in."""
    guest, host = read_guest_table(plan.guest, plan.label), read_table(plan.hosts[0])
    own = guest.of(sorted(guest.ids))
    place_by_id = {one: place for place, one in enumerate(host.ids)}
    return own, host.frame[[place_by_id[one] for one in own.ids]]


def equals_twin(plan: Plan, outcome: Outcome) -> bool:
    """Train the twin on the same rows and compare the lender's part, which holds the hash of the host's."""
    own, host = tables(plan)
    trained, _ = asyncio.run(train_twin(Rows(own.frame, own.label), [host], plan.settings, model=outcome.part.model))
    return trained.part.dump() == outcome.part.dump()


def accuracy(plan: Plan) -> dict[str, float | None]:
    """Return the AUC on a fifth held out, of the twin and of XGBoost."""
    own, host = tables(plan)
    test = held_out(own.ids, TEST_SHARE, 0)
    kept = pl.Series(~test)
    rows = Rows(own.frame.filter(kept), own.label[~test])
    trained, twin = asyncio.run(train_twin(rows, [host.filter(kept)], plan.settings, model=bytes(16)))
    frames = [one.filter(pl.Series(test)) for one in (own.frame, host)]
    ours = auc(own.label[test], score_together(trained.part, twin.parts, frames))
    split = Outcome(trained.part, own, test, np.zeros(0), NOTHING)
    theirs = auc(own.label[test], plaintext_scores(plan, split, pl.concat([own.frame, host], how="horizontal")))
    return {"auc": _rounded(ours), "plaintext_auc": _rounded(theirs)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


if __name__ == "__main__":
    raise SystemExit(main())
