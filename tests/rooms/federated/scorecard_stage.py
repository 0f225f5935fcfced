"""Parties to a scorecard in one process whose every message goes through its bytes."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from federated_stage import Local, ids_of, secret

from grainline.federated.scorecard_fit import FitRules
from grainline.federated.scorecard_host import ScorecardHost
from grainline.federated.scorecard_inference import Asking, BinLookup, PointsHost
from grainline.federated.scorecard_model import ScorecardHostPart
from grainline.federated.scorecard_training import MadeScorecard, ScorecardSettings, make_scorecard
from grainline.federated.training import Alignment, Rows

MODEL = b"the card's name."
SMALL = ScorecardSettings(bins=5, smallest_bin=3, rules=FitRules(information_min=0.0, iterations=8))


def asking() -> Asking:
    return Asking(secret(), os.urandom)


@dataclass
class CardParties:
    """Hosts with their frames, and the parts that they kept."""

    frames: Sequence[pl.DataFrame]
    parts: dict[int, ScorecardHostPart] = field(default_factory=dict)

    def host(self, number: int, random_bytes=os.urandom, checkpoint=None, smallest=1) -> ScorecardHost:
        def keep(part: ScorecardHostPart) -> None:
            self.parts[number] = part

        return ScorecardHost(lambda *_: self.frames[number], keep, random_bytes, checkpoint, smallest)

    def making(self) -> list[Local]:
        return [Local(self.host(number).answer) for number in range(len(self.frames))]

    def inference(self, admit=lambda applicant, consent: None) -> list[Local]:
        def channel(number: int) -> Local:
            frame = self.frames[number]
            lookup = BinLookup(self.parts[number], ids_of(frame.height), frame)
            return Local(PointsHost(lambda _: lookup, admit, os.urandom).answer)

        return [channel(number) for number in range(len(self.frames))]


async def made(rows: Rows, parties: CardParties, settings=SMALL, channels=None) -> MadeScorecard:
    """Make a scorecard over real encryption; all rows of the parties are used."""
    return await make_scorecard(
        rows,
        [Alignment(bytes(16), np.ones(len(rows.label), np.bool_))] * len(parties.frames),
        channels or parties.making(),
        settings,
        secret=secret(),
        model=MODEL,
        random_bytes=os.urandom,
    )


def telling(rows: int = 120, seed: int = 5) -> tuple[Rows, list[pl.DataFrame]]:
    """Rows of which each party knows something of its own, with gaps and categories."""
    chance = np.random.default_rng(seed)
    own, first, second = chance.normal(size=(3, rows))
    label = own + first + second + chance.normal(size=rows) / 2 > 0.5
    gaps = chance.random(rows) < 0.2
    hosts = [
        pl.DataFrame({"spent": pl.Series(first).set(pl.Series(gaps), None), "always": [1] * rows}),
        pl.DataFrame(
            {
                "city": np.where(second > 0.6, "harbour", np.where(second > -0.6, "hill", "field")),
                "noise": chance.normal(size=rows),
            }
        ),
    ]
    return Rows(pl.DataFrame({"limit": own}), label), hosts
