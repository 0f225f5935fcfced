"""The social side, metadata only: conversations, groups, contacts, logins, complaints."""

import numpy as np

from grainline.behaviour.events import SCENES
from grainline.sandbox.lives import parameters as p
from grainline.sandbox.lives.arrays import Ints, opaque
from grainline.sandbox.lives.giving import friends, sociable
from grainline.sandbox.lives.moments import Block, Cells, DayTable, instant, scatter
from grainline.sandbox.lives.rows import Rows
from grainline.sandbox.lives.spending import places

GROUPS = 12


def social_life(rng: np.random.Generator, block: Block) -> list[Rows]:
    """Draw conversations with friends and in groups, what is done in groups, contacts added and removed."""
    table = DayTable(block.span, (p.CONVERSATION_DAYS,))
    # Under strain people withdraw a little.
    withdrawn = np.exp(-0.5 * block.course.showing)
    found = []
    for kind, rate in (
        ("conversation", p.CONVERSATION_RATE),
        ("group_activity", p.GROUP_ACTIVITY_RATE),
        ("contact_added", p.CONTACT_ADDED_RATE),
        ("contact_removed", p.CONTACT_REMOVED_RATE),
    ):
        cells = scatter(rng, sociable(block, rate, table.factors) * withdrawn)
        at_ms = instant(rng, block, cells=cells, day=table.draw(rng, cells.month), hours=("evening",))
        in_group = rng.random(len(cells)) < {"conversation": 0.3, "group_activity": 1.0}.get(kind, 0.0)
        group = opaque(block.people.number[cells.who], 3, rng.integers(GROUPS, size=len(cells)))
        other = np.where(in_group, group, friends(rng, block, cells))
        scene = in_group.astype(np.int64) if kind == "conversation" else None
        found.append(Rows(kind, cells.who, at_ms, counterparty=other, scene=scene))
    return found


def logins(rng: np.random.Generator, block: Block) -> Rows:
    """Draw logins from one or two devices that are sometimes replaced; a few are abnormal."""
    people = block.people
    table = DayTable(block.span, (p.Days(1.1),))
    cells = scatter(rng, p.LOGIN_RATE * people.digital[:, None] * table.factors)
    odd = p.ABNORMAL_BASE * np.exp(p.ABNORMAL_FRAUD * people.fraud)[:, None]
    odd = odd * np.exp(p.ABNORMAL_STRAIN * block.course.showing)
    abnormal = rng.random(len(cells)) < odd[cells.who, cells.month]
    strange_device = abnormal & (rng.random(len(cells)) < 0.6)
    device = _devices(rng, block, cells)
    device = np.where(strange_device, rng.integers(1 << 61, size=len(cells)), device)
    abroad = rng.integers(p.CITIES, size=len(cells)) * 100 + rng.integers(p.DISTRICTS, size=len(cells))
    place = np.where(abnormal & ~strange_device, abroad, places(rng, block, cells))
    return Rows(
        "login",
        cells.who,
        instant(rng, block, cells=cells, day=table.draw(rng, cells.month)),
        scene=abnormal.astype(np.int64),
        place=place,
        device=device,
    )


def _devices(rng: np.random.Generator, block: Block, cells: Cells) -> Ints:
    people = block.people
    replaced = np.where(people.fraud, p.NEW_DEVICE_FRAUD, p.NEW_DEVICE_RATE)
    generation = np.cumsum(rng.random(block.course.showing.shape) < replaced[:, None], axis=1)
    second = (rng.random(len(block)) < p.SECOND_DEVICE_SHARE)[cells.who] & (rng.random(len(cells)) < 0.2)
    first_one = opaque(people.number[cells.who], 4, generation[cells.who, cells.month])
    return np.where(second, opaque(people.number[cells.who], 5), first_one)


def complaints(rng: np.random.Generator, block: Block) -> list[Rows]:
    """Draw complaints of a resident (by prudence, strain, fraud) and by a resident (by chance)."""
    people = block.people
    person = p.COMPLAINT_PRUDENCE * people.prudence + p.COMPLAINT_FRAUD * people.fraud
    received = p.COMPLAINT_RECEIVED * np.exp(person[:, None] + p.COMPLAINT_STRAIN * block.course.showing)
    made = np.full_like(received, p.COMPLAINT_MADE)
    table = DayTable(block.span, (p.Days(),))
    found = []
    for scene, rate in (("received", received), ("made", made)):
        cells = scatter(rng, rate * table.factors)
        at_ms = instant(rng, block, cells=cells, day=table.draw(rng, cells.month))
        other = opaque(people.number[cells.who], 6, cells.month)
        found.append(Rows("complaint", cells.who, at_ms, counterparty=other, scene=SCENES["complaint"].index(scene)))
    return found
