"""A model card as Markdown, with its plots in files beside it, and as one HTML page that carries them."""

from collections.abc import Iterator
from html import escape

from grainline.scoring.card import Card
from grainline.scoring.card_tables import Table

STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:62em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:.8em 0;font-size:.9em}"
    "td,th{border:1px solid #ccc;padding:.25em .6em;text-align:left;vertical-align:top}"
    "td{max-width:40em;overflow-wrap:break-word}"
    "h2{margin-top:1.6em}svg{margin:.4em}"
)
# The page works with what it carries; nothing may be fetched, nothing may run.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_SPECIAL = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>|#"} | {"\n": " ", "\r": " "})


def markdown_of(card: Card) -> str:
    """Return the card as Markdown; plots are linked by their file names."""
    return "\n".join(_markdown(card)) + "\n"


def html_of(card: Card) -> str:
    """Return the card as one HTML page with its plots inside."""
    return "\n".join(_html(card)) + "\n"


def _markdown(card: Card) -> Iterator[str]:
    yield f"# {_plain(card.title)}"
    for section in card.sections:
        yield f"\n## {_plain(section.title)}"
        for sentence in section.says:
            yield f"\n{_plain(sentence)}"
        for table in section.tables:
            yield ""
            yield from _markdown_table(table)
        for plot in section.plots:
            if plot in card.plots:
                yield f"\n![{plot.removesuffix('.svg')}]({plot})"


def _markdown_table(table: Table) -> Iterator[str]:
    yield _row([_plain(cell) for cell in table.head])
    yield _row(["---"] * len(table.head))
    for row in table.rows:
        yield _row([_plain(cell) for cell in row])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is: names come from files, and may hold anything."""
    return text.translate(_SPECIAL)


def _html(card: Card) -> Iterator[str]:
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield f"<title>{escape(card.title)}</title><style>{STYLE}</style></head><body>"
    yield f"<h1>{escape(card.title)}</h1>"
    for section in card.sections:
        yield f"<h2>{escape(section.title)}</h2>"
        yield from (f"<p>{escape(sentence)}</p>" for sentence in section.says)
        for table in section.tables:
            yield from _html_table(table)
        yield from (card.plots[plot] for plot in section.plots if plot in card.plots)
    yield "</body></html>"


def _html_table(table: Table) -> Iterator[str]:
    yield "<table>"
    if any(table.head):
        yield f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in table.head)}</tr>"
    for row in table.rows:
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
    yield "</table>"
