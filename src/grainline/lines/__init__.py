"""The credit line: opened once, then available → reserved → used → available.

Owns a member's line with a product. Its amounts move only through line.sql, under the table's checks.
"""

from grainline.lines.model import Line, LineExceeded, LineNotOpen, NoLine
from grainline.lines.store import line, open_line, restore

__all__ = ["Line", "LineExceeded", "LineNotOpen", "NoLine", "line", "open_line", "restore"]
