"""Whom which model scores: champion or challenger by member, shadows beside without effect.

Roles are a history of changes that only grows. What holds at a moment is the newest change that has begun by then,
so a decision can be replayed with the models of its day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b, sha256

from grainline.kit.errors import Kind, Refusal

SLOTS = 10_000


class NoChampion(Refusal):
    """A product has no model that scores at that moment."""

    code = "no_champion"
    kind = Kind.UNAVAILABLE


class Role(StrEnum):
    """What a model is to a product: it decides, it decides for a share of members, or it is only listened to."""

    CHAMPION = "champion"
    CHALLENGER = "challenger"
    SHADOW = "shadow"


@dataclass(frozen=True)
class RoleChange:
    """A model is given a role of a product from a moment on, or loses it (`is_on` false).

    `share_e4` is the challenger's share of members in 10⁻⁴, 0 for the other roles. `change_id` rises in the order of
    setting. A product has one champion, at most one challenger, and any number of shadows.
    """

    change_id: int
    product: str
    role: Role
    sha256: str
    begins_at: datetime
    share_e4: int
    is_on: bool
    set_at: datetime
    set_by: str


@dataclass(frozen=True)
class Cast:
    """The models of a product at a moment, by SHA-256; `share_e4` is 0 where there is no challenger."""

    champion: str | None
    challenger: str | None
    share_e4: int
    shadows: tuple[str, ...]


@dataclass(frozen=True)
class Routed:
    """Which model decides for a member, in which role, and which score beside it without effect."""

    role: Role
    sha256: str
    shadows: tuple[str, ...]


def cast_of(changes: Iterable[RoleChange], *, product: str, as_of: datetime) -> Cast:
    """Return who plays which role of a product at a moment; of changes that began together the later set one holds."""
    begun = sorted(
        (change for change in changes if change.product == product and change.begins_at <= as_of),
        key=lambda change: (change.begins_at, change.change_id),
    )
    newest = {(change.role, change.sha256 if change.role is Role.SHADOW else ""): change for change in begun}
    champion = newest.get((Role.CHAMPION, ""))
    challenger = newest.get((Role.CHALLENGER, ""))
    if challenger and (not challenger.is_on or (champion and challenger.sha256 == champion.sha256)):
        challenger = None
    shadows = sorted(change.sha256 for change in newest.values() if change.role is Role.SHADOW and change.is_on)
    return Cast(
        champion=champion.sha256 if champion else None,
        challenger=challenger.sha256 if challenger else None,
        share_e4=challenger.share_e4 if challenger else 0,
        shadows=tuple(shadows),
    )


def route(roles: Iterable[RoleChange] | Cast, *, member_id: int, product: str, as_of: datetime) -> Routed:
    """Return which model decides for a member; raise NoChampion where the product has none at that moment.

    Whoever has many members to route makes the `Cast` of the moment once.
    """
    cast = roles if isinstance(roles, Cast) else cast_of(roles, product=product, as_of=as_of)
    if cast.champion is None:
        raise NoChampion(product=product)
    chosen, role = cast.champion, Role.CHAMPION
    if cast.challenger is not None and slot_of(member_id, product) < cast.share_e4:
        chosen, role = cast.challenger, Role.CHALLENGER
    return Routed(role, chosen, tuple(shadow for shadow in cast.shadows if shadow != chosen))


def slot_of(member_id: int, product: str) -> int:
    """Return a member's place of a product, 0 … 9,999: as good as drawn by lot, and always the same.

    A hash keyed by the product, so that a member's places at two products say nothing of each other. The key is no
    secret: a replay must find the same place, and nobody chooses their own number. A challenger has the members
    below its share, so a larger share keeps those who were in the smaller one.
    """
    key = sha256(product.encode()).digest()
    digest = blake2b(member_id.to_bytes(8, "big"), digest_size=8, key=key, person=b"grainline route").digest()
    return int.from_bytes(digest, "big") % SLOTS
