"""Supplements (A4): what a member proves beyond what is seen of them, and by when an officer answers."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from grainline.invitation.policy import Supplement
from grainline.kit.errors import Kind, Refusal
from grainline.kit.holidays import NoHolidayTable, holiday_versions, is_working_day

STATEMENT_MIN = 4  # characters
STATEMENT_MAX = 500
KINDS: dict[Supplement, dict[str, str]] = {
    Supplement.OCCUPATION: {"zh": "职业证明", "en": "Proof of occupation"},
    Supplement.EDUCATION: {"zh": "学历证明", "en": "Proof of education"},
    Supplement.PROPERTY: {"zh": "资产证明", "en": "Proof of property"},
    Supplement.INCOME: {"zh": "收入证明", "en": "Proof of income"},
}

LONGEST_HOLIDAY = timedelta(days=10)


class State(StrEnum):
    """Where a supplement is."""

    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True)
class Submission:
    """One kind of proof of a member; the statement is sealed, `reason` is the officer's and the member reads it."""

    member_id: int
    kind: Supplement
    state: State
    statement_sealed: bytes
    submitted_at: datetime
    answer_by: date
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str = ""


class SupplementNotFound(Refusal):
    """The member has handed in nothing of this kind."""

    code = "supplement_not_found"
    kind = Kind.NOT_FOUND


class SupplementWaiting(Refusal):
    """The kind is handed in already, with another statement, and an officer is to answer it."""

    code = "supplement_waiting"
    kind = Kind.CONFLICT


class SupplementAccepted(Refusal):
    """The kind was accepted: there is nothing to add."""

    code = "supplement_accepted"
    kind = Kind.CONFLICT


class SupplementDecided(Refusal):
    """An officer has decided on it."""

    code = "supplement_decided"
    kind = Kind.CONFLICT


class SupplementReasonMissing(Refusal):
    """A refusal tells the member why."""

    code = "supplement_reason_missing"


def clean_statement(text: str) -> str:
    """Return a statement on one line without doubled spaces; raise ValueError for a bad length or character."""
    words = " ".join(text.split())
    if not STATEMENT_MIN <= len(words) <= STATEMENT_MAX:
        raise ValueError(f"must have {STATEMENT_MIN} to {STATEMENT_MAX} characters")
    if not words.isprintable():
        raise ValueError("must be plain text")
    return words


def answer_day(submitted_on: date, working_days: int) -> date:
    """Return the so-manieth working day after a day, by the newest holiday table, or a day that is not before it.

    Where a year's holidays are not announced yet, every second day may be off, and the longest holiday may fall there.
    """
    day, version = submitted_on, holiday_versions()[-1]
    try:
        while working_days:
            day += timedelta(days=1)
            working_days -= is_working_day(day, version)
    except NoHolidayTable:
        return day + timedelta(days=2 * working_days) + LONGEST_HOLIDAY
    return day
