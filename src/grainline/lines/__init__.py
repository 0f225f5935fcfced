"""The credit line: opened once, then available → reserved → used → available; raised, lowered, frozen, closed.

Owns a member's line with a product and its history. Its amounts move only through line.sql, the line itself changes
only through line_changes.sql, under the table's checks.
"""

from grainline.lines.changes_store import (
    ask_review,
    changes_of,
    close,
    freeze,
    raise_until,
    return_due,
    set_terms,
    thaw,
)
from grainline.lines.model import (
    Cause,
    Change,
    ChangeKind,
    Hold,
    Line,
    LineExceeded,
    LineInUse,
    LineNotOpen,
    LineState,
    NoLine,
)
from grainline.lines.reasons import LINE_REASONS
from grainline.lines.store import line, lines_of, open_line, restore_many, set_overdue

__all__ = [
    "LINE_REASONS",
    "Cause",
    "Change",
    "ChangeKind",
    "Hold",
    "Line",
    "LineExceeded",
    "LineInUse",
    "LineNotOpen",
    "LineState",
    "NoLine",
    "ask_review",
    "changes_of",
    "close",
    "freeze",
    "line",
    "lines_of",
    "open_line",
    "raise_until",
    "restore_many",
    "return_due",
    "set_overdue",
    "set_terms",
    "thaw",
]
