"""What is asked of a simulation, and what came of it."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grainline.entry.simulation.weather import Trouble


@dataclass(frozen=True)
class Order:
    """What to simulate: so many members and days from a seed, with what trouble, proved every so many days.

    In `folder`, which is then kept, or in one that is gone afterwards.
    """

    members: int
    days: int
    seed: int
    trouble: Trouble = field(default_factory=Trouble)
    verify_every: int = 1
    folder: Path | None = None


@dataclass
class Outcome:
    """What came of it. Findings are (day, check, member, what); none of them is the proof."""

    counts: dict[str, Any] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    down_days: int = 0
    verified: int = 0
    verify_seconds: float = 0.0
    findings: list[tuple[str, str, int, str]] = field(default_factory=list)
    digest: str = ""
    seconds: float = 0.0
