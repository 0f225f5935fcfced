"""Opening a line for who is invited, and the state of somebody's wallet.

A member may hold a line with each product. What they may owe over all of them together is not limited here yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from grainline.guard import day_drawn
from grainline.invitation import Standing, in_force, latest, latest_of_all, outcomes_of, standing
from grainline.kit.calendar import business_date
from grainline.kit.db import Tx
from grainline.kit.errors import Kind, Refusal
from grainline.kit.money import Fen
from grainline.lines import Line, NoLine, line
from grainline.products import Pack


class NotInvited(Refusal):
    """Not on the whitelist today; the wallet says why and what helps."""

    code = "not_invited"
    kind = Kind.FORBIDDEN


class CardNeeded(Refusal):
    """A line needs a card to pay to and collect from."""

    code = "card_needed"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class LineView:
    """A line with what may be drawn on it now: fen left of the day, and the largest single draw."""

    line: Line
    day_left_fen: Fen
    draw_max_fen: Fen


async def standing_of(tx: Tx, pack: Pack, *, member_id: int, today: date) -> Standing:
    """Return where a member stands with the product today."""
    listed = in_force(await outcomes_of(tx, member_id=member_id), today) if pack.admission.invites else None
    return standing(await latest(tx, member_id=member_id, product=pack.product.code), today, listed)


async def standings_of(tx: Tx, packs: Mapping[str, Pack], *, member_id: int, today: date) -> dict[str, Standing]:
    """Return where a member stands with each product today, by its code."""
    newest = await latest_of_all(tx, member_id=member_id)
    listed = in_force(await outcomes_of(tx, member_id=member_id), today)
    return {
        code: standing(newest.get(code), today, listed if pack.admission.invites else None)
        for code, pack in packs.items()
    }


async def view_line(tx: Tx, pack: Pack, *, member_id: int, now: datetime) -> LineView:
    """Return a member's line and what may be drawn now; raise NoLine."""
    found = await line(tx, member_id=member_id, product=pack.product.code)
    if found is None:
        raise NoLine
    drawn = await day_drawn(tx, member_id=member_id, product=pack.product.code, drawn_on=business_date(now))
    day_left = max(0, pack.draw.day_max_fen - drawn)
    most = min(day_left, found.available_fen, pack.draw.max_fen)
    step = pack.draw.step_fen
    return LineView(found, Fen(day_left), Fen(most // step * step if found.state == "open" else 0))
