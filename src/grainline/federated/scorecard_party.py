"""What a party answers of making a scorecard and scoring by it, from its folder and its table.

scorecards/SHA256.json    its part of each scorecard it helped to make, under its signature (`signed_parts`)
"""

from collections.abc import Callable, Sequence

from grainline.federated.admitting import Admit
from grainline.federated.identity import Identity
from grainline.federated.party_model import SMALLEST_BIN_MIN, AsOf, PartyTable, agreed_rows
from grainline.federated.scorecard_host import ScorecardHost
from grainline.federated.scorecard_inference import BinLookup, PointsHost
from grainline.federated.scorecard_model import ScorecardHostPart, read_scorecard_host_part
from grainline.federated.sessions import MakeHost, Opening
from grainline.federated.signed_parts import keep_part, kept_part

SCORECARDS = "scorecards"


def scorecard_host(
    identity: Identity,
    table: Callable[[], PartyTable],
    smallest_bin_min: int = SMALLEST_BIN_MIN,
    *,
    as_of: AsOf | None = None,
) -> MakeHost:
    """Return what makes the party's side of a scorecard on rows that were agreed on, and keeps its part of it.

    What it takes is as for `party_model.training_host`.
    """
    aligned = agreed_rows(identity, table, as_of)

    def keep(part: ScorecardHostPart) -> None:
        keep_part(identity, SCORECARDS, part.sha256, part.dump())

    def make(opening: Opening) -> ScorecardHost:
        return ScorecardHost(aligned, keep, opening.random_bytes, opening.checkpoint, smallest_bin_min)

    return make


def points_host(
    identity: Identity, table: Callable[[Sequence[str]], PartyTable], admit: Callable[[Opening], Admit]
) -> MakeHost:
    """Return what makes the party's side of scoring; `admit` gives for a session who may be asked about.

    `table` is as for `party_model.directions_host`.
    """
    lookup_by_hash: dict[bytes, tuple[PartyTable, BinLookup]] = {}

    def lookup(sha256: bytes) -> BinLookup:
        kept = lookup_by_hash.get(sha256)
        part = kept[1].part if kept else _part(identity, sha256)
        whole = table(sorted({one.feature for one in part.characteristics}))
        if kept is None or kept[0] is not whole:
            kept = whole, BinLookup(part, whole.ids, whole.frame, whole.alone)
            lookup_by_hash[sha256] = kept
        return kept[1]

    def make(opening: Opening) -> PointsHost:
        return PointsHost(lookup, admit(opening), opening.random_bytes)

    return make


def _part(identity: Identity, sha256: bytes) -> ScorecardHostPart:
    return read_scorecard_host_part(kept_part(identity, SCORECARDS, sha256))
