"""What goes wrong on which day, beside what people do: pure, and drawn from the seed alone.

A passing fault delays an answer within a moment of the day and changes no book. A rail that is down for a whole day
does: what was asked for is collected and paid out the day after.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from grainline.sandbox.fault_rules import Name

PASSING = {
    Name.LOST_REQUEST: 0.05,
    Name.LOST_ANSWER: 0.05,
    Name.STAYS_PROCESSING: 0.05,
    Name.DOWN: 0.03,
    Name.DUPLICATE_CALLBACK: 0.1,
    Name.LATE_CALLBACK: 0.1,
    Name.CONTRADICTORY_CALLBACK: 0.1,
}
PASSING_SHARE = 0.5  # of days on which passing faults strike
DOWN_SHARE = 1 / 40
KILL_SHARE = 1 / 8
# After which sign of work a worker is killed: the first is the beginning of the day's work, then each order is one.
KILL_AFTER = (1, 1, 2, 2, 3, 5, 8, 13, 30)


@dataclass(frozen=True)
class Trouble:
    """Which kinds of trouble there are at all."""

    passing: bool = False
    down: bool = False
    kills: bool = False


@dataclass(frozen=True)
class Weather:
    """A day's trouble: rail faults with their probabilities, the rail down all day, a kill after so many signs of work.

    `kill_at` says at which of the day's moments, as a fraction of them.
    """

    day: date
    down: bool
    passing: Mapping[Name, float]
    kill_at: float | None
    kill_after: int


def forecast(seed: int, *, start: date, days: int, trouble: Trouble) -> Iterator[Weather]:
    """Yield each day's trouble. A kind of it is the same with and without the others."""
    lots = {name: random.Random(f"{seed}/weather/{name}") for name in ("passing", "down", "kill")}  # noqa: S311  (lots)
    for ahead in range(days):
        passing, down, kill = (lot.random() for lot in lots.values())
        at, after = lots["kill"].random(), lots["kill"].choice(KILL_AFTER)
        is_down = trouble.down and down < DOWN_SHARE
        yield Weather(
            day=start + timedelta(days=ahead),
            down=is_down,
            passing=PASSING if trouble.passing and passing < PASSING_SHARE and not is_down else {},
            kill_at=at if trouble.kills and kill < KILL_SHARE else None,
            kill_after=after,
        )
