"""Scoring by asking: one round trip to each host, for one applicant or many.

A host is asked for whom, not what: it answers where *all* its splits of the model lead, and so learns neither which of
them mattered nor where the path ended nor the score. The guest learns one bit for each split of a host and applicant,
more than the path needs, and no feature, threshold or value. The bits travel inside the session's encryption.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from grainline.federated import messages as says
from grainline.federated.binning import numbers
from grainline.federated.channel import Channel
from grainline.federated.model import BadModel, Condition, GuestPart, HostPart
from grainline.federated.trees import ROOT, Split, Tree
from grainline.federated.wire import BadMessage, Message
from grainline.kit.errors import Kind, Refusal

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

NO_CATEGORY = -2.0  # a value that no split of the model names is -1, a missing one this


class UnknownApplicant(Refusal):
    """The host has nobody by this id."""

    code: ClassVar[str] = "federated_unknown_applicant"
    kind: ClassVar[Kind] = Kind.NOT_FOUND


@dataclass(frozen=True)
class Lookup:
    """A host's part of a model with the rows it can be asked about, and a way to a row that is not among them."""

    part: HostPart
    ids: Sequence[bytes]
    frame: pl.DataFrame
    alone: Callable[[bytes], pl.DataFrame | None] = lambda _: None

    @cached_property
    def sha256(self) -> bytes:
        """Return the hash of the part."""
        return self.part.sha256

    @cached_property
    def rules(self) -> "Rules":
        """Return the conditions ready for many rows."""
        return Rules(self.part.conditions)

    @cached_property
    def values(self) -> Floats:
        """Return what the conditions look at, of shape (rows, features)."""
        return self.rules.values(self.frame)

    @cached_property
    def place_by_id(self) -> Mapping[bytes, int]:
        """Return where each id stands."""
        return {one: place for place, one in enumerate(self.ids)}

    def values_of(self, ids: Sequence[bytes]) -> Floats:
        """Return what the conditions look at for these ids, in their order; raise UnknownApplicant."""
        places = [self.place_by_id.get(one, -1) for one in ids]
        found = self.values[places] if len(self.values) else np.full((len(ids), self.values.shape[1]), np.nan)
        for row, place in enumerate(places):
            if place < 0:
                if (frame := self.alone(ids[row])) is None:
                    raise UnknownApplicant
                found[row] = self.rules.values(frame)[0]
        return found


@dataclass(frozen=True)
class Rules:
    """The conditions of one party, evaluated for many rows at once."""

    conditions: Sequence[Condition]

    @cached_property
    def features(self) -> list[tuple[str, bool]]:
        """Return which columns the conditions look at, and whether as categories."""
        return sorted({(one.feature, one.is_category) for one in self.conditions})

    @cached_property
    def code_by_category(self) -> Mapping[str | None, float]:
        """Return a number for each category that a condition names."""
        names = sorted({one.category for one in self.conditions if one.category is not None})
        return {name: float(code) for code, name in enumerate(names)} | {None: NO_CATEGORY}

    def values(self, frame: pl.DataFrame) -> Floats:
        """Return the columns as numbers, categories by their codes; raise BadModel where one is not in the frame."""
        if any(name not in frame.columns for name, _ in self.features):
            raise BadModel
        found = np.empty((frame.height, len(self.features)))
        for place, (name, is_category) in enumerate(self.features):
            if is_category:
                found[:, place] = [self.code_by_category.get(one, -1.0) for one in frame[name].to_list()]
            else:
                found[:, place] = numbers(frame[name])
        return found

    @cached_property
    def _columns(self) -> tuple[npt.NDArray[np.intp], Floats, Mask, Mask, Mask]:
        place = {feature: index for index, feature in enumerate(self.features)}
        which = np.array([place[one.feature, one.is_category] for one in self.conditions], np.intp)
        known = [
            self.code_by_category[one.category]
            if one.is_category
            else np.inf
            if one.threshold is None
            else one.threshold
            for one in self.conditions
        ]
        flags = [(one.is_category, one.is_above, one.missing_left) for one in self.conditions]
        category, above, missing = np.array(flags, np.bool_).reshape(-1, 3).T
        return which, np.array(known, np.float64), category, above, missing

    def lefts(self, values: Floats) -> Mask:
        """Return of shape (rows, conditions) who goes left, for what `values` returned."""
        which, known, category, above, missing = self._columns
        seen = values[:, which]
        met = np.where(category, seen == known, seen <= known) != above
        return np.where(np.isnan(seen), missing, met)


@dataclass(frozen=True)
class DirectionsHost:
    """A host that is asked where its splits lead.

    `lookup` gives the rows and the part with a SHA-256, or raises BadModel; `admit` takes an applicant's id and consent
    (None: there is none) and raises a Refusal for whom it may not be asked about.
    """

    lookup: Callable[[bytes], Lookup]
    admit: Callable[[bytes, bytes | None], None]

    def answer(self, message: Message) -> Message:
        """Answer one question; raise BadMessage for another message, BadModel, UnknownApplicant."""
        if not isinstance(message, says.DirectionsAsked):
            raise BadMessage("nothing that is asked about applicants")
        if len(message.consents) not in (0, len(message.ids)):
            raise BadMessage("consents of others")
        for one, consent in zip_longest(message.ids, message.consents):
            self.admit(one, consent)
        return answer_directions(self.lookup(message.part), message)


def answer_directions(lookup: Lookup, message: says.DirectionsAsked) -> says.Directions:
    """Return one bit for each id and split; raise BadModel for another part, UnknownApplicant."""
    if message.part != lookup.sha256:
        raise BadModel
    lefts = lookup.rules.lefts(lookup.values_of(message.ids))
    return says.Directions(np.packbits(lefts, axis=1).tobytes())


async def score(
    part: GuestPart,
    frame: pl.DataFrame,
    ids: Sequence[bytes],
    channels: Sequence[Channel],
    consents: Sequence[Sequence[bytes]] = (),
) -> Floats:
    """Return the log-odds of every applicant, asking each host once for up to APPLICANTS_MAX of them.

    `frame` has the guest's features and `ids` names its rows; `consents` has every applicant's for each host. Raises
    BadModel unless there are as many hosts as the model has parts, and what a channel raises: without a host there is
    no score.
    """
    if len(channels) != len(part.host_hashes):
        raise BadModel
    rules = Rules(part.conditions)
    own = rules.lefts(rules.values(frame))
    counts = part.splits_by_party
    found = []
    for first in range(0, len(ids), says.APPLICANTS_MAX):
        span = slice(first, first + says.APPLICANTS_MAX)
        some = tuple(ids[span])
        given = [tuple(of_host[span]) for of_host in consents] or [()] * len(channels)
        pairs = zip(part.host_hashes, given, strict=True)
        asked = [says.DirectionsAsked(sha256, some, tokens) for sha256, tokens in pairs]
        answers = await _all_of(one.ask(what) for one, what in zip(channels, asked, strict=True))
        lefts = [own[span]]
        lefts += [_bits(answer, len(some), count) for answer, count in zip(answers, counts[1:], strict=True)]
        found.append(_walk(part, lefts))
    return np.concatenate(found) if found else np.zeros(0)


async def _all_of(asking: Iterable[Awaitable[Message]]) -> list[Message]:
    """Return all answers; raise what one raised only once the others are there too: a channel serves one at a time."""
    answers = await asyncio.gather(*asking, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if not isinstance(answer, BaseException)]


def score_together(part: GuestPart, host_parts: Sequence[HostPart], frames: Sequence[pl.DataFrame]) -> Floats:
    """Return the log-odds where all parts and all features lie in one place, the guest's frame first: for the twin."""
    lefts = []
    for conditions, frame in zip([part.conditions, *(one.conditions for one in host_parts)], frames, strict=True):
        rules = Rules(conditions)
        lefts.append(rules.lefts(rules.values(frame)))
    return _walk(part, lefts)


def directions_of(answer: Message, splits: int) -> bytes:
    """Return what a host said of one applicant, once it is found to be that many splits' bits; raise BadMessage."""
    _bits(answer, 1, splits)
    assert isinstance(answer, says.Directions)  # noqa: S101  # else `_bits` raised
    return answer.lefts


def score_told(part: GuestPart, own: Mapping[str, float | str | None], told: Sequence[bytes]) -> float:
    """Return one applicant's log-odds from what is known of them: no party is asked, and the same gives the same bits.

    `own` has the guest's features by name, a missing one as None or left out, and `told` each host's directions, as
    `directions_of` returned them. Raises BadMessage for directions of another number of splits, BadModel.
    """
    if len(told) != len(part.host_hashes):
        raise BadModel
    rules = Rules(part.conditions)
    columns = [
        pl.Series(name, [own.get(name)], dtype=pl.String if is_category else pl.Float64, strict=False)
        for name, is_category in rules.features
    ]
    lefts = [rules.lefts(rules.values(pl.DataFrame(columns)))[0].tolist() if columns else []]
    for bits, count in zip(told, part.splits_by_party[1:], strict=True):
        lefts.append(_bits(says.Directions(bits), 1, count)[0].tolist())
    return _walk_alone(part, lefts)


def _bits(answer: Message, rows: int, splits: int) -> Mask:
    if not isinstance(answer, says.Directions):
        raise BadMessage("no directions")
    width = -(-splits // 8)
    if len(answer.lefts) != rows * width:
        raise BadMessage("directions of another number of rows or splits")
    bits = np.unpackbits(np.frombuffer(answer.lefts, np.uint8).reshape(rows, width), axis=1)
    if bits[:, splits:].any():
        raise BadMessage("bits beyond the last split")
    return bits[:, :splits].astype(np.bool_)


def _walk(part: GuestPart, lefts: Sequence[Mask]) -> Floats:
    if len(lefts[0]) == 1:
        return np.array([_walk_alone(part, [one[0].tolist() for one in lefts])])
    score = np.full(len(lefts[0]), part.base)
    for tree in part.trees:
        score += _added(tree, ROOT, lefts, np.arange(len(score)), np.zeros(len(score)))
    return score


def _walk_alone(part: GuestPart, lefts: Sequence[Sequence[bool]]) -> float:
    """Follow one applicant's paths; adds up in the order in which many are added up, so that the sum is the same."""
    score = part.base
    for tree in part.trees:
        node = ROOT
        while isinstance(what := tree[node], Split):
            node = 2 * node + (not lefts[what.party][what.number])
        score += what.weight
    return score


def _added(tree: Tree, node: int, lefts: Sequence[Mask], rows: npt.NDArray[np.intp], added: Floats) -> Floats:
    if not len(rows):
        return added
    what = tree[node]
    if not isinstance(what, Split):
        added[rows] = what.weight
        return added
    is_left = lefts[what.party][rows, what.number]
    _added(tree, 2 * node, lefts, rows[is_left], added)
    return _added(tree, 2 * node + 1, lefts, rows[~is_left], added)
