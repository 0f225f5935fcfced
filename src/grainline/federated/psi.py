"""Private set intersection: which ids the lender and the parties have in common, and nothing of the others.

Diffie-Hellman on hashed ids (Meadows, IEEE S&P 1986; Huberman, Franklin and Hogg, EC 1999), in the group of
`curve25519`. The lender sends each id's point times its secret a, in an order drawn by lot; a party sends its own times
its secret b, in an order drawn by lot. The party multiplies the lender's points by b and returns 16 bytes of the hash
of each; the lender multiplies the party's by a and hashes them too. Where both have an id, the hashes are equal.
Secrets and orders are drawn anew for every run. Both commit to their sets, by number and hash, before they see any of
the other's.

The lender learns which of its ids each party has, and how many the party has. Of several parties it then takes what all
have, and tells each the places of these rows among the points the party sent. A party learns how many ids the lender
has, and which of its own all have in common: the rows of the table that they are going to train on. All sort it by id.
Security is against parties that keep to the protocol; docs/federated.md says what one that does not could do.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

from grainline.federated.channel import Channel
from grainline.federated.psi_sets import Blinded, Received, Sizes, split, tags_of
from grainline.federated.repeatable import RandomBytes
from grainline.federated.session_messages import (
    BATCH,
    TAG_BYTES,
    PsiAligned,
    PsiFetch,
    PsiOffer,
    PsiPoints,
    PsiRows,
    PsiTags,
)
from grainline.federated.wire import BadMessage, Message
from grainline.kit.errors import Kind, Refusal

T = TypeVar("T")


class TableTooSmall(Refusal):
    """Sets that have no id in common, or fewer than a table may have."""

    code: ClassVar[str] = "psi_table_too_small"
    kind: ClassVar[Kind] = Kind.CONFLICT


class PsiHost:
    """A party's side. `aligned` is given the ids of the common table, in its order, before the last answer."""

    def __init__(
        self,
        ids: Sequence[bytes],
        random_bytes: RandomBytes,
        aligned: Callable[[Sequence[bytes]], None],
        sizes: Sizes | None = None,
    ) -> None:
        self._ids = ids
        self._random_bytes = random_bytes
        self._aligned = aligned
        self._sizes = sizes or Sizes()
        self._own: Blinded | None = None
        self._other: Received | None = None
        self._rows: list[bytes] | None = []

    def answer(self, message: Message) -> Message:
        """Answer one message; raise BadMessage out of turn, or one of the refusals above."""
        if isinstance(message, PsiOffer) and self._own is None:
            self._other = Received(message, self._sizes)
            self._own = Blinded(self._ids, self._random_bytes)
            return self._own.offer()
        if self._own is None or self._other is None:
            raise BadMessage("nothing was offered yet")
        if isinstance(message, PsiPoints):
            self._other.take(message)
            return self._own.batch(message.batch)
        if isinstance(message, PsiFetch) and self._other.complete and message.batch < len(self._other.batches):
            return PsiTags(message.batch, tags_of(self._own, self._other.batches[message.batch]))
        if isinstance(message, PsiRows) and self._other.complete and self._rows is not None:
            return self._take_rows(self._own, self._rows, message)
        raise BadMessage(f"{type(message).__name__} out of turn")

    def _take_rows(self, own: Blinded, rows: list[bytes], message: PsiRows) -> PsiAligned:
        if any(place >= len(own.ids) for place in message.places):
            raise BadMessage("a place beyond the set")
        rows += [own.ids[place] for place in message.places]
        if message.last:
            if any(one >= other for one, other in pairwise(rows)):
                raise BadMessage("rows that are not in the order of their ids")
            if len(rows) < self._sizes.rows_min:
                raise TableTooSmall(rows=len(rows), least=self._sizes.rows_min)
            self._rows = None
            self._aligned(rows)
        return PsiAligned(len(rows))


async def intersect(
    channels: Sequence[Channel], ids: Sequence[bytes], random_bytes: RandomBytes, sizes: Sizes | None = None
) -> list[bytes]:
    """Return the ids that the lender and all parties have, in order, after every party has taken them down.

    Raises DuplicateIds, the refusals above for what a party sends, BadMessage for what it may not answer.
    """
    sizes = sizes or Sizes()
    own = await asyncio.to_thread(Blinded, ids, random_bytes)
    places = await _together(_compare(channel, own, sizes) for channel in channels)
    common = sorted(set(own.ids).intersection(*places))
    if len(common) < max(1, sizes.rows_min):
        raise TableTooSmall(rows=len(common), least=max(1, sizes.rows_min))
    pairs = zip(channels, places, strict=True)
    await _together(_tell(channel, [place[row] for row in common]) for channel, place in pairs)
    return common


async def _together(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do several things at once; the first that fails stops the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def _compare(channel: Channel, own: Blinded, sizes: Sizes) -> Mapping[bytes, int]:
    """Return the place among a party's points of every id that both have."""
    other = Received(_of(PsiOffer, await channel.ask(own.offer())), sizes)
    batch = 0
    while batch * BATCH < len(own.points) or not other.complete:
        sent = _of(PsiPoints, await channel.ask(own.batch(batch)))
        await asyncio.to_thread(other.take, sent)
        batch += 1
    theirs, ours = await _together((_tags_here(own, other), _tags_there(channel, own)))  # both work at once
    places = {tag: place for place, tag in enumerate(theirs)}
    return {id_: places[tag] for id_, tag in zip(own.ids, ours, strict=True) if tag in places}


async def _tags_here(own: Blinded, other: Received) -> list[bytes]:
    """Return the tags of a party's points, in its order."""
    return [tag for points in other.batches for tag in split(await asyncio.to_thread(tags_of, own, points), TAG_BYTES)]


async def _tags_there(channel: Channel, own: Blinded) -> list[bytes]:
    """Have a party make the tags of the lender's points, in the lender's order."""
    tags: list[bytes] = []
    for batch in range(-(-len(own.points) // BATCH)):
        told = _of(PsiTags, await channel.ask(PsiFetch(batch)))
        tags += split(told.tags, TAG_BYTES)
        if told.batch != batch or len(tags) != min((batch + 1) * BATCH, len(own.points)):
            raise BadMessage("tags of another batch")
    return tags


async def _tell(channel: Channel, places: Sequence[int]) -> None:
    for start in range(0, len(places), BATCH):
        last = start + BATCH >= len(places)
        told = _of(PsiAligned, await channel.ask(PsiRows(tuple(places[start : start + BATCH]), int(last))))
        if told.rows != min(start + BATCH, len(places)):
            raise BadMessage("another number of rows")


def _of(kind: type[T], message: Message) -> T:
    if not isinstance(message, kind):
        raise BadMessage(f"{type(message).__name__} in place of {kind.__name__}")
    return message
