"""What is wrong with an event, or with a whole file of them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

import polars as pl

from grainline.behaviour.events import COLUMNS, KINDS, SCENES, TOOLS, Party

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # before it no party kept events: a clock that had lost its time
AMOUNTS = ("amount_fen", "balance_fen")
NEEDS: dict[str, tuple[str, ...]] = {
    **{kind: ("amount_fen",) for kind in KINDS[Party.PAYMENT] if kind != "ride"},
    **dict.fromkeys(("wealth_buy", "wealth_redeem", "money_market_in", "money_market_out"), AMOUNTS),
    "bill_paid": ("amount_fen", "days_late"),
    "statement": (*AMOUNTS, "days_late"),
    "conversation": ("counterparty",),
}


class Fault(StrEnum):
    """Why an event, or a whole file, is set aside; an event has the first that applies."""

    UNREADABLE_FILE = "unreadable_file"
    MISSING_COLUMNS = "missing_columns"
    WRONG_TYPES = "wrong_types"
    WITHOUT_ID = "without_id"
    WITHOUT_RESIDENT = "without_resident"
    WITHOUT_TIME = "without_time"
    UNKNOWN_KIND = "unknown_kind"
    UNKNOWN_SCENE = "unknown_scene"
    UNKNOWN_TOOL = "unknown_tool"
    NEGATIVE_AMOUNT = "negative_amount"
    WITHOUT_VALUE = "without_value"  # a column that its kind needs is null
    BEFORE_EARLIEST = "before_earliest"
    IN_THE_FUTURE = "in_the_future"  # happened, or was ingested, after now
    INGESTED_BEFORE = "ingested_before_it_happened"
    DUPLICATE = "duplicate"  # the number of an event that was ingested before, or stands before it


FILE_FAULTS = frozenset({Fault.UNREADABLE_FILE, Fault.MISSING_COLUMNS, Fault.WRONG_TYPES})
QUARANTINE: dict[str, pl.DataType] = {"fault": pl.String(), "file": pl.String(), "detail": pl.String(), **COLUMNS}


def judge(rows: pl.DataFrame, *, party: Party, now: datetime) -> pl.DataFrame:
    """Add the first fault of each row, null where there is none."""
    kinds = KINDS[party]
    kind, scene, tool = pl.col("kind"), pl.col("scene"), pl.col("tool")
    pairs = [f"{one}/{scene}" for one in kinds for scene in SCENES.get(one, ("",))]
    needs = [(one, column) for one, columns in NEEDS.items() if one in kinds for column in columns]
    by_column = {column: [one for one, needed in needs if needed == column] for _, column in needs}
    without = [kind.is_in(of) & pl.col(column).is_null() for column, of in by_column.items()]
    tests: Iterable[tuple[Fault, pl.Expr]] = (
        (Fault.WITHOUT_ID, pl.col("event_id").is_null()),
        (Fault.WITHOUT_RESIDENT, pl.col("resident").is_null()),
        (Fault.WITHOUT_TIME, pl.col("at").is_null() | pl.col("ingested_at").is_null()),
        (Fault.UNKNOWN_KIND, kind.is_null() | ~kind.is_in(kinds)),
        (Fault.UNKNOWN_SCENE, ~pl.concat_str(kind, pl.lit("/"), scene.fill_null("")).is_in(pairs)),
        (Fault.UNKNOWN_TOOL, tool.is_not_null() & ~tool.is_in(TOOLS)),
        (Fault.NEGATIVE_AMOUNT, pl.any_horizontal(pl.col(name).fill_null(0) < 0 for name in AMOUNTS)),
        (Fault.WITHOUT_VALUE, pl.any_horizontal(*without) if without else pl.lit(False)),
        (Fault.BEFORE_EARLIEST, pl.col("at") < EARLIEST),
        (Fault.IN_THE_FUTURE, (pl.col("at") > now) | (pl.col("ingested_at") > now)),
        (Fault.INGESTED_BEFORE, pl.col("ingested_at") < pl.col("at")),
    )
    first = pl.coalesce(pl.when(wrong).then(pl.lit(str(fault))) for fault, wrong in tests)
    return rows.with_columns(first.alias("fault"))
