"""The credit line: opened once, then available → reserved → used → available.

Owns a member's line with a product. Its amounts move only through line.sql, under the table's checks.
"""

from grainline.lines.model import Line, LineExceeded, LineNotOpen, NoLine
from grainline.lines.store import line, lines_of, open_line, restore_many, set_overdue

__all__ = [
    "Line",
    "LineExceeded",
    "LineNotOpen",
    "NoLine",
    "line",
    "lines_of",
    "open_line",
    "restore_many",
    "set_overdue",
]
