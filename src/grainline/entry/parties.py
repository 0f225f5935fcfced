"""What the data parties hand over of their residents, and who of ours they are.

The parties' folders lie beside each other where one machine runs all of it: each is read by the code that runs at the
party, and only the features that were asked for go on from there.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from grainline.behaviour import Fault, Party, asked, files_of
from grainline.invitation import Policy
from grainline.invitation.preconditions import FACTS
from grainline.kit.errors import Refusal

RESIDENTS = "residents.parquet"
TRUTH = "truth.parquet"
CHUNK = 5_000

Told = Callable[[Party, Mapping[Fault, int]], None]


class NoResidents(Refusal):
    """The folder has no list of residents, or one that cannot be read or lacks facts that are needed."""

    code = "no_residents"


@dataclass(frozen=True)
class Parties:
    """The folder with each party's files and the list of residents."""

    folder: Path

    def check(self) -> None:
        """Raise NoResidents or NoEvents where there is nobody or nothing to ask."""
        self._residents()
        for party in Party:
            files_of(self.folder, party)

    @property
    def there(self) -> bool:
        """Return whether there is a list of residents."""
        return (self.folder / RESIDENTS).is_file()

    def people(
        self, policy: Policy, *, as_of: datetime, now: datetime, told: Told = lambda _party, _faults: None
    ) -> Iterator[pl.DataFrame]:
        """Yield residents with the facts and the features a policy asks for as of a moment, in chunks.

        `told` hears of each party how many events it set aside, by fault. The social platform is asked only about who
        consents to it. Raises NoResidents, NoEvents where a party has no files, and UnusableFiles.
        """
        people = self._residents()
        for party in Party:
            consenting = people.filter("consent_social") if party is Party.SOCIAL else people
            found, faults = asked(
                self.folder,
                party,
                policy.asked_of(party),
                of=consenting["resident"].to_list(),
                as_of=as_of,
                known_by=as_of,
                now=now,
            )
            told(party, faults)
            people = people.join(found, on="resident", how="left")
        yield from people.sort("resident").iter_slices(CHUNK)

    def _residents(self) -> pl.DataFrame:
        known = self._read(RESIDENTS, {"resident": pl.Int64(), **FACTS})
        if known["resident"].null_count() or known["resident"].is_duplicated().any():
            raise NoResidents(folder=str(self.folder), lacking="resident (once each)")
        return known

    def defaults(self) -> pl.DataFrame:
        """Return `resident`, `joined_on` and `default_on` of the simulated truth, which only an evaluation may read."""
        return self._read(TRUTH, {"resident": pl.Int64(), "joined_on": pl.Date(), "default_on": pl.Date()})

    def _read(self, name: str, columns: dict[str, pl.DataType]) -> pl.DataFrame:
        try:
            known = pl.read_parquet(self.folder / name)
            if lacking := sorted(set(columns) - set(known.columns)):
                raise NoResidents(folder=str(self.folder), lacking=", ".join(lacking))
            return known.select(pl.col(column).cast(kind) for column, kind in columns.items())
        except (OSError, PolarsError) as error:
            raise NoResidents(folder=str(self.folder), lacking=name) from error
