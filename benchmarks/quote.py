"""How many quotes a second: the whole dated schedule, its total, and the annual cost by both methods.

Beside it, in the same rounds, pyxirr alone on the same cash flows: the only part of a quote that is not ours. `ratio`
is quotes per call of it.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date, timedelta
from itertools import cycle, islice
from statistics import median

from _stage import print_figures, ratio
from pyxirr import xirr

from grainline.entry.settings import PROJECT_ROOT
from grainline.kit.money import RateE8
from grainline.loans.quote import Quote, quote
from grainline.products import Pack, load_pack

AMOUNTS = (100_000, 1_000_000, 4_000_000)
STARTS_ON = date(2026, 1, 31)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the median counts (%(default)s)")
    parser.add_argument("--quotes", type=int, default=600, help="quotes in a round (%(default)s)")
    parser.add_argument("--product", default="weilidai", help="code of the product pack (%(default)s)")
    given = parser.parse_args()
    pack = load_pack(PROJECT_ROOT / "packs" / f"{given.product}.toml")
    asked = list(
        islice(cycle((amount, term) for amount in AMOUNTS for term in pack.schedule.instalments), given.quotes)
    )
    flows = [cash_flows(one(pack, place, *ask)) for place, ask in enumerate(asked)]
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(given.rounds):
        ours.append(
            per_second(lambda: [one(pack, place, *ask).total_fen for place, ask in enumerate(asked)], len(asked))
        )
        theirs.append(per_second(lambda: [xirr(dates, amounts) for dates, amounts in flows], len(asked)))
    print_figures(
        {
            "quotes_per_s": round(median(ours), 1),
            "pyxirr_per_s": round(median(theirs), 1),
            "ratio": ratio(ours, theirs),
            "quotes": len(asked),
            "rounds": given.rounds,
            "product": given.product,
        },
        as_json=given.json,
    )
    return 0


def one(pack: Pack, place: int, amount_fen: int, instalments: int) -> Quote:
    """Quote one draw; each of them begins on another day."""
    starts_on = STARTS_ON + timedelta(days=place % 365)
    return quote(pack, amount_fen=amount_fen, instalments=instalments, rate_e8=RateE8(50_000), starts_on=starts_on)


def cash_flows(quoted: Quote) -> tuple[list[date], list[int]]:
    """Return the dates and signed amounts of a quote in fen, as XIRR takes them."""
    dates = [quoted.terms.started_on, *(row.due_on for row in quoted.rows)]
    return dates, [-quoted.terms.amount_fen, *(row.total_fen for row in quoted.rows)]


def per_second(work: Callable[[], object], count: int) -> float:
    """Time a piece of work and return how many of its parts are done in a second."""
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


if __name__ == "__main__":
    raise SystemExit(main())
