"""What we ask the credit bureau."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class CreditReport:
    """What is reported of a person as of an instant.

    `card` holds six months of an existing card by the names of the portfolio's columns, whole yuan and codes. What is
    owed to other lenders, and to how many, is in fen; `overdue_days` is of the oldest payment that is late there now.
    """

    as_of: datetime
    card: Mapping[str, int]
    open_loans: int
    owed_elsewhere_fen: int
    overdue_days: int


@dataclass(frozen=True)
class NoRecord:
    """Nobody reports anything of this person: no refusal, and no pass either."""


ReportAnswer = CreditReport | NoRecord


@dataclass(frozen=True)
class Changes:
    """The subjects whose record changed after a cursor, each once, and the cursor to ask from next time."""

    subjects: tuple[str, ...]
    cursor: int


class Bureau(Protocol):
    """Knows what people owe and how they pay it."""

    async def report(self, *, name: str, national_id: str, subject: str, consent: str) -> ReportAnswer:
        """Read a person's report under a consent, named by its reference; `subject` is our name for the person.

        Raises PartnerUnavailable, which is no answer and never a good one.
        """
        ...

    async def changes(self, *, after: int) -> Changes:
        """Tell whose record changed since, of the subjects that were ever asked about. Raises PartnerUnavailable."""
        ...
