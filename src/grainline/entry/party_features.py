"""A party's features, made by itself of its own event files: to train on as of a moment, to score by as of now.

In `features` of the party's folder lie the tables that were made, so that whoever asks again gets the same:
`training-HASH.parquet` for each set of rows and moment, `now-HASH-SECONDS.parquet` for each set of features that a
model looks at, with the moment, in seconds since 1970, as of which it was made.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import ClassVar

import polars as pl
import structlog

from grainline.behaviour import Party, asked, features, files_of
from grainline.entry.party_people import resident_by_id
from grainline.entry.party_settings import PartySettings
from grainline.federated.ids import IdKind
from grainline.federated.party_files import Withdrawals
from grainline.federated.party_model import PartyTable, RowsGone
from grainline.kit.calendar import business_date
from grainline.kit.errors import Kind, Refusal

FOLDER = "features"
ID = "id"

log = structlog.get_logger()


class MomentRefused(Refusal):
    """Features as of a moment that is still to come, or longer ago than the party goes back."""

    code: ClassVar[str] = "federated_moment_refused"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


@dataclass(frozen=True)
class _Made:
    as_of: datetime
    table: PartyTable


@dataclass
class PartyFeatures:
    """A party's own files: `folder` is the party's, `events` the one where its event files lie."""

    folder: Path
    events: Path
    party: Party
    kind: IdKind
    settings: PartySettings
    clock: Callable[[], datetime]
    _made: dict[tuple[str, ...], _Made] = field(default_factory=dict)
    _making: Lock = field(default_factory=Lock)

    def ids(self) -> list[bytes]:
        """Return the ids of who is compared: all but those who withdrew. Raises NoEvents, NoPeople, BadId."""
        return list(self._people())

    def as_of(self, ids: Sequence[bytes], moment: datetime) -> pl.DataFrame:
        """Return the features of these people, in their order, as of a moment and by what was known then.

        What is the same for all of them is left out. A row is empty of who had done nothing yet, and of who withdrew
        after the rows were agreed on, if before the table was made. Raises MomentRefused, RowsGone, and what `asked`
        raises.
        """
        now = self.clock()
        if moment > now or now - moment > self.settings.oldest:
            raise MomentRefused(days=self.settings.oldest_days)
        names = self.settings.features or tuple(one.name for one in features(self.party))
        path = self._folder() / f"training-{_digest(moment.isoformat(), *names, *(one.hex() for one in ids))}.parquet"
        if not path.exists():
            listed, staying = self._listed(), self._people()
            if any(one not in listed for one in ids):
                raise RowsGone
            residents = [listed[one] for one in ids]
            found = self._rows(residents, names, moment, of=[staying[one] for one in ids if one in staying])
            varying = [one.name for one in found.iter_columns() if one.n_unique() > 1]
            _write(found.select(varying or found.columns[:1]), path)
        return pl.read_parquet(path)

    def now(self, names: Sequence[str]) -> PartyTable:
        """Return everybody's features of these names, no older than the settings allow; raise what `asked` raises."""
        key = tuple(names)
        if (made := self._fresh(key)) is None:
            with self._making:
                made = self._fresh(key) or self._make(key)
        return made.table

    def refresh(self, wanted: Collection[Sequence[str]]) -> None:
        """Make anew what is asked for and was not made today, or take it from the disk if it was."""
        today = business_date(self.clock())
        for names in wanted:
            with self._making:
                made = self._made.get(tuple(names)) or self._kept(tuple(names))
                if made is None or business_date(made.as_of) != today:
                    made = self._make(tuple(names))
                self._made[tuple(names)] = made

    def forget(self, before: datetime) -> None:
        """Take away what was made for trainings before a moment."""
        for path in self._folder().glob("training-*.parquet"):
            if path.stat().st_mtime < before.timestamp():
                path.unlink()

    def _fresh(self, key: tuple[str, ...]) -> _Made | None:
        made = self._made.get(key)
        return made if made and self.clock() - made.as_of <= self.settings.fresh else None

    def _make(self, names: tuple[str, ...]) -> _Made:
        moment = self.clock().replace(microsecond=0)
        people = self._people()
        residents = list(people.values())
        frame = self._rows(residents, names, moment, of=residents)
        start = self._folder() / f"now-{_digest(*names)}"
        _write(frame.insert_column(0, pl.Series(ID, list(people), dtype=pl.Binary)), self._at(start, moment))
        for path in self._folder().glob(f"{start.name}-*.parquet"):
            if path != self._at(start, moment):
                path.unlink()
        made = self._made[names] = _Made(moment, PartyTable(list(people), frame.drop(ID), self._alone(names)))
        return made

    def _kept(self, names: tuple[str, ...]) -> _Made | None:
        for path in sorted(self._folder().glob(f"now-{_digest(*names)}-*.parquet"), reverse=True):
            frame = pl.read_parquet(path)
            moment = datetime.fromtimestamp(int(path.stem.rpartition("-")[2]), UTC)
            return _Made(moment, PartyTable(frame[ID].to_list(), frame.drop(ID), self._alone(names)))
        return None

    def _alone(self, names: tuple[str, ...]) -> Callable[[bytes], pl.DataFrame | None]:
        """Return what makes the features of one who came after a table was made."""

        def alone(one: bytes) -> pl.DataFrame | None:
            resident = self._people().get(one)
            return None if resident is None else self._rows([resident], names, self.clock(), of=[resident])

        return alone

    def _rows(
        self, residents: Sequence[int], names: Sequence[str], moment: datetime, *, of: Sequence[int]
    ) -> pl.DataFrame:
        """Return features in the order of residents, of those in `of`, empty for the others."""
        found, faults = asked(self.events, self.party, names, of=of, as_of=moment, known_by=moment, now=self.clock())
        if faults:
            log.warning("events_set_aside", party=str(self.party), **{str(one): count for one, count in faults.items()})
        order = pl.DataFrame({"resident": pl.Series(residents, dtype=pl.Int64)})
        return order.join(found, on="resident", how="left", maintain_order="left").drop("resident")

    def _listed(self) -> dict[bytes, int]:
        return resident_by_id(self.folder, files_of(self.events, self.party), self.kind)

    def _people(self) -> dict[bytes, int]:
        withdrawn = Withdrawals(self.folder).members()
        return {one: resident for one, resident in self._listed().items() if one not in withdrawn}

    def _folder(self) -> Path:
        folder = self.folder / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @staticmethod
    def _at(start: Path, moment: datetime) -> Path:
        return start.with_name(f"{start.name}-{int(moment.timestamp())}.parquet")


def _digest(*texts: str) -> str:
    return sha256("\n".join(texts).encode()).hexdigest()[:32]


def _write(frame: pl.DataFrame, path: Path) -> None:
    beside = path.with_suffix(".new")
    frame.write_parquet(beside)
    beside.replace(path)
