"""Where a party's features come from: a table that is ready, or its own event files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from grainline.behaviour import NoEvents, Party, features, files_of
from grainline.entry.federated_tables import read_table
from grainline.entry.party_features import PartyFeatures
from grainline.entry.party_settings import PartySettings, read_party_settings
from grainline.federated.identity import Identity
from grainline.federated.ids import IdKind
from grainline.federated.party_model import AsOf, NoMoment, PartyTable, features_of_part, parts_of

TABLES = ("table.parquet", "table.csv")


@dataclass(frozen=True)
class Source:
    """What a party answers from.

    `table` is what lies ready, and raises NoMoment where nothing does; `as_of` makes features to train on, where the
    party does that; `now` has features of these names to score by; `prepare` does a day's work, given the moment before
    which old things go.
    """

    kind: Literal["table", "events"]
    settings: PartySettings
    ids: Callable[[], Sequence[bytes]]
    table: Callable[[], PartyTable]
    now: Callable[[Sequence[str]], PartyTable]
    as_of: AsOf | None
    prepare: Callable[[datetime], None]


def source_of(
    identity: Identity, *, table: Path | None, events: Path | None, kind: IdKind, clock: Callable[[], datetime]
) -> Source:
    """Return where a party's features come from: what is named, or else what its folder holds, a table first.

    Raises BadFile, BadId, DuplicateIds, NoEvents, NoPeople, BadPartySettings.
    """
    found = table or next((identity.folder / name for name in TABLES if (identity.folder / name).exists()), None)
    if found is not None and events is None:
        return ready(read_table(found, kind), read_party_settings(identity.folder, ()))
    role = identity.role()
    if str(role) not in {str(one) for one in Party}:
        raise NoEvents(folder=str(identity.folder), party=str(role))
    party = Party(role)
    settings = read_party_settings(identity.folder, {one.name for one in features(party)})
    own = PartyFeatures(identity.folder, events or identity.folder, party, kind, settings, clock)
    files_of(own.events, party)
    own.ids()
    return _made(identity, own, settings)


def ready(own: PartyTable, settings: PartySettings) -> Source:
    """Return a table that lies ready as a source."""
    return Source("table", settings, lambda: own.ids, lambda: own, lambda _: own, None, lambda _: None)


def _made(identity: Identity, own: PartyFeatures, settings: PartySettings) -> Source:
    def table() -> PartyTable:
        raise NoMoment

    def prepare(before: datetime) -> None:
        own.refresh([features_of_part(part) for part in parts_of(identity)])
        own.forget(before)

    return Source("events", settings, own.ids, table, own.now, own.as_of, prepare)
