"""What a party answers of training and inference, from its folder and its table.

parts/SHA256.json    its part of each model it helped to train, under its signature (`signed_parts`)
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import polars as pl

from grainline.federated.host import Host
from grainline.federated.identity import Identity
from grainline.federated.inference import DirectionsHost, Lookup, Rules
from grainline.federated.model import BadModel, HostPart, read_host_part
from grainline.federated.party_files import read_alignment
from grainline.federated.sessions import MakeHost, Opening
from grainline.federated.signed_parts import BadPartSignature, keep_part, kept_part, own_part
from grainline.kit.errors import Kind, Refusal

PARTS = "parts"
SMALLEST_BIN_MIN = 3


class RowsGone(Refusal):
    """Rows that were agreed on and are not in the party's table any more."""

    code: ClassVar[str] = "federated_rows_gone"
    kind: ClassVar[Kind] = Kind.CONFLICT


class NoMoment(Refusal):
    """A training as of no moment, of a party that makes its features of events; or as of one, of a ready table."""

    code: ClassVar[str] = "federated_no_moment"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True)
class PartyTable:
    """A party's rows: their ids, and the features in the same order.

    `alone` gives the features, a row, of somebody who came after the table was made, or None for whom nobody knows.
    """

    ids: Sequence[bytes]
    frame: pl.DataFrame
    alone: Callable[[bytes], pl.DataFrame | None] = lambda _: None


AsOf = Callable[[Sequence[bytes], datetime], pl.DataFrame]


def training_host(
    identity: Identity,
    table: Callable[[], PartyTable],
    smallest_bin_min: int = SMALLEST_BIN_MIN,
    *,
    as_of: AsOf | None = None,
) -> MakeHost:
    """Return what makes the party's side of a training on rows that were agreed on, and keeps its part of the model.

    A lender who asks for bins of fewer than `smallest_bin_min` rows is refused. A party that makes its features itself
    gives `as_of`: the features of some ids, in their order, as of a moment, the same whenever it is asked again.
    """

    aligned = agreed_rows(identity, table, as_of)

    def keep(part: HostPart) -> None:
        keep_part(identity, PARTS, part.sha256, part.dump())

    def make(opening: Opening) -> Host:
        return Host(aligned, keep, opening.random_bytes, opening.checkpoint, smallest_bin_min)

    return make


def agreed_rows(
    identity: Identity, table: Callable[[], PartyTable], as_of: AsOf | None
) -> Callable[[bytes, int], pl.DataFrame]:
    """Return what gives the features of the rows that were agreed on in a session, in order, as of a moment (0: none).

    It raises NoMoment, NotAligned, RowsGone.
    """

    def aligned(session: bytes, moment_s: int) -> pl.DataFrame:
        if (as_of is None) == (moment_s > 0):
            raise NoMoment
        if as_of is not None:
            return as_of(read_alignment(identity.folder, session), datetime.fromtimestamp(moment_s, UTC))
        whole = table()
        place_by_id = {one: place for place, one in enumerate(whole.ids)}
        places = [place_by_id.get(one, -1) for one in read_alignment(identity.folder, session)]
        if min(places, default=-1) < 0:
            raise RowsGone
        return whole.frame[places]

    return aligned


def directions_host(
    identity: Identity,
    table: Callable[[Sequence[str]], PartyTable],
    admit: Callable[[Opening], Callable[[bytes, bytes | None], None]],
) -> MakeHost:
    """Return what makes the party's side of inference; `admit` gives for a session who may be asked about.

    `table` gives the rows with at least the features named, and another table when these are to be taken from now on.
    """
    lookup_by_hash: dict[bytes, tuple[PartyTable, Lookup]] = {}

    def lookup(sha256: bytes) -> Lookup:
        kept = lookup_by_hash.get(sha256)
        part = kept[1].part if kept else _part(identity, sha256)
        whole = table(features_of_part(part))
        if kept is None or kept[0] is not whole:
            kept = whole, Lookup(part, whole.ids, whole.frame, whole.alone)
            lookup_by_hash[sha256] = kept
        return kept[1]

    def make(opening: Opening) -> DirectionsHost:
        return DirectionsHost(lookup, admit(opening))

    return make


def features_of_part(part: HostPart) -> list[str]:
    """Return the names of the features that a part looks at, sorted."""
    return sorted({name for name, _ in Rules(part.conditions).features})


def parts_of(identity: Identity) -> list[HostPart]:
    """Return the parts of tree models that a party keeps and signed; what is none of these is passed over."""
    found = []
    for path in sorted((identity.folder / PARTS).glob("*.json")):
        with suppress(BadModel, BadPartSignature):
            found.append(read_host_part(own_part(identity, path)))
    return found


def _part(identity: Identity, sha256: bytes) -> HostPart:
    return read_host_part(kept_part(identity, PARTS, sha256))
