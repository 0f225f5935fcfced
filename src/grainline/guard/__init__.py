"""May this action pass now. Owns the limits of a draw and of a day's draws, held in the database (limits.sql).

Owns too what a device says of itself, sealed to the lender's key, and the facts that can be had from it; no action asks
for them yet. Anomaly and step-up belong here too; until they are built a draw is signed by one-time code.
"""

from grainline.guard.api import router
from grainline.guard.environment import environment_facts
from grainline.guard.environment_keys import LenderKeys
from grainline.guard.environment_taking import forget_environments, newest_environment
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
    "LenderKeys",
    "check_amount",
    "day_drawn",
    "environment_facts",
    "forget_environments",
    "newest_environment",
    "router",
]
