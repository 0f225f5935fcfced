"""Products side by side, for one amount and one term: what each of their shapes would cost, from the packs alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from grainline.kit.errors import Refusal
from grainline.kit.money import RateE8
from grainline.loans.quote import Quote, UnknownTerm, quote
from grainline.products import Pack, Shape


@dataclass(frozen=True)
class Compared:
    """One product in one shape: quotes at the lowest and the highest rate of its band.

    Where it cannot do what was asked for, `cannot` is the code of why not; if only the term is not one of its own, the
    quotes are for the nearest that is, the shorter of two.
    """

    pack: Pack
    shape: Shape
    quotes: tuple[Quote, Quote] | None
    cannot: str | None


def compare(packs: Iterable[Pack], *, amount_fen: int, instalments: int, starts_on: date) -> tuple[Compared, ...]:
    """Compare all products in all their shapes, in the order of the packs."""
    return tuple(
        _compared(pack, shape, amount_fen, instalments, starts_on) for pack in packs for shape in pack.schedule.shapes
    )


def _compared(pack: Pack, shape: Shape, amount_fen: int, instalments: int, starts_on: date) -> Compared:
    nearest = min(pack.schedule.instalments, key=lambda term: (abs(term - instalments), term))

    def at(rate_e8: int) -> Quote:
        return quote(
            pack,
            amount_fen=amount_fen,
            instalments=nearest,
            rate_e8=RateE8(rate_e8),
            starts_on=starts_on,
            shape=shape,
        )

    try:
        quotes = at(pack.rate.min_e8), at(pack.rate.max_e8)
    except Refusal as refusal:
        return Compared(pack, shape, None, refusal.code)
    return Compared(pack, shape, quotes, None if nearest == instalments else UnknownTerm.code)
