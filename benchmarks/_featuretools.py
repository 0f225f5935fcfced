"""featuretools on a slice of payments, as a program of its own: it needs another pandas than the platform's.

Reads a CSV file of events, aggregates them by resident, kind and scene within windows, and prints how many features it
made of how many events in how many seconds of processor time.
"""

import json
import sys
import time
import warnings

import pandas as pd

warnings.filterwarnings("ignore")
import featuretools as ft  # noqa: E402

WINDOWS = ("30 days", "90 days", "180 days", "360 days")
AGGREGATES = ["count", "sum", "mean", "max", "std", "num_unique"]


def main(path: str, as_of: str) -> None:
    """Aggregate and print."""
    events = pd.read_csv(path, parse_dates=["at"])
    events["at"] = events["at"].dt.tz_localize(None)
    moment = pd.Timestamp(as_of)
    entities = ft.EntitySet("town")
    entities.add_dataframe(
        dataframe_name="events",
        dataframe=events,
        index="event_id",
        time_index="at",
        logical_types={"kind": "Categorical", "scene": "Categorical", "counterparty": "Categorical"},
    )
    entities.normalize_dataframe("events", "residents", "resident", make_time_index=False)
    entities.add_interesting_values(
        dataframe_name="events",
        values={"kind": sorted(events["kind"].unique()), "scene": sorted(events["scene"].dropna().unique())},
    )
    began, made = time.process_time(), 0
    for window in WINDOWS:
        table, _ = ft.dfs(
            entityset=entities,
            target_dataframe_name="residents",
            agg_primitives=AGGREGATES,
            where_primitives=AGGREGATES,
            trans_primitives=[],
            max_depth=1,
            cutoff_time=moment,
            training_window=window,
        )
        made += table.shape[1]
    cpu_s = time.process_time() - began
    print(json.dumps({"events": len(events), "features": made, "cpu_s": round(cpu_s, 3), "version": ft.__version__}))


if __name__ == "__main__":
    main(*sys.argv[1:])
