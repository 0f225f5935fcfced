"""What a source said of a member as it was said: read once, kept as canonical JSON, and named by its hash."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from grainline.kit.calendar import business_date
from grainline.members import Consent, Source
from grainline.partners.bureau import CreditReport, NoRecord, ReportAnswer
from grainline.underwriting.deciding import canonical, hash_of

Content = Mapping[str, object]


@dataclass(frozen=True)
class Snapshot:
    """A source's answer; `as_of` is the source's own time, `taken_at` ours, and it is forgotten on `forget_on`."""

    member_id: int
    source: Source
    taken_at: datetime
    as_of: datetime
    content: Content
    consent: str
    forget_on: date

    @property
    def text(self) -> str:
        """Return the content as canonical JSON."""
        return canonical(self.content)

    @property
    def content_hash(self) -> bytes:
        """Return the SHA-256 of the canonical content."""
        return hash_of(self.text)


def of_report(answer: ReportAnswer, consent: Consent, *, now: datetime) -> Snapshot:
    """Return what the bureau said; of whom nobody reports anything, that is what it said."""
    match answer:
        case CreditReport():
            told = asdict(answer) | {"card": dict(answer.card), "record": True}
            as_of = told.pop("as_of")
        case NoRecord():
            told, as_of = {"record": False}, now
    forget_on = business_date(now) + timedelta(days=consent.retention_days)
    return Snapshot(consent.member_id, consent.source, now, as_of, told, consent.reference, forget_on)
