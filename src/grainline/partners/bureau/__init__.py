"""The credit bureau: what other lenders report of a person, asked with the person's consent."""

from grainline.partners.bureau.http import HttpBureau
from grainline.partners.bureau.port import Bureau, Changes, CreditReport, NoRecord, ReportAnswer

__all__ = ["Bureau", "Changes", "CreditReport", "HttpBureau", "NoRecord", "ReportAnswer"]
