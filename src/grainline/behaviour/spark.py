"""The kernel on Spark: each partition holds whole residents, and `compute` sees it as one frame of Arrow batches.

Spark and its Python side are the extra `spark`; nothing else of this room needs them. Spark has no unsigned numbers and
reads an event's number as a decimal; it becomes a number again here.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from grainline.behaviour.events import COLUMNS, Party
from grainline.behaviour.features import features
from grainline.behaviour.kernel import compute

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame


def compute_on_spark(
    events: "DataFrame", *, party: Party, as_of: date | datetime, known_by: date | datetime, partitions: int
) -> "DataFrame":
    """Return what `compute` returns, as a Spark frame; a partition of events must fit into a Python worker's memory.

    The session's time zone must be UTC, or Spark moves the times on their way.
    """

    def of_partition(batches: "Iterator[pyarrow.RecordBatch]") -> "Iterator[pyarrow.RecordBatch]":
        frames = [pl.DataFrame(pl.from_arrow(batch)) for batch in batches]
        if frames:
            known = pl.concat(frames).select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
            yield from compute(known, party=party, as_of=as_of, known_by=known_by).to_arrow().to_batches()

    schema = ", ".join(["resident bigint", *(f"`{feature.name}` double" for feature in features(party))])
    return events.select(*COLUMNS).repartition(partitions, "resident").mapInArrow(of_partition, schema)
