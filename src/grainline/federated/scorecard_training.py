"""Making a scorecard: from rows that were agreed on to the lender's part of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from grainline.federated import scorecard_messages as says
from grainline.federated.bits import pack
from grainline.federated.channel import Channel
from grainline.federated.gradients import Floats, Slots
from grainline.federated.he import RandomBytes, SecretKey
from grainline.federated.scorecard_bins import Binned, Ints, binned, characteristics_of
from grainline.federated.scorecard_fit import FitRules, Fitted, fit
from grainline.federated.scorecard_guest import Apart, HostBins
from grainline.federated.scorecard_model import FACTOR, OFFSET, Points, ScorecardGuestPart
from grainline.federated.scorecard_sides import Sides, Together
from grainline.federated.training import Alignment, OneClass, Rows
from grainline.federated.wire import BadMessage


@dataclass(frozen=True)
class ScorecardSettings:
    """What a scorecard is made by: bins of a feature at most, the fewest rows in one, and the rules of the fit.

    `as_of` is as in `training.Settings`.
    """

    bins: int = 10
    smallest_bin: int = 30
    rules: FitRules = field(default_factory=FitRules)
    as_of: int = 0

    def __post_init__(self) -> None:
        if not (2 <= self.bins <= 255 and self.smallest_bin >= 1):
            raise ValueError("bins: 2 to 255; smallest_bin: at least 1")


@dataclass(frozen=True)
class MadeScorecard:
    """The lender's part, what the fit found, and the unrounded log-odds of the rows it was made on."""

    part: ScorecardGuestPart
    fitted: Fitted
    scores: Floats


async def make_scorecard(
    rows: Rows,
    aligned: Sequence[Alignment],
    channels: Sequence[Channel],
    settings: ScorecardSettings,
    *,
    secret: SecretKey,
    model: bytes,
    random_bytes: RandomBytes,
) -> MadeScorecard:
    """Make it over encrypted labels and gradients; `rows` has none that only validate.

    Raises OneClass before a host is asked anything; NothingTells; what channels raise, BadSum and BadMessage, and then
    there is no scorecard.
    """
    own = _own(rows, settings)
    slots = Slots(len(rows.label))
    begins = [
        says.ScorecardBegins(
            model=model,
            alignment=one.session,
            key=secret.public.dump(),
            aligned=len(one.used),
            rows=pack(one.used),
            bins=settings.bins,
            smallest_bin=settings.smallest_bin,
            slot_bits=slots.bits,
            as_of=settings.as_of,
        )
        for one in aligned
    ]
    answers = await asyncio.gather(*(to.ask(one) for to, one in zip(channels, begins, strict=True)))
    hosts = [
        HostBins(channel, _counts(answer, len(rows.label), settings.smallest_bin))
        for channel, answer in zip(channels, answers, strict=True)
    ]
    apart = Apart(Together([own], model), secret, slots, random_bytes, hosts)
    return await _made(apart, own, rows, len(hosts), settings, model)


async def make_twin_scorecard(
    rows: Rows, hosts: Sequence[pl.DataFrame], settings: ScorecardSettings, *, model: bytes
) -> tuple[MadeScorecard, Together]:
    """Make it in plaintext on all parties' frames of the same rows; raise OneClass, NothingTells."""
    own = _own(rows, settings)
    together = Together([own, *(_binned(frame, settings) for frame in hosts)], model)
    return await _made(together, own, rows, len(hosts), settings, model), together


async def _made(
    sides: Sides, own: Binned, rows: Rows, hosts: int, settings: ScorecardSettings, model: bytes
) -> MadeScorecard:
    fitted = await fit(sides, rows.label, settings.rules)
    kept = sorted(fitted.coefficients)
    hashes = await sides.finish(kept)
    part = ScorecardGuestPart(
        model=model,
        base=round(OFFSET - FACTOR * fitted.base),
        characteristics=[own.characteristics[number] for party, number in kept if party == 0],
        points=_points(fitted, 0),
        host_points=[_points(fitted, party) for party in range(1, hosts + 1)],
        host_hashes=hashes,
    )
    return MadeScorecard(part, fitted, fitted.scores)


def _points(fitted: Fitted, party: int) -> Points:
    """Return the points of a party's features in whole numbers: the more, the fewer of the bin default."""
    return [
        [round(-FACTOR * fitted.coefficients[one] * woe / 2**16) for woe in fitted.evidence[one]]
        for one in sorted(fitted.coefficients)
        if one[0] == party
    ]


def _own(rows: Rows, settings: ScorecardSettings) -> Binned:
    if rows.validating is not None:
        raise ValueError("a scorecard is made on all rows")
    if not len(rows.label) or rows.label.all() or not rows.label.any():
        raise OneClass
    return _binned(rows.frame, settings)


def _binned(frame: pl.DataFrame, settings: ScorecardSettings) -> Binned:
    return binned(frame, characteristics_of(frame, bins=settings.bins, smallest=settings.smallest_bin))


def _counts(answer: object, rows: int, smallest: int) -> list[Ints]:
    """Return the rows in each bin, by feature; raise BadMessage where they are not as agreed."""
    if not isinstance(answer, says.ScorecardBinned) or sum(answer.bins) != len(answer.rows):
        raise BadMessage("no bins")
    ends = np.cumsum(answer.bins, dtype=np.int64)
    counts = [np.array(answer.rows[end - bins : end], np.int64) for bins, end in zip(answer.bins, ends, strict=True)]
    if any(int(one.sum()) != rows or int(one.min()) < smallest for one in counts):
        raise BadMessage("bins of other rows, or with fewer than was agreed")
    return counts
