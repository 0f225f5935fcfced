"""Consents: one for each source, with its purpose, retention and switch. A gate, not a record.

The call to a source takes a standing `Consent` as an argument, and the way to one is `standing_consent`
(`consents_store.py`), which raises where there is none.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from grainline.kit.errors import Kind, Refusal

FILE = Path(__file__).with_name("consents.toml")


class Source(StrEnum):
    """Where something about a member comes from."""

    BUREAU = "bureau"
    PAYMENT = "payment"
    SOCIAL = "social"
    DEVICE = "device"


class ConsentNeeded(Refusal):
    """No consent to this source stands: it was never given, or it was withdrawn."""

    code = "consent_needed"
    kind = Kind.FORBIDDEN


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    zh: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class Terms(BaseModel):
    """What is asked for one source: what for, for how many days what it says is kept, whether a line needs it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: _Words
    purpose: _Words
    retention_days: Annotated[int, Field(gt=0, le=3_650)]
    required: bool


@dataclass(frozen=True)
class Consent:
    """A consent that stands."""

    member_id: int
    source: Source
    given_at: datetime
    text_version: str
    retention_days: int

    @property
    def reference(self) -> str:
        """Return the words by which a source and a record name it."""
        return f"{self.source}/{self.text_version}/{self.given_at.isoformat()}"


@cache
def terms() -> tuple[str, Mapping[Source, Terms]]:
    """Return the version of the texts and what is asked for each source; raise ValueError where the file is wrong."""
    given = tomllib.loads(FILE.read_text(encoding="utf-8"))
    version = str(given.pop("version"))
    return version, {source: Terms.model_validate(given.pop(source)) for source in Source}
