"""May this action pass now. Owns the limits of a draw and of a day's draws, held in the database (limits.sql).

Device, anomaly and step-up belong here too; until they are built a draw is signed by one-time code.
"""

from grainline.guard.limits import (
    DayLimitReached,
    DrawAboveMaximum,
    DrawBelowMinimum,
    DrawNotAMultiple,
    check_amount,
)
from grainline.guard.store import day_drawn

__all__ = [
    "DayLimitReached",
    "DrawAboveMaximum",
    "DrawBelowMinimum",
    "DrawNotAMultiple",
    "check_amount",
    "day_drawn",
]
