"""The notice of a decision: what was decided, the principal reasons, the sources, the person's rights.

Pure, of versioned texts. At most four principal reasons, as US Regulation B (12 CFR 1002.9, official comment 9(b)(2))
advises for adverse action; explanation and human review after PIPL Art. 24, copy and correction after Art. 45 and 46.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from grainline.kit.calendar import business_date
from grainline.kit.web import Language
from grainline.members import Source
from grainline.underwriting.deciding import Inputs, Outcome, Verdict

FILE = Path(__file__).with_name("adverse_notice.toml")
REASONS_MOST = 4


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    zh: str
    en: str

    def in_(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


class _By(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    machine: _Words
    officer: _Words


class _Texts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    title: _Words
    decision: dict[Verdict, _Words]
    by: _By
    sources: dict[Source, _Words]
    rights: dict[str, _Words]


@dataclass(frozen=True)
class Notice:
    """A notice in one language, and the version of its texts."""

    version: str
    title: str
    decision: str
    decided_by: str
    reasons: tuple[str, ...]
    sources: tuple[str, ...]
    rights: tuple[str, ...]


@cache
def texts() -> _Texts:
    """Return the texts; raise ValueError where the file is wrong."""
    found = _Texts.model_validate(tomllib.loads(FILE.read_text(encoding="utf-8")))
    missing = [*(set(Verdict) - found.decision.keys()), *(set(Source) - found.sources.keys())]
    if missing:
        raise ValueError(f"{FILE}: no text for {', '.join(sorted(missing))}")
    return found


def notice_of(
    inputs: Inputs,
    outcome: Outcome,
    *,
    product: str,
    decided_at: datetime,
    reasons: Mapping[str, str],
    language: Language,
) -> Notice:
    """Write the notice; `product` is its name, `reasons` the texts by code, both in the language.

    Raises KeyError for a reason without a text.
    """
    said = texts()
    codes = outcome.offer_reasons if outcome.result is Verdict.APPROVED else outcome.reasons
    words = {"date": business_date(decided_at).isoformat(), "product": product}
    by = said.by.officer if outcome.answered else said.by.machine
    return Notice(
        version=said.version,
        title=said.title.in_(language),
        decision=said.decision[outcome.result].in_(language).format(**words),
        decided_by=by.in_(language).format(why=outcome.answered.get("why", "")),
        reasons=tuple(reasons[code] for code in codes[:REASONS_MOST]),
        sources=tuple(
            said.sources[Source(source)]
            .in_(language)
            .format(as_of=_day(told["as_of"]), given_on=_given(told["consent"]))
            for source, told in sorted(inputs.sources.items())
        ),
        rights=tuple(one.in_(language) for one in said.rights.values()),
    )


def _day(instant: str) -> str:
    return business_date(datetime.fromisoformat(instant)).isoformat()


def _given(reference: str) -> str:
    """Return the day on which a consent was given, from the words that name it: source, text version, instant."""
    return _day(reference.split("/", 2)[2])
