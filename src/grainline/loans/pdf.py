"""From a document to a PDF: the same document gives the same bytes under one renderer.

Lengths are points, widths of text thousandths of a point. Text is laid out here, line by line, because Chinese breaks
between any two characters but those that may not begin or end a line, and Latin words and numbers do not.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING
from zlib import ZLIB_RUNTIME_VERSION

from pylopdf_fonts_zh_cn import sans_path

from grainline.kit.web import Language
from grainline.loans.documents import Block, Document, Facts, Heading, Paragraph, Table

if TYPE_CHECKING:
    from fpdf import FPDF

WIDTH, HEIGHT = 595, 842  # A4
LEFT, RIGHT, TOP, BOTTOM = 56, 539, 64, 778
TITLE, HEADING, TEXT, SMALL = 18, 12, 10, 8
LINE, GAP, PADDING, LABEL, SPACE = 15, 9, 3, 118, 12  # of a line; between blocks; around a row; of labels; of columns
INK, GREY, HAIRLINE = 30, 110, 200
FOOT: dict[Language, str] = {
    "zh": "{title}　模板版本 {version}　第 {page} 页，共 {pages} 页",
    "en": "{title} | template version {version} | page {page} of {pages}",
}
LOCALES: dict[Language, str] = {"zh": "zh-CN", "en": "en"}
# a space, or a Latin word or one other character with what may not be parted from it
PIECE = re.compile(r" |[（《“‘]*(?:[!-~¥·]+|[^ ])[，。；：、）》”’！？]*")


@dataclass(frozen=True)
class Piece:
    """Text, or where it is empty a line across the page, at its place."""

    x: int
    y: int
    text: str
    size: int = TEXT
    shade: int = INK
    to_the_right: bool = False


@dataclass(frozen=True)
class Cell:
    """Text between two edges; amounts stand at the right one."""

    text: str
    left: int
    right: int
    amounts: bool = False
    shade: int = INK


@cache
def renderer() -> str:
    """Name everything that decides the bytes besides the document."""
    packages = ("fpdf2", "fonttools", "pylopdf-fonts-zh-cn")
    return ", ".join([*(f"{name} {version(name)}" for name in packages), f"zlib {ZLIB_RUNTIME_VERSION}"])


def render(document: Document) -> bytes:
    """Return a document as a PDF with its font embedded; nothing in it depends on when or where it is rendered."""
    pdf = _blank(document)
    layout = Layout(_widths(pdf))
    layout.text(document.title, LEFT, RIGHT, size=TITLE, line=28)
    layout.y += GAP
    for block in document.blocks:
        layout.block(block)
    for number, page in enumerate(layout.pages, start=1):
        pdf.add_page()
        foot = FOOT[document.language].format(
            title=document.title, version=document.version, page=number, pages=len(layout.pages)
        )
        for piece in (*page, Piece(LEFT, HEIGHT - 36, foot, SMALL, GREY)):
            _draw(pdf, piece, layout.width)
    return bytes(pdf.output())


def _blank(document: Document) -> "FPDF":
    from fpdf import FPDF  # noqa: PLC0415  half a second that only those who ask for a document should wait for

    pdf = FPDF(unit="pt", format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_creation_date(document.dated)
    pdf.set_producer("Grainline")
    pdf.set_title(document.title)
    pdf.set_subject(f"{document.kind} {document.subject}")
    pdf.set_lang(LOCALES[document.language])
    pdf.add_font("text", fname=sans_path())
    pdf.set_font("text")
    return pdf


def _widths(pdf: "FPDF") -> Callable[[str], int]:
    """Return how wide a character is, in thousandths of its size."""
    pdf.set_font_size(1000)
    return cache(lambda character: round(pdf.get_string_width(character)))


def _draw(pdf: "FPDF", piece: Piece, width: Callable[[str, int], int]) -> None:
    if not piece.text:
        pdf.set_draw_color(HAIRLINE)
        pdf.line(LEFT, piece.y, RIGHT, piece.y)
        return
    pdf.set_font_size(piece.size)
    pdf.set_text_color(piece.shade)
    x = piece.x - (width(piece.text, piece.size) / 1000 if piece.to_the_right else 0)
    pdf.text(x, piece.y, piece.text)


@dataclass
class Layout:
    """Pages as they fill up: `y` is the bottom of what is there on the last one."""

    width_of: Callable[[str], int]
    pages: list[list[Piece]] = field(default_factory=lambda: [[]])
    y: int = TOP

    def block(self, block: Block) -> None:
        """Add a block below what is there."""
        match block:
            case Heading():
                self.room(4 * LINE)  # it does not stand alone at the foot of a page
                self.y += GAP
                self.text(block.text, LEFT, RIGHT, size=HEADING, line=20)
                self.y += PADDING
            case Facts():
                for label, value in block.rows:
                    named = Cell(label, LEFT, LEFT + LABEL, shade=GREY)
                    self._row([named, Cell(value, named.right + SPACE, RIGHT)])
                self.y += GAP
            case Table():
                self._table(block)
            case Paragraph():
                text = block.text.lstrip(" ")
                self.text(text, LEFT + 6 * (len(block.text) - len(text)), RIGHT)
                self.y += PADDING

    def text(self, text: str, left: int, right: int, *, size: int = TEXT, line: int = LINE) -> None:
        """Add running text; it goes on to the next page where it must."""
        lines = list(self.wrapped(text, size, right - left))
        for part in lines:
            self.room(line)
            self.y += line
            self.pages[-1].append(Piece(left, self.y - 4, part, size))

    def room(self, height: int) -> bool:
        """Begin a page where a height does not fit on this one, and say whether."""
        if self.y + height <= BOTTOM:
            return False
        self.pages.append([])
        self.y = TOP
        return True

    def width(self, text: str, size: int) -> int:
        """Return the width of a text in thousandths of a point."""
        return sum(map(self.width_of, text)) * size

    def wrapped(self, text: str, size: int, width: int) -> Iterator[str]:
        """Yield the lines of a text of this size within a width in points."""
        line = ""
        for piece in PIECE.findall(text):
            if line and self.width(line + piece, size) > width * 1000:
                yield line.rstrip(" ")
                line = ""
            for character in piece.lstrip(" ") if not line else piece:
                if line and self.width(line + character, size) > width * 1000:
                    yield line
                    line = ""
                line += character
        yield line

    def _table(self, table: Table) -> None:
        shares = sum(column.share for column in table.columns)
        head, left, used = [], LEFT, 0
        for column in table.columns:
            used += column.share
            right = LEFT + (RIGHT - LEFT) * used // shares
            head.append(Cell(column.title, left, right - SPACE if used < shares else right, column.amounts, GREY))
            left = right
        self.room(3 * LINE)
        self._row(head, ruled=True)
        for row in table.rows:
            cells = [replace(cell, text=text, shade=INK) for cell, text in zip(head, row, strict=True)]
            self._row(cells, ruled=True, head=head)
        self.y += GAP

    def _row(self, cells: list[Cell], *, ruled: bool = False, head: list[Cell] | None = None) -> None:
        """Add cells side by side, on a new page under their head where they do not fit."""
        lines = [list(self.wrapped(cell.text, TEXT, cell.right - cell.left)) for cell in cells]
        height = max(map(len, lines)) * LINE + PADDING
        if self.room(height) and head:
            self._row(head, ruled=True)
        for cell, parts in zip(cells, lines, strict=True):
            for number, part in enumerate(filter(None, parts), start=1):
                x = cell.right if cell.amounts else cell.left
                self.pages[-1].append(
                    Piece(x, self.y + number * LINE - 4, part, shade=cell.shade, to_the_right=cell.amounts)
                )
        self.y += height
        if ruled:
            self.pages[-1].append(Piece(LEFT, self.y - PADDING + 1, ""))
