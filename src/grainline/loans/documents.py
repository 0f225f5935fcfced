"""What a document is: headings, lists, tables and paragraphs made of facts, under a version of its wording. Pure.

Whoever changes the wording of a kind in a language raises its
version in VERSIONS: the same facts in the same version must give the same bytes for good.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from grainline.kit.calendar import SHANGHAI
from grainline.kit.money import yuan
from grainline.kit.web import Language


class DocumentKind(StrEnum):
    """What a document is."""

    DISCLOSURE = "disclosure"
    CONTRACT = "contract"
    STATEMENT = "statement"
    SETTLEMENT_CERTIFICATE = "settlement_certificate"


VERSIONS: dict[tuple[DocumentKind, Language], str] = {
    (DocumentKind.DISCLOSURE, "zh"): "2026-11-24",
    (DocumentKind.DISCLOSURE, "en"): "2026-11-24",
    (DocumentKind.CONTRACT, "zh"): "2026-11-24",
    (DocumentKind.CONTRACT, "en"): "2026-11-24",
    (DocumentKind.STATEMENT, "zh"): "2026-11-24",
    (DocumentKind.STATEMENT, "en"): "2026-11-24",
    (DocumentKind.SETTLEMENT_CERTIFICATE, "zh"): "2026-11-24",
    (DocumentKind.SETTLEMENT_CERTIFICATE, "en"): "2026-11-24",
}


@dataclass(frozen=True)
class Heading:
    """A heading within a document."""

    text: str


@dataclass(frozen=True)
class Facts:
    """Labels with their values."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """A column: its share of the width, and whether it holds amounts, which stand to the right."""

    title: str
    share: int
    amounts: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under titled columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Paragraph:
    """Running text; leading spaces set it in."""

    text: str


Block = Heading | Facts | Table | Paragraph


@dataclass(frozen=True)
class Document:
    """A document to be rendered.

    `subject` names what it is about, `file_name` is without an ending, `input_hash` is the SHA-256 of the facts it was
    made of, `dated` the instant that its file bears, which is never the one of rendering.
    """

    kind: DocumentKind
    language: Language
    subject: str
    title: str
    file_name: str
    input_hash: bytes
    dated: datetime
    blocks: tuple[Block, ...]

    @property
    def version(self) -> str:
        """Version of the wording."""
        return VERSIONS[self.kind, self.language]


def money(amount_fen: int) -> str:
    """Write fen as ¥1,234.56, with the sign in front."""
    return f"-¥{yuan(-amount_fen)}" if amount_fen < 0 else f"¥{yuan(amount_fen)}"


def local_time(instant: datetime) -> str:
    """Write an instant to the second as the clock in Shanghai shows it."""
    return instant.astimezone(SHANGHAI).isoformat(sep=" ", timespec="seconds")


def hash_of(*facts: object) -> bytes:
    """Return the SHA-256 of facts that write themselves: dataclasses, dates, numbers, text."""
    return sha256(repr(facts).encode()).digest()


def midnight(day: date) -> datetime:
    """Return the first instant of a business date."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def short(number: UUID) -> str:
    """Return the first eight digits of a number, for the name of a file."""
    return number.hex[:8]
