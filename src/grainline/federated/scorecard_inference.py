"""Scoring by a scorecard in parts: one round trip to each host, who learns neither points nor score.

The lender sends the points of every bin, encrypted; the host adds up those of the applicant's bins and sends back one
fresh ciphertext (for several applicants: several to a ciphertext). The lender learns the host's points as a whole: not
which bin, not which feature gave how much.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import zip_longest

import numpy as np
import numpy.typing as npt
import polars as pl

from grainline.federated import scorecard_messages as says
from grainline.federated.channel import Channel
from grainline.federated.gradients import BadSum
from grainline.federated.he import PublicKey, RandomBytes, SecretKey
from grainline.federated.inference import UnknownApplicant
from grainline.federated.keys import read_public_key
from grainline.federated.messages import APPLICANTS_MAX
from grainline.federated.model import BadModel
from grainline.federated.scorecard_bins import Ints
from grainline.federated.scorecard_model import (
    Points,
    ScorecardGuestPart,
    ScorecardHostPart,
    codes_of,
    points_of,
)
from grainline.federated.scorecard_sums import moved_weights, packed_scores, slots_of, unpacked_scores, weights_by_bin
from grainline.federated.wire import BadMessage, Message

KEYS_KEPT = 4  # with the tables that make adding fresh randomness fast


@dataclass(frozen=True)
class BinLookup:
    """A host's part of a scorecard with the rows it can be asked about, and a way to a row that is not among them."""

    part: ScorecardHostPart
    ids: Sequence[bytes]
    frame: pl.DataFrame
    alone: Callable[[bytes], pl.DataFrame | None] = lambda _: None

    @cached_property
    def codes(self) -> Ints:
        """Return the bins of all rows."""
        return codes_of(self.part.characteristics, self.frame)

    @cached_property
    def sha256(self) -> bytes:
        """Return the hash of the part."""
        return self.part.sha256

    @cached_property
    def place_by_id(self) -> Mapping[bytes, int]:
        """Return where each id stands."""
        return {one: place for place, one in enumerate(self.ids)}

    def codes_of(self, ids: Sequence[bytes]) -> Ints:
        """Return the bins of these ids, in their order; raise UnknownApplicant."""
        found = np.zeros((len(ids), len(self.part.characteristics)), np.int64)
        for row, one in enumerate(ids):
            place = self.place_by_id.get(one)
            if place is not None:
                found[row] = self.codes[place]
            elif (frame := self.alone(one)) is not None:
                found[row] = codes_of(self.part.characteristics, frame)[0]
            else:
                raise UnknownApplicant
        return found


@dataclass(frozen=True)
class PointsHost:
    """A host that adds up encrypted points.

    `lookup` gives the rows and the part with a SHA-256, or raises BadModel; `admit` takes an applicant's id and consent
    (None: there is none) and raises a Refusal for whom it may not be asked about.
    """

    lookup: Callable[[bytes], BinLookup]
    admit: Callable[[bytes, bytes | None], None]
    random_bytes: RandomBytes

    def answer(self, message: Message) -> Message:
        """Answer one question; raise BadMessage, BadCiphertext, BadKey, BadModel, UnknownApplicant."""
        if not isinstance(message, says.PointsAsked):
            raise BadMessage("nothing that is asked about applicants")
        if len(message.consents) not in (0, len(message.ids)):
            raise BadMessage("consents of others")
        for one, consent in zip_longest(message.ids, message.consents):
            self.admit(one, consent)
        lookup = self.lookup(message.part)
        if message.part != lookup.sha256:
            raise BadModel
        codes = lookup.codes_of(message.ids)
        key = _key(message.key)
        bins = [one.bins + 1 for one in lookup.part.characteristics]
        weights = weights_by_bin(key, message.ciphertexts, message.slots, bins)
        return says.Points(key.write_all(packed_scores(key, weights, codes, self.random_bytes)))


@dataclass(frozen=True)
class Asking:
    """What the lender asks with: a key of its own, and where randomness comes from."""

    secret: SecretKey
    random_bytes: RandomBytes


async def points(
    part: ScorecardGuestPart,
    frame: pl.DataFrame,
    ids: Sequence[bytes],
    channels: Sequence[Channel],
    asking: Asking,
    consents: Sequence[Sequence[bytes]] = (),
) -> npt.NDArray[np.int64]:
    """Return the points of every applicant by party, of shape (applicants, parties), base with the lender's own.

    The score is the sum (`scorecard_model.log_odds`). `frame` has the guest's features and `ids` names its rows;
    `consents` has every applicant's for each host. Each host is asked once for up to APPLICANTS_MAX of them, and not
    where it has no points to give. Raises BadModel unless there are as many hosts as the model has parts, BadSum for
    points that no bins give, and what a channel raises: without a host there is no score.
    """
    if len(channels) != len(part.host_hashes):
        raise BadModel
    columns = [part.own_points(frame)]
    given = consents or [()] * len(channels)
    of_hosts = zip(channels, part.host_hashes, part.host_points, given, strict=True)
    answers = await asyncio.gather(*(_of_host(*one, ids, asking) for one in of_hosts), return_exceptions=True)
    for answer in answers:  # raised only once the others are there too: a channel serves one at a time
        if isinstance(answer, BaseException):
            raise answer
        columns.append(answer)
    return np.stack(columns, axis=1)


def points_together(
    part: ScorecardGuestPart, host_parts: Sequence[ScorecardHostPart], frames: Sequence[pl.DataFrame]
) -> npt.NDArray[np.int64]:
    """Return the same where all parts and all features lie in one place, the guest's frame first: for the twin."""
    columns = [part.own_points(frames[0])]
    for one, of_bin, frame in zip(host_parts, part.host_points, frames[1:], strict=True):
        columns.append(points_of(one.characteristics, of_bin, frame))
    return np.stack(columns, axis=1)


async def _of_host(
    channel: Channel, sha256: bytes, of_bins: Points, consents: Sequence[bytes], ids: Sequence[bytes], asking: Asking
) -> Ints:
    """Ask one host; every feature's points are moved up so that none is below nought."""
    if not of_bins:
        return np.zeros(len(ids), np.int64)
    low = [min(0, *one) for one in of_bins]
    moved = [value - least for one, least in zip(of_bins, low, strict=True) for value in (*one, 0)]
    most = sum(max(0, *one) - least for one, least in zip(of_bins, low, strict=True))
    slot_bits, public, found = max(1, most.bit_length()), asking.secret.public, []
    for first in range(0, len(ids), APPLICANTS_MAX):
        some = tuple(ids[first : first + APPLICANTS_MAX])
        slots = slots_of(public, slot_bits, len(moved), len(some), says.WEIGHT_BYTES_MAX)
        data = moved_weights(asking.secret, moved, slots, slot_bits, asking.random_bytes)
        tokens = tuple(consents[first : first + APPLICANTS_MAX])
        answer = await channel.ask(says.PointsAsked(sha256, public.dump(), slots, data, some, tokens))
        if not isinstance(answer, says.Points):
            raise BadMessage("no points")
        plaintexts = asking.secret.decrypt(public.read_all(answer.ciphertexts))
        found.append(unpacked_scores(plaintexts, len(some), slots, slot_bits))
    total = np.concatenate(found) if found else np.zeros(0, np.int64)
    if (total > most).any():
        raise BadSum("more points than any bins give")
    return np.asarray(total + sum(low), np.int64)


@lru_cache(maxsize=KEYS_KEPT)
def _key(data: bytes) -> PublicKey:
    return read_public_key(data)
