"""What an event shows beside the same resident's others: marks, the limit it uses, the days a default took."""

import numpy as np
from numpy.typing import NDArray

from grainline.behaviour.columns import DAY_US, HOUR_US, SHANGHAI_US, Columns, Floats, Integers
from grainline.behaviour.groups import LARGE_FEN, Mark, Vocabulary

NIGHT_ENDS = 6  # o'clock
FLOWS = (("money_market_in", "money_market_out"), ("transfer_in", "transfer_out"))


def local_days(at_us: Integers) -> Integers:
    """Return the number of the day in Shanghai, from 1970-01-01."""
    return (at_us + SHANGHAI_US) // DAY_US


def local_hours(at_us: Integers) -> Integers:
    """Return the hour of the day in Shanghai."""
    return (at_us + SHANGHAI_US) // HOUR_US % 24


def marks(events: Columns, words: Vocabulary, hours: Integers) -> Integers:
    """Return the marks of each event. An outflow is held against the last inflow before it, of the same sort."""
    found = np.where(events.amount >= LARGE_FEN, int(Mark.LARGE), 0)
    found[hours < NIGHT_ENDS] |= int(Mark.NIGHT)
    for inward, outward in FLOWS:
        if inward not in words.kinds:
            continue
        came = last_before(events.resident, events.kind == words.kinds.index(inward))
        goes = np.flatnonzero((events.kind == words.kinds.index(outward)) & (came >= 0))
        after_us = events.at_us[goes] - events.at_us[came[goes]]
        for mark, longest in ((Mark.WITHIN_24H, 24), (Mark.WITHIN_72H, 72)):
            found[goes[after_us <= longest * HOUR_US]] |= int(mark)
    return found


def last_before(series: Integers, wanted: NDArray[np.bool_]) -> Integers:
    """Return for each event the place of the last wanted one before it in its series, or -1.

    A series is a run of equal numbers; events of one run are in the order of time.
    """
    places = np.arange(len(series))
    last = np.maximum.accumulate(np.where(wanted, places, -1))
    before = np.concatenate([[-1], last[:-1]]) if len(series) else last
    begins = np.concatenate([[True], series[1:] != series[:-1]]) if len(series) else wanted
    starts = np.maximum.accumulate(np.where(begins, places, 0))
    return np.where(before >= starts, before, -1)


def days_to_cure(events: Columns, words: Vocabulary) -> Floats:
    """Return for each cure the days since the default of the same account before it, else NaN."""
    return _since_marker(events, words, "default", "default_cured", (events.at_us / DAY_US), subtract=True)


def utilisation(events: Columns, words: Vocabulary) -> Floats:
    """Return for each statement what is owed over the limit its account was opened with, else NaN."""
    limit = _since_marker(events, words, "account_opened", "statement", events.amount, subtract=False)
    found: Floats = np.full(len(limit), np.nan)
    np.divide(events.balance, limit, out=found, where=limit > 0)
    return found


def _since_marker(
    events: Columns, words: Vocabulary, marker: str, asker: str, values: Floats, *, subtract: bool
) -> Floats:
    """Return each asker's value less the last marker's of the same account, or that marker's value alone."""
    found = np.full(len(events.resident), np.nan)
    kinds = words.kinds.index(marker), words.kinds.index(asker)
    rows = np.flatnonzero((events.kind == kinds[0]) | (events.kind == kinds[1]))
    account = np.lexsort((events.counterparty[rows], events.scene[rows], events.resident[rows]))  # stable: time stays
    rows = rows[account]
    keys = (events.resident[rows], events.scene[rows], events.counterparty[rows])
    changes = np.zeros(len(rows), dtype=np.int64)
    for key in keys:
        changes[1:] |= key[1:] != key[:-1]
    before = last_before(np.cumsum(changes), events.kind[rows] == kinds[0])
    asks = np.flatnonzero((events.kind[rows] == kinds[1]) & (before >= 0))
    told = values[rows[before[asks]]]
    found[rows[asks]] = values[rows[asks]] - told if subtract else told
    return found
