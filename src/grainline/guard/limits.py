"""The limits of a draw, told early. limits.sql holds the same limits where no race can pass them."""

from grainline.kit.errors import Kind, Refusal
from grainline.products import Pack


class DrawBelowMinimum(Refusal):
    """Less than the least draw; nothing and negative amounts too."""

    code = "draw_below_minimum"


class DrawNotAMultiple(Refusal):
    """Not a multiple of the pack's step."""

    code = "draw_not_a_multiple"


class DrawAboveMaximum(Refusal):
    """More than one draw may be (E3)."""

    code = "draw_above_maximum"


class DayLimitReached(Refusal):
    """More than one Shanghai day's draws may be (E3)."""

    code = "day_limit_reached"
    kind = Kind.CONFLICT


def check_amount(pack: Pack, amount_fen: int) -> None:
    """Refuse an amount (fen) that no draw of this product may have."""
    rule = pack.draw
    if amount_fen < rule.min_fen:
        raise DrawBelowMinimum(min_fen=rule.min_fen)
    if amount_fen % rule.step_fen:
        raise DrawNotAMultiple(step_fen=rule.step_fen)
    if amount_fen > rule.max_fen:
        raise DrawAboveMaximum(max_fen=rule.max_fen)
