"""A set of ids as it goes to the other side, blinded, and as the other's comes in, checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar

from grainline.federated.curve25519 import BadPoint, check, encode_to_curve, multiply, secret_of
from grainline.federated.ids import DuplicateIds
from grainline.federated.repeatable import RandomBytes
from grainline.federated.session_messages import (
    BATCH,
    POINT_BYTES,
    SET_MAX,
    TAG_BYTES,
    PsiOffer,
    PsiPoints,
)
from grainline.federated.wire import BadMessage
from grainline.kit.errors import Kind, Refusal


class SetTooSmall(Refusal):
    """A set so small that to compare it is to ask after persons."""

    code: ClassVar[str] = "psi_set_too_small"
    kind: ClassVar[Kind] = Kind.FORBIDDEN


class SetTooLarge(Refusal):
    """A set larger than a party will work on."""

    code: ClassVar[str] = "psi_set_too_large"
    kind: ClassVar[Kind] = Kind.TOO_LARGE


class CommitmentBroken(Refusal):
    """Points that are not those whose hash was sent before."""

    code: ClassVar[str] = "psi_commitment_broken"
    kind: ClassVar[Kind] = Kind.INVALID


class BadPoints(Refusal):
    """Points that are none, or the same twice."""

    code: ClassVar[str] = "psi_bad_points"
    kind: ClassVar[Kind] = Kind.INVALID


@dataclass(frozen=True)
class Sizes:
    """How many ids the other's set, and how many rows the common table, must have."""

    ids_min: int = 1
    ids_max: int = SET_MAX
    rows_min: int = 1


class Blinded:
    """A set under a secret, in an order drawn by lot: its ids and points, one below the other."""

    def __init__(self, ids: Sequence[bytes], random_bytes: RandomBytes) -> None:
        if len(set(ids)) < len(ids):
            raise DuplicateIds(count=len(ids) - len(set(ids)))
        self.secret = secret_of(random_bytes(32))
        lots = random_bytes(16 * len(ids))
        order = sorted(range(len(ids)), key=lambda row: lots[16 * row : 16 * row + 16])
        self.ids = [ids[row] for row in order]
        self.points = multiply(self.secret, map(encode_to_curve, self.ids))
        self.commitment = sha256(b"".join(self.points)).digest()

    def offer(self) -> PsiOffer:
        """Return size and hash of the set."""
        return PsiOffer(len(self.points), self.commitment)

    def batch(self, batch: int) -> PsiPoints:
        """Return a batch of its points, empty beyond the last."""
        return PsiPoints(batch, b"".join(self.points[batch * BATCH : (batch + 1) * BATCH]))


class Received:
    """The other's set as it comes in, checked point by point and, once it is all there, as a whole."""

    def __init__(self, offer: PsiOffer, sizes: Sizes) -> None:
        if offer.count < sizes.ids_min:
            raise SetTooSmall(count=offer.count, least=sizes.ids_min)
        if offer.count > sizes.ids_max:
            raise SetTooLarge(count=offer.count, most=sizes.ids_max)
        self._offer = offer
        self.batches: list[list[bytes]] = []
        self._count = 0

    @property
    def complete(self) -> bool:
        """Tell whether all that was offered is there."""
        return self._count == self._offer.count

    def take(self, sent: PsiPoints) -> None:
        """Take in a batch; an empty one only when all is there. Raises BadPoints, CommitmentBroken, BadMessage."""
        points = split(sent.points, POINT_BYTES)
        if self._count + len(points) > self._offer.count or (not points and not self.complete):
            raise CommitmentBroken
        if not points:
            return
        if sent.batch != len(self.batches):
            raise BadMessage(f"batch {sent.batch} out of order")
        try:
            for point in points:
                check(point)
        except BadPoint:
            raise BadPoints from None
        self.batches.append(points)
        self._count += len(points)
        if self.complete:
            self._check_whole()

    def _check_whole(self) -> None:
        points = [point for batch in self.batches for point in batch]
        if sha256(b"".join(points)).digest() != self._offer.commitment:
            raise CommitmentBroken
        if len(set(points)) < len(points):
            raise BadPoints


def tags_of(own: Blinded, points: Sequence[bytes]) -> bytes:
    """Return 16 bytes of the hash of each of the other's points under both secrets; raise BadPoints."""
    try:
        doubly = multiply(own.secret, points)
    except BadPoint:
        raise BadPoints from None
    return b"".join(sha256(b"grainline.psi.tag" + point).digest()[:TAG_BYTES] for point in doubly)


def split(data: bytes, size: int) -> list[bytes]:
    """Return bytes in pieces of a size; raise BadMessage if they do not come out even."""
    if len(data) % size:
        raise BadMessage(f"{len(data)} bytes are no multiple of {size}")
    return [data[start : start + size] for start in range(0, len(data), size)]
