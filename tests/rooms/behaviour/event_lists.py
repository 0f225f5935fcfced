"""Small lists of events: one by hand with what matters named, or any that Hypothesis likes."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import strategies as st

from grainline.behaviour import Party
from grainline.behaviour.events import COLUMNS, KINDS, SCENES, TOOLS

MOMENT = datetime(2026, 10, 31, 16, tzinfo=UTC)  # the first instant of 2026-11-01 in Shanghai
PAIRS = (  # kinds that mean something to each other
    ("money_market_in", "money_market_out"),
    ("transfer_in", "transfer_out"),
    ("default", "default_cured"),
    ("account_opened", "statement"),
    ("payment", "ride"),
)
Event = dict[str, object]


def event(kind: str, at: datetime, *, event_id: int = 0, resident: int = 1, **more: object) -> Event:
    """Return an event that the party learned of at once; what is not named is null."""
    given = {"event_id": event_id, "resident": resident, "at": at, "ingested_at": at, "kind": kind} | more
    return dict.fromkeys(COLUMNS) | given


def frame(events: Iterable[Event]) -> pl.DataFrame:
    """Return events as a party keeps them, numbered anew where none was given."""
    rows = [one | {"event_id": one["event_id"] or place} for place, one in enumerate(events, start=1)]
    return pl.DataFrame(rows, schema=COLUMNS)


@st.composite
def lives(draw: st.DrawFn, party: Party, *, residents: int = 3, most: int = 25) -> list[Event]:
    """Draw events of a few residents: close together, at window edges, after the moment, or ingested late."""
    ages = st.one_of(
        st.integers(-3 * 86_400, 600 * 86_400).map(lambda seconds: timedelta(seconds=seconds)),
        st.sampled_from((0, 7, 30, 90, 180, 360, 540)).map(lambda days: timedelta(days=days)),
        st.integers(0, 120).map(lambda hours: timedelta(hours=hours)),
        st.sampled_from((7, 30, 540)).map(lambda days: timedelta(days=days, microseconds=1)),
    )
    kinds = draw(st.sampled_from((KINDS[party], *(pair for pair in PAIRS if pair[0] in KINDS[party]))))
    found = []
    for number in range(1, draw(st.integers(0, most)) + 1):
        kind = draw(st.sampled_from(kinds))
        at = MOMENT - draw(ages)
        late = timedelta(hours=draw(st.sampled_from((0, 0, 1, 100))))
        found.append(
            event(
                kind,
                at,
                event_id=number,
                resident=draw(st.integers(1, residents)),
                ingested_at=at + late,
                amount_fen=draw(st.one_of(st.none(), st.integers(0, 300_000), st.just(10**11))),
                balance_fen=draw(st.one_of(st.none(), st.integers(0, 3), st.integers(0, 10**9))),
                counterparty=draw(st.one_of(st.none(), st.integers(1, 3))),
                scene=draw(st.sampled_from(SCENES[kind])) if kind in SCENES else None,
                tool=draw(st.sampled_from(TOOLS)) if kind == "payment" else None,
                place=draw(st.one_of(st.none(), st.integers(1, 3))),
                device=draw(st.one_of(st.none(), st.integers(1, 2))),
                days_late=draw(st.one_of(st.none(), st.integers(-5, 60))),
            )
        )
    return draw(st.permutations(found))
