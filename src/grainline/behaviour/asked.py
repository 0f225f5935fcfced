"""What a party hands over: the features it is asked for by name, of its residents, and nothing else."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, datetime
from pathlib import Path

import polars as pl

from grainline.behaviour.events import Party
from grainline.behaviour.faults import FILE_FAULTS, Fault
from grainline.behaviour.features import features
from grainline.behaviour.intake import files_of, read
from grainline.behaviour.kernel import compute
from grainline.kit.errors import Refusal


class UnknownFeatures(Refusal):
    """The party has no features of these names."""

    code = "unknown_features"


class UnusableFiles(Refusal):
    """A file of the party cannot be used as a whole, so that its residents would look as if they had done nothing."""

    code = "unusable_files"


def asked(
    folder: Path,
    party: Party,
    names: Sequence[str],
    *,
    of: Collection[int],
    as_of: date | datetime,
    known_by: date | datetime,
    now: datetime,
) -> tuple[pl.DataFrame, Counter[Fault]]:
    """Return `resident` and the named features of those residents, from the party's own files, one file at a time.

    Whom nobody asks for, who did not consent say, is left out. Events that are wrong are set aside, as `read` does; the
    second value counts them by fault. Raises UnknownFeatures, NoEvents, and UnusableFiles where a whole file is wrong
    or a resident is in two of them.
    """
    unknown = set(names) - {feature.name for feature in features(party)}
    if unknown:
        raise UnknownFeatures(party=str(party), features=", ".join(sorted(unknown)))
    wanted = pl.Series(list(of), dtype=pl.Int64)
    found, faults = [], Counter[Fault]()
    for path in files_of(folder, party):
        taken = read([path], party=party, as_of=as_of, known_by=known_by, now=now)
        if wrong := FILE_FAULTS & set(taken.report.faults):
            raise UnusableFiles(party=str(party), detail=f"{path.name}: {', '.join(sorted(wrong))}")
        faults.update(taken.report.faults)
        known = taken.events.filter(pl.col("resident").is_in(wanted.implode()))
        found.append(compute(known, party=party, as_of=as_of, known_by=known_by, names=names))
    told = pl.concat(found)
    if twice := told.filter(pl.col("resident").is_duplicated())["resident"].unique().sort().to_list():
        raise UnusableFiles(party=str(party), detail=f"residents in more than one file: {twice[:3]}")
    return told, faults
