"""Documents: what is stored is what is printed, the same facts give the same bytes, and the wording has a version."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path

import pypdfium2
import pytest
from document_samples import (
    CONTRACT_TEXT,
    LOAN,
    MADE_AT,
    SIGNED_AT,
    TERMS,
    contract,
    disclosure,
    documents,
    squeezed,
    text_of,
)

from grainline.loans.documents import VERSIONS, DocumentKind, Heading, Paragraph, money
from grainline.loans.papers import (
    LoanNotSettled,
    certificate_number,
    contract_document,
    disclosure_document,
    settlement_certificate,
)
from grainline.loans.pdf import BOTTOM, LEFT, RIGHT, Layout, render
from grainline.loans.statement_document import TEXTS

LANGUAGES = ("zh", "en")
HERE = Path(__file__).parent
# The wording of each version, by the hash of what it makes of the samples. A changed wording is a new version.
WORDINGS = {
    ("contract", "en"): ("2026-11-24", "a5adaf4a3163273c"),
    ("contract", "zh"): ("2026-11-24", "7ff5f1d65f676c01"),
    ("disclosure", "en"): ("2026-11-24", "d9efa6aceb175114"),
    ("disclosure", "zh"): ("2026-11-24", "58f6086efeb4a6d9"),
    ("settlement_certificate", "en"): ("2026-11-24", "95242e7c4d059142"),
    ("settlement_certificate", "zh"): ("2026-11-24", "31feb7a8ea923520"),
    ("statement", "en"): ("2026-11-24", "7291d736516c91ee"),
    ("statement", "zh"): ("2026-11-24", "66ab84c0c8c619b7"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_wording_changes_only_with_its_version(language: str) -> None:
    unsigned = {
        "contract": contract_document(
            contract(language, signed=False), made_at=MADE_AT, borrower="张*", language=language
        ).blocks,
        "disclosure": disclosure_document(disclosure(language), signed=None, borrower="张*", language=language).blocks,
        "statement": sorted(TEXTS[language].items()),  # no sample has every line
    }
    for kind, document in documents(language).items():
        worded = repr((document.title, document.blocks, unsigned.get(kind)))
        found = sha256(worded.encode()).hexdigest()[:16]
        assert (kind, document.version, found) == (kind, *WORDINGS[kind, language])
    assert len(VERSIONS) == len(DocumentKind) * len(LANGUAGES) == len(WORDINGS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_contract_prints_exactly_what_was_signed_and_its_hash(language: str) -> None:
    signed = contract(language)
    pages = text_of(render(contract_document(signed, made_at=MADE_AT, borrower="张*", language=language)))
    printed = squeezed("".join(pages))
    assert squeezed(CONTRACT_TEXT[language]) in printed
    assert sha256(CONTRACT_TEXT[language].encode()).hexdigest() in printed
    assert "2026-01-3100:01:02+08:00" in printed  # 16:01 UTC
    assert printed.count("张*") == 2  # in the text, and as who signed


def test_an_unsigned_contract_says_so() -> None:
    document = contract_document(contract(signed=False), made_at=MADE_AT, borrower="张*", language="zh")
    assert "尚未签署" in squeezed("".join(text_of(render(document))))
    assert document.input_hash != documents("zh")["contract"].input_hash


def test_what_is_not_what_was_hashed_is_not_printed() -> None:
    altered = replace(contract(), content=CONTRACT_TEXT["zh"].replace("10,000.00", "100.00"))
    with pytest.raises(RuntimeError, match="not the one that was hashed"):
        contract_document(altered, made_at=MADE_AT, borrower="张*", language="zh")
    shown = disclosure()
    with pytest.raises(RuntimeError, match="not the one that was hashed"):
        disclosure_document(
            replace(shown, content=shown.content | {"statement": ""}), signed=None, borrower="张*", language="zh"
        )


def test_the_disclosure_prints_every_item_and_the_whole_plan() -> None:
    shown = disclosure("en")
    printed = squeezed("".join(text_of(render(documents("en")["disclosure"]))))
    for part in ("Daily rate0.05%", "There are no other fees.", "1 2026-02-28 ¥1,000.00 ¥140.00 ¥1,140.00"):
        assert squeezed(part) in printed
    assert shown.content_hash.hex() in printed
    assert squeezed(f"Signed with contract {LOAN}") in printed


def test_the_certificate_says_that_nothing_is_owed() -> None:
    [page] = text_of(render(documents("zh")["settlement_certificate"]))
    printed = squeezed(page)
    for part in (certificate_number(LOAN), "¥10,000.00", "2026-01-31", "2026-08-01", "不欠任何款项"):
        assert part in printed
    assert certificate_number(LOAN) == "JQ-12345678-9ABC4DEF-81234567-89ABCDEF"


def test_there_is_no_certificate_while_something_is_owed() -> None:
    with pytest.raises(LoanNotSettled):
        settlement_certificate(LOAN, TERMS, settled_on=None, borrower="张*", product="微粒贷", language="zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_numbered_and_bear_the_version_of_the_wording(language: str) -> None:
    document = documents(language)["statement"]
    pages = text_of(render(document))
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        foot = {"zh": f"第{number}页，共{len(pages)}页", "en": f"page{number}of{len(pages)}"}[language]
        assert foot in squeezed(page)
        assert document.version in page


def test_another_process_elsewhere_renders_the_same_bytes() -> None:
    """Neither the time, nor the order of hashing, nor the zone or the folder of a process shows in the bytes."""
    here = {kind: sha256(render(document)).hexdigest() for kind, document in documents("zh").items()}
    script = (
        "from hashlib import sha256; from document_samples import documents; from grainline.loans.pdf import render\n"
        "for kind, document in documents('zh').items(): print(kind, sha256(render(document)).hexdigest())"
    )
    elsewhere = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "TZ": "America/New_York",
        "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
    }
    told = subprocess.run(
        [sys.executable, "-c", script], env=elsewhere, cwd="/", check=True, capture_output=True, text=True
    ).stdout
    assert dict(line.split() for line in told.splitlines()) == here


def test_other_facts_are_other_bytes() -> None:
    other = settlement_certificate(
        LOAN, TERMS, settled_on=date(2026, 8, 2), borrower="张*", product="微粒贷", language="zh"
    )
    same = documents("zh")["settlement_certificate"]
    assert other.input_hash != same.input_hash
    assert render(other) != render(same)


def test_the_font_is_embedded_and_its_glyphs_leave_ink() -> None:
    pdf = render(documents("zh")["settlement_certificate"])
    assert re.search(rb"/FontName /[A-Z]{6}\+NotoSansSC", pdf)
    assert b"/FontFile3" in pdf
    opened = pypdfium2.PdfDocument(pdf)
    page = opened[0]
    text = page.get_textpage()
    dark = []
    image = page.render(scale=4).to_pil().convert("L")
    for place in range(6):  # 贷款结清证明
        left, bottom, right, top = text.get_charbox(place)
        box = image.crop((int(left * 4), int((842 - top) * 4), int(right * 4) + 1, int((842 - bottom) * 4) + 1))
        dark.append(sum(shade < 128 for shade in box.tobytes()) / (box.width * box.height))
    opened.close()
    # strokes cover a part of each character: not nothing, and not the empty box of a missing glyph on all of them
    assert all(0.1 < part < 0.7 for part in dark)
    assert len({round(part, 3) for part in dark}) > 3


def test_text_stays_between_the_margins_and_no_line_begins_with_a_full_stop() -> None:
    layout = Layout(lambda character: 1000 if ord(character) > 0x2000 else 500)
    layout.block(Paragraph("借款人同意在还款日从该账户自动扣款，" * 200 + "。"))
    layout.block(Paragraph("a" * 500))
    layout.block(Heading("尾"))
    pieces = [piece for page in layout.pages for piece in page]
    assert len(layout.pages) > 1
    assert all(piece.y <= BOTTOM for piece in pieces)
    assert all(layout.width(piece.text, piece.size) <= (RIGHT - LEFT) * 1000 for piece in pieces)
    assert all(piece.text[0] not in "，。；：、）" for piece in pieces)
    assert "".join(piece.text for piece in pieces if "a" in piece.text) == "a" * 500


def test_amounts_are_written_with_their_sign_in_front() -> None:
    assert [money(fen) for fen in (123_456, 0, -5)] == ["¥1,234.56", "¥0.00", "-¥0.05"]


def test_the_file_bears_the_time_of_what_it_is_about() -> None:
    assert SIGNED_AT.strftime("%Y%m%d%H%M%S").encode() in render(documents("zh")["contract"])
