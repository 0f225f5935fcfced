"""SQL of what came of lending to somebody, for who held an expectation: from loans' rows and their classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from grainline.kit.db import Tx

DEFAULTED = 3  # the stage from which a loan is in default: classification.toml


class Span(NamedTuple):
    """A member's loans that began from a day on and before another."""

    member_id: int
    from_on: date
    before_on: date


@dataclass(frozen=True)
class Lent:
    """That loans began in a span; the first day on which one of them was in default, None while none was."""

    defaulted_on: date | None


async def lent_in(tx: Tx, spans: Sequence[Span], *, product: str) -> list[Lent | None]:
    """Return what came of each span, in their order; None where no loan of the product began in it."""
    cursor = await tx.execute(
        "select s.n, min(c.from_on) from unnest(%s::bigint[], %s::date[], %s::date[])"
        " with ordinality as s (member_id, from_on, before_on, n)"
        " join loans.loans l on l.member_id = s.member_id and l.product = %s"
        "   and l.started_on >= s.from_on and l.started_on < s.before_on"
        " left join loans.classifications c on c.member_id = l.member_id and c.loan_id = l.loan_id and c.stage = %s"
        " group by s.n",
        (*([span[n] for span in spans] for n in range(3)), product, DEFAULTED),
    )
    found = {row[0]: Lent(row[1]) for row in await cursor.fetchall()}
    return [found.get(n) for n in range(1, len(spans) + 1)]
