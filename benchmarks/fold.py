"""What an event costs the fold: 20 instalments and 60 events, some early, some late, all kinds that a borrower sees.

Beside it, in the same rounds, the least that can be done for an event: a loop that multiplies one balance with a rate
and the days since the event before, takes the amount off, and builds nothing. `ratio` is how many of those an event is.
"""

import argparse
import time
from collections.abc import Callable
from datetime import date, timedelta
from statistics import median

from _stage import print_figures, ratio

from grainline.kit.calendar import add_months
from grainline.kit.money import Fen, RateE8
from grainline.loans import Event, EventKind, Terms, fold
from grainline.products import Component, Rules, Shape

INSTALMENTS = 20
STARTED_ON = date(2025, 1, 31)
RULES = Rules(shape=Shape.EQUAL_PRINCIPAL, grace_days=1, penalty_e4=15_000)
TERMS = Terms(Fen(3_000_000), RateE8(50_000), INSTALMENTS, STARTED_ON, RULES)
END = add_months(STARTED_ON, INSTALMENTS + 1)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of which the median counts (%(default)s)")
    parser.add_argument("--folds", type=int, default=100, help="folds in a round (%(default)s)")
    given = parser.parse_args()
    events = life()
    folds: list[float] = []
    sums: list[float] = []
    for _ in range(given.rounds):
        folds.append(us_per_event(lambda: fold(TERMS, events, END), given.folds, len(events)))
        sums.append(us_per_event(lambda: running_sum(events), given.folds, len(events)))
    state = fold(TERMS, events, END)
    print_figures(
        {
            "us_per_event": round(median(folds), 2),
            "running_sum_us_per_event": round(median(sums), 3),
            "ratio": ratio(folds, sums),
            "events": len(events),
            "instalments": len(state.instalments),
            "rounds": given.rounds,
            "settled": state.settled_on is not None,
        },
        as_json=given.json,
    )
    return 0


def life() -> list[Event]:
    """Return three events a month: something given or charged, a part paid early, and what is due, often late."""
    events: list[Event] = []
    for month in range(INSTALMENTS):
        begins_on, due_on = add_months(STARTED_ON, month), add_months(STARTED_ON, month + 1)
        events.append(_given(month, begins_on + timedelta(days=5), len(events) + 1))
        early = Event(EventKind.REPAYMENT, begins_on + timedelta(days=12), len(events) + 1, Fen(20_000))
        paid_on = due_on + timedelta(days=month % 5)
        owed = fold(TERMS, [*events, early], paid_on).due_fen or Fen(100)
        events += [early, Event(EventKind.REPAYMENT, paid_on, len(events) + 2, owed)]
    return events


def _given(month: int, on: date, number: int) -> Event:
    match month % 4:
        case 0:
            return Event(EventKind.COUPON, on, number, Fen(500))
        case 1:
            return Event(EventKind.FEE, on, number, Fen(300))
        case 2:
            return Event(EventKind.DISCOUNT, on, number, share_e4=2_000, until=on + timedelta(days=7))
        case _:
            return Event(EventKind.WAIVER, on, number, Fen(200), component=Component.FEE)


def running_sum(events: list[Event]) -> int:
    """Accrue one balance from event to event."""
    balance, interest, today = int(TERMS.amount_fen), 0, STARTED_ON
    for event in events:
        interest += balance * TERMS.rate_e8 * (event.value_on - today).days
        balance -= event.amount_fen
        today = event.value_on
    return interest


def us_per_event(work: Callable[[], object], times: int, events: int) -> float:
    """Time a piece of work and return its microseconds per event."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times / events * 1e6


if __name__ == "__main__":
    raise SystemExit(main())
