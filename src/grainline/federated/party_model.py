"""What a party answers of training and inference, from its folder and its table.

parts/SHA256.json    its part of each model it helped to train
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from grainline.federated.host import Host
from grainline.federated.identity import Identity
from grainline.federated.inference import DirectionsHost, Lookup
from grainline.federated.model import BadModel, HostPart, read_host_part
from grainline.federated.party_files import read_alignment
from grainline.federated.sessions import MakeHost, Opening
from grainline.kit.errors import Kind, Refusal

PARTS = "parts"
SMALLEST_BIN_MIN = 3


class RowsGone(Refusal):
    """Rows that were agreed on and are not in the party's table any more."""

    code: ClassVar[str] = "federated_rows_gone"
    kind: ClassVar[Kind] = Kind.CONFLICT


@dataclass(frozen=True)
class PartyTable:
    """A party's rows: their ids, and the features in the same order."""

    ids: Sequence[bytes]
    frame: pl.DataFrame


def training_host(
    identity: Identity, table: Callable[[], PartyTable], smallest_bin_min: int = SMALLEST_BIN_MIN
) -> MakeHost:
    """Return what makes the party's side of a training on rows that were agreed on, and keeps its part of the model.

    A lender who asks for bins of fewer than `smallest_bin_min` rows is refused.
    """

    def aligned(session: bytes) -> pl.DataFrame:
        whole = table()
        place_by_id = {one: place for place, one in enumerate(whole.ids)}
        places = [place_by_id.get(one, -1) for one in read_alignment(identity.folder, session)]
        if min(places, default=-1) < 0:
            raise RowsGone
        return whole.frame[places]

    def keep(part: HostPart) -> None:
        folder = identity.folder / PARTS
        folder.mkdir(mode=0o700, exist_ok=True)
        beside = folder / f"{part.sha256.hex()}.new"
        beside.write_bytes(part.dump())
        beside.replace(beside.with_suffix(".json"))

    def make(opening: Opening) -> Host:
        return Host(aligned, keep, opening.random_bytes, opening.checkpoint, smallest_bin_min)

    return make


def directions_host(
    identity: Identity,
    table: Callable[[], PartyTable],
    admit: Callable[[Opening], Callable[[bytes, bytes | None], None]],
) -> MakeHost:
    """Return what makes the party's side of inference; `admit` gives for a session who may be asked about."""
    lookup_by_hash: dict[bytes, Lookup] = {}

    def lookup(sha256: bytes) -> Lookup:
        if sha256 not in lookup_by_hash:
            path = identity.folder / PARTS / f"{sha256.hex()}.json"
            if not path.exists():
                raise BadModel
            whole = table()
            lookup_by_hash[sha256] = Lookup(read_host_part(path.read_bytes()), whole.ids, whole.frame)
        return lookup_by_hash[sha256]

    def make(opening: Opening) -> DirectionsHost:
        return DirectionsHost(lookup, admit(opening))

    return make
