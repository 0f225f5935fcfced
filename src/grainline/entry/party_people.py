"""Whom a party's events are about: its residents by the ids that are compared.

`people.parquet` or `people.csv` in the party's folder lists them, with the columns `resident`, as in the events, and
`id`, a national id or a phone number. Where there is none, the events are of the sandbox's town, whose phone numbers
follow from the residents' numbers.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from grainline.federated.ids import IdKind, row_ids
from grainline.kit.errors import Refusal
from grainline.sandbox.town import RESIDENTS_MAX, phone_of

PEOPLE = ("people.parquet", "people.csv")


class NoPeople(Refusal):
    """A list of people that cannot be read, is not whole, or that is needed and missing."""

    code = "no_people"


def resident_by_id(folder: Path, events: Sequence[Path], kind: IdKind) -> dict[bytes, int]:
    """Return the party's residents by their ids; raise NoPeople, BadId, DuplicateIds."""
    listed = next((folder / name for name in PEOPLE if (folder / name).exists()), None)
    if listed is None:
        return _of_the_town(events)
    try:
        if listed.suffix == ".parquet":
            known = pl.read_parquet(listed)
        else:
            known = pl.read_csv(listed, schema_overrides={"id": pl.String})
        known = known.select(pl.col("resident").cast(pl.Int64), pl.col("id").cast(pl.String))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise NoPeople(what=f"{listed.name}: {str(error).partition(chr(10))[0]}") from None
    if known.null_count().sum_horizontal().item() or known["resident"].is_duplicated().any():
        raise NoPeople(what=f"{listed.name}: resident, id (once each)")
    return dict(zip(row_ids(kind, known["id"]), known["resident"].to_list(), strict=True))


def _of_the_town(events: Sequence[Path]) -> dict[bytes, int]:
    try:
        found = pl.concat([pl.scan_parquet(path).select(pl.col("resident").cast(pl.Int64)).unique() for path in events])
        residents = found.drop_nulls().unique().sort("resident").collect()["resident"].to_list()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise NoPeople(what=str(error).partition("\n")[0]) from None
    if any(not 1 <= one <= RESIDENTS_MAX for one in residents):
        raise NoPeople(what=" / ".join(PEOPLE))
    return dict(zip(row_ids(IdKind.PHONE, map(phone_of, residents)), residents, strict=True))
