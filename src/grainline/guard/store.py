"""The guard's SQL."""

from datetime import date

from grainline.kit.db import Tx
from grainline.kit.money import Fen


async def day_drawn(tx: Tx, *, member_id: int, product: str, drawn_on: date) -> Fen:
    """Return what a member has drawn on a business date, in fen."""
    row = await (
        await tx.execute(
            "select amount_fen from guard.day_draws where member_id = %s and product = %s and drawn_on = %s",
            (member_id, product, drawn_on),
        )
    ).fetchone()
    return Fen(row[0] if row else 0)
