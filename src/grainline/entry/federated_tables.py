"""Two-party tables: CSV or Parquet files with an `id`, and which of their rows are held out."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from grainline.entry.problems import detail_of
from grainline.federated.ids import IdKind, row_ids
from grainline.federated.party_model import PartyTable
from grainline.kit.errors import Kind, Refusal

ID = "id"
Mask = npt.NDArray[np.bool_]


class BadFile(Refusal):
    """A file that cannot be read."""

    code: ClassVar[str] = "federated_bad_file"
    kind: ClassVar[Kind] = Kind.MALFORMED

    def __str__(self) -> str:
        """Return what is wrong, in English."""
        return detail_of(self.code, self.params, "en")


class NoIdColumn(BadFile):
    """A table without a column `id`."""

    code: ClassVar[str] = "federated_no_id_column"


class IdMissing(BadFile):
    """A row whose id is empty."""

    code: ClassVar[str] = "federated_id_missing"


class NoLabelColumn(BadFile):
    """A lender's table without the column that was named as its label."""

    code: ClassVar[str] = "federated_no_label_column"


class LabelNotBinary(BadFile):
    """A label that is not 0 or 1 in every row."""

    code: ClassVar[str] = "federated_label_not_binary"


@dataclass(frozen=True)
class GuestTable:
    """The lender's rows: ids, features, label."""

    ids: list[bytes]
    frame: pl.DataFrame
    label: Mask

    def of(self, ids: list[bytes]) -> "GuestTable":
        """Return the rows with these ids, in their order."""
        place_by_id = {one: place for place, one in enumerate(self.ids)}
        places = [place_by_id[one] for one in ids]
        return GuestTable(ids, self.frame[places], self.label[places])


def read_table(path: Path, kind: IdKind = IdKind.ANY) -> PartyTable:
    """Read a party's file; raise BadFile, BadId, DuplicateIds."""
    try:
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
        else:
            frame = pl.read_csv(path, infer_schema_length=None, schema_overrides={ID: pl.String})
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadFile(path=str(path), reason=str(error).partition("\n")[0]) from None
    if ID not in frame.columns:
        raise NoIdColumn(path=str(path), column=ID)
    if frame[ID].null_count():
        raise IdMissing(path=str(path))
    return PartyTable(row_ids(kind, frame[ID].cast(pl.String).to_list()), frame.drop(ID))


def read_guest_table(path: Path, label: str, kind: IdKind = IdKind.ANY) -> GuestTable:
    """Read the lender's file; raise BadFile, BadId, DuplicateIds."""
    table = read_table(path, kind)
    if label not in table.frame.columns:
        raise NoLabelColumn(path=str(path), column=label)
    values = table.frame[label].cast(pl.Float64, strict=False)
    if values.null_count() or not values.is_in([0.0, 1.0]).all():
        raise LabelNotBinary(path=str(path), column=label)
    return GuestTable(list(table.ids), table.frame.drop(label), (values == 1.0).to_numpy())


def held_out(ids: list[bytes], share: float, seed: int) -> Mask:
    """Return which rows are held out: those whose id hashes, with the seed, into the share."""
    limit = int(share * 2**32)
    drawn = (sha256(b"grainline.held-out.%d:" % seed + one).digest()[:4] for one in ids)
    return np.array([int.from_bytes(one, "big") < limit for one in drawn], np.bool_)
