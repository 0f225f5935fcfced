"""What a data party settles for itself: `party.toml` in its folder, which may be missing, as may each line in it.

features = ["payment.count.90d"]   # which features it makes at all; left out: all
oldest_days = 1100                 # no features as of a moment longer ago
fresh_hours = 26                   # how old features may be by which an applicant is scored
sessions_days = 30                 # how long a session is kept that nobody closes or goes on with
"""

import tomllib
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path

from grainline.kit.errors import Refusal

FILE = "party.toml"


class BadPartySettings(Refusal):
    """A file of settings that cannot be read, or says what cannot be."""

    code = "party_settings_bad"


@dataclass(frozen=True)
class PartySettings:
    """A party's settings."""

    features: tuple[str, ...] | None = None
    oldest_days: int = 1_100
    fresh_hours: int = 26
    sessions_days: int = 30

    @property
    def oldest(self) -> timedelta:
        """Return how long ago a moment may be as of which features are made."""
        return timedelta(days=self.oldest_days)

    @property
    def fresh(self) -> timedelta:
        """Return how old features may be by which somebody is scored."""
        return timedelta(hours=self.fresh_hours)

    @property
    def sessions(self) -> timedelta:
        """Return how long a session is kept that nobody goes on with."""
        return timedelta(days=self.sessions_days)


def read_party_settings(folder: Path, known: Collection[str]) -> PartySettings:
    """Return the settings in a party's folder; `known` are the features it could make. Raises BadPartySettings."""
    path = folder / FILE
    if not path.exists():
        return PartySettings()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadPartySettings(what=str(error)) from None
    if unknown := sorted(told.keys() - {one.name for one in fields(PartySettings)}):
        raise BadPartySettings(what=", ".join(unknown))
    names = told.pop("features", None)
    for name, value in told.items():
        if type(value) is not int or value < 1:
            raise BadPartySettings(what=f"{name} = {value!r}")
    if names is None:
        return PartySettings(**told)
    strange = [str(one) for one in names if one not in known] if isinstance(names, list) else [repr(names)]
    if strange or not names:
        raise BadPartySettings(what=f"features: {', '.join(strange)}")
    return PartySettings(features=tuple(dict.fromkeys(names)), **told)
