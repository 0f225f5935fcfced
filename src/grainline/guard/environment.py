"""What a device says of itself: an environment and a usage summary, coarse by design, so that it is no fingerprint.

The fields and what each may say stand in environment_fields.json and nowhere else. They are classes, small counts and
yes or no: no model, no list of fonts, no canvas, no address, no place, no exact time, and no raw record of usage.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TypeGuard
from uuid import UUID

from grainline.kit.errors import Kind, Refusal

FILE = Path(__file__).with_name("environment_fields.json")
FRESH_FOR = timedelta(minutes=5)
AHEAD_MAX = timedelta(minutes=1)
PARTS = ("environment", "usage")

Value = str | int | bool


class EnvironmentMalformed(Refusal):
    """Opened, and is no summary: `field` is missing, not known, or says what it may not."""

    code = "environment_malformed"


class EnvironmentStale(Refusal):
    """Was not made just now, or was made before the consent it would fall under."""

    code = "environment_stale"
    kind = Kind.CONFLICT


class Moment(StrEnum):
    """What the member was about to do."""

    OPEN_LINE = "open_line"
    SIGN = "sign"


@dataclass(frozen=True)
class Field:
    """One thing that is said: one of `values`, a whole number from `low` to `high`, or else yes or no."""

    part: str
    name: str
    zh: str
    en: str
    values: Mapping[str, tuple[str, str]] | None = None
    low: int = 0
    high: int | None = None

    def allows(self, value: object) -> TypeGuard[Value]:
        """Say whether a value is one that this field may have; true and 1 are two things."""
        if self.values is not None:
            return isinstance(value, str) and value in self.values
        if self.high is not None:
            return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high
        return isinstance(value, bool)


@dataclass(frozen=True)
class Summary:
    """A checked summary; `values` has every field by its name and nothing else. `made_at` is the lender's time."""

    summary_id: UUID
    made_at: datetime
    moment: Moment
    values: Mapping[str, Value]

    def to_json(self) -> str:
        """Return it as it is kept."""
        kept = {"id": str(self.summary_id), "moment": self.moment, "values": dict(self.values), "version": version()}
        return json.dumps(kept, sort_keys=True, separators=(",", ":"))


@cache
def _schema() -> tuple[int, tuple[Field, ...]]:
    given = json.loads(FILE.read_text(encoding="utf-8"))
    return int(given["version"]), tuple(Field(**one) for one in given["fields"])


def version() -> int:
    """Return the version of the fields, which a sealing is bound to."""
    return _schema()[0]


def fields() -> tuple[Field, ...]:
    """Return the fields, in the order in which they are shown."""
    return _schema()[1]


def read_summary(opened: bytes) -> Summary:
    """Read what was sealed: exactly the fields there are, each within what it may say; raise EnvironmentMalformed."""
    try:
        given = json.loads(opened, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise EnvironmentMalformed(field="body") from None
    if not isinstance(given, dict):
        raise EnvironmentMalformed(field="body")
    if unknown := given.keys() ^ {"id", "made_at_ms", "moment", *PARTS}:
        raise EnvironmentMalformed(field=_shown(unknown))
    return Summary(
        summary_id=_id(given["id"]),
        made_at=_instant(given["made_at_ms"]),
        moment=_moment(given["moment"]),
        values=_values(given),
    )


def check_fresh(summary: Summary, *, consent_at: datetime, now: datetime) -> None:
    """Refuse a summary that was not made within the last minutes, or not after the consent; raise EnvironmentStale."""
    consented = consent_at.replace(microsecond=consent_at.microsecond // 1000 * 1000)  # devices count milliseconds
    if not now - FRESH_FOR <= summary.made_at <= now + AHEAD_MAX or summary.made_at < consented:
        raise EnvironmentStale(within_minutes=int(FRESH_FOR.total_seconds()) // 60)


def environment_facts(summary: Summary) -> dict[str, Value]:
    """Return what a decision or a check may ask of a summary. Nothing does yet.

    moment          open_line, sign: before what it was made
    device          phone, tablet, desk: by system and size of the screen
    driven          a program says that it drives the browser (WebDriver); one that hides it is not seen
    contradicts     a phone's system without a touch screen, or with a computer's: an emulator, or told falsely
    abroad          the device's time zone is not one of China's
    foreign         its first language is not Chinese
    forgets         it cannot keep data, so that it is always new
    new_here        these pages are known on the device since today only
    night_owl       they were opened between 0 and 6 o'clock, Shanghai time, in the last 30 days
    hurried         less than 10 seconds from opening the page to confirming
    times_left      how often the page was left meanwhile, 0 to 5: somebody may be guiding from elsewhere
    """
    said = summary.values
    mobile = said["platform"] in {"android", "ios", "harmony"}
    device = {"small": "phone", "medium": "tablet", "large": "tablet"}[str(said["screen"])] if mobile else "desk"
    return {
        "moment": str(summary.moment),
        "device": device,
        "driven": said["driven"],
        "contradicts": mobile and (not said["touch"] or said["screen"] == "large"),
        "abroad": said["zone"] != "china",
        "foreign": said["language"] != "zh",
        "forgets": not said["storage"],
        "new_here": said["known"] == "today",
        "night_owl": said["night"],
        "hurried": said["pace"] == "under_10s",
        "times_left": said["times_left"],
    }


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _values(given: Mapping[str, object]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for part in PARTS:
        said = given[part]
        known = {one.name: one for one in fields() if one.part == part}
        if not isinstance(said, dict):
            raise EnvironmentMalformed(field=part)
        if unknown := said.keys() ^ known.keys():
            raise EnvironmentMalformed(field=f"{part}.{_shown(unknown)}")
        for name, one in known.items():
            if not one.allows(value := said[name]):
                raise EnvironmentMalformed(field=f"{part}.{name}")
            values[name] = value
    return values


def _shown(names: set[str]) -> str:
    """Return the first name as a refusal may repeat it: it came from outside."""
    return ascii(min(names))[1:-1][:40]


def _id(given: object) -> UUID:
    try:
        found = UUID(given) if isinstance(given, str) else None
    except ValueError:
        found = None
    if found is None or str(found) != given:
        raise EnvironmentMalformed(field="id")
    return found


def _instant(given: object) -> datetime:
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given < 2**42:
        raise EnvironmentMalformed(field="made_at_ms")
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=given)


def _moment(given: object) -> Moment:
    if not isinstance(given, str) or given not in set(Moment):
        raise EnvironmentMalformed(field="moment")
    return Moment(given)
